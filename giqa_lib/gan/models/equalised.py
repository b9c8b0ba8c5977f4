r"""Layers of PGGAN and StyleGAN: equalised learning rate, pixel norm, minibatch standard deviation.

Equalised learning rate (Karras et al. 2018, Section 4.1): weights are stored as N(0, 1) and scaled
in each forward pass,

.. math:: \hat w = w \cdot g / \sqrt{\text{fan-in}},

so that Adam, which moves every weight by about the same amount, moves every layer at the
same relative speed. :math:`g = \sqrt 2` before a ReLU (He), 1 elsewhere.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from giqa_lib.checks import check_positive

__all__ = ["EqualisedConv2d", "EqualisedLinear", "minibatch_deviation", "pixel_norm"]

HE = math.sqrt(2)
EPSILON = 1e-8  # of both papers' code


class EqualisedConv2d(nn.Module):
    """Convolution (n, c, h, w) to (n, width, h, w), padded to keep its size unless ``padding`` is given.

    >>> EqualisedConv2d(3, 8, 3)(torch.zeros(2, 3, 4, 4)).shape
    torch.Size([2, 8, 4, 4])
    """

    def __init__(
        self, channels: int, width: int, side: int, *, gain: float = HE, padding: int | None = None
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, channels, side, side))
        self.bias = nn.Parameter(torch.zeros(width))
        self.scale = check_positive(gain, name="gain") / math.sqrt(channels * side * side)
        self.padding = side // 2 if padding is None else padding

    def forward(self, features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k h2 w2"]:
        """Convolve with the scaled weights."""
        return functional.conv2d(
            features, self.weight * self.scale, self.bias, padding=self.padding
        )


class EqualisedLinear(nn.Module):
    """Dense layer (n, a) to (n, b); ``rate`` below 1 slows its learning (StyleGAN's mapping: 0.01).

    The weights are stored 1 / rate times larger and scaled back, which is the same function to begin with.

    >>> EqualisedLinear(4, 2)(torch.zeros(3, 4)).shape
    torch.Size([3, 2])
    """

    def __init__(
        self, inputs: int, outputs: int, *, gain: float = HE, rate: float = 1.0, bias: float = 0.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.scale = check_positive(gain, name="gain") / math.sqrt(inputs) * rate
        self.rate = rate

    def forward(self, features: Float[Tensor, "n a"]) -> Float[Tensor, "n b"]:
        """Multiply with the scaled weights."""
        return functional.linear(features, self.weight * self.scale, self.bias * self.rate)


def pixel_norm(features: Float[Tensor, "n c *places"]) -> Float[Tensor, "n c *places"]:
    """Each place's feature vector scaled to a mean square of 1 (Karras et al. 2018, Section 4.2).

    >>> pixel_norm(torch.tensor([[3.0, 3.0]]))
    tensor([[1., 1.]])
    """
    return features * (features.square().mean(1, keepdim=True) + EPSILON).rsqrt()


def minibatch_deviation(
    features: Float[Tensor, "n c h w"], *, group: int = 4
) -> Float[Tensor, "n c1 h w"]:
    """One more channel: the standard deviation over a group of images, averaged over places and channels.

    Section 3 of the same paper, in groups as its code has them: a batch of the same images gets 0, which
    tells a discriminator of a generator without variety. The largest group that divides the batch
    and is at most ``group`` is taken; it changes with the batch size, so it is for training only.

    >>> bool(minibatch_deviation(torch.ones(4, 2, 1, 1))[:, 2].abs().max() < 1e-6)
    True
    """
    count, _, height, width = features.shape
    size = max(s for s in range(1, group + 1) if count % s == 0)
    grouped = features.unflatten(0, (size, count // size))
    variance = (grouped - grouped.mean(0, keepdim=True)).square().mean(0)
    # The root's slope at 0 is infinite; a group of one image has variance 0 throughout.
    deviation = (variance + EPSILON).sqrt() - EPSILON**0.5
    statistic = deviation.mean((1, 2, 3)).repeat(size)
    return torch.cat([features, statistic[:, None, None, None].expand(-1, 1, height, width)], 1)
