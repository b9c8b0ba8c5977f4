r"""A fault of shape: images pulled about as if they were printed on rubber.

It is no member of ``DEGRADATIONS``: measures are trained on all of those, and this one is kept for asking what
they make of a fault that they have not seen. In the manner of Simard, Steinkraus and Platt, Best practices
for convolutional neural networks, ICDAR 2003, with random displacements on a coarse grid, interpolated.
"""

import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

from giqa_lib.checks import InputError, check_images, check_probability, error_line

__all__ = ["warp"]

_GRID = 4
_REACH = 0.1


def warp(
    images: UInt8[Tensor, "n c h w"], level: float, generator: torch.Generator
) -> UInt8[Tensor, "n c h w"]:
    """Each pixel taken from elsewhere: displacements drawn on a 4 x 4 grid, of standard deviation 0.1 level of the side.

    Uint8 to uint8, bicubic; beyond the border its pixels are repeated. Level 0 gives the very pixels back; the draws do
    not depend on the level. Raises ``InputError`` for a level outside [0, 1] or images that are not uint8.

    >>> images = torch.arange(64, dtype=torch.uint8).view(1, 1, 8, 8)
    >>> warp(images, 0.5, torch.Generator().manual_seed(0)).shape
    torch.Size([1, 1, 8, 8])
    """
    check_images(images)
    if images.dtype != torch.uint8:
        hint = "warp images before they are normalised"
        raise InputError(error_line("images", expected="uint8", got=str(images.dtype), hint=hint))
    check_probability(level, name="level")
    draws = torch.randn(len(images), 2, _GRID, _GRID, generator=generator)
    if level == 0:
        return images.clone()
    height, width = images.shape[2:]
    moves = interpolate(draws.to(images.device), (height, width), mode="bicubic")
    same = torch.eye(2, 3, device=images.device).repeat(len(images), 1, 1)
    places = affine_grid(same, list(images.shape), align_corners=False)
    # a side is 2 long in the sampler's units
    places = places + 2 * _REACH * level * moves.permute(0, 2, 3, 1)
    pulled = grid_sample(
        images.float(), places, mode="bicubic", padding_mode="border", align_corners=False
    )
    return pulled.round().clamp(0, 255).to(torch.uint8)
