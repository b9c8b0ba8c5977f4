r"""Average spectra of sets of images, and whether two sets have different ones (AttGF-IQA, Figure 2).

The spectrum of an image of luminance Y, mean removed and weighed by a Hann window w so that its borders do not tell as edges, is

.. math:: S(u, v) = \log_{10} \frac{\lvert F\{w\,(Y - \bar Y)\}(u, v) \rvert^2}{\sum w^2}

in grey levels squared, u and v in cycles a pixel. Its radial profile is the mean over angles of the *power*, then the logarithm, at
radii of 1, 2, ... cycles an image up to Nyquist's half cycle a pixel (Durall et al. 2020 call it azimuthal average). Departure: the paper averages "the
frequency spectra" of 5,000 images and gives neither window, scale nor test.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, UInt8
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from giqa_lib.checks import InputError, check_features, check_images, check_positive, error_line
from giqa_lib.data import set_channels

__all__ = [
    "SpectrumDifference",
    "average_spectrum",
    "nearest_profile",
    "radial_profiles",
    "spectrum_difference",
]

FLOOR = 1e-6  # grey levels squared: an image of one colour has the power 0, which has no logarithm
BATCH = 256


def _power(images: UInt8[Tensor, "n c h w"]) -> Float64[Tensor, "n h w"]:
    """Windowed power, zero frequency in the middle."""
    pixels = set_channels(images.double(), 1)[:, 0]
    pixels = pixels - pixels.mean((1, 2), keepdim=True)
    height, width = pixels.shape[1:]
    window = torch.outer(
        *(torch.hann_window(side, dtype=torch.float64) for side in (height, width))
    )
    power = torch.fft.fft2(pixels * window).abs().square() / window.square().sum()
    return torch.fft.fftshift(power, dim=(1, 2))


def _check_square(images: Tensor) -> None:
    check_images(images)
    if images.shape[2] != images.shape[3] or images.shape[2] < 8:
        got, hint = f"{images.shape[2]} x {images.shape[3]}", "resize the images"
        expected = "square ones of 8 pixels a side or more"
        raise InputError(error_line("images", expected=expected, got=got, hint=hint))


def average_spectrum(images: UInt8[Tensor, "n c h w"]) -> Float64[Tensor, "h w"]:
    r"""Mean of :math:`S(u, v)` over the images, the frequency zero in the middle; log10 of grey levels squared.

    >>> average_spectrum(torch.zeros(2, 1, 8, 8, dtype=torch.uint8)).unique().tolist()
    [-6.0]
    """
    _check_square(images)
    total = torch.zeros(images.shape[2:], dtype=torch.float64)
    for part in images.split(BATCH):
        total += _power(part).clamp(min=FLOOR).log10().sum(0)
    return total / len(images)


def radial_profiles(images: UInt8[Tensor, "n c h w"]) -> Float64[Tensor, "n r"]:
    """Of each image the log10 of its mean power at 1, 2, ..., h / 2 cycles an image.

    >>> radial_profiles(torch.zeros(2, 1, 8, 8, dtype=torch.uint8)).shape
    torch.Size([2, 4])
    """
    _check_square(images)
    side = images.shape[2]
    place = torch.arange(side) - side // 2
    radius = torch.hypot(*torch.meshgrid(place.double(), place.double(), indexing="ij")).round()
    rings = torch.stack([(radius == r).double() for r in range(1, side // 2 + 1)])
    rings = rings / rings.sum((1, 2), keepdim=True)
    parts = [
        torch.einsum("nhw,rhw->nr", _power(part), rings).clamp(min=FLOOR).log10()
        for part in images.split(BATCH)
    ]
    return torch.cat(parts)


@dataclass(frozen=True, kw_only=True)
class SpectrumDifference:
    """``distance`` of two mean profiles, its ``p_value`` by permutation, and ``least``, the smallest p it could have had."""

    distance: float
    p_value: float
    least: float


def spectrum_difference(
    first: ArrayLike,
    second: ArrayLike,
    *,
    permutations: int = 999,
    random_state: int | np.random.Generator,
) -> SpectrumDifference:
    r"""Do two sets of images have different mean profiles? A permutation test of profiles (n, r) and (m, r).

    .. math:: T = \frac1r \sum_k \frac{(\bar a_k - \bar b_k)^2}{s_k^2}, \qquad
        p = \frac{1 + \#\{T^* \ge T\}}{1 + B},

    :math:`s_k` the deviation of both sets together at radius k, T* of B random divisions of them. ``distance`` is the square
    root of T: deviations between images by which the mean profiles differ. Images of both sets must be independent: no image of one
    made from an image of the other.

    >>> rows = np.random.default_rng(0).normal(size=(20, 3))
    >>> spectrum_difference(rows, rows + 9, permutations=99, random_state=0).p_value
    0.01
    """
    check_positive(permutations, name="permutations")
    one, other = (
        check_features(np.asarray(rows, dtype=np.float64), name=name, at_least=2)
        for name, rows in (("first", first), ("second", second))
    )
    both = np.concatenate([one, other])
    spread = both.std(axis=0)
    if not (spread > 0).all():
        hint = "give images that differ"
        raise InputError(
            error_line("profiles", expected="some spread", got="equal ones", hint=hint)
        )
    scaled = (both - both.mean(axis=0)) / spread
    count, total = len(one), len(both)
    sums = scaled.sum(axis=0)

    def statistic(own: NDArray[np.float64]) -> float:
        """T from the sum over the first set's rows."""
        return float(np.mean((own / count - (sums - own) / (total - count)) ** 2))

    found = statistic(scaled[:count].sum(axis=0))
    random = np.random.default_rng(random_state)
    drawn = [
        statistic(scaled[random.permutation(total)[:count]].sum(axis=0))
        for _ in range(permutations)
    ]
    # T of equal divisions may differ in the last bit by the order of its sums.
    reached = sum(value >= found * (1 - 1e-12) for value in drawn)
    return SpectrumDifference(
        distance=float(np.sqrt(found)),
        p_value=(1 + reached) / (1 + permutations),
        least=1 / (1 + permutations),
    )


def nearest_profile(
    known: Mapping[str, ArrayLike], profiles: ArrayLike, *, shrinkage: float = 1e-3
) -> list[str]:
    """The name of the set whose mean profile is nearest to each of ``profiles`` (n, r), in Mahalanobis' distance.

    The covariance is that within the sets of ``known`` (each (m, r)), with ``shrinkage`` of its mean variance added.

    >>> rows = np.random.default_rng(0).normal(size=(20, 2))
    >>> nearest_profile({"a": rows, "b": rows + 9}, rows[:2] + 8)
    ['b', 'b']
    """
    sets = {
        n: check_features(np.asarray(r, dtype=np.float64), at_least=2) for n, r in known.items()
    }
    means = np.stack([rows.mean(axis=0) for rows in sets.values()])
    within = np.concatenate([rows - rows.mean(axis=0) for rows in sets.values()])
    covariance = np.cov(within.T).reshape(means.shape[1], means.shape[1])
    covariance += shrinkage * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    root = np.linalg.cholesky(covariance)
    rows = check_features(np.asarray(profiles, dtype=np.float64), name="profiles")
    away = np.linalg.solve(root, (rows[:, None] - means[None]).reshape(-1, means.shape[1]).T)
    squared = (away**2).sum(axis=0).reshape(len(rows), len(means))
    names = list(sets)
    return [names[place] for place in squared.argmin(axis=1)]
