"""Networks from images to a few numbers, by name.

``small``
    Three 3 x 3 convolutions with batch normalisation and pooling, one hidden layer: for images of
    28 to 64 pixels and patches of 4 and more. Ours.
``vgg19_bn``
    GIQA's (official code, ``models/vgg.py``): the convolutions of VGG-19 with batch normalisation, from
    scratch, two dense layers of its own; the number of poolings follows the patch so that 3 to 7
    pixels a side are left.
``torchvision:<name>``
    Any classifier of torchvision, such as ``torchvision:resnet18``, with random weights.

All take uint8 images (n, c, h, w), scale them to [-1, 1] themselves, and give logits (n, outputs).
Known departure: the official code normalises by CIFAR-10's means and deviations.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torchvision.models import get_model, list_models

from giqa_lib.checks import InputError, check_positive, error_line

__all__ = ["NetworkSettings", "new_network"]

TORCHVISION = "torchvision:"
VGG_BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
#: The smallest patch that the official code has a stack for.
VGG_SMALLEST_PATCH = 32


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """Which network, for patches of which size.

    Attributes
    ----------
    name : ``small``, ``vgg19_bn`` or ``torchvision:<name>``.
    channels, patch : of the images it takes, 1 or 3, and pixels a side.
    outputs : logits an image.
    width : channels of the small network's first convolution; the others ignore it.
    """

    name: str = "small"
    channels: int = 1
    patch: int = 24
    outputs: int = 1
    width: int = 24

    def __post_init__(self) -> None:
        for name in ("channels", "patch", "outputs", "width"):
            check_positive(getattr(self, name), name=name)


def new_network(settings: NetworkSettings, random: torch.Generator) -> nn.Module:
    """The network with initial weights drawn from ``random``; the global generator is untouched.

    >>> settings = NetworkSettings(channels=1, patch=8, outputs=3, width=4)
    >>> network = new_network(settings, torch.Generator().manual_seed(0))
    >>> network(torch.zeros(2, 1, 8, 8, dtype=torch.uint8)).shape
    torch.Size([2, 3])
    """
    with torch.random.fork_rng(devices=[]):  # layers draw their weights on construction
        torch.manual_seed(int(torch.randint(2**31, (), generator=random, device=random.device)))
        body = _body(settings)
    return nn.Sequential(Scale(), body).to(memory_format=torch.channels_last)


class Scale(nn.Module):
    """Pixels 0..255 to [-1, 1], in the memory format that convolutions are fastest in."""

    def forward(self, images: Shaped[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Scaled images; float ones are taken as 0..255 too."""
        return (images.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


class Grey(nn.Module):
    """One channel repeated to the three that torchvision's networks take."""

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 3 h w"]:
        """Images with three channels."""
        return images.expand(-1, 3, -1, -1)


def _body(settings: NetworkSettings) -> nn.Module:
    name = settings.name
    if name == "small":
        return _small(settings)
    if name == "vgg19_bn":
        return _vgg(settings)
    known = list_models(module=None)
    if not name.startswith(TORCHVISION) or name.removeprefix(TORCHVISION) not in known:
        expected = "small, vgg19_bn or torchvision:<name>"
        hint = f"torchvision has {', '.join(sorted(known)[:3])}, ..."
        raise InputError(error_line("network", expected=expected, got=repr(name), hint=hint))
    body = get_model(name.removeprefix(TORCHVISION), weights=None, num_classes=settings.outputs)
    return nn.Sequential(Grey(), body) if settings.channels == 1 else body


def _convolution(before: int, after: int) -> list[nn.Module]:
    """Convolution, normalisation, rectifier; He's initialisation by fan-out, as the official code has it."""
    layer = nn.Conv2d(before, after, 3, padding=1, bias=False)  # the normalisation has the bias
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return [layer, nn.BatchNorm2d(after), nn.ReLU(inplace=True)]


def _head(features: int, hidden: int, outputs: int) -> list[nn.Module]:
    return [
        nn.Flatten(),
        nn.Linear(features, hidden),
        nn.ReLU(inplace=True),
        nn.Linear(hidden, outputs),
    ]


def _official_start(head: list[nn.Module]) -> list[nn.Module]:
    """The official code's N(0, 0.01) weights, which pass hardly any gradient on at first: it trains 112 epochs."""
    for layer in head:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)
    return head


def _small(settings: NetworkSettings) -> nn.Module:
    layers: list[nn.Module] = []
    side, before = settings.patch, settings.channels
    for after in (settings.width, 2 * settings.width, 4 * settings.width):
        # ceil_mode: a patch of 4 pixels still has one left after three poolings
        layers += [*_convolution(before, after), nn.MaxPool2d(2, ceil_mode=True)]
        side, before = -(-side // 2), after
    return nn.Sequential(*layers, *_head(before * side**2, 128, settings.outputs))


def _vgg_blocks(patch: int) -> list[tuple[int, int]]:
    """(channels, convolutions) of each block before a pooling.

    >>> [len(_vgg_blocks(patch)) for patch in (32, 64, 128, 192, 224, 256)]
    [3, 4, 5, 6, 5, 6]
    """
    if patch < VGG_SMALLEST_PATCH:
        hint = "use the small network, or a larger patch"
        expected = f"at least {VGG_SMALLEST_PATCH} pixels for vgg19_bn"
        raise InputError(error_line("patch", expected=expected, got=str(patch), hint=hint))
    blocks = list(VGG_BLOCKS)
    if patch == 256:
        return [*blocks, (512, 2)]  # a block more
    if patch == 192:
        return [*blocks, (512, 0)]  # a pooling more
    if patch >= 128:
        return blocks
    return blocks[: 4 if patch >= 64 else 3]


def _vgg(settings: NetworkSettings) -> nn.Module:
    layers: list[nn.Module] = []
    side, before, blocks = settings.patch, settings.channels, _vgg_blocks(settings.patch)
    spare = VGG_BLOCKS[len(blocks) :]
    for after, convolutions in blocks:
        for _ in range(convolutions):
            layers += _convolution(before, after)
            before = after
        layers.append(nn.MaxPool2d(2))
        side //= 2
    for after, convolutions in spare:  # blocks whose pooling is left out on small patches
        for _ in range(convolutions):
            layers += _convolution(before, after)
            before = after
    head = _official_start(_head(before * side**2, 1024, settings.outputs))
    return nn.Sequential(*layers, *head)
