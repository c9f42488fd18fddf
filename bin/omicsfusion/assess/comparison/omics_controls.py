"""Whether omics add more to clinical data than the omics of other patients would.

Negative controls of the question ``omics``: all omics layers of a patient go to another one
together, outcome and covariates stay with each other, and whatever sees the covariates is trained
again. What is compared is not a score but what it gains over the covariates alone, so that
covariates that tell much do not pass for omics. To permute the variables of interest and leave
outcome and nuisance variables together is the test of Draper & Stoneman 1966, Technometrics 8,
695-699. Permuted omics no longer mirror the covariates, which those of the patients may do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from omicsfusion.assess.comparison.chance import ALPHA, LEAST_CONTROLS, mean_score
from omicsfusion.assess.comparison.choice import side_of
from omicsfusion.assess.comparison.differences import common
from omicsfusion.assess.comparison.headline import METRIC
from omicsfusion.assess.comparison.roles import OMICS, Question, questions
from omicsfusion.assess.predictions import of_targets, with_outcome

SCOPE = "test"
COLUMNS = [
    *("permutation", "target", "model", "against", "metric"),
    *("score", "score_against", "difference"),
]


@dataclass(frozen=True)
class AgainstPermutedOmics:
    """How what omics add stands against what permuted omics add.

    Attributes
    ----------
    p
        (1 + hits) / (1 + N), hits being the controls that gain at least as much.
    n_controls
        N.
    """

    p: float
    n_controls: int

    @property
    def beaten(self) -> bool | None:
        """Whether omics add more; None with too few controls to tell."""
        return self.p <= ALPHA if self.n_controls >= LEAST_CONTROLS else None


def score_omics_controls(
    predictions: pd.DataFrame, controls: pd.DataFrame, networks: Sequence[str], task: str
) -> pd.DataFrame:
    """Score the question ``omics`` on the cohort as it is and on each control.

    Parameters
    ----------
    predictions
        Of the run, as :func:`omicsfusion.assess.predictions.gather_predictions` returns them.
    controls
        The same of models that were trained with permuted omics.
    networks
        Families that are networks, in the order of the registry.
    task
        ``classification``, ``survival`` or ``regression``.

    Returns
    -------
    ``COLUMNS``, by target and permutation; permutation 0 is the cohort as it is, on the repeats
    that the controls have. Scores are averages over outer folds, on the samples that both sides
    predict; NaN where a side was not trained. No row of a target that cannot be asked.
    """
    real = predictions[
        (predictions["permutation"] == 0)
        & predictions["repeat"].isin([0, *controls["repeat"].unique()])
    ]
    both = pd.concat([real, controls])
    rows = [
        {"target": target, "metric": METRIC[task], **row}
        for target, own in of_targets(both, task).items()
        for row in _of_target(with_outcome(own, task), networks, task)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def against_permuted_omics(table: pd.DataFrame) -> AgainstPermutedOmics | None:
    """Count the controls of one target; None without any.

    A gain that is not defined, of a control or of the cohort as it is, counts as a hit.

    Parameters
    ----------
    table
        Rows of one target, as :func:`score_omics_controls` returns them.
    """
    real = table.loc[table["permutation"] == 0, "difference"]
    gains = table.loc[table["permutation"] != 0, "difference"]
    if real.empty or gains.empty:
        return None
    hits = int((~(gains < real.iloc[0])).sum())
    return AgainstPermutedOmics((1 + hits) / (1 + len(gains)), len(gains))


def _of_target(known: pd.DataFrame, networks: Sequence[str], task: str) -> list[dict[str, object]]:
    models = sorted(known.loc[known["permutation"] == 0, "model"].unique())
    asked = [question for question in questions(models, networks) if question.name == OMICS]
    return [
        {"permutation": number, **_gain(part, question, task)}
        for question in asked
        for number, part in known.groupby("permutation")
    ]


def _gain(part: pd.DataFrame, question: Question, task: str) -> Mapping[str, object]:
    entries = {str(model): rows for model, rows in part.groupby("model")}
    if not entries.keys() >= {*question.first, *question.second}:
        return {"model": ";".join(question.first), "against": ";".join(question.second)}
    (one, model), (other, against) = (
        side_of(entries, names, SCOPE, task) for names in (question.first, question.second)
    )
    score, score_against = (mean_score(side, task) for side in common(one, other, SCOPE))
    return {
        "model": ";".join(model),
        "against": ";".join(against),
        "score": score,
        "score_against": score_against,
        "difference": score - score_against,
    }
