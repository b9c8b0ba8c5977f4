"""Kinds of pairs that no method of the benchmark was trained on, and a total over them.

The learned scores are trained to tell later snapshots from earlier ones and real images from their generator's, the
natural-image measures to tell clean images from degraded ones. A total over those kinds asks who brought the most of the
test along. In these kinds the worse image has a fault that no training showed:

=============================  =========================================================
real over warped               a test image against its own copy pulled out of shape
real over other generators     a test image against one of GIQA's other generators
real over Stable Diffusion     where the study's bed has it
=============================  =========================================================

Of the last two the learned scores have seen something like it (another generator's images), of the first the natural-image
measures (other damage to photographs); the total takes an equal share of each.
"""

from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from giqa_lib.applications.giqa.pair_beds import STABLE_DIFFUSION, StudyBed
from giqa_lib.applications.pairs import Pairs, clean_over_degraded, join, real_over_generated
from giqa_lib.applications.snapshots import FAMILIES, FamilyPreset, family_snapshots
from giqa_lib.data import warp

__all__ = ["UNSEEN_PAIRS", "UnseenFaults"]

UNSEEN_PAIRS = "all pairs with unseen faults"
WARP_LEVEL = 0.75  # pulled about by 7.5 % of the side: plain to see, and still the same thing
SEED = 6  # a stream apart from the study's and the bed's


class UnseenFaults:
    """A study's bed with the kinds above beside its own; ``images`` and ``pairs`` as there.

    ``families`` trains WGAN-GP, PGGAN and StyleGAN on the study's images (or takes them from the store), whose last
    images make up one kind; None leaves that kind out.
    """

    def __init__(self, bed: StudyBed, families: FamilyPreset | None = None) -> None:
        self.bed, self.study, self.families = bed, bed.study, families

    @cached_property
    def images(self) -> UInt8[Tensor, "n c h w"]:
        """The bed's images, then a warped copy of each real one, then the other generators'."""
        return torch.cat([self.bed.images, self._warped, *self._generated])

    @cached_property
    def _warped(self) -> UInt8[Tensor, "n c h w"]:
        generator = torch.Generator().manual_seed(self.study.seed + SEED)
        return self.study.encoded(warp(self.study.real.tensor(), WARP_LEVEL, generator))

    @cached_property
    def _generated(self) -> list[Tensor]:
        """The last images of each family, as many together as there are real ones in the pool."""
        if self.families is None:
            return []
        runs = [family_snapshots(self.study, family, self.families) for family in FAMILIES]
        each, seed = len(self.study.real) // len(FAMILIES), self.study.seed
        return [self.study.encoded(run.images(run.steps[-1], each, seed=seed)) for run in runs]

    def pairs(self, *, part: str = "evaluation", ratio: float = 2.0) -> list[Pairs]:
        """The bed's pairs, the further kinds, and an equal share of all unseen ones as ``UNSEEN_PAIRS``."""
        seeds = np.random.default_rng([self.study.seed, SEED]).spawn(3)
        own = self.bed.pairs(part=part, ratio=ratio)
        real, first = self.study.rows("real", part=part), len(self.bed.images)
        source = self.study.pool["source"].to_numpy()[real]
        warped = clean_over_degraded(real, first + source, random_state=seeds[0])
        further = [replace(warped, name="real over warped")]
        if self._generated:
            rows = first + len(self._warped) + self._of_part(part)
            generated = real_over_generated(real, rows, random_state=seeds[1])
            further.append(replace(generated, name="real over other generators"))
        unseen = [*further, *(p for p in own if p.name == STABLE_DIFFUSION)]
        return [*own, *further, join(UNSEEN_PAIRS, *unseen, random_state=seeds[2])]

    def _of_part(self, part: str) -> np.ndarray:
        """Every second image of each family, by its latent, which the families share."""
        latent = np.concatenate([np.arange(len(images)) for images in self._generated])
        return np.flatnonzero(latent % 2 == (0 if part == "evaluation" else 1))
