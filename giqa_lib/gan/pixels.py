"""Images as generators see them, in [-1, 1] and square, and as everyone else does, 0..255."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from giqa_lib.checks import InputError, error_line

__all__ = ["crop_to", "pad_to", "to_pixels", "to_unit"]


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


def pad_to(images: UInt8[Tensor, "n c h w"], size: int) -> UInt8[Tensor, "n c size size"]:
    """Black evenly around, to ``size`` pixels a side; larger images are an error.

    >>> pad_to(torch.ones(1, 1, 2, 2, dtype=torch.uint8), 4)[0, 0, 1].tolist()
    [0, 1, 1, 0]
    """
    top, left = _margins((images.shape[2], images.shape[3]), size)
    padded = images.new_zeros(len(images), images.shape[1], size, size)
    padded[:, :, top : top + images.shape[2], left : left + images.shape[3]] = images
    return padded


def crop_to(
    images: UInt8[Tensor, "n c size size"], native: tuple[int, int]
) -> UInt8[Tensor, "n c h w"]:
    """What :func:`pad_to` was given, of height and width ``native``.

    >>> crop_to(pad_to(torch.ones(1, 1, 2, 3, dtype=torch.uint8), 4), (2, 3)).shape
    torch.Size([1, 1, 2, 3])
    """
    top, left = _margins(native, images.shape[2])
    return images[:, :, top : top + native[0], left : left + native[1]].contiguous()


def _margins(native: tuple[int, int], size: int) -> tuple[int, int]:
    if max(native) > size:
        hint = "raise image_size, or resize the images first"
        expected = f"at most {size} pixels a side"
        raise InputError(error_line("images", expected=expected, got=str(native), hint=hint))
    return (size - native[0]) // 2, (size - native[1]) // 2
