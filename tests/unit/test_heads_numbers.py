"""Numbers: Huber's loss, and centre and spread that outliers do not move."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import huber
from scipy.stats import median_abs_deviation

from omicsfusion.models.heads.choice import head_for
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.network_cohort import SCOPES, open_cohort, write_cohort


def heads_and_data(folder):
    """Return the Gaussian and the Huber head of a cohort, and its first scope."""
    reader, outcome = open_cohort(folder, "regression")
    data = reader.load(SCOPES[0], ("mirna", "rna"))
    return head_for(outcome), head_for(outcome, head="huber"), data


@pytest.fixture
def cohort(tmp_path):
    write_cohort(tmp_path, "regression", SCOPES[:1])
    return tmp_path


def change_truth(folder, role: str, change) -> None:
    """Apply a function to the outcomes of a role."""
    splits = read_tsv(folder / "splits.tsv", text_columns=("role", "group"))
    samples = read_tsv(folder / "samples.tsv").set_index("sample")
    chosen = splits.loc[splits["role"] == role, "sample"]
    samples.loc[chosen, "truth"] = change(samples.loc[chosen, "truth"].to_numpy())
    write_tsv(samples.reset_index(), folder / "samples.tsv")


def test_the_loss_is_that_of_scipy_and_its_gradient_never_exceeds_one(cohort):
    _, head, _ = heads_and_data(cohort)
    rng = np.random.default_rng(0)
    outputs = tf.constant(3 * rng.normal(size=(2, 50, 1)).astype(np.float32))
    target = rng.normal(size=(2, 50, 1)).astype(np.float32)
    weight = rng.integers(0, 2, size=(2, 50)).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        loss = head.loss(outputs, target, weight, {})
    residual = np.asarray(outputs)[..., 0] - target[..., 0]
    expected = (huber(1.0, residual) * weight).sum(axis=1) / weight.sum(axis=1)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    slope = np.asarray(tape.gradient(loss, outputs))[..., 0] * weight.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(slope, np.clip(residual, -1, 1) * weight, atol=1e-5)


def test_outliers_move_neither_the_centre_nor_the_unit(cohort):
    _, head, data = heads_and_data(cohort)
    clean = head.targets(data)
    fitted = head.outcome.table["truth"].to_numpy()[data.rows("train")]
    assert clean.offset == np.median(fitted)
    assert clean.scale == pytest.approx(median_abs_deviation(fitted, scale="normal"), rel=1e-6)
    change_truth(cohort, "train", lambda y: np.where(np.arange(len(y)) % 20 == 0, y + 1e4, y))
    gaussian, head, data = heads_and_data(cohort)
    spoilt = head.targets(data)
    assert spoilt.offset == pytest.approx(clean.offset, abs=0.2 * clean.scale)
    assert spoilt.scale == pytest.approx(clean.scale, rel=0.2)
    assert gaussian.targets(data).scale > 50 * clean.scale


def test_the_spread_is_the_scaled_median_of_the_absolute_residuals(cohort):
    _, head, data = heads_and_data(cohort)
    targets = head.targets(data)
    truth = head.outcome.table.loc[list(data.samples), "truth"].to_numpy(float)
    residuals = np.random.default_rng(1).normal(size=len(truth))
    columns = head.columns(np.zeros(0), (truth - residuals)[:, None], data, targets)
    of_stop = residuals[data.rows("stop")]
    expected = median_abs_deviation(of_stop, center=lambda *a, **k: 0.0, scale="normal")
    np.testing.assert_allclose(columns["sd"], expected, rtol=1e-6)
    assert len(columns["mean"]) == len(data.rows("test"))


def test_a_target_that_is_mostly_one_value_falls_back_to_the_standard_deviation(cohort):
    change_truth(cohort, "train", lambda y: np.where(np.arange(len(y)) % 3 == 0, y, 50.0))
    gaussian, head, data = heads_and_data(cohort)
    targets = head.targets(data)
    assert targets.offset == 50
    assert targets.scale == gaussian.targets(data).scale > 0
