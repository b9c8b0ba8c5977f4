"""What a training step is given: real images drawn at random, with what they are conditioned on.

A feed is a function (batch size, random) -> :class:`Batch`. Conditional GANs differ from others
only in that their batches carry a condition, which both players get after their first argument.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional

from giqa_lib.checks import InputError, check_images, check_same_length, error_line
from giqa_lib.data import check_maps
from giqa_lib.gan.pixels import to_unit

__all__ = [
    "Batch",
    "Feed",
    "images_at_random",
    "labelled_at_random",
    "one_hot_maps",
    "pairs_at_random",
]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Real images (n, c, h, w) in [-1, 1], and a condition: tensors of n rows each."""

    images: Tensor
    condition: tuple[Tensor, ...] = ()

    def to(self, device: str | torch.device) -> "Batch":
        """The same on another device; images channels last, which convolutions are faster on."""
        images = self.images.to(device).contiguous(memory_format=torch.channels_last)
        return Batch(images=images, condition=tuple(part.to(device) for part in self.condition))


Feed = Callable[[int, torch.Generator], Batch]


def images_at_random(images: UInt8[Tensor, "n c h w"]) -> Feed:
    """Batches drawn from ``images`` with replacement, without a condition.

    >>> feed = images_at_random(torch.zeros(5, 1, 8, 8, dtype=torch.uint8))
    >>> feed(2, torch.Generator()).images.shape
    torch.Size([2, 1, 8, 8])
    """
    check_images(images)

    def draw(size: int, random: torch.Generator) -> Batch:
        rows = torch.randint(len(images), (size,), generator=random)
        return Batch(images=to_unit(images[rows]))

    return draw


def labelled_at_random(images: UInt8[Tensor, "n c h w"], labels: Int64[Tensor, " n"]) -> Feed:
    """Images with their class labels 0, 1, ... as the condition.

    >>> feed = labelled_at_random(torch.zeros(5, 1, 8, 8, dtype=torch.uint8), torch.arange(5))
    >>> feed(2, torch.Generator()).condition[0].shape
    torch.Size([2])
    """
    check_images(images)
    check_same_length(images=images, labels=labels)
    if labels.min() < 0:
        got, hint = str(int(labels.min())), "number the classes from 0"
        raise InputError(error_line("labels", expected="0, 1, ...", got=got, hint=hint))

    def draw(size: int, random: torch.Generator) -> Batch:
        rows = torch.randint(len(images), (size,), generator=random)
        return Batch(images=to_unit(images[rows]), condition=(labels[rows],))

    return draw


def pairs_at_random(
    images: UInt8[Tensor, "n c h w"],
    maps: UInt8[Tensor, "n h w"],
    *,
    classes: int,
    flip: bool = False,
) -> Feed:
    """Images with their label maps, as one-hot conditions (n, classes, h, w); half mirrored with ``flip``.

    A map must not tell left from right if images are mirrored.

    >>> feed = pairs_at_random(torch.zeros(5, 3, 8, 8, dtype=torch.uint8),
    ...     torch.ones(5, 8, 8, dtype=torch.uint8), classes=2)
    >>> feed(2, torch.Generator()).condition[0].shape
    torch.Size([2, 2, 8, 8])
    """
    check_images(images)
    check_same_length(images=images, maps=maps)
    check_maps(maps, classes=classes, size=(images.shape[2], images.shape[3]))

    def draw(size: int, random: torch.Generator) -> Batch:
        rows = torch.randint(len(images), (size,), generator=random)
        chosen, given = to_unit(images[rows]), one_hot_maps(maps[rows], classes=classes)
        if flip:
            mirrored = torch.rand(size, 1, 1, 1, generator=random) < 0.5
            chosen = torch.where(mirrored, chosen.flip(3), chosen)
            given = torch.where(mirrored, given.flip(3), given)
        return Batch(images=chosen, condition=(given,))

    return draw


def one_hot_maps(maps: UInt8[Tensor, "n h w"], *, classes: int) -> Float[Tensor, "n k h w"]:
    """Label maps as 0 and 1, one channel a class.

    >>> one_hot_maps(torch.tensor([[[0, 1]]], dtype=torch.uint8), classes=2).flatten(1).tolist()
    [[1.0, 0.0, 0.0, 1.0]]
    """
    return functional.one_hot(maps.long(), classes).permute(0, 3, 1, 2).float()
