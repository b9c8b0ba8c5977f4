"""Generators compared by their images: FID, KID, QS, DS, precision, recall, density and coverage.

Real images are split by the seed: on one half the measures stand, the other half is judged like
a generator, under the name of :data:`REAL`, and shows what a perfect generator would get from so
many images. FID falls with the number of images, so every set is cut to the size of the smallest.
FID, KID and the neighbourhoods see the features as they are; QS and DS the scorer's PCA of them.
Fréchet and kernel distances are called FID and KID here whatever the features are: the feature
space stands in every output.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from giqa_lib.applications.folders.scorer import DENSITIES, ScorerSettings
from giqa_lib.checks import InputError, check_features, check_positive, error_line
from giqa_lib.evaluation import (
    Estimate,
    FrechetReference,
    diversity_score,
    kernel_estimate,
    mean_calibrated_score,
    precision_recall_density_coverage,
)
from giqa_lib.features import PCA
from giqa_lib.scores import RankCalibration

__all__ = ["BETTER", "REAL", "FolderComparison", "compare_sets"]

#: The name under which held-out real images are judged beside the generators.
REAL = "real, held out"

#: Which way each measure is better.
BETTER = {
    "FID": "lower",
    "KID": "lower",
    "QS": "higher",
    "DS": "higher",
    "precision": "higher",
    "recall": "higher",
    "density": "higher",
    "coverage": "higher",
}

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FolderComparison:
    """What was found.

    ``table`` has a row for each set and measure: ``set``, ``measure``, ``better`` (lower or
    higher), ``value``, ``standard_error``, ``low`` and ``high`` (95 %), ``n`` (images judged).
    ``scores`` are the calibrated scores of each set's images. ``images`` is the number that
    every set was cut to.
    """

    table: pd.DataFrame
    scores: dict[str, Array]
    images: int


def compare_sets(
    *,
    real: ArrayLike,
    generated: Mapping[str, ArrayLike],
    settings: ScorerSettings,
    neighbours: int = 5,
) -> FolderComparison:
    """Compare sets of generated features (m, d), by name, with real ones (n, d).

    ``settings`` give the density of QS and DS, their PCA, the share held out for calibration and
    the seed. Raises ``InputError`` for sets that are too small or named as the real images are.

    >>> rows = np.random.default_rng(0).normal(size=(3, 80, 4))
    >>> settings = ScorerSettings(density="sgm")
    >>> found = compare_sets(real=rows[0], generated={"good": rows[1], "far": rows[2] + 9}, settings=settings)
    >>> found.table.query("measure == 'FID'").sort_values("value")["set"].iloc[-1]
    'far'
    """
    check_positive(neighbours, name="neighbours")
    sets = _check_sets(real, generated)
    random = np.random.default_rng(settings.seed)
    order = random.permutation(len(sets[REAL]))
    half = len(order) // 2
    reference, sets[REAL] = sets[REAL][order[:half]], sets[REAL][order[half:]]
    count = min(len(rows) for rows in sets.values())
    needed = max(4, neighbours + 1, 2 * settings.components if settings.density == "gmm" else 4)
    if count < needed:
        smallest = min(sets, key=lambda name: len(sets[name]))
        expected, got = f"at least {needed} images a set", f"{count} in {smallest}"
        hint = "give more images; half of the real ones serve as the reference"
        raise InputError(error_line("sets", expected=expected, got=got, hint=hint))
    sets = {
        name: rows[np.sort(np.random.default_rng(settings.seed).permutation(len(rows))[:count])]
        for name, rows in sets.items()
    }
    judge = _Judge(reference, settings, neighbours)
    found = [
        judge.row(name, measure, e) for name, rows in sets.items() for measure, e in judge(rows)
    ]
    return FolderComparison(
        table=pd.DataFrame(found),
        scores={name: judge.scores(rows) for name, rows in sets.items()},
        images=count,
    )


def _check_sets(real: ArrayLike, generated: Mapping[str, ArrayLike]) -> dict[str, Array]:
    first = check_features(real, name="real", at_least=8)
    if not generated or REAL in generated:
        hint = "give {'model a': features}"
        got = "none" if not generated else f"one named {REAL!r}"
        raise InputError(error_line("generated", expected="named sets", got=got, hint=hint))
    width = first.shape[1]
    sets = {
        name: check_features(rows, name=f"features of {name}", width=width)
        for name, rows in generated.items()
    }
    return {REAL: first, **sets}


class _Judge:
    """One reference's side of every measure, prepared once.

    PCA and the density of QS are fitted on one part of the reference. The rest, which neither has
    seen, calibrates QS and is what DS scores: images that PCA was fitted on lie further out.
    """

    def __init__(self, reference: Array, settings: ScorerSettings, neighbours: int) -> None:
        self.settings, self.neighbours = settings, neighbours
        self.reference = reference
        self.frechet = FrechetReference(reference)
        held_out = max(2, round(len(reference) * settings.held_out))
        fitted = reference[held_out:]  # compare_sets has brought them into a random order
        self.reduction = PCA(variance=settings.variance, max_components=settings.max_dimensions)
        self.density = DENSITIES[settings.density](settings).fit(
            self.reduction.fit_transform(fitted)
        )
        self.rest = self.reduction.transform(reference[:held_out])
        self.rest_scores = self.density.score_samples(self.rest)
        self.calibration = RankCalibration().fit(self.rest_scores)

    def __call__(self, rows: Array) -> list[tuple[str, Estimate]]:
        seed = self.settings.seed
        reduced = self.reduction.transform(rows)
        density = DENSITIES[self.settings.density](self.settings)
        near = precision_recall_density_coverage(
            real=self.reference, generated=rows, neighbours=self.neighbours
        )
        return [
            ("FID", self.frechet.estimate(rows)),
            ("KID", kernel_estimate(real=self.reference, generated=rows, random_state=seed)),
            ("QS", self._quality(reduced)),
            (
                "DS",
                diversity_score(
                    density,
                    generated=reduced,
                    real=self.rest,
                    calibration=RankCalibration(),
                    held_out_share=self.settings.held_out,
                    random_state=seed,
                ),
            ),
            *near.estimates(random_state=seed).items(),
        ]

    def _quality(self, reduced: Array) -> Estimate:
        return mean_calibrated_score(
            RankCalibration(),
            held_out_scores=self.rest_scores,
            scores=self.density.score_samples(reduced),
            random_state=self.settings.seed,
        )

    def scores(self, rows: Array) -> Array:
        """Calibrated scores (m,) of features (m, d)."""
        return self.calibration.transform(
            self.density.score_samples(self.reduction.transform(rows))
        )

    def row(self, name: str, measure: str, estimate: Estimate) -> dict[str, object]:
        return {
            "set": name,
            "measure": measure,
            "better": BETTER[measure],
            "value": estimate.value,
            "standard_error": estimate.standard_error,
            "low": estimate.low,
            "high": estimate.high,
            "n": estimate.n,
        }
