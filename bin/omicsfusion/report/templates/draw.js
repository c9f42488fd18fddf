// Draws every figure of the page in the colours of its style, and again when the style changes.
(function () {
  "use strict";
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const narrow = window.matchMedia("(max-width: 640px)");
  const settings = {
    responsive: true,
    displaylogo: false,
    displayModeBar: "hover",
    modeBarButtons: [["toImage"]],
    plotlyServerURL: "",
    showTips: false,
  };

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  // Fonts and frames for all figures; what a figure says itself goes first.
  function template(ink, quiet, rule) {
    const axis = {
      gridcolor: rule,
      linecolor: rule,
      ticks: "outside",
      ticklen: 4,
      tickcolor: "rgba(0,0,0,0)",
      tickfont: { color: quiet },
      title: { font: { size: narrow.matches ? 11 : 13, color: quiet } },
    };
    return {
      layout: {
        font: { family: colour("--sans"), size: narrow.matches ? 11 : 13, color: ink },
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        hoverlabel: { bgcolor: colour("--surface"), bordercolor: rule, font: { color: ink } },
        xaxis: axis,
        yaxis: axis,
        annotationdefaults: { font: { size: narrow.matches ? 10 : 12, color: quiet } },
      },
    };
  }

  // On a narrow screen names of models would leave no room for the dots: break them.
  function fitted(layout) {
    const own = structuredClone(layout);
    const names = own.yaxis.ticktext;
    if (narrow.matches && names) {
      own.yaxis.ticktext = names.map((name) => name.replace(/(.{9}\S*) /g, "$1<br>"));
    }
    return own;
  }

  // The view that the figure's switches are set to; a figure without switches is its own view.
  function chosen(key, figure) {
    if (!figure.views) {
      return figure;
    }
    const switches = document.querySelectorAll(`[data-figure="${key}"] input:checked`);
    return figure.views[Array.from(switches, (input) => input.value).join("/")];
  }

  // A trace whose points are kept in the figure's columns gets them.
  function filled(trace, columns) {
    const { from, ...own } = trace;
    if (from) {
      for (const name of ["x", "y", "text"]) {
        own[name] = columns[from.rows].map((row) => columns[from[name]][row]);
      }
    }
    return own;
  }

  function drawOne(key, look) {
    const figure = figures[key];
    const place = document.getElementById(key);
    if (place.closest("details:not([open])")) {
      return; // Without a width; drawn when it is unfolded.
    }
    const view = chosen(key, figure);
    const layout = { ...fitted(view.layout), template: look, height: Number(place.dataset.height) };
    const data = view.data.map((trace) => filled(trace, figure.columns));
    Plotly.react(place, data, layout, settings);
    if (figure.views) {
      place.setAttribute("aria-label", view.alt);
      place.parentElement.querySelector(".view-note").textContent = view.note;
    }
  }

  function lookOf(onPaper) {
    return onPaper
      ? template("#1d2733", "#4c5866", "#dde2e8")
      : template(colour("--ink"), colour("--quiet"), colour("--rule"));
  }

  function draw(onPaper) {
    const look = lookOf(onPaper);
    Object.keys(figures).forEach((key) => drawOne(key, look));
  }

  for (const controls of document.querySelectorAll(".switches")) {
    controls.hidden = false;
    controls.addEventListener("change", () => drawOne(controls.dataset.figure, lookOf(false)));
  }
  // A toggle does not bubble: it is caught on its way down.
  document.addEventListener(
    "toggle",
    (event) => {
      for (const place of event.target.querySelectorAll(".plot")) {
        drawOne(place.id, lookOf(false));
      }
    },
    true,
  );
  draw(false);
  dark.addEventListener("change", () => draw(false));
  narrow.addEventListener("change", () => draw(false));
  window.addEventListener("beforeprint", () => draw(true));
  window.addEventListener("afterprint", () => draw(false));
})();
