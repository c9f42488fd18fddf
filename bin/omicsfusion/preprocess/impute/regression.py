"""Step: fill in missing values by regressions of each feature on those most like it."""

import numpy as np

from omicsfusion.preprocess.impute.median import (
    Filler,
    ScaledImputer,
    informative_features,
    nearest_features,
)

N_PREDICTORS = 20
# Predictors are looked for among so many features: the search costs samples x features x these.
POOL = 2000


class RidgeChainImputer(ScaledImputer):
    """Chained equations with ridge regression, predicted means and no draws (MICE-like).

    Missing values start at the training mean. Then feature by feature (from the fewest missing
    values to the most) a ridge regression on the features that correlate most with it is fitted to
    its known values and fills in its missing ones; and so for some rounds. A new sample goes
    through the same equations in the same order. With all other features as predictors this is
    scikit-learn's ``IterativeImputer(Ridge(penalty), tol=0)`` on scaled features.

    One regression per feature and round, each of some 0.1 ms to fit at 300 samples, whatever the
    width: 300 x 20,000 took 5 s to fit and 3 s to fill in (one core).

    Parameters
    ----------
    n_predictors
        How many features predict one, chosen by absolute correlation among at most 2,000 (those
        with the largest winsorised variance among those with few missing values).
    rounds
        How often the chain is gone through.
    penalty
        Ridge penalty on squared coefficients, of features in standard deviations. 30 was best or
        within 0.01 of it on four real layers of 64 to 232 training samples (1, 10, 30, 100 tried).

    Attributes
    ----------
    predictors_
        Features x n_predictors positions.
    coef_, intercept_
        rounds x features (x n_predictors).
    order_
        Positions of the features in the order of the chain.

    References
    ----------
    van Buuren & Groothuis-Oudshoorn, J. Stat. Softw. 45(3), 2011 (chained equations).
    """

    state = (*ScaledImputer.state, "predictors_", "coef_", "intercept_", "order_")

    def __init__(
        self, n_predictors: int = N_PREDICTORS, rounds: int = 3, penalty: float = 30.0
    ) -> None:
        self.n_predictors = n_predictors
        self.rounds = rounds
        self.penalty = penalty

    def _learn(self, X: np.ndarray, Z: np.ndarray) -> None:
        known = np.ascontiguousarray(~np.isnan(Z).T)
        filled = np.ascontiguousarray(np.nan_to_num(Z.T))
        low, high = self._range()
        pool = informative_features(X, POOL)
        self.order_ = np.argsort(-known.sum(axis=1), kind="stable")
        self.predictors_ = nearest_features(filled, pool, self.n_predictors)
        self.coef_ = np.zeros((self.rounds, *self.predictors_.shape))
        self.intercept_ = np.zeros((self.rounds, len(filled)))
        for turn in range(self.rounds):
            for feature in self.order_:
                has = known[feature]
                if not has.any():
                    continue
                predictors = filled[self.predictors_[feature]]
                coef, intercept = ridge(predictors[:, has], filled[feature, has], self.penalty)
                self.coef_[turn, feature] = coef
                self.intercept_[turn, feature] = intercept
                if not has.all():
                    found = coef @ predictors[:, ~has] + intercept
                    filled[feature, ~has] = np.clip(found, low[feature], high[feature])

    def _said(self) -> str:
        return (
            f"chained ridge regressions, {self.rounds} rounds, "
            f"{self.predictors_.shape[1]} predictors a feature, penalty {self.penalty:g}"
        )

    def _range(self) -> tuple[np.ndarray, np.ndarray]:
        return self._scaled(self.lowest_), self._scaled(self.highest_)

    def _filler(self) -> Filler:
        low, high = (bound.tolist() for bound in self._range())
        place = np.argsort(self.order_)

        def fill(sample: np.ndarray, missing: np.ndarray) -> np.ndarray:
            values = np.nan_to_num(sample)
            in_turn = missing[np.argsort(place[missing])].tolist()
            for coef, intercept in zip(self.coef_, self.intercept_, strict=True):
                for feature in in_turn:
                    terms = coef[feature] * values[self.predictors_[feature]]
                    found = terms.sum() + intercept[feature]
                    values[feature] = min(max(found, low[feature]), high[feature])
            return values[missing]

        return fill


def ridge(predictors: np.ndarray, target: np.ndarray, penalty: float) -> tuple[np.ndarray, float]:
    """Fit a ridge regression with an unpenalised intercept.

    Parameters
    ----------
    predictors
        Predictors x samples.
    target
        One value per sample.
    penalty
        On the sum of squared coefficients; positive.

    Returns
    -------
    Coefficients and intercept (Hoerl & Kennard, Technometrics 12:55, 1970).
    """
    middle, level = predictors.mean(axis=1), target.mean()
    centred = predictors - middle[:, None]
    gram = centred @ centred.T
    gram[np.diag_indices_from(gram)] += penalty
    coef = np.linalg.solve(gram, centred @ (target - level))
    return coef, float(level - coef @ middle)
