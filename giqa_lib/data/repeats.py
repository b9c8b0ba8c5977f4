"""Images that occur again in a set: pixel for pixel, or nearly so.

A set with repeats counts some images twice, and intervals that take its images for independent come out too short.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8
from torch import Tensor

from giqa_lib.checks import check_images, check_probability

__all__ = ["Repeats", "find_repeats"]

_BLOCK = 1024


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """Which images (n,) repeat an earlier one: ``exact`` in every pixel, ``near`` in all but a little."""

    exact: Bool[np.ndarray, " n"]
    near: Bool[np.ndarray, " n"]

    @property
    def first(self) -> Bool[np.ndarray, " n"]:
        """Which images (n,) repeat none."""
        return ~(self.exact | self.near)


def find_repeats(images: UInt8[Tensor, "n c h w"], *, alike: float = 0.9) -> Repeats:
    """Repeats of earlier images: the same pixels, or a correlation of the pixels of ``alike`` or more.

    Of small photographs some that are not repeats (open sea, a plain sky) are that alike too and go with them.
    Costs n^2 / 2 products of images.

    >>> import torch
    >>> ramp = torch.arange(64, dtype=torch.uint8).view(1, 1, 8, 8)
    >>> find_repeats(torch.cat([ramp, ramp + 1, ramp, 63 - ramp])).first.tolist()
    [True, False, False, True]
    """
    check_images(images)
    check_probability(alike, name="alike")
    seen: set[bytes] = set()
    exact = np.zeros(len(images), dtype=bool)
    for place, image in enumerate(images):
        pixels = image.contiguous().numpy().tobytes()
        exact[place] = pixels in seen
        seen.add(pixels)
    rows = images.float().flatten(1)
    rows = rows - rows.mean(1, keepdim=True)
    rows = rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-6)  # a flat image is like no other
    near = np.zeros(len(images), dtype=bool)
    for start in range(0, len(rows), _BLOCK):
        # the triangle below the diagonal: only earlier images count
        found = (rows[start : start + _BLOCK] @ rows[: start + _BLOCK].T).tril(start - 1)
        near[start : start + _BLOCK] = (found >= alike).any(1).numpy()
    return Repeats(exact=exact, near=near & ~exact)
