"""Inception-v3, pooled features (2048): with the FID weights, and torchvision's.

Szegedy et al., Rethinking the Inception Architecture, CVPR 2016. GIQA (Gu et al., ECCV 2020)
and FID (Heusel et al., NeurIPS 2017) use the 2015 TensorFlow network as ported by pytorch-fid,
which differs from torchvision's in three ways: 1008 classes, average pools that do not count
the padding, and a max pool instead of an average pool in the last block.

``inception_v3_fid`` resizes as pytorch-fid and GIQA's code do, bilinear WITHOUT antialiasing to
299 px, floats not rounded: published values hold for nothing else. ``inception_v3`` is resized
like every other network here, to the whole input without a crop.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d
from torchvision.models import Inception_V3_Weights, inception_v3
from torchvision.models.inception import InceptionA, InceptionC, InceptionE

from giqa_lib.features.networks import NetworkSpec, StateDict, load_by_name

__all__ = ["SPECS", "resize_as_fid"]


def resize_as_fid(images: Tensor, size: tuple[int, int]) -> Float[Tensor, "n c h w"]:
    """Bilinear without antialiasing, pixel centres aligned, in float32 (pytorch-fid's).

    >>> resize_as_fid(torch.full((1, 3, 4, 4), 7, dtype=torch.uint8), (2, 2)).unique()
    tensor([7.])
    """
    return interpolate(images.to(torch.float32), size=size, mode="bilinear", align_corners=False)


def _mean_pool(x: Tensor) -> Tensor:
    return avg_pool2d(x, kernel_size=3, stride=1, padding=1, count_include_pad=False)


def _max_pool(x: Tensor) -> Tensor:
    return max_pool2d(x, kernel_size=3, stride=1, padding=1)


class _BlockA(InceptionA):
    """35 x 35 block; the pool does not count the padding."""

    def forward(self, x: Tensor) -> Tensor:
        five = self.branch5x5_2(self.branch5x5_1(x))
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, double, self.branch_pool(_mean_pool(x))], 1)


class _BlockC(InceptionC):
    """17 x 17 block; the pool does not count the padding."""

    def forward(self, x: Tensor) -> Tensor:
        single = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), single, double, self.branch_pool(_mean_pool(x))], 1)


class _BlockE(InceptionE):
    """8 x 8 block with the given pool."""

    def __init__(self, in_channels: int, pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__(in_channels)
        self._pool = pool

    def forward(self, x: Tensor) -> Tensor:
        single = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        parts = [
            self.branch1x1(x),
            self.branch3x3_2a(single),
            self.branch3x3_2b(single),
            self.branch3x3dbl_3a(double),
            self.branch3x3dbl_3b(double),
            self.branch_pool(self._pool(x)),
        ]
        return torch.cat(parts, 1)


def _build_fid(input_size: int) -> nn.Module:
    network = inception_v3(weights=None, num_classes=1008, aux_logits=False, init_weights=False)
    network.transform_input = False
    network.Mixed_5b = _BlockA(192, pool_features=32)
    network.Mixed_5c = _BlockA(256, pool_features=64)
    network.Mixed_5d = _BlockA(288, pool_features=64)
    network.Mixed_6b = _BlockC(768, channels_7x7=128)
    network.Mixed_6c = _BlockC(768, channels_7x7=160)
    network.Mixed_6d = _BlockC(768, channels_7x7=160)
    network.Mixed_6e = _BlockC(768, channels_7x7=192)
    network.Mixed_7b = _BlockE(1280, _mean_pool)
    network.Mixed_7c = _BlockE(2048, _max_pool)
    return network


def _build(input_size: int) -> nn.Module:
    # the weight file holds the auxiliary classifier; evaluation does not run it
    network = inception_v3(weights=None, aux_logits=True, init_weights=False)
    # its own mean and standard deviation of 0.5 are applied by the extractor
    network.transform_input = False
    return network


def _load(network: nn.Module, state: StateDict) -> None:
    load_by_name(network, state)
    network.fc = nn.Identity()


_URL = Inception_V3_Weights.IMAGENET1K_V1.url
_FID_FILE = "pt_inception-2015-12-05-6726825d.pth"

SPECS = (
    NetworkSpec(
        name="inception_v3_fid",
        width=2048,
        input_size=299,
        head="fc",
        build=_build_fid,
        load=_load,
        files=(_FID_FILE,),
        source=(
            "get it from https://github.com/mseitzer/pytorch-fid/releases/download/"
            f"fid_weights/{_FID_FILE}"
        ),
        resize_native=resize_as_fid,
    ),
    NetworkSpec(
        name="inception_v3",
        width=2048,
        input_size=299,
        head="fc",
        build=_build,
        load=_load,
        files=(_URL.rpartition("/")[2],),
        source=f"get it from {_URL}",
        smallest=75,
    ),
)
