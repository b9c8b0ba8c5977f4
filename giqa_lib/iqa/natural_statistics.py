r"""Natural scene statistics: the features of BRISQUE and NIQE.

Mittal, Moorthy and Bovik, "No-reference image quality assessment in the spatial domain", IEEE TIP 2012. The luminance,
normalised by its local mean and deviation (MSCN),

.. math:: \hat I = \frac{I - \mu}{\sigma + 1},

is nearly Gaussian in undamaged photographs; damage changes its shape. Features of one scale: shape and variance of a
generalised Gaussian fitted to :math:`\hat I` (2), and shape, mean, left and right variance of an asymmetric one
fitted to the products of neighbours in four directions (16). Two scales give 36. Images of 28 pixels leave few
samples a fit: the features are noisy there. Known departure: the second scale is the mean of 2 x 2 pixels (the
authors' code shrinks bicubically).
"""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Float64, UInt8
from numpy.typing import NDArray
from scipy.special import gammaln
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, pad

from giqa_lib.checks import InputError, error_line
from giqa_lib.data import set_channels
from giqa_lib.learning.batches import check_pixels

__all__ = [
    "FEATURES",
    "SMALLEST_SIDE",
    "fit_asymmetric_gaussian",
    "mscn",
    "patch_statistics",
    "scene_statistics",
    "sharpness",
]

FEATURES = 36
SMALLEST_SIDE = 16  # pixels: the second scale has half of them, and the window seven
WINDOW, SIGMA = 7, 7 / 6
ROUNDING = 1e-9  # grey values: what is nearer to its local mean differs from it by rounding alone
SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))

#: Shapes that are tried, and the ratio E|x|^2 / E[x^2] of each: the fit is a look-up.
_SHAPES = np.arange(0.2, 10.0, 0.001)
_RATIOS = np.exp(2 * gammaln(2 / _SHAPES) - gammaln(1 / _SHAPES) - gammaln(3 / _SHAPES))


def scene_statistics(images: UInt8[Tensor, "n c h w"], *, block: int = 1024) -> NDArray[np.float64]:
    """The 36 features (n, 36) of uint8 images of at least 16 pixels a side, grey or RGB.

    A flat image, whose products have no variance, gets the largest shape and variances of zero.

    >>> scene_statistics(torch.zeros(2, 1, 16, 16, dtype=torch.uint8)).shape
    (2, 36)
    """
    check_pixels(images)
    if min(images.shape[2:]) < SMALLEST_SIDE:
        got, hint = f"{images.shape[2]} x {images.shape[3]}", "enlarge them first"
        expected = f"at least {SMALLEST_SIDE} pixels a side"
        raise InputError(error_line("images", expected=expected, got=got, hint=hint))
    return np.concatenate([_features(luminance(part)) for part in images.split(block)])


def patch_statistics(
    images: UInt8[Tensor, "n c h w"], patch: int, *, block: int = 64
) -> Float64[np.ndarray, "n k features"]:
    """The 36 features of each patch (n, k, 36): a grid without overlap of ``patch`` pixels a side, even and at least 32.

    Images are normalised whole and cut after that, as in the authors' code; what is left over at the right and below
    is cut off before.

    >>> patch_statistics(torch.zeros(2, 1, 64, 70, dtype=torch.uint8), 32).shape
    (2, 4, 36)
    """
    _check_patch(images, patch)
    return np.concatenate([_patch_features(grey, patch) for grey in _grids(images, patch, block)])


def sharpness(
    images: UInt8[Tensor, "n c h w"], patch: int, *, block: int = 64
) -> Float64[np.ndarray, "n k"]:
    """The mean local deviation of each patch (n, k), in grey values: what is sharp and not flat has a large one.

    >>> sharpness(torch.zeros(1, 1, 64, 64, dtype=torch.uint8), 32)
    array([[0., 0., 0., 0.]])
    """
    _check_patch(images, patch)
    parts = [
        _cut(_centred_and_deviation(grey)[1], patch).mean((2, 3))
        for grey in _grids(images, patch, block)
    ]
    return torch.cat(parts).numpy()


def luminance(images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n h w"]:
    """Grey values 0 to 255 (float64), by BT.601's weights where there is colour."""
    return set_channels(images.double(), 1)[:, 0]


def mscn(grey: Float[Tensor, "n h w"]) -> Float[Tensor, "n h w"]:
    """Luminance normalised by a Gaussian window of 7 pixels, sigma 7/6; 0 where it is flat.

    >>> float(mscn(torch.full((1, 8, 8), 9.0, dtype=torch.float64)).abs().max())
    0.0
    """
    centred, deviation = _centred_and_deviation(grey)
    return centred / (deviation + 1)


def _centred_and_deviation(grey: Tensor) -> tuple[Tensor, Tensor]:
    """What a pixel is above its local mean, and the local deviation."""
    places = torch.arange(WINDOW, dtype=grey.dtype) - WINDOW // 2
    line = torch.softmax(-(places**2) / (2 * SIGMA**2), 0)
    window = (line[:, None] * line)[None, None]

    def local_mean(values: Tensor) -> Tensor:
        margin = WINDOW // 2
        return conv2d(pad(values[:, None], [margin] * 4, mode="replicate"), window)[:, 0]

    mean = local_mean(grey)
    deviation = (local_mean(grey**2) - mean**2).clamp(min=0).sqrt()
    centred = grey - mean
    # exact zeros: the sign of rounding must not say on which side of the fit a flat pixel counts
    centred = torch.where(centred.abs() < ROUNDING, torch.zeros_like(centred), centred)
    return centred, deviation


def fit_asymmetric_gaussian(values: Float[Tensor, "n m"]) -> NDArray[np.float64]:
    r"""Shape, left and right standard deviation (n, 3) of an asymmetric generalised Gaussian, by moments.

    Lasmar, Stitou and Berthoumieu 2009: from :math:`\gamma = \sigma_l / \sigma_r` and
    :math:`r = E|x|^2 / E[x^2]`, the shape is that whose ratio is
    :math:`r (\gamma^3 + 1)(\gamma + 1) / (\gamma^2 + 1)^2`. A symmetric one has both deviations alike.
    Zeros count in the moments and on neither side, as in the authors' code. A row without values on
    both sides gets the largest shape, 10.

    >>> values = torch.tensor([[-2.0, -2.0, 1.0, 1.0]], dtype=torch.float64)
    >>> fit_asymmetric_gaussian(values)[0, 1:]
    array([2., 1.])
    """
    squares = values**2
    left = _root_mean(squares, values < 0)
    right = _root_mean(squares, values > 0)
    total = squares.mean(1)
    known = (left > 0) & (right > 0)
    gamma = torch.where(known, left / right.clamp(min=1e-300), torch.ones_like(left))
    ratio = values.abs().mean(1) ** 2 / total.clamp(min=1e-300)
    ratio = ratio * (gamma**3 + 1) * (gamma + 1) / (gamma**2 + 1) ** 2
    place = np.searchsorted(_RATIOS, ratio.numpy()).clip(0, len(_SHAPES) - 1)
    shape = np.where(known.numpy(), _SHAPES[place], _SHAPES[-1])
    return np.stack([shape, left.numpy(), right.numpy()], axis=1)


def _root_mean(squares: Tensor, chosen: Tensor) -> Tensor:
    return ((squares * chosen).sum(1) / chosen.sum(1).clamp(min=1)).sqrt()


def _check_patch(images: Tensor, patch: int) -> None:
    check_pixels(images)
    if patch % 2 or patch < 2 * SMALLEST_SIDE:
        expected, hint = f"an even number, at least {2 * SMALLEST_SIDE}", "96 is the authors'"
        raise InputError(error_line("patch", expected=expected, got=str(patch), hint=hint))
    if min(images.shape[2:]) < patch:
        got = f"{images.shape[2]} x {images.shape[3]}"
        hint = "take smaller patches, or score the images whole"
        raise InputError(
            error_line("images", expected=f"at least {patch} pixels a side", got=got, hint=hint)
        )


def _grids(images: Tensor, patch: int, block: int) -> Iterator[Tensor]:
    """Grey values of blocks of images, of sides that patches fill."""
    height, width = (side // patch * patch for side in images.shape[2:])
    for part in images.split(block):
        yield luminance(part[:, :, :height, :width])


def _cut(values: Tensor, patch: int) -> Tensor:
    """(n, h, w) to patches (n, k, patch, patch), row by row."""
    return values.unfold(1, patch, patch).unfold(2, patch, patch).flatten(1, 2)


def _patch_features(grey: Tensor, patch: int) -> NDArray[np.float64]:
    half = avg_pool2d(grey[:, None], 2)[:, 0]
    scales = []
    for values, side in ((grey, patch), (half, patch // 2)):
        patches = _cut(mscn(values), side)
        scales.append(_shapes(patches.flatten(0, 1)).reshape(*patches.shape[:2], -1))
    return np.concatenate(scales, axis=2)


def _features(grey: Tensor) -> NDArray[np.float64]:
    half = avg_pool2d(grey[:, None], 2)[:, 0]
    return np.concatenate([_shapes(mscn(grey)), _shapes(mscn(half))], axis=1)


def _shapes(values: Float[Tensor, "n h w"]) -> NDArray[np.float64]:
    """The 18 features of normalised values."""
    fitted = fit_asymmetric_gaussian(_mirrored(values.flatten(1)))
    columns = [fitted[:, 0], values.flatten(1).square().mean(1).numpy()]
    for down, right in SHIFTS:
        product = values * torch.roll(values, (-down, -right), dims=(1, 2))
        shape, left, over = fit_asymmetric_gaussian(product.flatten(1)).T
        columns += [shape, _mean_of(shape, left, over), left**2, over**2]
    return np.stack(columns, axis=1)


def _mirrored(values: Tensor) -> Tensor:
    """A sample and its negative: the fit is then symmetric, as the first two features want it."""
    return torch.cat([values, -values], dim=1)


def _mean_of(
    shape: NDArray[np.float64], left: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    r"""The mean :math:`(\beta_r - \beta_l)\,\Gamma(2/\alpha)/\Gamma(1/\alpha)` of the fitted distribution."""
    scale = np.exp(0.5 * (gammaln(1 / shape) - gammaln(3 / shape)))
    return (right - left) * scale * np.exp(gammaln(2 / shape) - gammaln(1 / shape))
