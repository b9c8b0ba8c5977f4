"""Images with pseudo-labels in memory: what learned scores are trained on."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor

from giqa_lib.checks import InputError, check_same_length, error_line
from giqa_lib.data import decode_image, resize, set_channels
from giqa_lib.learning import check_pixels, content_digest
from giqa_lib.scores.pseudo_labels import LabelledFiles

__all__ = ["LabelledImages", "read_labelled_images"]


@dataclass(frozen=True, kw_only=True)
class LabelledImages:
    """uint8 images (n, c, h, w) and their pseudo-labels (n,) in [0, 1]."""

    images: UInt8[Tensor, "n c h w"]
    labels: NDArray[np.float64]

    def __post_init__(self) -> None:
        check_pixels(self.images)
        check_same_length(images=self.images, labels=self.labels)
        if not np.isfinite(self.labels).all() or np.ptp(self.labels) == 0:
            hint = "give images of several iterations: see pseudo_labels"
            expected = "finite values, two or more different ones"
            got = f"{len(np.unique(self.labels))} different in {len(self.labels)}"
            raise InputError(error_line("labels", expected=expected, got=got, hint=hint))

    def digest(self) -> str:
        """Pixels and labels in one hash."""
        return content_digest(self.images, self.labels)


def read_labelled_images(
    files: LabelledFiles, *, size: int, channels: int = 3, last_iteration: float | None = None
) -> LabelledImages:
    """The files of a list, each brought to ``size`` pixels a side, with their labels by Eq. 1.

    All are held in memory: the paper's 200,000 images of 256 pixels take 39 GB. ``last_iteration`` is max_iter, the
    list's largest by default; give it for a held-out list. Raises :class:`giqa_lib.data.UnreadableImage` with
    the path of a file that is missing or broken.
    """
    labels = files.labels(last_iteration=last_iteration)
    images = [
        resize(set_channels(decode_image(path, name=str(path))[None], channels), size)
        for path in files.paths
    ]
    return LabelledImages(images=torch.cat(images), labels=labels)
