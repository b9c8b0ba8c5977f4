"""MobileNet-v2, pooled features (1280), with torchvision's ImageNet weights.

Sandler et al., MobileNetV2, CVPR 2018. Images are resized to the whole input without a crop.
"""

from torch import nn
from torchvision.models import MobileNet_V2_Weights, mobilenet_v2

from giqa_lib.features.networks import NetworkSpec, StateDict, load_by_name

__all__ = ["IMAGENET_MEAN", "IMAGENET_STD", "SPECS"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def _build(input_size: int) -> nn.Module:
    return mobilenet_v2(weights=None)


def _load(network: nn.Module, state: StateDict) -> None:
    load_by_name(network, state)
    network.classifier = nn.Identity()


_URL = MobileNet_V2_Weights.IMAGENET1K_V2.url

SPECS = (
    NetworkSpec(
        name="mobilenet_v2",
        width=1280,
        input_size=224,
        head="classifier",
        build=_build,
        load=_load,
        files=(_URL.rpartition("/")[2],),
        source=f"get it from {_URL}",
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
    ),
)
