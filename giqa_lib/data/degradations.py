r"""Controlled degradations: images whose quality is known to fall with a level in [0, 1].

Each maps uint8 (n, c, h, w) to the same shape and type; level 0 gives the very pixels back.
The strength at level 1 is written in each docstring; spatial ones scale with the image's
side, so that a level means much the same at 28 and at 256 pixels. What is random is drawn
from the generator passed in, in an amount that does not depend on the level: with generators
of one state, a higher level is the same noise, only stronger.

In the manner of Hendrycks and Dietterich, Benchmarking neural network robustness to common
corruptions and perturbations, ICLR 2019, but continuous in level. ``patch_swap`` is ours: it
leaves local texture alone and makes the arrangement unreasonable.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad

from giqa_lib.checks import InputError, check_choice, check_images, check_probability, error_line
from giqa_lib.data.reencode import jpeg_round_trip
from giqa_lib.data.resize import resize

__all__ = [
    "DEGRADATIONS",
    "blur",
    "contrast",
    "degrade",
    "jpeg",
    "noise",
    "occlusion",
    "patch_swap",
    "pixelate",
    "salt_and_pepper",
]

Pixels = UInt8[Tensor, "n c h w"]
Degradation = Callable[[Tensor, float, torch.Generator], Tensor]

_GRID = 4
_GREY = 127


def degrade(images: Pixels, name: str, level: float, generator: torch.Generator) -> Pixels:
    """Apply the degradation ``name`` at ``level``; see ``DEGRADATIONS`` for the names.

    >>> images = torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
    >>> bool((degrade(images, "noise", 0.5, torch.Generator().manual_seed(0)) > 0).any())
    True
    """
    check_choice(name, DEGRADATIONS, name="degradation")
    check_images(images)
    if images.dtype != torch.uint8:
        hint = "degrade images before they are normalised"
        raise InputError(error_line("images", expected="uint8", got=str(images.dtype), hint=hint))
    check_probability(level, name="level")
    # copied, so that a later change in place of the result never reaches the original
    return images.clone() if level == 0 else DEGRADATIONS[name](images, level, generator)


def blur(images: Pixels, level: float, generator: torch.Generator) -> Pixels:
    r"""Gaussian blur, :math:`\sigma = \text{level} \cdot \min(h, w) / 8`. Draws nothing."""
    sigma = level * min(images.shape[2:]) / 8
    if sigma == 0:
        return images
    radius = math.ceil(4 * sigma)
    places = torch.arange(-radius, radius + 1, dtype=torch.float32, device=images.device)
    kernel = torch.softmax(-(places**2) / (2 * sigma**2), 0)
    values = images.flatten(0, 1).unsqueeze(1).to(torch.float32)
    values = pad(values, (radius, radius, radius, radius), mode="replicate")
    values = conv2d(conv2d(values, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1))
    return _to_uint8(values.view(images.shape))


def noise(images: Pixels, level: float, generator: torch.Generator) -> Pixels:
    """Gaussian noise of standard deviation 128 level (grey values), independent by channel."""
    draws = torch.randn(images.shape, generator=generator, device=generator.device)
    return _to_uint8(images + 128 * level * draws.to(images.device))


def jpeg(images: Pixels, level: float, generator: torch.Generator) -> Pixels:
    """JPEG 4:2:0 of quality 95 near level 0 to 1 at level 1. On the CPU. Draws nothing."""
    if level == 0:
        return images
    quality = round(95 - 94 * level)
    coded = [jpeg_round_trip(image, quality=quality) for image in images.cpu()]
    return torch.stack(coded).to(images.device) if coded else images


def pixelate(images: Pixels, level: float, generator: torch.Generator) -> Pixels:
    """Shrunk by a factor 8^level and enlarged again as blocks. Draws nothing."""
    height, width = images.shape[2:]
    small = tuple(max(1, round(side * 8**-level)) for side in (height, width))
    values = resize(images, (small[0], small[1]))
    return interpolate(values, size=(height, width), mode="nearest-exact")


def contrast(images: Pixels, level: float, generator: torch.Generator) -> Pixels:
    """Every pixel moved by the share ``level`` of the way to its image's mean. Draws nothing."""
    values = images.to(torch.float32)
    mean = values.mean(dim=(1, 2, 3), keepdim=True)
    return _to_uint8(mean + (1 - level) * (values - mean))


def salt_and_pepper(images: Pixels, level: float, generator: torch.Generator) -> Pixels:
    """The share level / 2 of the pixels, on average, made black or white."""
    shape = (len(images), 1, *images.shape[2:])
    hit, white = torch.rand((2, *shape), generator=generator, device=generator.device)
    hit, white = hit.to(images.device), white.to(images.device)
    value = torch.where(white < 0.5, 0, 255).to(torch.uint8)
    return torch.where(hit < level / 2, value, images)


def occlusion(images: Pixels, level: float, generator: torch.Generator) -> Pixels:
    """A grey rectangle of the image's proportions over the share level / 2 of its area."""
    height, width = images.shape[2:]
    share = math.sqrt(level / 2)
    place = torch.rand((2, len(images)), generator=generator, device=generator.device)
    rows = _within(place[0], height, share).view(-1, 1, height, 1)
    columns = _within(place[1], width, share).view(-1, 1, 1, width)
    return images.masked_fill((rows & columns).to(images.device), _GREY)


def patch_swap(images: Pixels, level: float, generator: torch.Generator) -> Pixels:
    """On a 4 x 4 grid, the share ``level`` of the patches change places with each other.

    Pixels that the grid does not cover (side not a multiple of 4) stay. One patch alone
    cannot move, so the least change is two.
    """
    count, channels, height, width = images.shape
    order = torch.rand((count, _GRID**2), generator=generator, device=generator.device).argsort(1)
    high, wide = height // _GRID, width // _GRID
    moved = round(level * _GRID**2)
    if moved == 0 or high == 0 or wide == 0:
        return images
    chosen = order[:, : max(moved, 2)].to(images.device)
    source = torch.arange(_GRID**2, device=images.device).repeat(count, 1)
    source.scatter_(1, chosen, chosen.roll(1, dims=1))
    covered = images[:, :, : high * _GRID, : wide * _GRID]
    patches = covered.reshape(count, channels, _GRID, high, _GRID, wide).permute(0, 2, 4, 1, 3, 5)
    patches = patches.reshape(count, _GRID**2, channels, high, wide)
    patches = patches[torch.arange(count, device=images.device)[:, None], source]
    patches = patches.view(count, _GRID, _GRID, channels, high, wide).permute(0, 3, 1, 4, 2, 5)
    result = images.clone()
    result[:, :, : high * _GRID, : wide * _GRID] = patches.reshape(covered.shape)
    return result


#: Every degradation by name, from loss of detail to loss of sense.
DEGRADATIONS: Mapping[str, Degradation] = MappingProxyType(
    {
        "blur": blur,
        "pixelate": pixelate,
        "jpeg": jpeg,
        "noise": noise,
        "salt_and_pepper": salt_and_pepper,
        "contrast": contrast,
        "occlusion": occlusion,
        "patch_swap": patch_swap,
    }
)


def _to_uint8(values: Float[Tensor, "n c h w"]) -> Pixels:
    return values.round().clamp(0, 255).to(torch.uint8)


def _within(place: Float[Tensor, " n"], side: int, share: float) -> Tensor:
    """Which of ``side`` pixels lie in a span of ``share`` of them; a larger span covers a smaller."""
    length = share * side
    start = (place * (side - length)).unsqueeze(1)
    centre = torch.arange(side, device=place.device) + 0.5
    return (centre >= start) & (centre < start + length)
