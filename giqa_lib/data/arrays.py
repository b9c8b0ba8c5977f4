"""Images that are in memory already, and any torch or torchvision data set."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image

from giqa_lib.checks import InputError, check_images, error_line
from giqa_lib.data.decode import to_tensor
from giqa_lib.data.source import Source, UnreadableImage, digest

__all__ = ["ArraySource", "DatasetSource"]


class ArraySource(Source):
    """uint8 images (n, c, h, w) in memory or memory-mapped; names are their numbers.

    The fingerprint is a hash of the pixels.

    >>> len(ArraySource(torch.zeros(2, 3, 4, 4, dtype=torch.uint8)))
    2
    """

    def __init__(
        self, images: torch.Tensor | NDArray[Any], table: pd.DataFrame | None = None
    ) -> None:
        pixels = torch.from_numpy(images) if isinstance(images, np.ndarray) else images
        check_images(pixels)
        if pixels.dtype != torch.uint8:
            hint = "scale the pixels to 0..255, round them and cast them to uint8"
            raise InputError(
                error_line("images", expected="uint8", got=str(pixels.dtype), hint=hint)
            )
        self.pixels = pixels.detach().cpu()
        self.names = [str(number) for number in range(len(pixels))]
        self.table = pd.DataFrame(index=range(len(pixels))) if table is None else table
        self._fingerprint: str | None = None

    @property
    def fingerprint(self) -> str:
        """Hash of shape and pixels, computed once."""
        if self._fingerprint is None:
            blocks = (block.contiguous().numpy().tobytes() for block in self.pixels.split(4096))
            self._fingerprint = digest([repr(tuple(self.pixels.shape)), *map(_hashed, blocks)])
        return self._fingerprint

    def read(self, index: int) -> UInt8[torch.Tensor, "c h w"]:
        """The pixels of image ``index``."""
        return self.pixels[index]


class DatasetSource(Source):
    """A torch ``Dataset`` that yields ``image`` or ``(image, ...)``.

    An image is a Pillow image, a uint8 array (h, w), (h, w, c) or tensor (c, h, w), or a
    float tensor in [0, 1] (torchvision's ``ToTensor``), which becomes round(255 x).
    Labels are taken from the data set's ``targets`` or ``labels`` where it has them. The
    fingerprint is a hash of all images and so costs one pass; a data set that augments at
    random gets another one each time, so nothing cached is ever reused for it.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        count = len(dataset)
        files = getattr(dataset, "samples", None) or getattr(dataset, "imgs", None)
        self.names = _file_names(files, count) or [str(number) for number in range(count)]
        labels = getattr(dataset, "targets", None)
        labels = getattr(dataset, "labels", None) if labels is None else labels
        self.table = pd.DataFrame(index=range(count))
        if labels is not None and len(labels) == count:
            self.table["label"] = np.asarray(labels)
        self._fingerprint: str | None = None

    @property
    def fingerprint(self) -> str:
        """Hash of every image, read once."""
        if self._fingerprint is None:
            self._fingerprint = digest(self._image_keys())
        return self._fingerprint

    def _image_keys(self) -> list[str]:
        keys = []
        for index, name in enumerate(self.names):
            try:
                image = self.read(index)
                keys.append(
                    digest([repr(tuple(image.shape)), image.contiguous().numpy().tobytes()])
                )
            except UnreadableImage as error:
                keys.append(f"{name} {error.reason}")
        return keys

    def read(self, index: int) -> UInt8[torch.Tensor, "c h w"]:
        """Item ``index`` of the data set as pixels."""
        try:
            item = self.dataset[index]
            return _pixels(item[0] if isinstance(item, tuple | list) else item)
        except Exception as error:  # foreign code: whatever it raises is this image's failure
            reason = str(error) or type(error).__name__
            raise UnreadableImage(self.names[index], reason) from error


def _hashed(block: bytes) -> str:
    return digest([block])


def _file_names(files: Any, count: int) -> list[str] | None:
    """Names of an ImageFolder's files below their common folder, if it is one."""
    if not isinstance(files, Sequence) or len(files) != count or not count:
        return None
    if not all(isinstance(file, tuple) and isinstance(file[0], str) for file in files):
        return None
    paths = [Path(file[0]) for file in files]
    names = ["/".join(path.parts[-2:]) for path in paths]
    return names if len(set(names)) == count else [path.as_posix() for path in paths]


def _pixels(image: Any) -> torch.Tensor:
    if isinstance(image, Image.Image):
        return to_tensor(image)
    if isinstance(image, np.ndarray):
        image = torch.from_numpy(np.atleast_3d(image)).permute(2, 0, 1)
    if not isinstance(image, torch.Tensor):
        raise TypeError(f"not an image but {type(image).__name__}")
    if image.ndim != 3 or image.shape[0] not in (1, 3):
        raise ValueError(f"shape {tuple(image.shape)}, not (1 or 3, height, width)")
    if image.dtype == torch.uint8:
        return image
    if not image.is_floating_point() or not bool(((image >= 0) & (image <= 1)).all()):
        raise ValueError(f"{image.dtype} pixels outside [0, 1]; leave out the normalisation")
    return (image * 255).round().to(torch.uint8)
