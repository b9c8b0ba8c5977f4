"""Which mixture suits few real images: chosen by the likelihood of real images held out from the fit.

The official GIQA code takes M = 7 for tens of thousands of images in hundreds of dimensions and leans on the
regularisation of the covariance. With some hundred images the choice is the reference's own: K-fold
cross-validation on real images, none of them generated, none used for a verdict.
"""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold

from giqa_lib.checks import check_features
from giqa_lib.scores import GaussianMixture, StarvedComponentWarning

__all__ = ["best_mixture", "held_out_likelihoods"]


def held_out_likelihoods(
    features: ArrayLike,
    *,
    components: Sequence[int],
    shrinkages: Sequence[str | None] = (None, "oas"),
    folds: int = 5,
    random_state: int,
) -> pd.DataFrame:
    """Mean log-density an image of mixtures fitted to the other folds of ``features`` (n, d).

    One row a choice: ``components``, ``shrinkage`` ("none" or "oas"), ``fitted`` and ``held_out`` (nats an
    image on the fold's own and on the left-out images), ``starved`` (components with too few images, over all
    folds). Fits that EM did not finish count as they stand.

    >>> rows = np.random.default_rng(0).normal(size=(40, 2))
    >>> held_out_likelihoods(rows, components=[1, 3], random_state=0).shape
    (4, 5)
    """
    rows = check_features(features, name="features", at_least=folds)
    splits = list(KFold(folds, shuffle=True, random_state=random_state).split(rows))
    table = []
    for count in components:
        for shrinkage in shrinkages:
            fitted, held_out, starved = [], [], 0
            for kept, left in splits:
                density = GaussianMixture(
                    n_components=count, shrinkage=shrinkage, random_state=random_state
                )
                with warnings.catch_warnings():  # starved components are counted
                    warnings.simplefilter("ignore", StarvedComponentWarning)
                    warnings.simplefilter("ignore", ConvergenceWarning)
                    density.fit(rows[kept])
                fitted.append(density.score_samples(rows[kept]).mean())
                held_out.append(density.score_samples(rows[left]).mean())
                starved += len(density.starved_components_)
            table.append(
                {
                    "components": count,
                    "shrinkage": shrinkage or "none",
                    "fitted": float(np.mean(fitted)),
                    "held_out": float(np.mean(held_out)),
                    "starved": starved,
                }
            )
    return pd.DataFrame(table)


def best_mixture(likelihoods: pd.DataFrame, *, random_state: int) -> GaussianMixture:
    """The unfitted mixture whose held-out likelihood is highest, over all rows of a choice.

    >>> found = pd.DataFrame({"components": [1, 5], "shrinkage": ["none", "oas"], "held_out": [-3.0, -2.0]})
    >>> best_mixture(found, random_state=0).n_components
    5
    """
    choices = likelihoods.groupby(["components", "shrinkage"], as_index=False)["held_out"].mean()
    best = choices.loc[choices["held_out"].idxmax()]
    return GaussianMixture(
        n_components=int(best["components"]),
        shrinkage=None if best["shrinkage"] == "none" else str(best["shrinkage"]),
        random_state=random_state,
    )
