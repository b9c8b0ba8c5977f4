r"""Precision and recall (Kynkaanniemi et al. 2019), density and coverage (Naeem et al. 2020).

With :math:`B(x_i)` the open ball around an image to its k-th nearest other one of its set,

.. math:: P = \tfrac1m \sum_j \bigl[y_j \in \cup_i B(x_i)\bigr], \quad
    R = \tfrac1n \sum_i \bigl[x_i \in \cup_j B(y_j)\bigr], \quad
    D = \tfrac1{km} \sum_{ij} \bigl[y_j \in B(x_i)\bigr], \quad
    C = \tfrac1n \sum_i \bigl[\exists j: y_j \in B(x_i)\bigr]

for real :math:`x_i` (n), generated :math:`y_j` (m): the definitions of Naeem's ``prdc``.
Distances come in tiles, never n x m at once, from float32 products; each comparison that
float32 cannot decide (see :mod:`giqa_lib.evaluation.neighbour_balls`) is decided in float64,
so that the values are those of float64 distances.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from giqa_lib.checks import check_features, check_positive
from giqa_lib.evaluation.estimate import Estimate, bootstrap
from giqa_lib.evaluation.neighbour_balls import Points, count_in_balls, squared_radii

__all__ = ["Neighbourhoods", "precision_recall_density_coverage"]


@dataclass(frozen=True, kw_only=True)
class Neighbourhoods:
    """Precision, recall and coverage in [0, 1], density >= 0, and what they are means of.

    ``real_balls`` (m,): how many real balls hold each generated image; ``in_generated`` (n,):
    whether a generated ball holds each real image; ``covered`` (n,): whether each real ball
    holds a generated image.
    """

    precision: float
    recall: float
    density: float
    coverage: float
    neighbours: int
    real_balls: NDArray[np.int64]
    in_generated: NDArray[np.bool_]
    covered: NDArray[np.bool_]

    def estimates(
        self, *, random_state: int | np.random.Generator, resamples: int = 1000, level: float = 0.95
    ) -> dict[str, Estimate]:
        """The four with bootstrap errors, conditional on the balls.

        The images that are judged are drawn again, the balls stay: drawing those again would
        put an image into the ball of its own copy. The balls' own sampling error is therefore
        not in the standard error; the spread over disjoint sets has it.
        """
        generator = np.random.default_rng(random_state)
        parts = {
            "precision": self.real_balls > 0,
            "recall": self.in_generated,
            "density": self.real_balls / self.neighbours,
            "coverage": self.covered,
        }
        return {
            name: bootstrap(np.mean, part, resamples=resamples, random_state=generator, level=level)
            for name, part in parts.items()
        }


def precision_recall_density_coverage(
    *, real: ArrayLike, generated: ArrayLike, neighbours: int = 5
) -> Neighbourhoods:
    """All four in one pass over features (n, d) and (m, d), both longer than ``neighbours``.

    Memory: a float32 copy of both sets, and at most some 100 MiB.

    >>> found = precision_recall_density_coverage(
    ...     real=[[0.0], [1.0], [2.0]], generated=[[0.5], [9.0], [9.5]], neighbours=1)
    >>> round(found.precision, 3), found.recall, round(found.density, 3), round(found.coverage, 3)
    (0.333, 1.0, 0.667, 0.667)
    """
    check_positive(neighbours, name="neighbours")
    least = neighbours + 1
    first = check_features(real, name="real", at_least=least)
    second = check_features(generated, name="generated", width=first.shape[1], at_least=least)
    real_points, generated_points = Points.both(first, second)
    real_radii = squared_radii(real_points, neighbours)
    generated_radii = squared_radii(generated_points, neighbours)
    counts = count_in_balls(real_points, generated_points, real_radii, generated_radii)
    return Neighbourhoods(
        precision=float((counts.real_balls > 0).mean()),
        recall=float(counts.in_generated.mean()),
        density=float(counts.real_balls.mean()) / neighbours,
        coverage=float(counts.covered.mean()),
        neighbours=neighbours,
        real_balls=counts.real_balls,
        in_generated=counts.in_generated,
        covered=counts.covered,
    )
