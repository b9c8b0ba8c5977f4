"""Residual blocks of two convolutions, and the normalisations between them (ScoreGAN, Table 1).

A block adds what its two convolutions make to its input, which is brought to the same size and width by a
pooling or nearest-neighbour enlargement and a 1 x 1 convolution. Normalisation and rectifier come before a convolution (He et al.
2016; Gulrajani et al. 2017, whose networks ControlGAN's are).
"""

from collections.abc import Callable

from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

__all__ = ["ClassNorm", "ClassifierBlock", "DownBlock", "UpBlock", "spectral"]


def spectral(layer: nn.Module) -> nn.Module:
    r"""The layer with its weight divided by its largest singular value (Miyato et al. 2018, Eq. 8).

    The value is estimated by one power iteration a forward pass in training mode, from a warm start.
    """
    return spectral_norm(layer)


def halved(x: Tensor) -> Tensor:
    """Mean of each 2 x 2 pixels."""
    return functional.avg_pool2d(x, 2)


def doubled(x: Tensor) -> Tensor:
    """Each pixel four times."""
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


class ClassNorm(nn.Module):
    """Batch norm whose scale and shift are the label's own (de Vries et al. 2017); 1 and 0 at first.

    >>> import torch
    >>> norm = ClassNorm(2, classes=3)
    >>> x = torch.randn(8, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    >>> float(norm(x, torch.zeros(8, dtype=torch.long)).detach().mean().abs().round(decimals=4))
    0.0
    """

    def __init__(self, channels: int, *, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale = nn.Embedding(classes, channels)
        self.shift = nn.Embedding(classes, channels)
        nn.init.ones_(self.scale.weight)
        nn.init.zeros_(self.shift.weight)

    def forward(
        self, x: Float[Tensor, "n c h w"], labels: Int64[Tensor, " n"]
    ) -> Float[Tensor, "n c h w"]:
        """Each channel normalised over the batch, then scaled and shifted by label."""
        scale, shift = self.scale(labels), self.shift(labels)
        return self.norm(x) * scale[:, :, None, None] + shift[:, :, None, None]


class UpBlock(nn.Module):
    """The generator's block: (n, a, h, w) and labels to (n, b, 2 h, 2 w)."""

    def __init__(self, before: int, after: int, *, classes: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(ClassNorm(width, classes=classes) for width in (before, after))
        self.first = nn.Conv2d(before, after, 3, padding=1)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        self.shortcut = nn.Conv2d(before, after, 1)

    def forward(
        self, x: Float[Tensor, "n a h w"], labels: Int64[Tensor, " n"]
    ) -> Float[Tensor, "n b i j"]:
        """Twice the side."""
        inner = self.first(doubled(functional.relu(self.norms[0](x, labels))))
        inner = self.second(functional.relu(self.norms[1](inner, labels)))
        # A 1 x 1 convolution and nearest enlargement commute; the small image is the cheaper.
        return inner + doubled(self.shortcut(x))


class DownBlock(nn.Module):
    """The discriminator's block, without norm: (n, a, h, w) to (n, b, h / 2, w / 2), or the same side.

    ``first`` marks the network's first block, whose input is an image and is not rectified. The shortcut is the
    identity where neither side nor width changes.
    """

    def __init__(
        self,
        before: int,
        after: int,
        *,
        down: bool,
        first: bool = False,
        wrap: Callable[[nn.Module], nn.Module] = spectral,
    ) -> None:
        super().__init__()
        self.rectify = nn.Identity() if first else nn.ReLU()
        self.first = wrap(nn.Conv2d(before, after, 3, padding=1))
        self.second = wrap(nn.Conv2d(after, after, 3, padding=1))
        changes = down or before != after
        self.shortcut = wrap(nn.Conv2d(before, after, 1)) if changes else nn.Identity()
        self.resize: Callable[[Tensor], Tensor] = halved if down else nn.Identity()

    def forward(self, x: Float[Tensor, "n a h w"]) -> Float[Tensor, "n b i j"]:
        """The sum of both ways."""
        inner = self.second(functional.relu(self.first(self.rectify(x))))
        return self.resize(inner) + self.shortcut(self.resize(x))


class ClassifierBlock(nn.Module):
    """The classifier's block, with layer norm: (n, a, h, w) to (n, b, h, w), or half the side."""

    def __init__(self, before: int, after: int, *, down: bool) -> None:
        super().__init__()
        # One group is layer norm over channels and pixels, with a scale and shift a channel.
        self.norms = nn.ModuleList(nn.GroupNorm(1, width) for width in (before, after))
        self.first = nn.Conv2d(before, after, 3, padding=1)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        changes = down or before != after
        self.shortcut = nn.Conv2d(before, after, 1) if changes else nn.Identity()
        self.resize: Callable[[Tensor], Tensor] = halved if down else nn.Identity()

    def forward(self, x: Float[Tensor, "n a h w"]) -> Float[Tensor, "n b i j"]:
        """The sum of both ways."""
        inner = self.first(functional.relu(self.norms[0](x)))
        inner = self.second(functional.relu(self.norms[1](inner)))
        return self.resize(inner) + self.shortcut(self.resize(x))
