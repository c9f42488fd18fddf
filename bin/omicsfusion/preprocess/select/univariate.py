"""Step: keep the features that are associated with the outcome of the training samples."""

from typing import Any, Self

from scipy.stats import false_discovery_control

from omicsfusion.preprocess.select.associations import associations, checked_outcome
from omicsfusion.preprocess.select.spread import MAX_FEATURES, Selector, best

FDR = 0.05
MIN_FEATURES = 20
TESTS = {
    ("classification", False): "analysis of variance",
    ("classification", True): "analysis of variance of ranks",
    ("regression", False): "Pearson correlation",
    ("regression", True): "Spearman correlation",
    ("survival", False): "Cox score test",
    ("survival", True): "Cox score test of ranks",
}


class SupervisedSelector(Selector):
    """What selections that learn from the outcome have in common."""

    supervised = True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


class UnivariateSelector(SupervisedSelector):
    """Keep the features whose test for association with the outcome is significant.

    Analysis of variance for classes, Pearson's correlation for numbers, Cox's score test for times;
    p-values adjusted over the features after Benjamini & Hochberg (J. R. Stat. Soc. B 57:289,
    1995). The tests see training samples only, so that the selection is part of what is validated.

    Parameters
    ----------
    task
        ``classification``, ``regression`` or ``survival``; None: told from the outcome.
    max_features
        How many to keep at most: those with the smallest p-values.
    fdr
        Largest adjusted p-value with which a feature is kept.
    min_features
        How many to keep at least, significant or not: a model needs an input.
    ranks
        Whether values are replaced by their ranks first.

    Attributes
    ----------
    p_, adjusted_p_
        Of each feature.
    """

    state = (*Selector.state, "p_", "adjusted_p_")
    feature_state = (*Selector.feature_state, "p_", "adjusted_p_")

    def __init__(
        self,
        task: str | None = None,
        max_features: int = MAX_FEATURES,
        fdr: float = FDR,
        min_features: int = MIN_FEATURES,
        ranks: bool = False,
    ) -> None:
        self.task = task
        self.max_features = max_features
        self.fdr = fdr
        self.min_features = min_features
        self.ranks = ranks

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn which features to keep.

        Parameters
        ----------
        y
            Outcome of each training sample: class, number, or (time, event).
        """
        X = self._checked(X, fitting=True)
        task, y = checked_outcome(y, self.task, X)
        statistic, self.p_ = associations(X, y, task, self.ranks)
        self.adjusted_p_ = false_discovery_control(self.p_, method="bh")
        significant = self.adjusted_p_ <= self.fdr
        n = max(int(significant.sum()), min(self.min_features, self.max_features))
        support = best((statistic, -self.p_), min(n, self.max_features))
        dropped = {
            f"adjusted p above {self.fdr:g}": (~support & ~significant).sum(),
            "significant, but larger p": (~support & significant).sum(),
        }
        did = (
            f"{TESTS[task, self.ranks]}, {int(significant.sum()):,} significant at a false "
            f"discovery rate of {self.fdr:g}"
        )
        weak = int((support & ~significant).sum())
        return self._keep(support, dropped, did + (f", {weak:,} kept without it" if weak else ""))
