"""What a regression adds: predicted against observed values."""

from omicsfusion.report.blocks import Figure
from omicsfusion.report.figures.scatter import MOST_POINTS, predicted_against_observed
from omicsfusion.report.results import Results
from omicsfusion.report.verdict import main_model
from omicsfusion.report.words import count, lowered, quantity, short_model_name


def value_views(results: Results) -> dict[str, object]:
    """Make the view of the main model; None without predictions."""
    main = main_model(results)
    rows = results["predictions"]
    rows = rows[(rows["model"] == main) & (rows["scope"] == "test") & (rows["repeat"] == 1)]
    rows = rows.dropna(subset=["truth", "mean"]).sort_values("sample")
    if not len(rows):
        return {"scatter": None}
    data, layout, height = predicted_against_observed(rows, results.target)
    thinned = len(rows) > MOST_POINTS
    every = " An even choice of them is drawn." if thinned else ""
    name = lowered(short_model_name(main))
    figure = Figure(
        "predicted-observed",
        f"Each dot is a sample that the {name} predicted while it was held out, "
        f"in the first repeat. A perfect prediction lies on the dashed line.{every}",
        f"Predicted against observed values of {count(len(rows), 'sample')}. Observed from "
        f"{quantity(rows['truth'].min())} to {quantity(rows['truth'].max())}, predicted from "
        f"{quantity(rows['mean'].min())} to {quantity(rows['mean'].max())}.",
        data,
        layout,
        height,
    )
    return {"scatter": figure}
