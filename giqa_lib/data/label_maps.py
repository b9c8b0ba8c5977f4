"""Pairs of images and label maps: what a conditional generator translates, and into what.

Read from the named data sets that have maps: ``celebamask`` (hand-made masks of face parts, left and right
merged, so that pairs may be mirrored), ``cityscapes`` (the folders ``leftImg8bit`` and ``gtFine``, maps
``*_labelIds.png``), ``toy-faces`` (drawn, a stand-in). Images are resized with antialiasing, maps by nearest
neighbours; the aspect ratio is not kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn.functional import interpolate

from giqa_lib.checks import (
    DataUnavailable,
    InputError,
    check_choice,
    check_images,
    check_positive,
    check_same_length,
    error_line,
)
from giqa_lib.data.cards import dataset_card
from giqa_lib.data.decode import decode_image
from giqa_lib.data.images import ImageSet
from giqa_lib.data.registry import find, load
from giqa_lib.data.resize import resize, set_channels
from giqa_lib.data.toy_faces import TOY_FACE_PARTS, toy_faces

__all__ = ["LABEL_MAP_SETS", "LabelledPairs", "check_maps", "load_pairs", "resize_maps"]

LABEL_MAP_SETS = ("celebamask", "cityscapes", "toy-faces")
READ_AT_ONCE = 64  # images at their full size in memory
MERGED = {f"{side} {part}": part for side in ("left", "right") for part in ("eye", "brow", "ear")}
PHOTOGRAPH, MAP = "_leftImg8bit.png", "_gtFine_labelIds.png"
CITYSCAPES_CLASSES = (
    "unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic",
    "ground", "road", "sidewalk", "parking", "rail track", "building", "wall", "fence",
    "guard rail", "bridge", "tunnel", "pole", "polegroup", "traffic light", "traffic sign",
    "vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "caravan",
    "trailer", "train", "motorcycle", "bicycle",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class LabelledPairs:
    """Images (n, c, h, w) with their label maps (n, h, w), whose values count into ``classes``."""

    images: UInt8[Tensor, "n c h w"]
    maps: UInt8[Tensor, "pairs height width"]
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        check_images(self.images)
        check_same_length(images=self.images, maps=self.maps)
        size = (self.images.shape[2], self.images.shape[3])
        check_maps(self.maps, classes=len(self.classes), size=size)

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, rows: ArrayLike) -> "LabelledPairs":
        """The pairs at ``rows``, in that order."""
        chosen = torch.as_tensor(np.asarray(rows, dtype=np.int64))
        return LabelledPairs(
            images=self.images[chosen], maps=self.maps[chosen], classes=self.classes
        )


def check_maps(
    maps: Tensor, *, classes: int, size: tuple[int, int] | None = None
) -> UInt8[Tensor, "n h w"]:
    """Return ``maps`` if they are label maps (n, h, w) uint8 of ``classes`` classes (and of ``size``).

    >>> check_maps(torch.zeros(2, 4, 4, dtype=torch.uint8), classes=1).shape
    torch.Size([2, 4, 4])
    """
    if maps.ndim != 3 or maps.dtype != torch.uint8 or len(maps) == 0:
        got = f"{maps.dtype} of shape {tuple(maps.shape)}"
        hint = "one whole number 0..255 a pixel is its class"
        raise InputError(error_line("maps", expected="uint8 (n, h, w)", got=got, hint=hint))
    if size is not None and tuple(maps.shape[1:]) != size:
        hint = "resize the maps with giqa_lib.data.resize_maps"
        expected, got = f"the images' size {size}", str(tuple(maps.shape[1:]))
        raise InputError(error_line("maps", expected=expected, got=got, hint=hint))
    if int(maps.max()) >= classes:
        hint = "raise classes, or merge the classes of the maps"
        expected, got = f"classes 0..{classes - 1}", f"class {int(maps.max())}"
        raise InputError(error_line("maps", expected=expected, got=got, hint=hint))
    return maps


def resize_maps(
    maps: UInt8[Tensor, "n h w"], size: int | tuple[int, int]
) -> UInt8[Tensor, "n height width"]:
    """Label maps of (height, width) ``size`` by nearest neighbours: no class appears that was not there.

    >>> resize_maps(torch.tensor([[[0, 7], [7, 7]]], dtype=torch.uint8), 4)[0, 0].tolist()
    [0, 0, 7, 7]
    """
    wanted = (size, size) if isinstance(size, int) else size
    for side in wanted:
        check_positive(side, name="size")
    # "nearest-exact" takes the pixel in the middle; "nearest" the one at the corner, a shift
    return interpolate(maps[:, None].float(), size=wanted, mode="nearest-exact")[:, 0].byte()


def load_pairs(name: str, *, size: int, count: int | None = None) -> LabelledPairs:
    """The first ``count`` pairs (all by default) of a data set with label maps, at ``size`` pixels a side.

    Raises ``DataUnavailable`` where the data set, or its maps, are not on this machine.

    >>> load_pairs("toy-faces", size=64, count=2).maps.shape
    torch.Size([2, 64, 64])
    """
    check_choice(name, LABEL_MAP_SETS, name="data set with label maps")
    check_positive(size, name="size")
    if count is not None:
        check_positive(count, name="count")
    if name == "cityscapes":
        return _cityscapes(size, count)
    if name == "toy-faces":  # drawn at the size that is asked for
        total = dataset_card(name).images or 0
        faces, masks = toy_faces(total if count is None else min(count, total), size=size, seed=0)
        return LabelledPairs(images=faces, maps=masks, classes=TOY_FACE_PARTS)
    images = load(name, "all", on_error="raise")
    wanted = min(len(images), len(images) if count is None else count)
    images = images.subset(np.arange(wanted))
    classes, number = _merged(dataset_card(name).classes)
    maps = torch.cat([number[part.long()] for part in _read_maps(images.column("mask"), size)])
    return LabelledPairs(images=_read_images(images, size), maps=maps, classes=classes)


def _read_images(images: ImageSet, size: int) -> UInt8[Tensor, "n c h w"]:
    return torch.cat([b.images for b in images.batches(READ_AT_ONCE, size=size, channels=3)])


def _read_maps(masks: ImageSet, size: int) -> list[UInt8[Tensor, "n h w"]]:
    return [resize_maps(batch.images[:, 0], size) for batch in masks.batches(READ_AT_ONCE)]


def _merged(classes: tuple[str, ...]) -> tuple[tuple[str, ...], UInt8[Tensor, " k"]]:
    """The classes with left and right as one, and each old class's new number."""
    names = [MERGED.get(name, name) for name in classes]
    kept = tuple(dict.fromkeys(names))
    return kept, torch.tensor([kept.index(name) for name in names], dtype=torch.uint8)


def _cityscapes(size: int, count: int | None) -> LabelledPairs:
    root = find("cityscapes")
    pairs = {} if root is None or not root.is_dir() else _cityscapes_files(root)
    if not pairs:
        card = dataset_card("cityscapes")
        found = "no photograph in leftImg8bit with a map in gtFine"
        hint = f"download gtFine_trainvaltest.zip too, from {card.homepage}"
        expected = "leftImg8bit/*/*/*_leftImg8bit.png and gtFine/*/*/*_gtFine_labelIds.png"
        raise DataUnavailable(error_line("cityscapes", expected=expected, got=found, hint=hint))
    images, maps = [], []
    for photograph, labels in list(pairs.items())[:count]:
        image = decode_image(photograph, name=photograph.name)
        images.append(resize(set_channels(image[None], 3), size))
        maps.append(resize_maps(decode_image(labels, name=labels.name)[:1], size))
    return LabelledPairs(images=torch.cat(images), maps=torch.cat(maps), classes=CITYSCAPES_CLASSES)


def _cityscapes_files(root: Path) -> Mapping[Path, Path]:
    """Photographs of train and val (the maps of test are blank) with their maps, by name."""
    found = {}
    for split in ("train", "val"):
        for photograph in sorted((root / "leftImg8bit" / split).rglob(f"*{PHOTOGRAPH}")):
            name = photograph.name.removesuffix(PHOTOGRAPH) + MAP
            labels = root / "gtFine" / split / photograph.parent.name / name
            if labels.is_file():
                found[photograph] = labels
    return found
