"""Test beds of the pair benchmark: images, and pairs split by what tells the better one apart.

GIQA's Table 1 gives one accuracy a data set. A set in which most pairs are easy (a real image against
an early snapshot's) hides that a score cannot tell hard ones, so pairs come by kind here:

===============================  =======================================================
later over earlier snapshot      one generator, training steps apart by a factor
within one snapshot              a generated image against a degraded copy of another
                                 image of the same snapshot
real over generated              a test image against any snapshot's
clean over degraded              a test image against its own degraded copy
real over Stable Diffusion       CIFAR-10 only, where CIFAKE is there
===============================  =======================================================

All are **stand-ins** for people's choices; see :mod:`giqa_lib.applications.pairs.image_pairs`. Pairs that people
made are in :mod:`giqa_lib.applications.pairs.human_votes`.
"""

from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from giqa_lib.applications.pairs import Pairs, join, real_over_generated
from giqa_lib.applications.snapshots import Study, degrade_at_random
from giqa_lib.data import ImageSet, Repeats, find, find_repeats, load

__all__ = ["ALL_PAIRS", "STABLE_DIFFUSION", "StudyBed"]

ALL_PAIRS = "all constructed pairs"
STABLE_DIFFUSION = "real over Stable Diffusion"
CIFAKE = "cifake"
WITHIN_SEED, PAIRS_SEED = 3, 4  # streams apart from the study's own
LATE_SNAPSHOTS = 5  # whose images still have something to lose


class StudyBed:
    """A study's pool with the images that the harder kinds of pairs need behind it.

    ``images`` are the pool's, then degraded copies of late snapshots' images, then CIFAKE's, if any.
    """

    def __init__(self, study: Study) -> None:
        self.study = study

    @cached_property
    def _late_rows(self) -> dict[int, np.ndarray]:
        steps = self.study.steps[-LATE_SNAPSHOTS:]
        return {step: self.study.rows("generated", step=step) for step in steps}

    @cached_property
    def _cifake(self) -> ImageSet | None:
        if self.study.dataset != "cifar10" or find(CIFAKE) is None:
            return None
        return load(CIFAKE, "test")

    @cached_property
    def repeats(self) -> Repeats | None:
        """Which of CIFAKE's test images are left out because they repeat another; None where it is not used."""
        return None if self._cifake is None else find_repeats(self._cifake.tensor())

    @cached_property
    def _fakes(self) -> UInt8[Tensor, "n c h w"] | None:
        if self._cifake is None or self.repeats is None:
            return None
        fakes = self._cifake.subset(self.repeats.first)
        rows = np.random.default_rng([self.study.seed, WITHIN_SEED]).permutation(len(fakes))
        return fakes.subset(rows[: len(self.study.real)]).tensor()

    @cached_property
    def images(self) -> UInt8[Tensor, "n c h w"]:
        """uint8 images (n, c, h, w); rows of the pairs."""
        parts = [self.study.pool_images, self._degraded]
        return torch.cat(parts if self._fakes is None else [*parts, self._fakes])

    @cached_property
    def _degraded(self) -> UInt8[Tensor, "n c h w"]:
        """A degraded copy of each late snapshot's image, in the order of ``_late_rows``."""
        random = np.random.default_rng([self.study.seed, WITHIN_SEED])
        source = self.study.pool_images[np.concatenate(list(self._late_rows.values()))]
        done, _ = degrade_at_random(source, self.study.settings.levels, random)
        return self.study.encoded(done)

    def pairs(self, *, part: str = "evaluation", ratio: float = 2.0) -> list[Pairs]:
        """Each kind, then an equal share of each as ``ALL_PAIRS``; images of one part of the pool only."""
        later, real, clean, _ = self.study.pairs(part=part, ratio=ratio)
        seeds = np.random.default_rng([self.study.seed, PAIRS_SEED]).spawn(3)
        kinds = [later, self._within(part, seeds[0]), real, clean]
        if self._fakes is not None:
            first = len(self.images) - len(self._fakes)
            fakes = np.arange(first, len(self.images))
            fakes = fakes[fakes % 2 == (0 if part == "evaluation" else 1)]
            found = real_over_generated(
                self.study.rows("real", part=part), fakes, random_state=seeds[1]
            )
            kinds.append(replace(found, name=STABLE_DIFFUSION))
        return [*kinds, join(ALL_PAIRS, *kinds, random_state=seeds[2])]

    def _within(self, part: str, random: np.random.Generator) -> Pairs:
        """Each late image of a part against the degraded copy of another one of its snapshot and part."""
        better, worse, first = [], [], len(self.study.pool_images)
        for step, rows in self._late_rows.items():
            chosen = np.isin(rows, self.study.rows("generated", part=part, step=step))
            clean, copies = rows[chosen], (first + np.arange(len(rows)))[chosen]
            order = random.permutation(len(clean))
            better.append(clean[order])
            worse.append(np.roll(copies[order], 1))  # the next image's copy, never its own
            first += len(rows)
        return Pairs(
            name="within one snapshot", better=np.concatenate(better), worse=np.concatenate(worse)
        )
