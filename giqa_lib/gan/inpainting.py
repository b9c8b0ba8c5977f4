"""Inpainting: holes, what a training step is given, and faces with their holes filled."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from giqa_lib.checks import (
    InputError,
    check_images,
    check_probability,
    check_same_length,
    error_line,
)
from giqa_lib.gan.feeds import Batch, Feed
from giqa_lib.gan.pixels import to_pixels, to_unit
from giqa_lib.gan.sampling import evaluation_mode

__all__ = ["draw_holes", "holed_at_random", "inpaint"]


def draw_holes(
    count: int, size: int, random: torch.Generator, *, sides: tuple[float, float] = (0.25, 0.5)
) -> Float[Tensor, "n 1 size size"]:
    """One rectangle of ones an image, each side a share of the image's drawn evenly from ``sides``, at an even place.

    >>> draw_holes(2, 8, torch.Generator().manual_seed(0), sides=(0.5, 0.5)).mean((1, 2, 3)).tolist()
    [0.25, 0.25]
    """
    for share in sides:
        check_probability(share, name="sides", open_ends=True)
    if sides[0] > sides[1]:
        got, hint = str(sides), "give the smaller side first"
        raise InputError(error_line("sides", expected="least, most", got=got, hint=hint))
    drawn = torch.rand(4, count, generator=random)
    lengths = ((sides[0] + (sides[1] - sides[0]) * drawn[:2]) * size).round().clamp(min=1)
    starts = (drawn[2:] * (size - lengths + 1)).floor()
    place = torch.arange(size)
    row, column = (
        (place >= start[:, None]) & (place < (start + length)[:, None])
        for start, length in zip(starts, lengths, strict=True)
    )
    return (row[:, :, None] & column[:, None, :])[:, None].float()


def holed_at_random(images: UInt8[Tensor, "n c h w"], *, sides: tuple[float, float]) -> Feed:
    """Batches of square images with, as their condition, the same with holes in them, and the holes.

    >>> feed = holed_at_random(torch.zeros(5, 3, 8, 8, dtype=torch.uint8), sides=(0.5, 0.5))
    >>> [part.shape for part in feed(2, torch.Generator()).condition]
    [torch.Size([2, 3, 8, 8]), torch.Size([2, 1, 8, 8])]
    """
    check_images(images)

    def draw(size: int, random: torch.Generator) -> Batch:
        rows = torch.randint(len(images), (size,), generator=random)
        chosen = to_unit(images[rows])
        holes = draw_holes(size, images.shape[2], random, sides=sides)
        return Batch(images=chosen, condition=(chosen * (1 - holes), holes))

    return draw


@torch.no_grad()  # not inference_mode: its tensors refuse to be changed in place later
def inpaint(
    generator: nn.Module,
    images: UInt8[Tensor, "n c h w"],
    holes: Float[Tensor, "n 1 h w"],
    *,
    batch_size: int = 64,
    device: str | torch.device = "cpu",
) -> UInt8[Tensor, "n c h w"]:
    """Images with what lies in their holes made anew by ``generator``; the rest is theirs to the bit.

    >>> class Grey(nn.Module):
    ...     def forward(self, latents, holed, holes):
    ...         return holed
    >>> inpaint(Grey(), torch.full((1, 1, 1, 1), 9, dtype=torch.uint8), torch.ones(1, 1, 1, 1)).item()
    128
    """
    check_images(images)
    check_same_length(images=images, holes=holes)
    parts = []
    with evaluation_mode(generator):
        for part, hole in zip(images.split(batch_size), holes.split(batch_size), strict=True):
            holed = (to_unit(part) * (1 - hole)).to(device)
            made = to_pixels(generator(holed.new_zeros(len(part), 0), holed, hole.to(device)))
            parts.append(torch.where(hole > 0, made.cpu(), part))
    return torch.cat(parts)
