"""Seed variance beside fold variance: how much of a score is luck of the random numbers.

A network's score is one draw in two ways. Its random numbers (first weights, order of the batches,
what dropout hides) could have been others, and so could the patients it was trained and tested on.
Bouthillier et al. (MLSys 2021, "Accounting for variance in machine learning benchmarks") tell such
sources apart by varying each while the others stay. Here the networks of an ensemble are trained on
the same patients with random numbers of their own: the standard deviation between them is that of
the seed, and the one between folds, of their mean, is that of the patients.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omicsfusion.assess.held_out import HeldOut, held_out_sets, n_failed
from omicsfusion.assess.patterns import REPORTED, reported
from omicsfusion.assess.predictions import MEMBER, of_targets, with_outcome

SCOPE = "test"
LEAST_SEEDS = 3
"""Of two numbers a standard deviation is an anecdote."""

COLUMNS = [
    *("target", "model", "metric", "n_seeds", "n_failed", "mean"),
    *("sd_seeds", "sd_folds", "sd_repeats", "ensemble", "reason"),
]


@dataclass(frozen=True)
class MemberScores:
    """Metrics of single networks of one model; an index names the network.

    Attributes
    ----------
    whole
        Over all folds and repeats. Index: member.
    by_repeat
        Over the folds of a repeat. Index: member, repeat.
    by_fold
        Index: member, repeat, fold.
    n_failed
        Fits of single networks without a prediction.
    """

    whole: pd.DataFrame
    by_repeat: pd.DataFrame
    by_fold: pd.DataFrame
    n_failed: int


def seed_spread(
    members: pd.DataFrame, predictions: pd.DataFrame, metrics: pd.DataFrame, task: str
) -> pd.DataFrame:
    """Tell of each network how its score differs between seeds, folds and repeats.

    Parameters
    ----------
    members
        What single networks predict of test samples, as
        :func:`omicsfusion.assess.predictions.gather_predictions` reads it with ``MEMBER_KEYS``.
    predictions
        Of all models: who was trained on is read off the inner rows.
    metrics
        ``metrics.tsv``, for the score of the networks together.
    task
        ``classification``, ``survival`` or ``regression``.

    Returns
    -------
    ``COLUMNS``, by target, model and metric (``REPORTED``, in its order); standard deviations with
    ddof 1. ``mean`` and ``sd_seeds`` are over single networks, of their scores over all folds and
    repeats; ``sd_folds`` is over the folds of a repeat, of the mean of the networks' scores,
    averaged over repeats; ``sd_repeats`` over repeats, of that mean over all folds of one (NaN with
    one). ``ensemble`` is the score of the networks' mean prediction. ``reason`` says why
    ``sd_seeds`` is missing.
    """
    real = members[members["permutation"] == 0]
    inner = predictions[(predictions["permutation"] == 0) & (predictions["scope"] == "inner")]
    inner = inner[inner["model"].isin(real["model"])]
    together = metrics[(metrics["permutation"] == 0) & (metrics["scope"] == SCOPE)]
    ensemble = together.set_index(["target", "model", "metric"])["estimate"]
    rows: list[dict[str, object]] = []
    for target, told in of_targets(pd.concat([real, inner]), task).items():
        known = with_outcome(told, task)
        networks = known.loc[known[MEMBER].notna(), "model"].unique()
        for model in sorted(networks):
            scores = member_scores(known[known["model"] == model], task)
            for metric in REPORTED[task]:
                about = {"target": target, "model": model, "metric": metric}
                score = ensemble.get((target, model, metric), np.nan)
                rows.append({**about, **_row(scores, metric), "ensemble": score})
    return pd.DataFrame(rows, columns=COLUMNS)


def member_scores(entry: pd.DataFrame, task: str) -> MemberScores:
    """Score each network of a model by itself, pairs within folds.

    Parameters
    ----------
    entry
        Rows of one target and model: of networks (``member``), at least one, and of inner folds
        without that.
    """
    inner = entry[entry[MEMBER].isna()]
    told = entry[entry[MEMBER].notna()]
    patients = sorted(told["patient"].unique())
    parts: dict[tuple[int, ...], Mapping[str, float]] = {}
    failed = 0
    for number, rows in told.groupby(MEMBER):
        member = int(float(str(number)))
        single = pd.concat([rows, inner]).drop(columns=MEMBER)
        sets = held_out_sets(single, SCOPE, patients)
        failed += n_failed(sets)
        for key, part in _parts(sets):
            parts[(member, *key)] = _scores(part, task, len(patients))
    whole, by_repeat, by_fold = (_table(parts, depth) for depth in (1, 2, 3))
    return MemberScores(whole, by_repeat, by_fold, failed)


def _parts(sets: Sequence[HeldOut]) -> Iterator[tuple[tuple[int, ...], list[HeldOut]]]:
    """Yield all sets, those of each repeat and each by itself, under (), (repeat,) and both."""
    yield (), list(sets)
    for repeat in sorted({held.repeat for held in sets}):
        yield (repeat,), [held for held in sets if held.repeat == repeat]
    for held in sets:
        yield (held.repeat, held.fold), [held]


def _scores(sets: Sequence[HeldOut], task: str, n_patients: int) -> dict[str, float]:
    found = reported(sets, sets, task, np.ones((1, n_patients)))
    return {metric: float(values[0]) for metric, values in found.items()}


def _table(parts: Mapping[tuple[int, ...], Mapping[str, float]], depth: int) -> pd.DataFrame:
    found = {key: scores for key, scores in parts.items() if len(key) == depth}
    names = (MEMBER, "repeat", "fold")[:depth]
    index = pd.MultiIndex.from_tuples(list(found), names=names)
    return pd.DataFrame(list(found.values()), index=index)


def _row(scores: MemberScores, metric: str) -> dict[str, object]:
    single = scores.whole[metric]
    by_repeat = scores.by_repeat[metric].groupby("repeat").mean()
    by_fold = scores.by_fold[metric].groupby(["repeat", "fold"]).mean()
    reason = _too_few(len(single), int(single.notna().sum()))
    return {
        "n_seeds": len(single),
        "n_failed": scores.n_failed,
        "mean": single.mean(),
        "sd_seeds": np.nan if reason else single.std(ddof=1),
        "sd_folds": by_fold.groupby("repeat").std(ddof=1).mean(),
        "sd_repeats": by_repeat.std(ddof=1),
        "reason": reason,
    }


def _too_few(networks: int, defined: int) -> str:
    """Say why there is no standard deviation over networks; empty when there is one."""
    if networks < LEAST_SEEDS:
        return f"fewer than {LEAST_SEEDS} networks a fit"
    if defined < LEAST_SEEDS:
        return f"defined for fewer than {LEAST_SEEDS} networks"
    return ""
