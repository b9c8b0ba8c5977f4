"""Images of known quality to learn from: real ones, degraded by a known amount.

A **stand-in** for the opinion data that NIMA, DeepIQA and RankIQA were trained on (AVA, TID2013, LIVE): the quality
of an image is 1 minus the level of its degradation, in [0, 1]. What a person would say of two
different degradations of one level is not known and not claimed.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from giqa_lib.checks import check_positive
from giqa_lib.data import DEGRADATIONS, degrade
from giqa_lib.learning.batches import check_pixels

__all__ = ["KINDS", "DegradedExamples", "held_out_examples"]

#: The degradations, by number.
KINDS = tuple(sorted(DEGRADATIONS))
GROUPS = 8  # of a batch; each has one degradation at one level, which is done in one go


@dataclass(frozen=True, kw_only=True)
class DegradedExamples:
    """Batches drawn from real ``images`` (n, c, h, w); all randomness comes from the generator passed in.

    >>> examples = DegradedExamples(images=torch.zeros(4, 1, 8, 8, dtype=torch.uint8))
    >>> images, quality = examples.batch(6, torch.Generator().manual_seed(0))
    >>> images.shape, bool(((quality >= 0) & (quality <= 1)).all())
    (torch.Size([6, 1, 8, 8]), True)
    """

    images: UInt8[Tensor, "n c h w"]

    def __post_init__(self) -> None:
        check_pixels(self.images)
        check_positive(len(self.images), name="number of images")

    def batch(
        self, size: int, random: torch.Generator
    ) -> tuple[UInt8[Tensor, "b c h w"], Float[Tensor, " b"]]:
        """``size`` random images, each group of them degraded in one way; and their qualities."""
        images, targets = self.identified(size, random)
        return images, targets[:, 0]

    def identified(
        self, size: int, random: torch.Generator
    ) -> tuple[UInt8[Tensor, "b c h w"], Float[Tensor, "b 2"]]:
        """The same batch with quality and the number of the degradation among ``KINDS``."""
        check_positive(size, name="size")
        chosen = self.images[torch.randint(len(self.images), (size,), generator=random)]
        parts, targets = [], []
        for group in chosen.tensor_split(min(GROUPS, size)):
            level = float(torch.rand((), generator=random))
            kind = _kind(random)
            parts.append(degrade(group, kind, level, random))
            targets.append(torch.tensor([1 - level, KINDS.index(kind)]).expand(len(group), 2))
        return torch.cat(parts), torch.cat(targets)

    def ladder(
        self, size: int, levels: int, random: torch.Generator
    ) -> tuple[UInt8[Tensor, "b c h w"], Float[Tensor, "levels size"]]:
        """The same ``size`` images at several levels of one degradation, the best first, and their qualities.

        ``levels`` is at least 2. Rows come level by level: reshape to (levels, size). The noise of a degradation is the
        same at every level, only stronger.
        """
        check_positive(size, name="size")
        check_positive(levels - 1, name="levels - 1")
        chosen = self.images[torch.randint(len(self.images), (size,), generator=random)]
        kind = _kind(random)
        strengths = torch.rand(levels, generator=random).sort().values
        state = random.get_state()
        parts = []
        for level in strengths.tolist():
            random.set_state(state)
            parts.append(degrade(chosen, kind, level, random))
        return torch.cat(parts), (1 - strengths)[:, None].expand(levels, size)


def held_out_examples(
    images: UInt8[Tensor, "n c h w"], *, seed: int
) -> tuple[UInt8[Tensor, "n c h w"], Float[Tensor, " n"]]:
    """Each image degraded once, to choose weights on; the same for a seed.

    >>> images = torch.zeros(8, 1, 8, 8, dtype=torch.uint8)
    >>> held_out_examples(images, seed=0)[1].shape
    torch.Size([8])
    """
    check_pixels(images)
    check_positive(len(images), name="number of images")
    random = torch.Generator().manual_seed(seed)
    parts, quality = [], []
    for group in images.tensor_split(min(len(images), max(2, len(images) // 4))):
        level = float(torch.rand((), generator=random))
        parts.append(degrade(group, _kind(random), level, random))
        quality.append(torch.full((len(group),), 1 - level))
    return torch.cat(parts), torch.cat(quality)


def _kind(random: torch.Generator) -> str:
    return KINDS[int(torch.randint(len(KINDS), (), generator=random))]
