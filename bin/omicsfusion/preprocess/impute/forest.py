"""Step: fill in missing values by a random forest for each feature."""

from dataclasses import dataclass, field

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from omicsfusion.preprocess.impute.median import (
    Filler,
    ScaledImputer,
    informative_features,
    nearest_features,
)
from omicsfusion.preprocess.impute.regression import POOL
from omicsfusion.seeds import seed_for

# A forest of 30 trees takes some 25 ms to fit on 300 samples: 500 features and 2 rounds, 25 s.
MAX_FEATURES = 500
MIN_KNOWN = 10
# Smallest leaf of missForest's regression trees (nodesize of R's randomForest).
MIN_LEAF = 5


class ForestImputer(ScaledImputer):
    """A random forest for each feature with missing values, in turns (after missForest).

    Missing values start at the training mean. Then feature by feature, from the fewest missing
    values to the most, a forest on the features that correlate most with it is fitted to its known
    values and fills in its missing ones. The forests of the last round are kept as arrays; a new
    sample goes through them as many rounds as were fitted.

    Unlike missForest, the number of rounds is fixed, and so are the predictors.

    Parameters
    ----------
    n_trees
        Trees a forest.
    max_depth
        Of a tree.
    n_predictors
        How many features predict one, as for the ridge regressions.
    rounds
        How often all features are gone through.
    max_features
        How many features have a forest at most: those with the most missing values in training.
        All others are filled in with the median.

    Attributes
    ----------
    features_
        Positions of the features that have a forest, in their order.
    predictors_
        Forests x n_predictors positions.
    root_
        Forests x trees: the root's position among all nodes.
    left_, right_, split_, threshold_, value_
        Of each node: its children, the position of its predictor in ``predictors_``, where it
        parts, and the mean of its training samples. A leaf is its own child.
    depth_
        Of the deepest tree.

    References
    ----------
    Stekhoven & Bühlmann, Bioinformatics 28:112, 2012.
    """

    state = (
        *ScaledImputer.state,
        "features_",
        "predictors_",
        "root_",
        "left_",
        "right_",
        "split_",
        "threshold_",
        "value_",
        "depth_",
    )

    def __init__(
        self,
        n_trees: int = 30,
        max_depth: int = 10,
        n_predictors: int = 20,
        rounds: int = 2,
        max_features: int = MAX_FEATURES,
    ) -> None:
        self.n_trees = n_trees
        self.max_depth = max_depth
        self.n_predictors = n_predictors
        self.rounds = rounds
        self.max_features = max_features

    def _learn(self, X: np.ndarray, Z: np.ndarray) -> None:
        known = np.ascontiguousarray(~np.isnan(Z).T)
        filled = np.ascontiguousarray(np.nan_to_num(Z.T))
        self.features_ = self._with_a_forest(known)
        pool = informative_features(X, POOL)
        self.predictors_ = nearest_features(filled, pool, self.n_predictors)[self.features_]
        nodes = Nodes()
        for turn in range(self.rounds):
            nodes = Nodes()
            for place, feature in enumerate(self.features_):
                has = known[feature]
                predictors = filled[self.predictors_[place]].T
                forest = self._forest(turn, int(feature))
                forest.fit(predictors[has], filled[feature, has])
                filled[feature, ~has] = forest.predict(predictors[~has])
                nodes.add(forest)
        self._keep(nodes)

    def _with_a_forest(self, known: np.ndarray) -> np.ndarray:
        n_known = known.sum(axis=1)
        may = np.flatnonzero((n_known >= MIN_KNOWN) & (n_known < known.shape[1]))
        if known.shape[0] < 2:
            may = may[:0]
        most = may[np.argsort(n_known[may], kind="stable")[: self.max_features]]
        return most[::-1]

    def _forest(self, turn: int, feature: int) -> RandomForestRegressor:
        return RandomForestRegressor(
            n_estimators=self.n_trees,
            max_depth=self.max_depth,
            min_samples_leaf=MIN_LEAF,
            # A third of the predictors at each split, as randomForest does for regression.
            max_features=1 / 3,
            random_state=seed_for(0, "impute", "forest", turn, feature),
        )

    def _keep(self, nodes: "Nodes") -> None:
        self.root_ = np.array(nodes.root, dtype=np.int64).reshape(-1, self.n_trees)
        self.left_ = joined(nodes.left, np.int32)
        self.right_ = joined(nodes.right, np.int32)
        self.split_ = joined(nodes.split, np.int16)
        self.threshold_ = joined(nodes.threshold, np.float64)
        self.value_ = joined(nodes.value, np.float64)
        self.depth_ = nodes.depth

    def _said(self) -> str:
        return (
            f"forests of {self.n_trees} trees for {len(self.features_):,} features, "
            f"{self.rounds} rounds, {self.predictors_.shape[1]} predictors each; "
            "medians for the others"
        )

    def _filler(self) -> Filler:
        middle = self._scaled(self.median_)
        place = np.full(len(middle), -1)
        place[self.features_] = np.arange(len(self.features_))

        def fill(sample: np.ndarray, missing: np.ndarray) -> np.ndarray:
            values = np.nan_to_num(sample)
            without = missing[place[missing] < 0]
            values[without] = middle[without]
            forests = np.sort(place[missing][place[missing] >= 0])
            for _ in range(self.rounds):
                for forest in forests:
                    values[self.features_[forest]] = self._predicted(forest, values)
            return values[missing]

        return fill

    def _predicted(self, forest: int, values: np.ndarray) -> float:
        """Walk one sample down all trees of a forest; the mean of the leaves."""
        # scikit-learn's trees compare float32 values with float64 thresholds.
        predictors = values[self.predictors_[forest]].astype(np.float32)
        node = self.root_[forest]
        for _ in range(self.depth_):
            goes_left = predictors[self.split_[node]] <= self.threshold_[node]
            node = np.where(goes_left, self.left_[node], self.right_[node])
        return float(self.value_[node].mean())


@dataclass
class Nodes:
    """The nodes of all trees, tree after tree."""

    root: list[int] = field(default_factory=list)
    left: list[np.ndarray] = field(default_factory=list)
    right: list[np.ndarray] = field(default_factory=list)
    split: list[np.ndarray] = field(default_factory=list)
    threshold: list[np.ndarray] = field(default_factory=list)
    value: list[np.ndarray] = field(default_factory=list)
    depth: int = 0
    total: int = 0

    def add(self, forest: RandomForestRegressor) -> None:
        """Take over the trees of a fitted forest."""
        for estimator in forest.estimators_:
            tree = estimator.tree_
            itself = np.arange(tree.node_count)
            leaf = tree.children_left < 0
            self.root.append(self.total)
            self.left.append(np.where(leaf, itself, tree.children_left) + self.total)
            self.right.append(np.where(leaf, itself, tree.children_right) + self.total)
            self.split.append(np.where(leaf, 0, tree.feature))
            self.threshold.append(np.where(leaf, 0.0, tree.threshold))
            self.value.append(tree.value[:, 0, 0])
            self.depth = max(self.depth, int(tree.max_depth))
            self.total += tree.node_count


def joined(parts: list[np.ndarray], dtype: type) -> np.ndarray:
    """Join arrays, of which there may be none."""
    return np.concatenate([np.empty(0), *parts]).astype(dtype)
