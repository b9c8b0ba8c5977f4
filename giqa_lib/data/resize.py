"""Resizing and channel count: the one place where either is done.

Bicubic interpolation with antialiasing (torch's ``interpolate``, Keys' kernel with a = -0.5,
its support widened by the shrink factor, as in Pillow). uint8 is computed in float32 and
rounded once. Without antialiasing a network sees aliasing that human eyes do not, and FID
moves by points (Parmar, Zhang and Zhu, On aliased resizing and surprising subtleties in GAN
evaluation, CVPR 2022).
"""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from giqa_lib.checks import InputError, check_images, error_line

__all__ = ["resize", "set_channels"]

#: ITU-R BT.601 luma, which Pillow's convert("L") uses too.
_LUMA = (0.299, 0.587, 0.114)

Images = UInt8[Tensor, "n c h w"] | Float[Tensor, "n c h w"]
Resized = UInt8[Tensor, "n c height width"] | Float[Tensor, "n c height width"]
Recoloured = UInt8[Tensor, "n channels h w"] | Float[Tensor, "n channels h w"]


def resize(images: Images, size: int | tuple[int, int]) -> Resized:
    """Images of (height, width) ``size``; an int means a square. The aspect ratio is not kept.

    uint8 comes back as uint8, rounded and clamped. Floats come back as floats of the same
    type; the kernel has negative lobes, so they can pass their old range by some percent.
    Images that have the size already come back as they are. Not for masks of class numbers.

    >>> resize(torch.zeros(2, 3, 32, 32, dtype=torch.uint8), 16).shape
    torch.Size([2, 3, 16, 16])
    """
    check_images(images)
    height, width = _pair(size)
    if images.shape[2:] == (height, width):
        return images
    if len(images) == 0:
        return images.new_empty((0, images.shape[1], height, width))
    values = images if images.is_floating_point() else images.to(torch.float32)
    resized = interpolate(
        values, size=(height, width), mode="bicubic", align_corners=False, antialias=True
    )
    if images.is_floating_point():
        return resized
    return resized.round_().clamp_(0, 255).to(torch.uint8)


def set_channels(images: Images, channels: int) -> Recoloured:
    r"""Images with 1 or 3 channels: grey is repeated, colour becomes BT.601 luma.

    .. math:: Y = 0.299 R + 0.587 G + 0.114 B

    uint8 is rounded once.

    >>> set_channels(torch.zeros(2, 1, 4, 4, dtype=torch.uint8), 3).shape
    torch.Size([2, 3, 4, 4])
    """
    check_images(images)
    if channels not in (1, 3):
        raise InputError(
            error_line("channels", expected="1 or 3", got=repr(channels), hint="1 is grey, 3 RGB")
        )
    if images.shape[1] == channels:
        return images
    if channels == 3:
        return images.expand(-1, 3, -1, -1).contiguous()
    values = images if images.is_floating_point() else images.to(torch.float32)
    # channel by channel: a matrix product's last bit would depend on how many images there are
    red, green, blue = (weight * values[:, [i]] for i, weight in enumerate(_LUMA))
    luma = red + green + blue
    return luma if images.is_floating_point() else luma.round_().clamp_(0, 255).to(torch.uint8)


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2 or not all(isinstance(side, int) and side > 0 for side in pair):
        hint = "give the side of a square or (height, width)"
        raise InputError(
            error_line("size", expected="positive whole pixels", got=repr(size), hint=hint)
        )
    return pair[0], pair[1]
