"""Translators of label maps judged by the quality score of their images (GIQA, Table 3).

Pairs of images and label maps are split so that no part serves twice: ``train`` pairs teach the translators
and are what the density is fitted to; ``held_out`` images calibrate; the maps of the ``test`` pairs are
translated, and the test images themselves are what a perfect translator would give. Departure: the paper
scores 5,000 translations of each released Cityscapes model.
"""

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from giqa_lib.checks import InputError, check_choice, check_positive, error_line
from giqa_lib.data import LabelledPairs, encoded_as
from giqa_lib.evaluation import Estimate, frechet_estimate, mean_calibrated_score
from giqa_lib.features import PCA, extract, extractor
from giqa_lib.gan import (
    Pix2PixHDSettings,
    Pix2PixSettings,
    SPADESettings,
    TrainedTranslator,
    Translator,
    TranslatorSettings,
    fetch_translator,
)
from giqa_lib.scores import Density, RankCalibration
from giqa_lib.store import Store

__all__ = [
    "TRANSLATION_PRESETS",
    "TranslationJudge",
    "TranslationPreset",
    "TranslationStudy",
]

SPLIT_SEED = 3  # apart from the streams of the networks
PARTS = ("train", "held_out", "test")
RESAMPLES = 20  # of FID: each costs a matrix decomposition


@dataclass(frozen=True, kw_only=True)
class TranslationPreset:
    """How many pairs serve for what, the translators, and how many images each is shown in training.

    ``translators`` has each one's settings, whose ``classes`` the pairs decide, and its batch size. All are
    shown as many images. ``space`` names the features that judge, ``dimensions`` how many principal components
    of them the density sees.
    """

    size: int
    train: int
    held_out: int
    test: int
    shown: int
    translators: tuple[tuple[Translator, int], ...]
    space: str = "efficientnet_lite0@64"
    dimensions: int = 32

    def __post_init__(self) -> None:
        for name in ("size", *PARTS, "shown", "dimensions"):
            check_positive(getattr(self, name), name=name)
        for translator, _ in self.translators:
            if translator.image_size != self.size:
                got, hint = str(translator.image_size), "give all of them one size"
                raise InputError(
                    error_line(
                        f"{translator.family}, image_size",
                        expected=str(self.size),
                        got=got,
                        hint=hint,
                    )
                )

    @property
    def pairs(self) -> int:
        """How many pairs are needed."""
        return self.train + self.held_out + self.test

    @property
    def names(self) -> tuple[str, ...]:
        """The translators' families."""
        return tuple(translator.family for translator, _ in self.translators)


QUICK = TranslationPreset(
    size=32,
    train=300,
    held_out=100,
    test=100,
    shown=240,
    translators=(
        (Pix2PixSettings(classes=1, image_size=32, width=16), 4),
        (Pix2PixHDSettings(classes=1, image_size=32, width=8, global_blocks=2, local_blocks=1), 4),
        (SPADESettings(classes=1, image_size=32, width=16, hidden=16, doublings=3), 4),
    ),
    dimensions=16,
)
CPU = TranslationPreset(
    size=32,  # at 64 pixels the same hour is a quarter of the passes over the pairs
    train=600,
    held_out=200,
    test=200,
    shown=32_000,
    translators=(
        (Pix2PixSettings(classes=1, image_size=32, width=24), 8),
        (Pix2PixHDSettings(classes=1, image_size=32, width=12), 8),
        (SPADESettings(classes=1, image_size=32, width=16, hidden=16, doublings=3), 8),
    ),
)
PAPER = TranslationPreset(
    size=256,
    train=2475,  # of Cityscapes' 2,975 training and 500 validation pairs
    held_out=500,
    test=500,
    shown=595_000,  # 200 epochs of 2,975
    translators=(
        (Pix2PixSettings(classes=1, image_size=256, width=64, discriminator_width=64, halvings=3), 1),
        (
            Pix2PixHDSettings(
                classes=1,
                image_size=256,
                width=32,
                halvings=4,
                global_blocks=9,
                local_blocks=3,
                discriminator_width=64,
                judge_halvings=3,
                scales=3,
            ),
            1,
        ),
        (
            SPADESettings(
                classes=1,
                image_size=256,
                width=64,
                doublings=5,
                hidden=128,
                discriminator_width=64,
                halvings=3,
            ),
            32,
        ),
    ),
    space="efficientnet_lite0",
    dimensions=64,
)  # fmt: skip
TRANSLATION_PRESETS = {"quick": QUICK, "cpu": CPU, "paper": PAPER}


class TranslationStudy:
    """The split for one seed, the translators trained on it, and their translations of the test maps.

    ``pairs`` are drawn from at random by ``seed``; ``dataset`` is their data set's name, which decides the
    encoding that all judged images are brought to.
    """

    def __init__(
        self,
        preset: TranslationPreset,
        pairs: LabelledPairs,
        *,
        dataset: str,
        seed: int,
        store: Store,
        device: str = "cpu",
        progress: bool = True,
    ) -> None:
        if len(pairs) < preset.pairs:
            hint = "take a smaller preset, or a larger data set"
            expected = f"{preset.pairs} or more"
            raise InputError(error_line("pairs", expected=expected, got=str(len(pairs)), hint=hint))
        self.preset, self.dataset, self.seed = preset, dataset, seed
        self.store, self.device, self.progress = store, device, progress
        order = np.random.default_rng([seed, SPLIT_SEED]).permutation(len(pairs))
        ends = np.cumsum([getattr(preset, part) for part in PARTS])
        rows = np.split(order[: ends[-1]], ends[:-1])
        self.train, self.held_out, self.test = (pairs.subset(part) for part in rows)

    def settings(self, name: str) -> TranslatorSettings:
        """A translator's settings for these pairs: its classes, its paper's optimiser, mirroring."""
        check_choice(name, self.preset.names, name="translator")
        found, batch = next(t for t in self.preset.translators if t[0].family == name)
        made: Any = replace(found, classes=len(self.train.classes))  # type: ignore[type-var]
        steps = self.preset.shown // batch
        train = made.training(steps, batch_size=batch)
        return TranslatorSettings(translator=made, train=train, flip=True)

    def translator(self, name: str) -> TrainedTranslator:
        """A trained translator, read from the store or made (it resumes where it was stopped)."""
        return fetch_translator(
            self.store,
            self.train.images,
            self.train.maps,
            self.settings(name),
            seed=self.seed,
            device=self.device,
            progress=self.progress,
        )

    def translations(self, name: str) -> UInt8[Tensor, "n c h w"]:
        """The test maps translated, in the encoding of all judged images."""
        made = self.translator(name).translate(self.test.maps, seed=self.seed)
        return self.encoded(made)

    def encoded(self, images: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "n c h w"]:
        """Images after one JPEG encoding, if the data set's files have any: real and generated ones alike.

        Real images lose most of their own artefacts when they are shrunk, so they are encoded too.
        """
        return encoded_as(self.dataset, images)

    def features(self, images: UInt8[Tensor, "n c h w"]) -> NDArray[np.float32]:
        """Features (n, d) of encoded images in the preset's space; kept in the store."""
        network = extractor(self.preset.space, device=self.device)
        return extract(images, network, store=self.store, progress=self.progress).values

    @cached_property
    def real(self) -> dict[str, NDArray[np.float32]]:
        """Features of the real images of each part."""
        parts = {part: getattr(self, part).images for part in PARTS}
        return {part: self.features(self.encoded(images)) for part, images in parts.items()}

    @cached_property
    def reduction(self) -> PCA:
        """PCA of the training images' features."""
        return PCA(components=self.preset.dimensions).fit(self.real["train"])

    def describe(self) -> dict[str, object]:
        """The settings as JSON values, for a record."""
        return {"dataset": self.dataset, "seed": self.seed, **asdict(self.preset)}


class TranslationJudge:
    """A density of a study's real training images and its calibration: QS and FID of other images."""

    def __init__(self, study: TranslationStudy, density: Density) -> None:
        self.study = study
        self.density = density.fit(study.reduction.transform(study.real["train"]))
        self._held_out = self.raw_scores(study.real["held_out"])
        self.calibration = RankCalibration().fit(self._held_out)

    def raw_scores(self, features: ArrayLike) -> NDArray[np.float64]:
        """Log-density (n,) of features (n, d)."""
        return self.density.score_samples(self.study.reduction.transform(features))

    def scores(self, features: ArrayLike) -> NDArray[np.float64]:
        """Calibrated score (n,) in [0, 1] of features (n, d)."""
        return self.calibration.transform(self.raw_scores(features))

    def quality(self, features: ArrayLike) -> Estimate:
        """QS in [0, 1]; 1/2 is what held-out real images get. The error counts both sets of images."""
        return mean_calibrated_score(
            RankCalibration(),
            held_out_scores=self._held_out,
            scores=self.raw_scores(features),
            random_state=self.study.seed,
        )

    def frechet(self, features: ArrayLike) -> Estimate:
        """FID to the training images; compare it between sets of one size only."""
        found = frechet_estimate(
            real=self.study.real["train"],
            generated=features,
            resamples=RESAMPLES,
            random_state=self.study.seed,
        )
        return replace(found, n=len(np.asarray(features)))
