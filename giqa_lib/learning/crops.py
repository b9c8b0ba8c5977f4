"""Patches of images: random ones to learn from, fixed ones to score.

GIQA (Section 5.4) trains on random crops and scores an image by the mean over three random
crops. A score must not depend on what else is scored, so the three places are drawn once, from
a seed, and are the same for every image (a departure: the paper draws them anew each time).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Shaped
from torch import Tensor

from giqa_lib.checks import InputError, check_positive, error_line

__all__ = ["CENTRE", "crop_at", "random_crops", "random_places"]

Place = tuple[
    float, float
]  # share of the free rows above the crop, and of the free columns left of it

#: One crop in the middle, as the official code scores.
CENTRE: tuple[Place, ...] = ((0.5, 0.5),)


def random_places(count: int, *, seed: int) -> tuple[Place, ...]:
    """``count`` places, each (share from above, share from the left) in [0, 1].

    >>> len(random_places(3, seed=0)), random_places(3, seed=0) == random_places(3, seed=0)
    (3, True)
    """
    check_positive(count, name="count")
    random = torch.Generator().manual_seed(seed)
    return tuple((float(a), float(b)) for a, b in torch.rand(count, 2, generator=random))


def crop_at(
    images: Shaped[Tensor, "n c h w"], size: int, place: Sequence[float]
) -> Shaped[Tensor, "n c s s"]:
    """The patch of ``size`` pixels a side at one place, the same in every image.

    >>> crop_at(torch.arange(9).reshape(1, 1, 3, 3), 1, (0.5, 0.5)).item()
    4
    """
    height, width = _free(images, size)
    top, left = round(place[0] * height), round(place[1] * width)
    return images[:, :, top : top + size, left : left + size]


def random_crops(
    images: Shaped[Tensor, "n c h w"], size: int, random: torch.Generator
) -> Shaped[Tensor, "n c s s"]:
    """A patch of ``size`` pixels a side from each image, at a place of its own.

    >>> random_crops(torch.zeros(2, 1, 8, 8), 4, torch.Generator().manual_seed(0)).shape
    torch.Size([2, 1, 4, 4])
    """
    height, width = _free(images, size)
    count, channels = images.shape[:2]
    span = torch.arange(size)
    rows = torch.randint(height + 1, (count, 1), generator=random) + span
    columns = torch.randint(width + 1, (count, 1), generator=random) + span
    return images[
        torch.arange(count)[:, None, None, None],
        torch.arange(channels)[None, :, None, None],
        rows[:, None, :, None],
        columns[:, None, None, :],
    ]


def _free(images: Tensor, size: int) -> tuple[int, int]:
    """How many rows and columns a patch leaves over."""
    check_positive(size, name="patch")
    height, width = images.shape[2:]
    if min(height, width) < size:
        hint = "take a smaller patch, or enlarge the images"
        expected, got = f"at least the patch's {size} x {size} pixels", f"{height} x {width}"
        raise InputError(error_line("images", expected=expected, got=got, hint=hint))
    return height - size, width - size
