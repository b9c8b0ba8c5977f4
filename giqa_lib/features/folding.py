"""The same network in fewer passes over its activations.

Folding batch normalisation into the convolution before it:

in evaluation mode batch normalisation is a fixed affine map of each channel, so

    gamma (W * x + b - mu) / sqrt(var + eps) + beta

is one convolution with other weights. Features change by float rounding only (3e-6 relative
for EfficientNet-Lite0) and one pass over every activation is saved.

And TensorFlow's "same" padding of strided convolutions, one more on the right than on the left,
for which timm copies the activation (some 8 % of EfficientNet-Lite0's time): a kernel with a row
and a column of zeros in front needs the same padding on both sides, which the convolution does
itself. Features do not change.
"""

from itertools import pairwise

import torch
from timm.layers import Conv2dSame
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad
from torch.nn.utils.fusion import fuse_conv_bn_weights

__all__ = ["fold_batch_norm", "fold_same_padding"]


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


def fold_same_padding(network: nn.Module) -> nn.Module:
    """Spare timm's ``Conv2dSame`` of stride 2 the copy that its padding makes, in place.

    Only for networks that are not trained any further: the kernels are copied.

    >>> network = nn.Sequential(Conv2dSame(1, 2, 3, stride=2))
    >>> fold_same_padding(network)(torch.ones(1, 1, 8, 8)).shape
    torch.Size([1, 2, 4, 4])
    """
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Conv2dSame) and _SamePadded.fits(child):
                setattr(parent, name, _SamePadded(child))
    return network


class _SamePadded(nn.Module):
    """A ``Conv2dSame``; where height and width are even, without a padded copy.

    With an even side, stride 2 and an odd kernel k, "same" pads (k - 3) / 2 in front and
    (k - 1) / 2 behind.
    """

    wide: Tensor

    def __init__(self, convolution: Conv2dSame) -> None:
        super().__init__()
        self.convolution = convolution
        wide = pad(convolution.weight.detach(), (1, 0, 1, 0))
        self.register_buffer("wide", wide, persistent=False)
        height, width = convolution.kernel_size
        self.padding = ((height - 1) // 2, (width - 1) // 2)

    @staticmethod
    def fits(convolution: Conv2dSame) -> bool:
        odd = all(side % 2 == 1 and side > 1 for side in convolution.kernel_size)
        return odd and convolution.stride == (2, 2) and convolution.dilation == (1, 1)

    def forward(self, images: Tensor) -> Tensor:
        if images.shape[2] % 2 or images.shape[3] % 2:
            output: Tensor = self.convolution(images)
            return output
        bias, groups = self.convolution.bias, self.convolution.groups
        return conv2d(images, self.wide, bias, stride=2, padding=self.padding, groups=groups)
