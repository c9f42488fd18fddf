"""All differences of one target: the questions, the network against each model, layer by layer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
from scipy.stats import t as student

from omicsfusion.assess.bootstrap import patient_weights
from omicsfusion.assess.comparison.choice import side_of
from omicsfusion.assess.comparison.differences import common, paired_difference
from omicsfusion.assess.comparison.headline import METRIC
from omicsfusion.assess.comparison.holm import holm
from omicsfusion.assess.comparison.roles import main_network, questions, without_layer
from omicsfusion.assess.comparison.single_split import single_split_tests
from omicsfusion.assess.held_out import held_out_sets, scored_rows

QUESTION, MODEL, LAYER = "question", "model", "layer"
"""Families of comparisons; Holm corrects within one."""

Entries = Mapping[str, pd.DataFrame]

COLUMNS = [
    *("permutation", "target", "scope", "family", "name", "model", "against", "metric"),
    *("score", "score_against", "difference", "ci_low", "ci_high", "se", "df", "p", "p_holm"),
    *("method", "p_delong", "p_mcnemar", "share_positive", "share_negative"),
    *("n_folds", "n_repeats", "n_patients", "n_events", "least_class", "failed_share"),
]


def comparison_table(
    entries: Entries, networks: Sequence[str], task: str, seed: int, margin: float
) -> pd.DataFrame:
    """Compare the models of one target.

    Parameters
    ----------
    entries
        Model -> its rows of one permutation and target that have an outcome.
    networks
        Families that are networks, in the order of the registry.
    task
        ``classification``, ``survival`` or ``regression``.
    seed
        The run's seed: the replicates are those of ``metrics.tsv``.
    margin
        What a layer must add to be worth it.

    Returns
    -------
    ``COLUMNS``, scope ``test``, then ``external``. ``family`` and ``name`` say what is asked:
    a ``question`` (:mod:`.roles`), the network against a ``model``, or what it loses without a
    ``layer``, for which ``p`` is one-sided, of a loss of at least the margin. ``model`` and
    ``against`` are models; of those of which the best was chosen in each fold all that ever were,
    joined by ``;``, the most frequent first. ``p_holm`` is corrected within family and scope.
    """
    rows: list[dict[str, object]] = []
    for scope in ("test", "external"):
        scored = [scored_rows(entry, scope) for entry in entries.values()]
        patients = sorted(set().union(*(part["patient"] for part in scored)))
        if not patients:
            continue
        weights = patient_weights(len(patients), seed, scope)
        found: dict[object, dict[str, object]] = {}  # a pair may be asked in two families
        for family, name, first, second in _pairs(entries, networks):
            if (first, second) not in found:
                found[first, second] = _row(entries, first, second, scope, task, patients, weights)
            row = found[first, second]
            if row:
                p = _p_of_margin(row, margin) if family == LAYER else row["p"]
                rows.append({"scope": scope, "family": family, "name": name, **row, "p": p})
    table = pd.DataFrame(rows, columns=COLUMNS)
    for _, part in table.groupby(["scope", "family"]):
        table.loc[part.index, "p_holm"] = holm(part["p"].to_numpy(dtype=float))
    return table.astype({"n_events": "Int64", "least_class": "Int64"})


def _pairs(
    entries: Entries, networks: Sequence[str]
) -> Iterator[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
    models = sorted(entries)
    for question in questions(models, networks):
        yield QUESTION, question.name, question.first, question.second
    network = main_network(models, networks)
    if network:
        lacking = without_layer(models, network)
        for model in models:
            if model not in (network, *lacking.values()):
                yield MODEL, model, (network,), (model,)
        for layer, model in lacking.items():
            yield LAYER, layer, (network,), (model,)


def _row(
    entries: Entries,
    first: Sequence[str],
    second: Sequence[str],
    scope: str,
    task: str,
    patients: Sequence[str],
    weights: np.ndarray,
) -> dict[str, object]:
    """Return the cells of a comparison; empty where no sample is predicted by both sides."""
    sides = [side_of(entries, names, scope, task) for names in (first, second)]
    (one, chosen), (other, against) = sides
    found = paired_difference(one, other, scope, task, patients, weights)
    if found is None:
        return {}
    delong, mcnemar = _on_one_split(one, other, scope, task, patients)
    return {
        "permutation": one["permutation"].iloc[0],
        "target": one["target"].iloc[0],
        "metric": METRIC[task],
        "model": ";".join(chosen),
        "against": ";".join(against),
        "p_delong": delong,
        "p_mcnemar": mcnemar,
        **asdict(found),
    }


def _on_one_split(
    one: pd.DataFrame, other: pd.DataFrame, scope: str, task: str, patients: Sequence[str]
) -> tuple[float, float]:
    """DeLong's and McNemar's p-values where there is one held-out set of a classification."""
    both = common(one, other, scope)
    fits = scored_rows(both[0], scope).groupby(["repeat", "fold"]).ngroups
    if task != "classification" or fits != 1:
        return float("nan"), float("nan")
    sets = [held_out_sets(entry, scope, patients) for entry in both]
    return single_split_tests(sets[0][0], sets[1][0])


def _p_of_margin(row: Mapping[str, object], margin: float) -> float:
    """One-sided p-value of a loss of at least the margin, by the standard error of the difference.

    Without any spread the loss is what it is.
    """
    se, df, loss = (float(str(row[name])) for name in ("se", "df", "difference"))
    if not np.isfinite(se) or df < 1:
        return float("nan")
    if se == 0:
        return float(loss >= margin)
    return float(student.cdf((loss - margin) / se, df))
