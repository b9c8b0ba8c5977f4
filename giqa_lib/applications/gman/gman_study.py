"""GAN, GMAN, DCGAN and DCGMAN trained on a study's images, and what the report Xu et al. 2018 measures of them.

For each seed all runs share real images, and two that differ in their discriminators alone share the generator's
initial weights. The dense models are trained at 32 pixels, the others at 28 where the images fit (the report's
sizes); smaller images are padded with black. Beyond the report: other aggregations F, discriminators made
different by dropout and by images of their own as in Durugkar et al.'s code, and trainings whose generator is too
fast on purpose. Departures: widths and lengths are a profile's; one learning rate for all (the report's
notebooks have three); soft labels as in the notebooks, but at most 1.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

from giqa_lib.applications.generators import GeneratorJudge, judge_verdicts
from giqa_lib.applications.snapshots import Study
from giqa_lib.checks import check_choice, check_positive
from giqa_lib.evaluation import Encounter, Player, meet
from giqa_lib.gan import (
    Aggregation,
    GMANSettings,
    LearnedSoftMean,
    MaxOfValues,
    MeanOfProbabilities,
    MeanOfValues,
    Snapshots,
    SnapshotSettings,
    SoftMean,
    dropout_rates,
    fetch_snapshots,
    latents,
    pad_to,
    probability_of_real,
    to_unit,
)

__all__ = [
    "COLLAPSING",
    "GMAN_MODELS",
    "GMAN_PAIRS",
    "GMAN_PRESETS",
    "GMAN_VARIANTS",
    "GMANPreset",
    "GMANStudy",
]

SMALLER, LARGER = 28, 32
DISCRIMINATORS = 5


@dataclass(frozen=True, kw_only=True)
class GMANPreset:
    """Width next to the image, batch, rate and lengths of a profile.

    ``steps`` are the snapshots of the four models, ``variant_steps`` the length of the other trainings.
    Where collapse is provoked, the generator's rate is ``boost`` times the discriminators', their geometric mean
    being ``rate``.
    ``samples`` images of each model, and as many real ones at most, meet in the adversarial metric.
    """

    width: int
    steps: tuple[int, ...]
    variant_steps: int
    collapse_steps: int
    rate: float = 2e-4
    batch_size: int = 64
    boost: float = 30.0
    samples: int = 5000

    def __post_init__(self) -> None:
        for name in ("width", "variant_steps", "collapse_steps", "rate", "batch_size", "boost"):
            check_positive(getattr(self, name), name=name)


GMAN_PRESETS = {
    "quick": GMANPreset(
        width=4,
        steps=(20, 60),
        variant_steps=24,
        collapse_steps=20,
        rate=2e-3,
        batch_size=16,
        samples=300,
    ),
    "cpu": GMANPreset(
        width=16, steps=(400, 1200), variant_steps=500, collapse_steps=400, rate=6e-4
    ),
    "paper": GMANPreset(
        width=32, steps=(6250, 18_750), variant_steps=18_750, collapse_steps=18_750, samples=10_000
    ),
}


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """Layers and discriminators of a run, and whether its generator is made too fast."""

    layers: str = "dense"
    discriminators: int = DISCRIMINATORS
    aggregation: Aggregation = field(default_factory=MeanOfProbabilities)
    dropout: bool = False
    separate: bool = False
    too_fast: bool = False


_KINDS = {
    "GAN": _Kind(discriminators=1),
    "GMAN": _Kind(),
    "DCGAN": _Kind(layers="convolutional", discriminators=1),
    "DCGMAN": _Kind(layers="convolutional"),
}
_VARIANTS = {
    "mean of values": _Kind(aggregation=MeanOfValues()),
    "max": _Kind(aggregation=MaxOfValues()),
    "arithmetic": _Kind(aggregation=SoftMean(mean="arithmetic")),
    "geometric": _Kind(aggregation=SoftMean(mean="geometric")),
    "harmonic": _Kind(aggregation=SoftMean(mean="harmonic")),
    "learned": _Kind(aggregation=LearnedSoftMean()),
    "dropout": _Kind(aggregation=MeanOfValues(), dropout=True),
    "separate": _Kind(aggregation=MeanOfValues(), separate=True),
    "different": _Kind(aggregation=MeanOfValues(), dropout=True, separate=True),
}
_TOO_FAST = {
    f"{name}, fast generator": replace(_KINDS[name], too_fast=True) for name in ("DCGAN", "DCGMAN")
}
GMAN_MODELS = tuple(_KINDS)
GMAN_PAIRS = (("GAN", "GMAN"), ("DCGAN", "DCGMAN"))
GMAN_VARIANTS = ("one discriminator", "mean of probabilities", *_VARIANTS)
COLLAPSING = tuple(_TOO_FAST)
_SHORT = {"one discriminator": _KINDS["GAN"], "mean of probabilities": _KINDS["GMAN"]} | _VARIANTS


class GMANStudy:
    """One seed's trainings by name, each trained when first asked for and kept in the store.

    Names are of :data:`GMAN_MODELS`; of :data:`GMAN_VARIANTS`, dense models that are trained for
    ``variant_steps``; of :data:`COLLAPSING`, whose generator learns ``boost`` times as fast as the
    discriminators.
    """

    def __init__(self, study: Study, preset: GMANPreset) -> None:
        self.study, self.preset = study, preset

    def settings(self, run: str) -> SnapshotSettings:
        """The networks of a run, their training, and the steps at which both players are kept."""
        known = _KINDS | _SHORT | _TOO_FAST
        check_choice(run, known, name="run")
        kind, preset = known[run], self.preset
        count = kind.discriminators
        made = GMANSettings(
            layers=kind.layers,
            image_size=self._size(kind.layers),
            channels=int(self.study.train[0].shape[0]),
            width=preset.width,
            discriminators=count,
            aggregation=kind.aggregation,
            dropout=dropout_rates(count) if kind.dropout else (),
            separate=kind.separate,
            soft_labels=kind.layers == "dense",
        )
        steps = preset.steps
        if run in _SHORT:
            steps = (preset.variant_steps,)
        elif kind.too_fast:
            steps = (preset.collapse_steps,)
        # Discriminators with images of their own each get a batch, as in Durugkar et al.'s code.
        batch = preset.batch_size * (count if kind.separate else 1)
        boost = preset.boost if kind.too_fast else 1.0
        rate = preset.rate / math.sqrt(boost)
        train = made.training(steps[-1], batch_size=batch, rate=rate, boost=boost)
        return SnapshotSettings(architecture=made, train=train, steps=steps, both=True)

    def snapshots(self, run: str) -> Snapshots:
        """Both players of a run; trained first if they are not in the store."""
        study = self.study
        return fetch_snapshots(
            study.store,
            study.train,
            self.settings(run),
            seed=study.seed,
            device=study.device,
            progress=study.progress,
        )

    def images(self, run: str, count: int, *, step: int | None = None) -> UInt8[Tensor, "n c h w"]:
        """Images of a run, of the same latents for all runs, in the encoding of the data set's files."""
        found = self.snapshots(run)
        chosen = found.steps[-1] if step is None else step
        return self.study.encoded(found.images(chosen, count, seed=self.study.seed))

    def losses(self, run: str) -> pd.DataFrame:
        """``run``, ``seed``, ``step``, ``player`` (generator, discriminator or discriminator 1 to N), ``value``.

        The sum of several discriminators' losses is left out: each has its own.
        """
        wide = self.snapshots(run).losses
        if len(wide.columns) > 3:
            wide = wide.drop(columns="discriminator")
        long = wide.melt(id_vars="step", var_name="player")
        return long.assign(run=run, seed=self.study.seed)

    def player(self, run: str, *, place: int = 0) -> Player:
        """A run for the adversarial metric; ``place`` gives its latents, so that two of a kind differ."""
        found, device = self.snapshots(run), self.study.device
        step, latent = found.steps[-1], self.settings(run).architecture.latent
        generator = found.generator(step)
        seed = 2 * self.study.seed + place

        @torch.no_grad()
        def generate(count: int) -> Tensor:
            drawn = latents(count, latent, seed=seed).to(device)
            return torch.cat([generator(part).cpu() for part in drawn.split(256)])

        judge = probability_of_real(found.discriminator(step), device=device)
        return Player(name=run, generate=generate, judge=judge)

    def encounter(self, first: str, second: str) -> Encounter:
        """Two runs of one image size exchange discriminators, over real images that neither was trained on."""
        size = self.settings(first).architecture.image_size
        return meet(
            self.player(first, place=0),
            self.player(second, place=1),
            test=self._shown(self.study.real.tensor()[: self.preset.samples], size),
            train=self._shown(self.study.reference.tensor()[: self.preset.samples], size),
            samples=self.preset.samples,
        )

    def judged(self, judge: GeneratorJudge, run: str, *, step: int | None = None) -> pd.DataFrame:
        """FID, QS, DS, recall and coverage of a run as :meth:`GeneratorJudge.judge`, with ``run`` and ``seed``."""
        images = self.images(run, judge.settings.fitted, step=step)
        found = judge.judge(judge.extract(images))
        return found.assign(run=run, seed=self.study.seed)

    def predicted(self, images: UInt8[Tensor, "n c h w"]) -> NDArray[np.int64]:
        """The study's own classifier's classes of images of the data set's size."""
        return self.study.classifier.predict(images).numpy()

    def verdicts(self, run: str, images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n judges"]:
        """Logits of each of a run's discriminators, in evaluation mode, on images of the data set's size."""
        found = self.snapshots(run)
        judges = found.discriminator(found.steps[-1])
        size = self.settings(run).architecture.image_size
        shown = self._shown(images, size).to(self.study.device)
        return judge_verdicts(judges, shown).cpu()

    @staticmethod
    def _shown(images: UInt8[Tensor, "n c h w"], size: int) -> Float[Tensor, "n c size size"]:
        return to_unit(pad_to(images, size))

    def _size(self, layers: str) -> int:
        side = max(self.study.train[0].shape[1:])
        return SMALLER if layers == "convolutional" and side <= SMALLER else LARGER
