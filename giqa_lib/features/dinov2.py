"""DINOv2 vision transformers through timm: the class token after the last norm.

Oquab et al., DINOv2: Learning Robust Visual Features without Supervision, TMLR 2024.
Stein et al. (NeurIPS 2023) found distances in these features closest to human judgement.

Weights: Meta's ``dinov2_vit*14_pretrain.pth`` or timm's safetensors of the same.
Differences: the position embedding, learned at 518 px, is resampled to the input size once by
timm (bicubic, antialiased); Meta's code resamples without antialiasing.
"""

from functools import partial
from typing import cast

from torch import nn

from giqa_lib.features.mobilenet import IMAGENET_MEAN, IMAGENET_STD
from giqa_lib.features.networks import NetworkSpec, StateDict, load_by_name

__all__ = ["SPECS"]


def _build(model: str, input_size: int) -> nn.Module:
    import timm  # slow to import, and needed by few

    return timm.create_model(model, pretrained=False, num_classes=0, img_size=input_size)


def _load(network: nn.Module, state: StateDict) -> None:
    from timm.models.vision_transformer import VisionTransformer, checkpoint_filter_fn

    load_by_name(network, checkpoint_filter_fn(dict(state), cast(VisionTransformer, network)))


SPECS = tuple(
    NetworkSpec(
        name=f"dinov2_vit{letter}14",
        width=width,
        input_size=224,
        build=partial(_build, f"vit_{word}_patch14_dinov2"),
        load=_load,
        files=(f"dinov2_vit{letter}14_pretrain.pth",),
        source=(
            "get it from https://dl.fbaipublicfiles.com/dinov2/"
            f"dinov2_vit{letter}14/dinov2_vit{letter}14_pretrain.pth"
        ),
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        smallest=14,
        size_step=14,
    )
    for letter, word, width in (("s", "small", 384), ("b", "base", 768), ("l", "large", 1024))
)
