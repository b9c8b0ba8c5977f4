"""The parser that AttGF-IQA takes its maps from, for whoever has its weights: BiSeNet (Yu et al. 2018) trained on CelebAMask-HQ.

The paper cites BiSeNet; the weights that go by that name are those of zllrunning/face-parsing.PyTorch, file
``79999_iter.pth`` (its page links to a drive; no registry has it). In that release a residual network of
18 layers is the context path, and its features at an eighth of the side stand for the spatial path. Tensors are named as in the
file. Its two auxiliary heads serve training alone: they are here so that the file is read whole, and never run.
Faces are shown at 512 pixels a side, bilinear, with ImageNet's mean and deviation, as there.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate
from torchvision.models import resnet18

from giqa_lib.checks import InputError, error_line
from giqa_lib.data import resize_maps
from giqa_lib.iqa.official import load_weights
from giqa_lib.learning import check_pixels, in_batches

__all__ = ["BISENET_CLASSES", "BiSeNetParser", "load_bisenet"]

#: The release's classes in its order, which is not that of CelebAMask-HQ's files; left and right are one name.
BISENET_CLASSES = (
    "background", "skin", "brow", "brow", "eye", "eye", "eyeglasses", "ear", "ear", "earring",
    "nose", "mouth", "upper lip", "lower lip", "neck", "necklace", "clothing", "hair", "hat",
)  # fmt: skip
SIDE = 512
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's


class _Convolution(nn.Module):
    """Convolution, normalisation, rectifier."""

    def __init__(self, before: int, after: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(after)

    def forward(self, features: Tensor) -> Tensor:
        found: Tensor = self.bn(self.conv(features)).relu()
        return found


class _Refinement(nn.Module):
    """Features weighed by channel, from their means over places."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv = _Convolution(before, after)
        self.conv_atten = nn.Conv2d(after, after, 1, bias=False)
        self.bn_atten = nn.BatchNorm2d(after)

    def forward(self, features: Tensor) -> Tensor:
        found: Tensor = self.conv(features)
        weights: Tensor = self.bn_atten(self.conv_atten(adaptive_avg_pool2d(found, 1)))
        return found * weights.sigmoid()


class _Context(nn.Module):
    """Features at an eighth of the side, and what is known there from coarser scales and the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.resnet = resnet18(weights=None)
        self.resnet.fc = nn.Identity()
        self.arm16, self.arm32 = _Refinement(256, 128), _Refinement(512, 128)
        self.conv_head32, self.conv_head16 = _Convolution(128, 128), _Convolution(128, 128)
        self.conv_avg = _Convolution(512, 128, kernel=1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        body = self.resnet
        start = body.layer1(body.maxpool(body.bn1(body.conv1(images)).relu()))
        eighth = body.layer2(start)
        sixteenth = body.layer3(eighth)
        last = body.layer4(sixteenth)
        coarse = self.arm32(last) + self.conv_avg(adaptive_avg_pool2d(last, 1))
        coarse = self.conv_head32(interpolate(coarse, sixteenth.shape[2:], mode="nearest"))
        middle = self.arm16(sixteenth) + coarse
        return eighth, self.conv_head16(interpolate(middle, eighth.shape[2:], mode="nearest"))


class _Fusion(nn.Module):
    """Both paths joined, then weighed by channel and added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convblk = _Convolution(channels, channels, kernel=1)
        self.conv1 = nn.Conv2d(channels, channels // 4, 1, bias=False)
        self.conv2 = nn.Conv2d(channels // 4, channels, 1, bias=False)

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        found: Tensor = self.convblk(torch.cat([one, other], dim=1))
        weights: Tensor = self.conv2(self.conv1(adaptive_avg_pool2d(found, 1)).relu())
        return found * weights.sigmoid() + found


class _Head(nn.Module):
    """A logit a class."""

    def __init__(self, before: int, between: int, classes: int) -> None:
        super().__init__()
        self.conv = _Convolution(before, between)
        self.conv_out = nn.Conv2d(between, classes, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.conv_out(self.conv(features))
        return logits


class _BiSeNet(nn.Module):
    """Normalised images to logits (n, k, h, w) of the release's classes."""

    def __init__(self, classes: int = len(BISENET_CLASSES)) -> None:
        super().__init__()
        self.cp = _Context()
        self.ffm = _Fusion(256)
        self.conv_out = _Head(256, 256, classes)
        self.conv_out16, self.conv_out32 = _Head(128, 64, classes), _Head(128, 64, classes)

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n k h w"]:
        logits = self.conv_out(self.ffm(*self.cp(images)))
        return interpolate(logits, images.shape[2:], mode="bilinear", align_corners=True)


@dataclass(frozen=True, kw_only=True)
class BiSeNetParser:
    """Colour images uint8 (n, 3, h, w) to maps uint8 (n, h, w) whose values count into ``classes``.

    ``classes`` hold every name of ``BISENET_CLASSES``, in any order: those of ``giqa_lib.data.load_pairs("celebamask")`` do.
    Raises ``InputError`` where one is missing, and for images that are not uint8 of three channels.

    >>> parser = BiSeNetParser(network=_BiSeNet().eval(), classes=tuple(dict.fromkeys(BISENET_CLASSES)))
    >>> parser(torch.zeros(1, 3, 16, 16, dtype=torch.uint8)).shape
    torch.Size([1, 16, 16])
    """

    network: nn.Module
    classes: tuple[str, ...]
    batch_size: int = 4

    def __post_init__(self) -> None:
        missing = [name for name in dict.fromkeys(BISENET_CLASSES) if name not in self.classes]
        if missing:
            expected, got = "all that BiSeNet tells apart", f"no {', '.join(missing)}"
            hint = "take those of load_pairs('celebamask'); other faces need a parser of their own"
            raise InputError(error_line("classes", expected=expected, got=got, hint=hint))

    @property
    def name(self) -> str:
        """What tells it from other parsers."""
        return "BiSeNet, released weights"

    def __call__(self, images: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "n h w"]:
        """The most likely part at each pixel of the image enlarged, brought back by nearest neighbours."""
        check_pixels(images, channels=3)
        found = torch.from_numpy(in_batches(self._block, images, self.batch_size))
        return resize_maps(found, (images.shape[2], images.shape[3]))

    @torch.no_grad()
    def _block(self, images: Tensor) -> Tensor:
        device = next(self.network.parameters()).device
        mean, deviation = (torch.tensor(v, device=device).view(3, 1, 1) for v in (MEAN, DEVIATION))
        large = interpolate(
            images.to(device).float(), (SIDE, SIDE), mode="bilinear", antialias=True
        )
        numbers = torch.tensor([self.classes.index(name) for name in BISENET_CLASSES])
        found = self.network((large / 255 - mean) / deviation).argmax(1).cpu()
        return numbers[found].byte()


def load_bisenet(
    path: str | os.PathLike[str],
    classes: tuple[str, ...],
    *,
    device: str | torch.device = "cpu",
) -> BiSeNetParser:
    """The parser with the weights of the released file, or of a copy of it as safetensors.

    Raises ``InputError`` where the file is not there or not of this network; see :func:`giqa_lib.iqa.load_weights`.
    """
    network = load_weights(_BiSeNet(), Path(path))
    return BiSeNetParser(network=network.to(device), classes=classes)
