"""Images as generators see them, in [-1, 1], and as everyone else does, 0..255."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

__all__ = ["to_pixels", "to_unit"]


def to_unit(images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """Pixels 0..255 to [-1, 1].

    >>> to_unit(torch.tensor([[[[0, 255]]]], dtype=torch.uint8)).flatten().tolist()
    [-1.0, 1.0]
    """
    return images.float() / 127.5 - 1


def to_pixels(images: Float[Tensor, "n c h w"]) -> UInt8[Tensor, "n c h w"]:
    """[-1, 1] to the nearest of 0..255.

    >>> to_pixels(torch.tensor([[[[-1.0, 1.0]]]])).flatten().tolist()
    [0, 255]
    """
    return ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
