"""From the comparisons of one target to what ``verdict.json`` says of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from omicsfusion.assess.bootstrap import patient_weights
from omicsfusion.assess.comparison.across_sites import SCHEMA_VERSION, differences_there
from omicsfusion.assess.comparison.chance import AgainstChance, against_chance
from omicsfusion.assess.comparison.choice import side_of
from omicsfusion.assess.comparison.headline import METRIC
from omicsfusion.assess.comparison.more_patients import Needed, needed
from omicsfusion.assess.comparison.omics_controls import (
    AgainstPermutedOmics,
    against_permuted_omics,
)
from omicsfusion.assess.comparison.ranks import COLUMNS as RANK_COLUMNS
from omicsfusion.assess.comparison.ranks import rank_table
from omicsfusion.assess.comparison.roles import (
    MASK,
    OMICS,
    SHALLOW,
    Question,
    main_network,
    questions,
)
from omicsfusion.assess.comparison.scorable import of_scorable
from omicsfusion.assess.comparison.table import LAYER, MODEL, QUESTION, comparison_table
from omicsfusion.assess.comparison.verdict import Evidence, Margins, is_useless, verdict
from omicsfusion.assess.comparison.verdict_words import sentences_of
from omicsfusion.assess.held_out import scored_rows
from omicsfusion.assess.predictions import of_targets, with_outcome

WITH_COVARIATES = "the model of clinical data and omics"
"""What the question ``omics`` asks about."""

NUMBERS = ("score", "score_against", "difference", "ci_low", "ci_high", "se", "p", "p_holm")


@dataclass(frozen=True)
class Signals:
    """Whether there is anything to compare.

    Attributes
    ----------
    network
        The network against chance; None without one.
    with_covariates
        The first side of the question ``omics`` against chance; None where it is not asked.
    omics
        What omics add against what permuted omics add; None without such controls.
    """

    network: AgainstChance | None
    with_covariates: AgainstChance | None = None
    omics: AgainstPermutedOmics | None = None


@dataclass(frozen=True)
class Background:
    """What of a run its predictions do not show and a reader of its verdict should know.

    Attributes
    ----------
    label_source
        The layer from which the outcome was made; empty for none.
    layers_lack
        Whether some samples lack layers that others have.
    networks_tuned
        Whether the settings of networks were tuned, as those of shallow models always are.
    split
        How the samples were split (``--split``).
    """

    label_source: str = ""
    layers_lack: bool = False
    networks_tuned: bool = False
    split: str = "kfold"


def compare(
    predictions: pd.DataFrame,
    networks: Sequence[str],
    task: str,
    seed: int,
    margins: Margins,
    background: Background,
    across_sites: Mapping[str, Any] | None = None,
    omics_controls: pd.DataFrame | None = None,
    patterns: pd.Series | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Compare the models of each target and come to a verdict.

    Parameters
    ----------
    predictions
        As :func:`omicsfusion.assess.predictions.gather_predictions` returns it.
    networks
        Families that are networks, in the order of the registry.
    task
        ``classification``, ``survival`` or ``regression``.
    seed
        The run's seed: the replicates are those of ``metrics.tsv``.
    across_sites
        ``verdict.json`` of a run of the same cohort that left sites out.
    omics_controls
        As :func:`.omics_controls.score_omics_controls` returns it; None without negative controls.
    patterns
        As :func:`omicsfusion.assess.patterns.patterns_of` returns it; None: everyone has all
        layers. Models of one layer are compared on those who have it.

    Returns
    -------
    ``comparison.tsv`` (:func:`.table.comparison_table`), ``ranks.tsv``
    (:func:`.ranks.rank_table`), and ``verdict.json`` (docs/output.md).

    Raises
    ------
    OtherRunError
        ``across_sites`` is not of such a run.
    """
    comparisons, ranks, judged = [], [], []
    for target, rows in of_targets(predictions, task).items():
        known = with_outcome(rows, task)
        real = known[known["permutation"] == 0]
        entries = {str(model): entry for model, entry in real.groupby("model")}
        scorable = of_scorable(entries, patterns)
        table = comparison_table(scorable, networks, task, seed, margins.superiority)
        comparisons.append(table)
        ranks.append(rank_table(entries, task))
        network = main_network(sorted(entries), networks)
        asked = {question.name: question for question in questions(sorted(entries), networks)}
        signals = Signals(
            _chance(known, (network,), task, seed) if network else None,
            _chance(known, asked[OMICS].first, task, seed) if OMICS in asked else None,
            _permuted(omics_controls, target),
        )
        sites = differences_there(across_sites, target, network, METRIC[task])
        found = judge(table, signals, network, margins, sites, asked)
        judged.append(_told({"target": target, "metric": METRIC[task], **found}, background))
    filled = [table for table in ranks if len(table)]
    return (
        pd.concat(comparisons, ignore_index=True),
        pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=RANK_COLUMNS),
        {"schema_version": SCHEMA_VERSION, "split": background.split, "targets": judged},
    )


def judge(
    table: pd.DataFrame,
    signals: Signals,
    network: str | None,
    margins: Margins,
    sites: Mapping[str, float],
    asked: Mapping[str, Question],
) -> dict[str, Any]:
    """Apply the rule to each question and each layer of one target.

    Parameters
    ----------
    table
        As :func:`.table.comparison_table` returns it.
    network
        The model that the verdict is about; None where no network was trained.
    sites
        Question -> its difference in a run that left sites out.
    asked
        Name of a question -> its sides.

    Returns
    -------
    What ``verdict.json`` says of a target, but for its words. ``verdict`` is that of the question
    ``shallow``, None where it was not asked.
    """
    test = table[table["scope"] == "test"]
    beats_mask = _beats_mask(test)
    answers = []
    for row in _records(test, QUESTION):
        name = str(row["name"])
        known = {**_signal_of(name, signals, beats_mask), "across_sites": sites.get(name)}
        answers.append(_question(row, known, _rival(test, asked[name]), margins))
    words = {question["question"]: question["verdict"] for question in answers}
    return {
        "network": network,
        "verdict": words.get(SHALLOW),
        "margin": margins.superiority,
        "equivalence": margins.equivalence,
        **_chance_cells(signals.network),
        "beats_mask": beats_mask,
        "omics_permutation_p": signals.omics.p if signals.omics else None,
        "n_omics_controls": signals.omics.n_controls if signals.omics else None,
        "questions": answers,
        "layers": [_layer(row, margins) for row in _records(test, LAYER)],
    }


def _told(found: Mapping[str, Any], background: Background) -> dict[str, Any]:
    """Add to what was found of a target what is known of the run, and say it all in words."""
    known = {
        "label_source": background.label_source,
        "mask_not_asked": background.layers_lack and found["beats_mask"] is None,
        "networks_tuned": background.networks_tuned,
    }
    return {**found, **known, **sentences_of({**found, **known})}


def _signal_of(name: str, signals: Signals, beats_mask: bool | None) -> dict[str, Any]:
    """Say, in the words of the evidence, whether a question has something to compare."""
    if name != OMICS:
        beaten = signals.network.beaten if signals.network else None
        return {"beats_chance": beaten, "beats_mask": beats_mask if signals.network else None}
    return {
        "beats_chance": signals.with_covariates.beaten if signals.with_covariates else None,
        "beats_permuted": signals.omics.beaten if signals.omics else None,
        "about": WITH_COVARIATES,
    }


def _rival(test: pd.DataFrame, question: Question) -> dict[str, Any] | None:
    """Find the best model that alone does no worse than the network, of a side with several."""
    if len(question.second) == 1:
        return None
    rows = [
        row
        for row in _records(test, MODEL)
        if row["name"] in question.second and row["difference"] <= 0
    ]
    if not rows:
        return None
    best = min(rows, key=lambda row: row["difference"])
    return {"model": best["name"], "score": float(best["score_against"])}


def _question(
    row: Mapping[str, Any],
    signal: Mapping[str, Any],
    rival: Mapping[str, Any] | None,
    margins: Margins,
) -> dict[str, Any]:
    events = None if pd.isna(row["n_events"]) else int(row["n_events"])
    evidence = Evidence(
        difference=row["difference"],
        ci_low=row["ci_low"],
        ci_high=row["ci_high"],
        p_holm=row["p_holm"],
        share_positive=row["share_positive"],
        share_negative=row["share_negative"],
        failed_share=row["failed_share"],
        events_per_fold=None if events is None else events * row["n_repeats"] / row["n_folds"],
        least_class=None if pd.isna(row["least_class"]) else int(row["least_class"]),
        rival=rival["model"] if rival else None,
        **signal,
    )
    found = verdict(evidence, margins)
    n = int(row["n_patients"]) if events is None else events
    more = needed(n, row["difference"], row["se"], int(row["df"]), margins.superiority)
    return {
        "question": row["name"],
        "metric": row["metric"],
        "verdict": found.word,
        "reasons": list(found.reasons),
        "model": row["model"],
        "against": row["against"],
        **{name: _number(row[name]) for name in NUMBERS},
        "method": row["method"],
        "n_folds": int(row["n_folds"]),
        "n_patients": int(row["n_patients"]),
        "n_events": events,
        "beats_chance": signal["beats_chance"],
        "across_sites": signal["across_sites"],
        "rival": rival,
        "needed": _needed(more),
    }


def _layer(row: Mapping[str, Any], margins: Margins) -> dict[str, Any]:
    useless = is_useless(row["ci_high"], row["p_holm"], margins.superiority)
    return {
        "layer": row["name"],
        "verdict": "useless" if useless else "not shown",
        **{name: _number(row[name]) for name in ("difference", "ci_low", "ci_high", "p_holm")},
    }


def _needed(more: Needed | None) -> dict[str, Any] | None:
    if more is None:
        return None
    return {"effect": more.effect, "low": more.low, "high": more.high, "beyond": more.beyond}


def _chance(
    known: pd.DataFrame, models: Sequence[str], task: str, seed: int
) -> AgainstChance | None:
    """Compare one side of a question with chance; None where it predicts no test sample."""
    own = known[known["model"].isin(models)]
    real = own[own["permutation"] == 0]
    patients = sorted(scored_rows(real, "test")["patient"].unique())
    if not patients:
        return None
    sides = []
    for _, part in own.groupby("permutation"):
        entries = {str(model): rows for model, rows in part.groupby("model")}
        sides.append(side_of(entries, sorted(entries), "test", task)[0])
    return against_chance(pd.concat(sides), task, patient_weights(len(patients), seed, "test"))


def _permuted(controls: pd.DataFrame | None, target: str) -> AgainstPermutedOmics | None:
    return (
        None if controls is None else against_permuted_omics(controls[controls["target"] == target])
    )


def _chance_cells(chance: AgainstChance | None) -> dict[str, Any]:
    if chance is None:
        names = ("permutation_p", "n_controls", "chance", "score_low", "beats_chance")
        return dict.fromkeys(names)
    return {
        "permutation_p": chance.permutation_p,
        "n_controls": chance.n_controls,
        "chance": chance.chance,
        "score_low": _number(chance.low),
        "beats_chance": chance.beaten,
    }


def _beats_mask(test: pd.DataFrame) -> bool | None:
    """Whether the network is above mask-only with the whole interval; None without that model."""
    rows = [row for row in _records(test, MODEL) if row["name"] == MASK]
    return bool(rows[0]["ci_low"] > 0) if rows else None


def _records(table: pd.DataFrame, family: str) -> list[dict[str, Any]]:
    return [
        {str(name): value for name, value in row.items()}
        for row in table[table["family"] == family].to_dict("records")
    ]


def _number(value: Any) -> float | None:
    """Return a number as JSON can hold it; None for one that is not defined."""
    return None if pd.isna(value) else float(value)
