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

  function draw(onPaper) {
    const look = onPaper
      ? template("#1d2733", "#4c5866", "#dde2e8")
      : template(colour("--ink"), colour("--quiet"), colour("--rule"));
    for (const [key, figure] of Object.entries(figures)) {
      const place = document.getElementById(key);
      const layout = { ...fitted(figure.layout), template: look, height: Number(place.dataset.height) };
      Plotly.react(place, figure.data, layout, settings);
    }
  }

  draw(false);
  dark.addEventListener("change", () => draw(false));
  narrow.addEventListener("change", () => draw(false));
  window.addEventListener("beforeprint", () => draw(true));
  window.addEventListener("afterprint", () => draw(false));
})();
