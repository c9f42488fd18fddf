"""What every family must show once it is trained on a cohort of ``network_cohort``."""

from pathlib import Path

import keras
import numpy as np
import pandas as pd

from omicsfusion.models.backend import compiled, output_gradients
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.ensemble import ensemble_inputs, widened
from omicsfusion.models.fit import Fit
from tests.network_cohort import SAMPLES, SCOPES


def require_signal(table: pd.DataFrame, task: str) -> None:
    """Fail unless predictions of samples not trained on tell of the outcome.

    Parameters
    ----------
    table
        As ``prediction_table`` returns it.
    """
    assert len(table) == len(SCOPES) * SAMPLES // 5
    if task == "classification":
        called = table.filter(regex="^p_").idxmax(axis=1).str.removeprefix("p_")
        assert (called == table["truth"]).mean() > 0.5
    elif task == "survival":
        died = table[table["event"] == 1]
        assert died["risk"].corr(died["time"], method="spearman") < -0.4
    else:
        assert np.corrcoef(table["mean"], table["truth"])[0, 1] > 0.7


def require_archive(
    fit: Fit, reader: GroupReader, table: pd.DataFrame, task: str, folder: Path
) -> list[np.ndarray]:
    """Fail unless a saved fit predicts as its table says, also when widened.

    What a sample lacks (some lack ``mirna``) must have no gradient.

    Returns
    -------
    For each output its gradient with respect to ``rna``, samples x features.
    """
    fit.save(folder / fit.scope.key)
    model = keras.saving.load_model(folder / f"{fit.scope.key}.keras", compile=False)
    data = reader.load(fit.scope, ("mirna", "rna"))
    inputs = ensemble_inputs(model, data, data.rows("test"))
    outputs = np.asarray(model(inputs))
    mine = table[(table["fold"] == fit.scope.fold) & (table["inner"] == fit.scope.inner)]
    named = model.outputs_named
    columns = [f"p_{name}" for name in named] if task == "classification" else named
    np.testing.assert_allclose(outputs, mine[columns], rtol=1e-4, atol=1e-4)
    wide = widened(model, {"mirna": 9, "rna": 20})
    more = ensemble_inputs(wide, data, data.rows("test"))
    np.testing.assert_allclose(np.asarray(wide(more)), outputs, rtol=1e-4, atol=1e-4)
    gradients = compiled(lambda i: output_gradients(model, i["x"], i["present"]))(inputs)
    absent = inputs["present"][:, 0] == 0
    assert absent.any()
    for of_output in gradients:
        assert not np.asarray(of_output["mirna"])[absent].any()
    return [np.asarray(of_output["rna"]) for of_output in gradients]
