"""Learned scores of a study: what they are trained on, and how, by profile.

GIQA (Section 5) trains on images of one generator's snapshots, an equal number from evenly spaced
iterations, and on real images. Here they are drawn from other latents than the pool's, so
that no image of a pair was trained on; every fourth snapshot is held out to choose the weights.
The generator is the pool's own; scoring another study's pool tells how a score carries over. The paper
judges a score on images of generators that it was and was not trained on without telling them apart.
"""

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from giqa_lib.checks import check_positive, check_probability
from giqa_lib.data import ImageSet
from giqa_lib.learning import VGG_SMALLEST_PATCH, FitSettings, NetworkSettings
from giqa_lib.scores import (
    LabelledImages,
    LearnedScore,
    LearnedSettings,
    Method,
    fetch_learned_score,
    noisy_labels,
    pseudo_labels,
)
from giqa_lib.store import Store

__all__ = ["LEARNED_PRESETS", "LabelledGenerator", "LearnedPreset", "LearnedStudy", "patch_of"]

LATENTS_SEED = 10_000  # apart from the pool's latents, which are drawn by the study's own seed
HOLD_OUT_EVERY = 4


@dataclass(frozen=True, kw_only=True)
class LearnedPreset:
    """How many images a snapshot and how many real ones, for training and held out, and the fit.

    ``patch`` is the share of an image's side that a patch has. Patches too small for ``vgg19_bn`` get the small
    network: the paper profile of a set of small images.
    """

    per_snapshot: int
    real: int
    held_out: int
    fit: FitSettings
    network: str = "small"
    width: int = 24
    patch: float = 0.75

    def __post_init__(self) -> None:
        for name in ("per_snapshot", "real", "held_out", "width"):
            check_positive(getattr(self, name), name=name)
        check_probability(self.patch, name="patch")


LEARNED_PRESETS = {
    "quick": LearnedPreset(
        per_snapshot=60,
        real=200,
        held_out=30,
        width=8,
        fit=FitSettings(steps=120, check_every=40, patience=3),
    ),
    "cpu": LearnedPreset(
        per_snapshot=600,
        real=1800,
        held_out=100,
        width=16,
        fit=FitSettings(steps=1500, check_every=100, patience=8),
    ),
    # 200,000 generated images of fifteen snapshots in all, the paper's number; network, batch and number of epochs as in the official code.
    "paper": LearnedPreset(
        per_snapshot=13_400,
        real=70_000,
        held_out=500,
        network="vgg19_bn",
        fit=FitSettings(
            steps=43_750, batch_size=512, learning_rate=1e-3, check_every=400, patience=20
        ),
    ),
}


def patch_of(side: int, share: float) -> int:
    """Pixels of a patch that has this share of an image's side, at least four.

    >>> patch_of(256, 0.75), patch_of(28, 32 / 256)
    (192, 4)
    """
    return max(4, round(side * share))


def _settings(images: Tensor, preset: LearnedPreset, patch: float) -> LearnedSettings:
    side = patch_of(min(images.shape[2:]), patch)
    too_small = preset.network == "vgg19_bn" and side < VGG_SMALLEST_PATCH
    network = NetworkSettings(
        name="small" if too_small else preset.network,
        channels=images.shape[1],
        patch=side,
        width=preset.width,
    )
    return LearnedSettings(network=network, fit=preset.fit)


@runtime_checkable
class LabelledGenerator(Protocol):
    """A generator whose training steps are kept, and real images like those that it was trained on."""

    seed: int
    store: Store
    device: str
    progress: bool
    reference: ImageSet

    @property
    def labelled_steps(self) -> tuple[int, ...]:
        """The training steps whose images get pseudo-labels, rising."""
        ...

    def generate(self, step: int, count: int, *, seed: int) -> UInt8[Tensor, "n c h w"]:
        """Images of one step, in the encoding of the real ones."""
        ...


class LearnedStudy:
    """The training images of a study's learned scores, and the scores, from the store.

    A study with fewer real images than the preset asks for gives all that are not held out.
    """

    def __init__(self, study: LabelledGenerator, preset: LearnedPreset) -> None:
        self.study = study
        self.preset = preset = replace(
            preset, real=min(preset.real, len(study.reference) - preset.held_out)
        )
        steps = study.labelled_steps
        # The last snapshot is trained on: it defines the largest label of a generated image.
        self.held_out_steps = steps[1::HOLD_OUT_EVERY]
        self.train_steps = tuple(step for step in steps if step not in self.held_out_steps)
        self.train = self._labelled(self.train_steps, preset.per_snapshot, 0, preset.real)
        share = preset.held_out
        self.held_out = self._labelled(self.held_out_steps, share, preset.real, share)

    def _labelled(
        self, steps: tuple[int, ...], each: int, first_real: int, real: int
    ) -> LabelledImages:
        """``each`` images of every step, and ``real`` ones of the reference from row ``first_real`` on."""
        seed = LATENTS_SEED + self.study.seed
        generated = [self.study.generate(step, each, seed=seed) for step in steps]
        reference = self.study.reference
        rows = np.arange(first_real, min(first_real + real, len(reference)))
        images = torch.cat([*generated, reference.subset(rows).tensor()])
        iterations = np.concatenate([np.repeat(steps, each), np.full(len(rows), np.nan)])
        labels = pseudo_labels(
            iterations,
            real=np.isnan(iterations),
            last_iteration=self.study.labelled_steps[-1],
        )
        return LabelledImages(images=images, labels=labels)

    def settings(self, *, patch: float | None = None) -> LearnedSettings:
        """Network and fit; ``patch`` as a share of the side instead of the preset's."""
        return _settings(
            self.train.images, self.preset, self.preset.patch if patch is None else patch
        )

    def score(
        self, method: Method, *, patch: float | None = None, noise: float = 0.0
    ) -> LearnedScore:
        """The learned score; ``noise`` is the share of generated training images whose labels are shuffled.

        The held-out labels stay clean: they choose between weights, and whoever shuffles them
        too would measure two things at once.
        """
        train = self.train
        if noise:
            labels = noisy_labels(train.labels, noise, self.study.seed)
            train = replace(train, labels=labels)
        return fetch_learned_score(
            self.study.store,
            train,
            self.held_out,
            method,
            self.settings(patch=patch),
            seed=self.study.seed,
            device=self.study.device,
            progress=self.study.progress,
        )
