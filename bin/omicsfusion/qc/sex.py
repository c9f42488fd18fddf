"""Sex as the expression of a sample tells it, against the sex that was written down for it.

XIST is transcribed from the silenced X chromosome, in cells with two; the genes of the Y
chromosome below are expressed in nearly all male tissues. A sample whose sex is not the patient's
has been swapped. A tumour may have lost the Y chromosome or XIST: then the two disagree, and
nothing is called.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omicsfusion.qc.display_scale import on_display_scale
from omicsfusion.qc.moments import Moments
from omicsfusion.tables.cohort_table import CohortTable

KINDS = ("rna_counts", "rna_log", "array")
XIST = ("XIST", "ENSG00000229807")
Y_GENES = {
    "RPS4Y1": "ENSG00000129824",
    "DDX3Y": "ENSG00000067048",
    "KDM5D": "ENSG00000012817",
    "EIF1AY": "ENSG00000198692",
    "UTY": "ENSG00000183878",
    "USP9Y": "ENSG00000114374",
}
FEWEST_Y_GENES = 2
FEWEST_SAMPLES = 10
FEWEST_OF_A_SEX = 2
# Distance between the two groups in standard deviations within them: of XIST less the Y genes, and
# of either alone. Cutting one normal distribution in two at its middle makes 2.6.
FARTHEST_BY_CHANCE = 4.0
FARTHEST_ALONE = 2.0

COLUMN_NAMES = ("sex", "gender", "is_female")
WORDS = {"female": "female", "f": "female", "male": "male", "m": "male"}
FLAGS = {"1": "female", "1.0": "female", "true": "female"} | {
    "0": "male",
    "0.0": "male",
    "false": "male",
}


@dataclass(frozen=True)
class SexCalls:
    """Sex of the samples of one cohort.

    Attributes
    ----------
    called
        By sample: ``female``, ``male`` or empty (XIST and the Y genes disagree).
    note
        Which genes told, or why nothing was called.
    """

    called: Mapping[str, str]
    note: str


def call_sex(table: CohortTable, logarithm: bool) -> SexCalls | None:
    """Call the sex of a cohort's samples from its expression; None where it has no such genes.

    The samples are cut in two by the difference of XIST and the mean of the Y genes (each in
    standard deviations over the cohort), where the variance between the parts is largest (Otsu,
    IEEE Trans. SMC 9:62, 1979) among the cuts that separate them clearly: by the difference, by
    XIST and by the Y genes, the latter in opposite directions. A sample is called when it lies on
    the same side by both. Without a clear cut, as in a cohort of one sex, nothing is called.
    """
    found = sex_genes(table.header.features)
    if table.header.kind not in KINDS or found is None or len(table.rows) == 0:
        return None
    xist, y_genes = found
    values = on_display_scale(table.columns([xist, *y_genes]), logarithm)
    moments = Moments.of(values, axis=0)
    z = (values - moments.mean) / np.where(moments.squares > 0, moments.sd(), np.nan)
    known = ~np.isnan(z[:, 0]) & ~np.isnan(z[:, 1:]).all(axis=1)
    if known.sum() < FEWEST_SAMPLES:
        return SexCalls({}, f"fewer than {FEWEST_SAMPLES} samples with values of the sex genes")
    of_xist, of_y = z[known, 0], np.nanmean(z[known, 1:], axis=1)
    middle = _middles(of_xist, of_y)
    if middle is None:
        return SexCalls({}, "XIST and the Y genes part the samples into no two clear groups")
    is_female = np.where((of_xist > middle[0]) & (of_y < middle[1]), "female", "")
    called = np.where((of_xist < middle[0]) & (of_y > middle[1]), "male", is_female)
    samples = [sample for sample, has in zip(table.samples, known, strict=True) if has]
    by_sample = dict(zip(samples, map(str, called), strict=True))
    return SexCalls(by_sample, f"by XIST and {len(y_genes)} genes of the Y chromosome")


def sex_genes(features: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """Find XIST and the Y genes among features, by symbol or Ensembl id (with or without version).

    Also in names of several parts, such as ``XIST|7503``. The first feature of a gene counts.

    Returns
    -------
    The features, or None without XIST or with fewer than ``FEWEST_Y_GENES`` of the others.
    """
    gene_of = dict.fromkeys(XIST, "XIST")
    gene_of |= {name: symbol for symbol, ensembl in Y_GENES.items() for name in (symbol, ensembl)}
    found: dict[str, str] = {}
    for feature in features:
        for part in feature.upper().split("|"):
            gene = gene_of.get(part.split(".")[0])
            if gene is not None:
                found.setdefault(gene, feature)
    y_genes = tuple(found[symbol] for symbol in Y_GENES if symbol in found)
    return (found["XIST"], y_genes) if "XIST" in found and len(y_genes) >= FEWEST_Y_GENES else None


def _middles(of_xist: np.ndarray, of_y: np.ndarray) -> tuple[float, float] | None:
    """Return the values halfway between the sexes, of XIST and of the Y genes; None without any."""
    order = np.argsort(of_xist - of_y, kind="stable")
    n = len(order)
    size = np.arange(FEWEST_OF_A_SEX, n - FEWEST_OF_A_SEX + 1)
    xist, y = _Halves.of(of_xist[order], size), _Halves.of(of_y[order], size)
    both = _Halves.of((of_xist - of_y)[order], size)
    clear = (
        (both.gap > FARTHEST_BY_CHANCE * both.within)
        & (xist.gap > FARTHEST_ALONE * xist.within)
        & (-y.gap > FARTHEST_ALONE * y.within)
    )
    if not clear.any():
        return None
    between = np.where(clear, size * (n - size) * both.gap**2, -1.0)
    best = int(np.argmax(between))
    return float(xist.middle[best]), float(y.middle[best])


@dataclass(frozen=True)
class _Halves:
    """Both parts of an ordered list, for each place where it can be cut.

    ``gap``: mean of the upper part less that of the lower. ``within``: pooled standard deviation.
    ``middle``: halfway between the means.
    """

    gap: np.ndarray
    within: np.ndarray
    middle: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, size: np.ndarray) -> "_Halves":
        n = len(values)
        sums, squares = np.cumsum(values), np.cumsum(values**2)
        low, high = sums[size - 1] / size, (sums[-1] - sums[size - 1]) / (n - size)
        rest = squares[-1] - size * low**2 - (n - size) * high**2
        return cls(high - low, np.sqrt(np.maximum(rest, 0) / n), (low + high) / 2)


def given_sex(covariates: pd.DataFrame) -> dict[str, str]:
    """Read the sex that was written down, from the first column named as in ``COLUMN_NAMES``.

    Parameters
    ----------
    covariates
        ``covariates.tsv``: ``sample`` and columns of text.

    Returns
    -------
    By sample: ``female`` or ``male``; samples with another word, or none, are left out.
    """
    for wanted in COLUMN_NAMES:
        for column in covariates.columns:
            if column.lower() == wanted:
                meaning = FLAGS if wanted == "is_female" else WORDS
                words = covariates[column].map(lambda word: str(word).strip().lower())
                told = zip(covariates["sample"], words.map(meaning), strict=True)
                return {str(sample): sex for sample, sex in told if isinstance(sex, str)}
    return {}
