"""How the settings of a density score change its agreement with pairs of known order.

GIQA, Table 8 (number of Gaussian components M) and Table 9 (number of neighbours K). Every
setting sees the same features and the same pairs, so differences between settings are paired.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from giqa_lib.applications.pairs import Outcomes, Pairs, accuracies, differences, outcomes
from giqa_lib.checks import InputError, error_line
from giqa_lib.scores import GaussianMixture, KNearestNeighbours, SingleGaussian

__all__ = ["Sweep", "mixture_sweep", "neighbour_sweep"]


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The outcomes of each setting on each set of pairs, and what was learned of each fit.

    ``symbol`` is the setting's name, M or K.
    ``outcomes[setting][pairs]`` holds 1, 1/2 or 0 a pair; ``fits`` has one row a setting.
    """

    symbol: str
    outcomes: dict[int, dict[str, Outcomes]]
    fits: pd.DataFrame

    def accuracies(self, *, seed: int) -> pd.DataFrame:
        """Pair accuracy: ``setting``, ``pairs``, ``seed``, ``value``, ``standard_error``, ``n``."""
        return self._by_pairs(seed, accuracies).rename(columns={"name": "setting"})

    def differences(self, contrasts: Sequence[tuple[int, int]], *, seed: int) -> pd.DataFrame:
        """Differences of accuracy on the same pairs, such as ``M=70 minus M=5``, of the settings tried.

        Columns ``name``, ``pairs``, ``seed``, ``value``, ``standard_error``, ``n``; a contrast
        with a setting that was not tried is left out.
        """
        tried = [
            (self._label(a), self._label(b)) for a, b in contrasts if {a, b} <= set(self.outcomes)
        ]
        return self._by_pairs(
            seed,
            lambda found: differences(
                {self._label(int(setting)): of for setting, of in found.items()}, tried
            ),
        )

    def _label(self, setting: int) -> str:
        return f"{self.symbol}={setting}"

    def _by_pairs(
        self, seed: int, summary: Callable[[dict[str, Outcomes]], pd.DataFrame]
    ) -> pd.DataFrame:
        parts = []
        for pairs in next(iter(self.outcomes.values())):
            found = {str(setting): of[pairs] for setting, of in self.outcomes.items()}
            parts.append(summary(found).assign(pairs=pairs, seed=seed))
        return pd.concat(parts, ignore_index=True)


def mixture_sweep(
    reference: NDArray[np.float64],
    pool: NDArray[np.float64],
    held_out: NDArray[np.float64],
    pairs: Sequence[Pairs],
    *,
    components: Sequence[int],
    random_state: int,
) -> Sweep:
    """Fit a mixture for each number of components to ``reference`` and judge the pairs of ``pool``.

    M = 1 is the single Gaussian (SGM-GIQA). ``fits`` has the log-likelihood an image of the
    reference and of ``held_out`` (their gap is overfitting) and the starved components.
    """
    found, fits = {}, []
    for count in components:
        density = (
            SingleGaussian()
            if count == 1
            else GaussianMixture(n_components=count, random_state=random_state)
        )
        density.fit(reference)
        scores = density.score_samples(pool)
        found[count] = {p.name: outcomes(scores, p) for p in pairs}
        fits.append(
            {
                "components": count,
                "reference log-likelihood": float(density.score_samples(reference).mean()),
                "held-out log-likelihood": float(density.score_samples(held_out).mean()),
                "starved components": 0 if count == 1 else len(density.starved_components_),
                "smallest component": len(reference)
                if count == 1
                else int(density.component_counts_.min()),
            }
        )
    return Sweep(symbol="M", outcomes=found, fits=pd.DataFrame(fits))


def neighbour_sweep(
    reference: NDArray[np.float64],
    pool: NDArray[np.float64],
    pairs: Sequence[Pairs],
    *,
    neighbours: Sequence[int],
) -> Sweep:
    """Score ``pool`` by each number of neighbours in ``reference`` and judge its pairs.

    Raises if a K exceeds the number of reference images: it would silently be another K.
    """
    too_many = [k for k in neighbours if k > len(reference)]
    if too_many:
        hint = "leave them out, or give more reference images"
        raise InputError(
            error_line(
                "neighbours", expected=f"K <= {len(reference)}", got=str(too_many), hint=hint
            )
        )
    scores = KNearestNeighbours().fit(reference).score_samples_for(pool, neighbours)
    found = {
        count: {p.name: outcomes(column, p) for p in pairs}
        for count, column in zip(neighbours, scores.T, strict=True)
    }
    return Sweep(symbol="K", outcomes=found, fits=pd.DataFrame({"neighbours": list(neighbours)}))
