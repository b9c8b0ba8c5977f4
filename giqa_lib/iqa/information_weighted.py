"""Information-weighted SSIM (Wang and Li, IEEE TIP 2011): how like its original an image is.

The structural similarity of five scales of a Laplacian pyramid, each place weighed by how much information it holds
of the original. Computed by ``piq`` in single precision, within two thousandths of double. Its pyramid needs 161 pixels a
side: smaller images are enlarged to that, bilinearly, both alike; the scales then are not those of the paper.
"""

import torch
from jaxtyping import Float, Float64, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from giqa_lib.checks import InputError, check_images, error_line

__all__ = ["enlarged", "iw_ssim"]

SMALLEST = 161  # (11 - 1) * 2^4 + 1: the window at the fifth scale


def iw_ssim(
    images: UInt8[Tensor, "n c h w"],
    originals: UInt8[Tensor, "m channels height width"],
    *,
    batch_size: int = 32,
) -> Float64[Tensor, " n"]:
    """IW-SSIM (n,) of each image with its original, 1 where they are equal.

    Raises ``InputError`` for shapes that differ and for originals without any structure, whose information is not defined.

    >>> images = torch.randint(0, 256, (1, 3, 32, 32), generator=torch.Generator().manual_seed(0)).byte()
    >>> round(float(iw_ssim(images, images)), 4)
    1.0
    """
    from piq import information_weighted_ssim  # seconds, which nobody should wait who needs it not

    for name, given in (("images", images), ("originals", originals)):
        check_images(given, name=name)
    if images.shape != originals.shape:
        hint = "give each image its own original, at the same size"
        expected, got = f"shape {tuple(images.shape)}", str(tuple(originals.shape))
        raise InputError(error_line("originals", expected=expected, got=got, hint=hint))
    found = []
    for part, whole in zip(images.split(batch_size), originals.split(batch_size), strict=True):
        try:
            values = information_weighted_ssim(
                enlarged(part), enlarged(whole), data_range=1.0, reduction="none"
            )
        except RuntimeError as error:  # a singular matrix of the information content
            hint = "leave out images of one colour"
            raise InputError(
                error_line("images", expected="some structure", got=str(error)[:80], hint=hint)
            ) from error
        found.append(values.double())
    return torch.cat(found)


def enlarged(images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n c height width"]:
    """Images in [0, 1], bilinearly enlarged to 161 pixels a side where they are smaller.

    >>> enlarged(torch.zeros(1, 3, 32, 32).byte()).shape
    torch.Size([1, 3, 161, 161])
    """
    size = [max(SMALLEST, side) for side in images.shape[2:]]
    unit = images.float() / 255
    if min(images.shape[2:]) >= SMALLEST:
        return unit
    return interpolate(unit, size, mode="bilinear").clamp(
        0, 1
    )  # piq refuses what rounding puts above 1
