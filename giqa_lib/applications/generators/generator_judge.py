"""Generators judged by their images in one feature space: FID, QS, DS, recall and coverage (GIQA, Table 2).

The real side (features, density, calibration) is prepared once for all generators. QS is the mean
calibrated score of generated images under a density of real ones, DS that of real images under a
density of generated ones (Eq. 10-11); the paper scores 5,000 images and fits DS on 20,000.
Departures: each score is a rank among images held out from the fit, since the paper's
normalisation is unstated; the paper does not say whether DS has its own PCA and M, which
:meth:`GeneratorJudge.diversity` takes as arguments.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from giqa_lib.applications.snapshots import Study, rank_within_modes
from giqa_lib.checks import check_features, check_positive
from giqa_lib.data import ImageSet
from giqa_lib.evaluation import (
    Estimate,
    FrechetReference,
    diversity_score,
    mean_calibrated_score,
    precision_recall_density_coverage,
)
from giqa_lib.features import PCA
from giqa_lib.scores import Density, GaussianMixture, RankCalibration

__all__ = ["JUDGE_PRESETS", "GeneratorJudge", "JudgeSettings"]


@dataclass(frozen=True, kw_only=True)
class JudgeSettings:
    """Feature space, PCA, Gaussians M, and how many images QS scores, DS fits on, and both judge by."""

    space: str = "classifier"
    variance: float = 0.95
    max_components: int = 64
    components: int = 20
    scored: int = 5000
    fitted: int = 20_000
    neighbours: int = 5

    def __post_init__(self) -> None:
        for name in ("max_components", "components", "scored", "fitted", "neighbours"):
            check_positive(getattr(self, name), name=name)


JUDGE_PRESETS = {
    "quick": JudgeSettings(components=7, scored=500, fitted=1000),
    "cpu": JudgeSettings(),
    "paper": JudgeSettings(components=70),
}


class GeneratorJudge:
    """The real side of a study in one feature space, and what it says of generated images.

    Features go in and come out of the extractor as they are, (n, d); the density works on their PCA,
    fitted on the reference: the study's, or ``reference``.
    """

    def __init__(
        self,
        study: Study,
        settings: JudgeSettings,
        *,
        random_state: int,
        reference: ImageSet | None = None,
    ) -> None:
        self.study, self.settings, self.random_state = study, settings, random_state
        self._reference = study.reference if reference is None else reference

    def extract(self, images: object) -> NDArray[np.float32]:
        """Features of any images in the judge's space; kept in the store."""
        return self.study.extract(images, self.settings.space)  # type: ignore[arg-type]

    @cached_property
    def reference(self) -> NDArray[np.float32]:
        """Features of the real images that densities are fitted on and FID is measured from."""
        return self.extract(self._reference)

    @cached_property
    def real(self) -> NDArray[np.float32]:
        """Features of the real images that DS scores: none of them was fitted on."""
        return self.extract(self.study.real)

    @cached_property
    def reduction(self) -> PCA:
        """PCA of the reference."""
        s = self.settings
        return PCA(variance=s.variance, max_components=s.max_components).fit(self.reference)

    @cached_property
    def unfitted(self) -> GaussianMixture:
        """GMM-GIQA with the settings' M."""
        return GaussianMixture(
            n_components=self.settings.components, random_state=self.random_state
        )

    @cached_property
    def density(self) -> Density:
        """The mixture fitted on the reference."""
        return clone(self.unfitted).fit(self.reduction.transform(self.reference))

    @cached_property
    def _held_out(self) -> NDArray[np.float64]:
        features = self.extract(self.study.held_out)
        return self.density.score_samples(self.reduction.transform(features))

    @cached_property
    def calibration(self) -> RankCalibration:
        """Ranks among the held-out real images."""
        return RankCalibration().fit(self._held_out)

    @cached_property
    def _frechet(self) -> FrechetReference:
        return FrechetReference(self.reference)

    def raw_scores(self, features: ArrayLike) -> NDArray[np.float64]:
        """Log-density (n,) of features (n, d)."""
        return self.density.score_samples(self.reduction.transform(features))

    def scores(self, features: ArrayLike) -> NDArray[np.float64]:
        """Calibrated score (n,) in [0, 1] of features (n, d)."""
        return self.calibration.transform(self.raw_scores(features))

    def scores_within_class(
        self, features: ArrayLike, classes: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Score (n,) in [0, 1]: the rank among held-out real images of the same predicted class.

        ``classes`` (n,) are the study's classifier's; of a class with too few held-out images, the rank among all.
        """
        held_out = self.study.classifier.predict(self.study.held_out.tensor()).numpy()
        raw = self.raw_scores(features)
        return rank_within_modes(
            raw, classes, self._held_out, held_out, self.calibration.transform(raw)
        )

    def frechet(self, features: ArrayLike) -> Estimate:
        """FID to the reference, >= 0; the error is that of the generated images alone."""
        return self._frechet.estimate(features)

    def quality(self, features: ArrayLike) -> Estimate:
        """QS in [0, 1] of the generated features; 1/2 is what held-out real images get."""
        return mean_calibrated_score(
            RankCalibration(),
            held_out_scores=self._held_out,
            scores=self.raw_scores(features),
            random_state=self.random_state,
        )

    def diversity(
        self,
        features: ArrayLike,
        *,
        density: Density | None = None,
        reduction: PCA | None = None,
    ) -> Estimate:
        """DS in [0, 1]: mean rank of real images under a density of the generated ``features``.

        ``density`` (unfitted) and ``reduction`` (fitted) replace the judge's own.
        """
        space = self.reduction if reduction is None else reduction
        return diversity_score(
            self.unfitted if density is None else density,
            generated=space.transform(features),
            real=space.transform(self.real[: self.settings.scored]),
            calibration=RankCalibration(),
            random_state=self.random_state,
        )

    def judge(self, features: ArrayLike) -> pd.DataFrame:
        """FID, QS, DS, recall and coverage: ``metric``, ``value``, ``standard_error``, ``n``.

        FID, QS, recall and coverage by the first ``scored`` images, DS by the first ``fitted``.
        """
        rows = check_features(features, name="features", at_least=2)
        scored, fitted = rows[: self.settings.scored], rows[: self.settings.fitted]
        found = {
            "FID": self.frechet(scored),
            "QS": self.quality(scored),
            "DS": self.diversity(fitted),
        }
        table = [
            {"metric": name, "value": e.value, "standard_error": e.standard_error, "n": e.n}
            for name, e in found.items()
        ]
        real = self.reduction.transform(self.real[: self.settings.scored])
        near = precision_recall_density_coverage(
            real=real,
            generated=self.reduction.transform(scored),
            neighbours=self.settings.neighbours,
        )
        for name, flags in (("recall", near.in_generated), ("coverage", near.covered)):
            share = np.asarray(flags, dtype=float)
            error = float(np.sqrt(share.mean() * (1 - share.mean()) / len(share)))
            table.append(
                {
                    "metric": name,
                    "value": float(share.mean()),
                    "standard_error": error,
                    "n": len(share),
                }
            )
        return pd.DataFrame(table)
