"""What every score of images takes, and batches of one size, so that a score does not depend on the batch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Shaped
from numpy.typing import NDArray
from torch import Tensor

from giqa_lib.checks import InputError, check_images, error_line

__all__ = ["check_pixels", "in_batches"]


def check_pixels(images: Tensor, *, channels: int | None = None) -> Tensor:
    """Return ``images`` if they are uint8 (n, c, h, w), of so many ``channels`` if that is given.

    Float images are refused: nothing tells whether they mean 0 to 1, -1 to 1 or 0 to 255.

    >>> check_pixels(torch.zeros(2, 3, 4, 4, dtype=torch.uint8), channels=3).shape
    torch.Size([2, 3, 4, 4])
    """
    check_images(images)
    if images.dtype != torch.uint8:
        hint = "map them to 0..255, round and cast"
        raise InputError(error_line("images", expected="uint8", got=str(images.dtype), hint=hint))
    if channels is not None and images.shape[1] != channels:
        got, hint = f"{images.shape[1]} channels", "convert them: giqa_lib.data.set_channels"
        expected = f"{channels} channels, as it was trained on"
        raise InputError(error_line("images", expected=expected, got=got, hint=hint))
    return images


def in_batches(
    function: Callable[[Tensor], Any], images: Shaped[Tensor, "n c h w"], size: int
) -> NDArray[Any]:
    """``function`` of batches of exactly ``size`` images, the last padded with black; its rows (n, ...) as an array.

    >>> in_batches(lambda batch: np.full(len(batch), float(len(batch))), torch.zeros(3, 1, 2, 2, dtype=torch.uint8), 2)
    array([2., 2., 2.])
    """
    parts = []
    for block in images.split(size):
        missing = size - len(block)
        full = torch.cat([block, block.new_zeros(missing, *block.shape[1:])]) if missing else block
        values = function(full)
        if isinstance(values, Tensor):
            values = values.detach().cpu().numpy()
        parts.append(np.asarray(values)[: len(block)])
    return np.concatenate(parts)
