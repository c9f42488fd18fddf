"""ComBat and linear removal against published packages and formulas.

``combat_neurocombat.tsv`` holds what neuroCombat 0.2.12 (Fortin et al., a port of R's sva) makes of
:func:`table`, without covariates and with ``age`` (continuous) and ``sex`` (categorical); its
iteration was run to 1e-13 (argument ``conv`` of its ``it_sol``; 1e-4 as published).
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from combatlearn.core import ComBatModel

from omicsfusion.preprocess.batch.combat import ComBat, shrink
from omicsfusion.preprocess.batch.linear_removal import LinearRemoval

REFERENCE = Path(__file__).with_name("combat_neurocombat.tsv")
SIZES = (8, 16, 12)


def table():
    """36 samples x 12 features of sines in three batches, and a covariate of each type."""
    sample, feature = np.arange(36)[:, None], np.arange(12)
    X = 3 + np.sin(1.7 * sample * (feature + 1)) + 0.5 * np.cos(0.37 * sample**2 + feature)
    number = np.repeat([0, 1, 2], SIZES)[:, None]
    X = X * (1 + 0.3 * number) + 0.4 * number * np.cos(feature)
    # Eighths are exact in float32, in which neuroCombat keeps covariates.
    age = np.round(8 * (50 + 10 * np.sin(np.arange(36) * 2.1))) / 8
    sex = np.where(np.arange(36) * 7 % 5 < 2, "f", "m")
    X = X + 0.05 * (age - 50)[:, None] * np.sin(feature)
    X = X + 0.8 * (sex == "f")[:, None] * np.cos(2 * feature)
    batch = np.repeat(np.array(["a", "b", "c"], dtype=object), SIZES)
    return X, batch, pd.DataFrame({"age": age, "sex": sex})


@pytest.mark.parametrize("protect", [(), ("age", "sex")])
def test_combat_is_that_of_neurocombat(protect):
    X, batch, covariates = table()
    step = ComBat(protect).fit(X, batch=batch, covariates=covariates)
    found = step.transform(X, batch=batch, covariates=covariates)
    published = pd.read_csv(REFERENCE, sep="\t")
    published = published[published["covariates"] == (";".join(protect) or "none")]
    expected = published.filter(regex=r"^f\d+$").to_numpy()
    assert len(expected) == 6
    np.testing.assert_allclose(found[published["sample"]], expected, rtol=0, atol=1e-11)


def test_the_priors_are_those_of_a_batch_over_its_features():
    """One round by hand: Johnson et al. 2007, equations (3.1), of three features."""
    shift, variance = np.array([0.2, 0.5, 1.1]), np.array([0.8, 1.0, 1.5])
    gamma, delta = shrink(shift, variance, np.full(3, 10.0))
    centre, width = 0.6, 0.21
    mean, spread = 1.1, 0.13
    a, b = mean**2 / spread + 2, mean**3 / spread + mean
    # At the fixed point both conditional means hold.
    np.testing.assert_allclose(
        gamma, (10 * width * shift + delta * centre) / (10 * width + delta), rtol=1e-9
    )
    squares = 9 * variance + 10 * (shift - gamma) ** 2
    np.testing.assert_allclose(delta, (squares / 2 + b) / (10 / 2 + a - 1), rtol=1e-9)


@pytest.mark.parametrize("protect", [(), ("age", "sex")])
def test_centre_and_scale_are_those_of_combatlearn(protect):
    """The package combatlearn 2.3.0 shares them; its priors run over batches, not over features.

    So its corrected values are not those of Johnson et al.: by 0.70 at most here.
    """
    X, batch, covariates = table()
    step = ComBat(protect).fit(X, batch=batch, covariates=covariates)
    model = ComBatModel(method="fortin", eps=0).fit(
        pd.DataFrame(X),
        batch=pd.Series(batch),
        discrete_covariates=covariates[["sex"]] if protect else None,
        continuous_covariates=covariates[["age"]] if protect else None,
    )
    np.testing.assert_allclose(step.scale_**2, model._pooled_var, rtol=1e-10)
    if not protect:
        np.testing.assert_allclose(step.centre_, model._grand_mean, rtol=1e-12)
        theirs = model.transform(pd.DataFrame(X), batch=pd.Series(batch)).to_numpy()
        ours = step.transform(X, batch=batch)
        assert np.abs(theirs - ours).max() == pytest.approx(0.702, abs=0.001)


@pytest.mark.parametrize("protect", [(), ("age", "sex")])
def test_linear_removal_is_the_formula_of_limma(protect):
    """Ritchie et al. 2015, ``removeBatchEffect``: the fit of batch, coded to add up to zero."""
    X, batch, covariates = table()
    contrasts = np.repeat([[1.0, 0], [0, 1], [-1, -1]], SIZES, axis=0)
    kept = [np.ones(36)]
    if protect:
        kept += [covariates["age"], covariates["sex"] == "f"]
    design = np.column_stack([contrasts, *kept]).astype(float)
    effects = np.linalg.lstsq(design, X, rcond=None)[0][:2]
    step = LinearRemoval(protect).fit(X, batch=batch, covariates=covariates)
    found = step.transform(X, batch=batch, covariates=covariates)
    np.testing.assert_allclose(found, X - contrasts @ effects, rtol=0, atol=1e-12)
