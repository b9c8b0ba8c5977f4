"""Full-reference measures, from ``piq``: how like its original an image is, for Table III of AttGF-IQA.

PSNR at the images' own size. SSIM (Wang et al. 2004), VSI (Zhang et al. 2014), VIF (Sheikh and Bovik 2006) and IW-SSIM
look at windows and scales that small images do not have: there both images are enlarged to 161 pixels a side, bilinearly and alike.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

from giqa_lib.checks import InputError, check_choice, check_images, error_line
from giqa_lib.iqa.information_weighted import enlarged, iw_ssim

__all__ = ["FULL_REFERENCE", "full_reference_scores"]

AT_ONCE = 32


def _psnr(images: Tensor, originals: Tensor) -> Tensor:
    from piq import psnr  # seconds, which nobody should wait who needs it not

    return psnr(images.float() / 255, originals.float() / 255, data_range=1.0, reduction="none")


def _ssim(images: Tensor, originals: Tensor) -> Tensor:
    from piq import ssim

    found: Tensor = ssim(
        enlarged(images), enlarged(originals), data_range=1.0, reduction="none", downsample=False
    )
    return found


def _vsi(images: Tensor, originals: Tensor) -> Tensor:
    from piq import vsi

    return vsi(enlarged(images), enlarged(originals), data_range=1.0, reduction="none")


def _vif(images: Tensor, originals: Tensor) -> Tensor:
    from piq import vif_p

    return vif_p(enlarged(images), enlarged(originals), data_range=1.0, reduction="none")


_MEASURES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {"PSNR": _psnr, "SSIM": _ssim, "IW-SSIM": iw_ssim, "VSI": _vsi, "VIF": _vif}
)
#: The measures of Table III by name.
FULL_REFERENCE = tuple(_MEASURES)


def full_reference_scores(
    name: str, images: UInt8[Tensor, "n c h w"], originals: UInt8[Tensor, "m channels height width"]
) -> Float64[Tensor, " n"]:
    """One of ``FULL_REFERENCE`` (n,) of each image with its original, higher is better; PSNR in decibels, the others up to 1.

    Raises ``InputError`` for shapes that differ.

    >>> images = torch.randint(0, 256, (2, 3, 32, 32), generator=torch.Generator().manual_seed(0)).byte()
    >>> [round(float(v), 3) for v in full_reference_scores("SSIM", images, images)]
    [1.0, 1.0]
    """
    measure = _MEASURES[check_choice(name, FULL_REFERENCE, name="measure")]
    for what, given in (("images", images), ("originals", originals)):
        check_images(given, name=what)
    if images.shape != originals.shape:
        hint = "give each image its own original, at the same size"
        expected, got = f"shape {tuple(images.shape)}", str(tuple(originals.shape))
        raise InputError(error_line("originals", expected=expected, got=got, hint=hint))
    parts = zip(images.split(AT_ONCE), originals.split(AT_ONCE), strict=True)
    return torch.cat([measure(part, whole).double() for part, whole in parts])
