"""The test bed of the GIQA chapters: real images, degraded ones, and snapshots of a GAN's training.

GIQA's own test bed (LGIQA: human choices between pairs of FFHQ, LSUN and Cityscapes images) is
not public. What is needed of one is images whose relative quality is known. Here it is
known by construction, a **stand-in** for people's choices: a DCGAN trained on the data set
gives images at log-spaced training steps, real images that nothing was fitted on are better
than generated ones, and degraded copies are worse than what they were made from.

The data set is split so that no part serves twice:

=================  ==========================================================
classifier         training images the feature network learns from
reference          training images the densities are fitted on
held out           test images that calibrate
pool, real         test images in pairs; a degraded copy of each is in the pool
=================  ==========================================================

A classifier may be surer of images it was trained on, and a density fitted on those would
then rank other real images low; the chapter on features measures how much. The GAN trains on all training images. The pool
is halved into a development part, on which chapters choose features and settings, and an
evaluation part, on which they report.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor

from giqa_lib.applications.pairs import (
    Pairs,
    clean_over_degraded,
    join,
    later_over_earlier,
    real_over_generated,
)
from giqa_lib.applications.snapshots.study_settings import (
    SMALLEST_INPUT,
    StudySettings,
    fit_to,
)
from giqa_lib.checks import check_choice
from giqa_lib.data import DEGRADATIONS, ImageSet, degrade, encoded_as, load
from giqa_lib.features import (
    PCA,
    ClassifierExtractor,
    Extractor,
    extract,
    extractor,
    fetch_classifier,
)
from giqa_lib.gan import (
    DCGANSettings,
    Snapshots,
    SnapshotSettings,
    TrainSettings,
    evenly_spaced_steps,
    fetch_snapshots,
)
from giqa_lib.store import Store

__all__ = [
    "FeatureSpace",
    "Study",
    "degrade_at_random",
]

DEGRADED_SEED = 1  # apart from the streams of the split and the pairs


@dataclass(frozen=True, kw_only=True)
class FeatureSpace:
    """Features of the three parts after standardising and PCA; ``reduction`` is fitted on the reference."""

    name: str
    reduction: PCA
    reference: NDArray[np.float64]
    held_out: NDArray[np.float64]
    pool: NDArray[np.float64]

    @property
    def width(self) -> int:
        """Dimensions after PCA."""
        return self.reference.shape[1]


class Study:
    """The test bed for one seed: splits, pool, pairs, features; expensive parts come from the store.

    ``pool`` has one row an image of ``pool_images``: ``origin`` (real, degraded, generated),
    ``step``, ``degradation``, ``level``, ``source`` (the row it was made from) and ``part``
    (development or evaluation).
    """

    def __init__(
        self,
        settings: StudySettings,
        *,
        dataset: str,
        seed: int,
        store: Store,
        device: str = "cpu",
        progress: bool = True,
    ) -> None:
        self.settings = settings
        self.dataset = dataset
        self.seed = seed
        self.store = store
        self.device = device
        self.progress = progress
        self._split()

    def _split(self) -> None:
        train, test = load(self.dataset, "train"), load(self.dataset, "test")
        self.settings = s = fit_to(self.settings, train, test)
        random = np.random.default_rng(self.seed)
        order, test_order = random.permutation(len(train)), random.permutation(len(test))
        self.train: ImageSet = train
        self.classifier_part = train.subset(order[: s.classifier_images])
        self.reference = train.subset(
            order[s.classifier_images : s.classifier_images + s.reference]
        )
        self.held_out = test.subset(test_order[: s.held_out])
        self.real = test.subset(test_order[s.held_out : s.held_out + s.real])

    @property
    def steps(self) -> tuple[int, ...]:
        """The training steps of the pool's snapshots, rising."""
        return self.settings.steps

    @property
    def labelled_steps(self) -> tuple[int, ...]:
        """Evenly spaced training steps, rising to the last: GIQA's images with pseudo-labels."""
        return evenly_spaced_steps(self.settings.steps[-1], self.settings.labelled)

    @property
    def network_size(self) -> int:
        """The smallest size of a generator that holds the images: 16, 32, 64, ... pixels."""
        side, size = max(self.train[0].shape[1:]), SMALLEST_INPUT
        while size < side:
            size *= 2
        return size

    def generate(self, step: int, count: int, *, seed: int) -> UInt8[Tensor, "n c h w"]:
        """``count`` generated images of one snapshot, in the encoding of the data set's files."""
        return self.encoded(self.snapshots.images(step, count, seed=seed))

    def encoded(self, images: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "n c h w"]:
        """Images that no file ever held, in the encoding of the data set's files."""
        return encoded_as(self.dataset, images)

    @property
    def snapshot_settings(self) -> SnapshotSettings:
        """The GAN's networks, training and kept steps."""
        s = self.settings
        channels = int(self.train[0].shape[0])
        return SnapshotSettings(
            architecture=DCGANSettings(
                image_size=self.network_size, channels=channels, width=s.width
            ),
            train=TrainSettings(steps=s.steps[-1], batch_size=64),
            steps=tuple(sorted({*s.steps, *self.labelled_steps})),
        )

    @cached_property
    def snapshots(self) -> Snapshots:
        """The GAN's training, read from the store or made (it resumes where it was stopped)."""
        return fetch_snapshots(
            self.store,
            self.train,
            self.snapshot_settings,
            seed=self.seed,
            device=self.device,
            progress=self.progress,
        )

    @cached_property
    def classifier(self) -> ClassifierExtractor:
        """The feature network trained on the data set itself."""
        return fetch_classifier(
            self.store,
            self.classifier_part,
            settings=self.settings.classifier,
            seed=self.seed,
            device=self.device,
        )

    @cached_property
    def degraded(self) -> tuple[UInt8[Tensor, "n c h w"], pd.DataFrame]:
        """A degraded copy of each real image of the pool, with what was done to it."""
        random = np.random.default_rng([self.seed, DEGRADED_SEED])
        done, how = degrade_at_random(self.real.tensor(), self.settings.levels, random)
        return self.encoded(done), how

    @cached_property
    def pool_images(self) -> UInt8[Tensor, "n c h w"]:
        """Real, degraded and generated images, in the order of ``pool``."""
        generated = [
            self.generate(step, self.settings.per_snapshot, seed=self.seed) for step in self.steps
        ]
        return torch.cat([self.real.tensor(), self.degraded[0], *generated])

    @cached_property
    def pool(self) -> pd.DataFrame:
        """What each pool image is; see the class."""
        count, each = len(self.real), self.settings.per_snapshot
        real = pd.DataFrame({"origin": "real", "source": np.arange(count)})
        degraded = self.degraded[1].assign(origin="degraded", source=np.arange(count))
        steps = np.repeat(self.steps, each)
        # The same latents at every step: an image's source is its latent.
        sources = np.tile(np.arange(each), len(self.steps))
        generated = pd.DataFrame({"origin": "generated", "step": steps, "source": sources})
        pool = pd.concat([real, degraded, generated], ignore_index=True)
        return pool.assign(part=np.where(pool["source"] % 2 == 0, "evaluation", "development"))

    def rows(
        self, origin: str, *, part: str | None = None, step: int | None = None
    ) -> NDArray[np.int64]:
        """Rows of the pool of one origin, part and step."""
        chosen = self.pool["origin"] == check_choice(
            origin, ("real", "degraded", "generated"), name="origin"
        )
        if part is not None:
            chosen &= self.pool["part"] == check_choice(
                part, ("development", "evaluation"), name="part"
            )
        if step is not None:
            chosen &= self.pool["step"] == step
        return np.flatnonzero(chosen)

    def pairs(self, *, part: str = "evaluation", ratio: float = 2.0) -> list[Pairs]:
        """The constructed pairs of one part: three kinds, and an equal share of each as one set."""
        step = self.pool["step"].where(self.pool["part"] == part)
        seeds = np.random.default_rng([self.seed, 2]).spawn(4)
        kinds = [
            later_over_earlier(step, ratio=ratio, random_state=seeds[0]),
            real_over_generated(
                self.rows("real", part=part),
                self.rows("generated", part=part),
                random_state=seeds[1],
            ),
            clean_over_degraded(
                self.rows("real", part=part),
                self.rows("degraded", part=part),
                random_state=seeds[2],
            ),
        ]
        return [*kinds, join("all constructed pairs", *kinds, random_state=seeds[3])]

    def features(
        self, name: str = "classifier", *, variance: float = 0.95, max_components: int = 64
    ) -> FeatureSpace:
        """Features of all parts by the named extractor, reduced by PCA fitted on the reference."""
        raw = {
            "reference": self.extract(self.reference, name),
            "held_out": self.extract(self.held_out, name),
            "pool": self.extract(self.pool_images, name),
        }
        reduction = PCA(variance=variance, max_components=max_components).fit(raw["reference"])
        reduced = {part: reduction.transform(values) for part, values in raw.items()}
        return FeatureSpace(name=name, reduction=reduction, **reduced)

    def extract(self, images: ImageSet | Tensor, name: str) -> NDArray[np.float32]:
        """Features (n, d) of any images by the named extractor, before PCA; kept in the store."""
        network: Extractor = (
            self.classifier if name == "classifier" else extractor(name, device=self.device)
        )
        return extract(images, network, store=self.store, progress=self.progress).values

    def per_snapshot(
        self, scores: NDArray[np.float64], summary: Callable[..., float] = np.mean
    ) -> pd.Series:
        """A summary of the scores of each snapshot's images, by training step."""
        generated = self.pool["origin"] == "generated"
        return (
            pd.Series(scores[generated])
            .groupby(self.pool.loc[generated, "step"].to_numpy())
            .agg(summary)
        )

    def describe(self) -> dict[str, object]:
        """The settings as JSON values, for a record."""
        return {"dataset": self.dataset, "seed": self.seed, **asdict(self.settings)}


def degrade_at_random(
    images: UInt8[Tensor, "n c h w"], levels: Sequence[float], random: np.random.Generator
) -> tuple[UInt8[Tensor, "n c h w"], pd.DataFrame]:
    """Each image with one degradation at one of ``levels``, drawn for it, and which (a row an image)."""
    kinds = random.choice(sorted(DEGRADATIONS), len(images))
    chosen = random.choice(levels, len(images))
    done = torch.empty_like(images)
    for kind in sorted(DEGRADATIONS):
        for level in levels:
            rows = torch.as_tensor(np.flatnonzero((kinds == kind) & (chosen == level)))
            if len(rows):
                generator = torch.Generator().manual_seed(int(random.integers(2**31)))
                done[rows] = degrade(images[rows], kind, level, generator)
    return done, pd.DataFrame({"degradation": kinds, "level": chosen})
