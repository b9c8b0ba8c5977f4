"""Label maps as pictures: one colour a class, the same for a class in every picture."""

import colorsys

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from giqa_lib.checks import check_positive

__all__ = ["coloured_maps"]

GOLDEN = 0.6180339887  # steps around the colour circle that never come near where they were
LIGHTNESSES = (0.58, 0.34, 0.75, 0.46)


def coloured_maps(maps: UInt8[Tensor, "n h w"], *, classes: int) -> UInt8[Tensor, "n 3 h w"]:
    """Label maps as RGB pictures; class 0 is dark grey, neighbours in number differ in hue and lightness.

    Colours only tell regions apart within a picture; no number is read from them.

    >>> coloured_maps(torch.zeros(1, 2, 2, dtype=torch.uint8), classes=3).shape
    torch.Size([1, 3, 2, 2])
    """
    check_positive(classes, name="classes")
    colours = [(0.2, 0.2, 0.2)] + [
        colorsys.hls_to_rgb((GOLDEN * number) % 1, LIGHTNESSES[number % len(LIGHTNESSES)], 0.6)
        for number in range(1, classes)
    ]
    palette = torch.from_numpy(np.rint(255 * np.array(colours)).astype(np.uint8))
    return palette[maps.long()].permute(0, 3, 1, 2).contiguous()
