"""GIQA, Table 4: a generator's images picked by a score, beside the truncation trick at the same rate.

As in the paper 10,000 images are generated, the best share of them is kept, and 5,000 of the rest are judged. The
paper draws those at random; here they are the first, which is as random, since latents come in no order, and lets the
sets of two rates share what they can. Truncated images have the latents of the first. So rates differ by what
picking does, and little by chance. Departure: a generator without styles has its latents
scaled by psi. DS is fitted on the images that are judged: at a rate of 1/2 there are no more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Float, Integer, UInt8
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from giqa_lib.applications.generators.generator_judge import GeneratorJudge
from giqa_lib.applications.snapshots import effective_classes
from giqa_lib.checks import InputError, check_same_length, error_line
from giqa_lib.gan import Snapshots
from giqa_lib.scores import Density, pick

__all__ = ["NO_PICKING", "Picker", "PickerStudy"]

NO_PICKING = "no picking"
CONTROL_SEED = 3  # apart from the streams of the split and the pairs


@dataclass(frozen=True, kw_only=True)
class Picker:
    """What picks: a score of each image (n,), higher is better, and the modes that keep their shares, if any."""

    name: str
    scores: Float[np.ndarray, " n"]
    modes: Integer[np.ndarray, " n"] | None = None


class PickerStudy:
    """One seed's generator: its images, scores that pick among them, and judges of what is kept.

    The first judge's space is where densities pick. Frames that come out have the columns ``run``, ``rate``, ``space``,
    ``metric``, ``value``, ``standard_error``, ``n`` and ``seed``.
    """

    def __init__(
        self, judges: Sequence[GeneratorJudge], snapshots: Snapshots, *, generated: int = 10_000
    ) -> None:
        self.judges, self.snapshots, self.generated = tuple(judges), snapshots, generated
        self.study = judges[0].study
        self.judged = judges[0].settings.scored
        if generated < self.judged:
            got, hint = str(generated), "generate more, or judge by fewer"
            expected = f"at least the {self.judged} that are judged"
            raise InputError(error_line("generated", expected=expected, got=got, hint=hint))

    def truncated(self, psi: float) -> UInt8[Tensor, "n c h w"]:
        """The images that are judged, of the same latents for any ``psi`` in [0, 1]; 1 is no truncation."""
        return self._made(self.judged, psi)

    @cached_property
    def images(self) -> UInt8[Tensor, "n c h w"]:
        """What is picked from: ``generated`` images of the last step."""
        return self._made(self.generated, 1.0)

    def _made(self, count: int, psi: float) -> Tensor:
        last, seed = self.snapshots.steps[-1], self.study.seed
        return self.study.encoded(self.snapshots.images(last, count, seed=seed, truncation=psi))

    @cached_property
    def features(self) -> tuple[NDArray[np.float32], ...]:
        """Features of ``images`` in each judge's space."""
        return tuple(judge.extract(self.images) for judge in self.judges)

    @cached_property
    def classes(self) -> NDArray[np.int64]:
        """The class that the study's classifier predicts for each of ``images``."""
        return self.study.classifier.predict(self.images).numpy()

    def density_pickers(self) -> list[Picker]:
        """GMM-GIQA: in each judge's space, and in the first one's as a rank within class and with equal shares.

        Raw log-densities, whose order a calibration keeps but for ties.
        """
        first, features = self.judges[0], self.features[0]
        raw = [
            judge.raw_scores(rows) for judge, rows in zip(self.judges, self.features, strict=True)
        ]
        within = first.scores_within_class(features, self.classes)
        elsewhere = [
            Picker(name=f"GMM, {judge.settings.space}", scores=scores)
            for judge, scores in zip(self.judges[1:], raw[1:], strict=True)
        ]
        return [
            Picker(name="GMM", scores=raw[0]),
            *elsewhere,
            Picker(name="GMM, rank within class", scores=within),
            Picker(name="GMM, same share of each class", scores=raw[0], modes=self.classes),
        ]

    def density_picker(self, name: str, density: Density) -> Picker:
        """Another density, fitted in place on the first judge's reference."""
        judge = self.judges[0]
        density.fit(judge.reduction.transform(judge.reference))
        scores = density.score_samples(judge.reduction.transform(self.features[0]))
        return Picker(name=name, scores=scores)

    def image_picker(self, name: str, score: Callable[[Tensor], ArrayLike]) -> Picker:
        """Any score of images (n, c, h, w) uint8, such as a learned one."""
        return Picker(name=name, scores=np.asarray(score(self.images), dtype=np.float64))

    def random_picker(self, name: str = "random") -> Picker:
        """The control: a score that knows nothing of the images."""
        random = np.random.default_rng([self.study.seed, CONTROL_SEED])
        return Picker(name=name, scores=random.random(self.generated))

    def kept(self, picker: Picker, rate: float) -> NDArray[np.int64]:
        """Rows of ``images``, rising, that are kept and judged."""
        check_same_length(scores=picker.scores, images=self.images)
        best = np.sort(pick(picker.scores, share=rate, modes=picker.modes))
        if len(best) < self.judged:
            expected, got = (
                f"{self.judged} images left to judge",
                f"{len(best)} at a rate of {rate:g}",
            )
            hint = "generate more, or raise the rate: an FID of fewer images is another number"
            raise InputError(error_line("rate", expected=expected, got=got, hint=hint))
        return best[: self.judged]

    def judge_picked(self, picker: Picker, rates: Sequence[float]) -> pd.DataFrame:
        """The images kept at each rate by every judge, with how many classes they are spread over."""
        parts = []
        for rate in rates:
            kept = self.kept(picker, rate)
            parts += [
                self._judged(judge, features[kept], picker.name, rate)
                for judge, features in zip(self.judges, self.features, strict=True)
            ]
            spread = {"metric": "effective classes", "value": effective_classes(self.classes[kept])}
            row = {**spread, "standard_error": 0.0, "n": len(kept), "space": "predicted class"}
            parts.append(self._named(pd.DataFrame([row]), picker.name, rate))
        return pd.concat(parts, ignore_index=True)

    def judge_unpicked(self) -> pd.DataFrame:
        """The first images as they come, by every judge: rate 1."""
        same = Picker(name=NO_PICKING, scores=np.zeros(self.generated))
        return self.judge_picked(same, [1.0])

    def judge_truncated(self, rates: Sequence[float], name: str = "truncation") -> pd.DataFrame:
        """The truncation trick at each psi in ``rates``, by every judge."""
        parts = []
        for psi in rates:
            images = self.truncated(psi)
            parts += [
                self._judged(judge, judge.extract(images), name, psi) for judge in self.judges
            ]
        return pd.concat(parts, ignore_index=True)

    def _judged(
        self, judge: GeneratorJudge, features: NDArray[np.float32], run: str, rate: float
    ) -> pd.DataFrame:
        found = judge.judge(features).assign(space=judge.settings.space)
        return self._named(found, run, rate)

    def _named(self, frame: pd.DataFrame, run: str, rate: float) -> pd.DataFrame:
        return frame.assign(run=run, rate=rate, seed=self.study.seed)
