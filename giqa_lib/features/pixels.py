"""Pixels as features: the baseline that needs no network."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from giqa_lib.features.module import ModuleExtractor

__all__ = ["PixelExtractor"]


class PixelExtractor:
    """Pixels in [0, 1] after the resize, flattened: d = channels * height * width.

    >>> PixelExtractor(input_size=8, channels=1).width
    64
    """

    def __init__(
        self,
        *,
        input_size: int | tuple[int, int] = 32,
        channels: int = 3,
        device: str | torch.device = "cpu",
    ) -> None:
        pair = (input_size, input_size) if isinstance(input_size, int) else input_size
        size = f"{pair[0]}" if pair[0] == pair[1] else f"{pair[0]}x{pair[1]}"
        flat = ModuleExtractor(
            nn.Flatten(),
            name=f"pixels@{size}" + ("" if channels == 3 else "-grey"),
            version="1",
            input_size=input_size,
            channels=channels,
            mean=0.0,
            std=1.0,
            device=device,
        )
        self._flat = flat
        self.name, self.version, self.width = flat.name, flat.version, flat.width
        self.input_size, self.channels, self.device = flat.input_size, flat.channels, flat.device

    def __call__(self, images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """Pixels / 255, channel by channel, row by row."""
        return self._flat(images)
