"""Toy faces: drawn faces with exact masks of their parts, a stand-in for photographs with label maps.

Face i of a seed is the same whatever else is drawn. Head shape, pose, skin, hair, expression, light and
camera noise vary. No photograph and no person is in them.
"""

import pandas as pd
import torch
from jaxtyping import UInt8

from giqa_lib.checks import InputError, check_positive, error_line
from giqa_lib.data.source import Source, digest
from giqa_lib.data.toy_face_drawing import TOY_FACE_PARTS, draw_face

__all__ = ["TOY_FACE_PARTS", "ToyFaceMasks", "ToyFaceSource", "named_toy_faces", "toy_faces"]

SMALLEST = 16  # pixels: below, a brow is thinner than half a pixel
REVISION = 1  # raise it when the faces change
SPLITS = {"train": 4000, "test": 1000}  # of the named data set


def toy_faces(
    count: int, *, size: int = 64, seed: int
) -> tuple[UInt8[torch.Tensor, "n 3 h w"], UInt8[torch.Tensor, "n h w"]]:
    """``count`` drawn faces (n, 3, size, size) and their masks (n, size, size) of :data:`TOY_FACE_PARTS`.

    About 15 ms a face at 64 pixels. A larger count begins with the same faces.

    >>> images, masks = toy_faces(2, size=16, seed=0)
    >>> images.shape, masks.shape, int(masks.max()) < len(TOY_FACE_PARTS)
    (torch.Size([2, 3, 16, 16]), torch.Size([2, 16, 16]), True)
    """
    check_positive(count, name="count")
    drawn = [draw_face(seed, number, _check_size(size)) for number in range(count)]
    return torch.stack([image for image, _ in drawn]), torch.stack([mask for _, mask in drawn])


class ToyFaceSource(Source):
    """Toy faces ``first`` to ``first + count`` of ``seed``, drawn when they are read.

    ``column("mask")`` has their masks (1, size, size).

    >>> ToyFaceSource(count=2, size=16, seed=0).read(1).shape
    torch.Size([3, 16, 16])
    """

    def __init__(self, *, count: int, size: int, seed: int, first: int = 0) -> None:
        check_positive(count, name="count")
        self.size, self.seed = _check_size(size), seed
        self.numbers = range(first, first + count)
        self.names = [f"{number:05d}" for number in self.numbers]
        self.table = pd.DataFrame(index=range(count))

    @property
    def fingerprint(self) -> str:
        """What decides the drawings."""
        decided = ("toy faces", REVISION, self.seed, self.size, self.numbers)
        return digest(map(str, decided))

    def read(self, index: int) -> UInt8[torch.Tensor, "c h w"]:
        """Draw face ``index``."""
        return draw_face(self.seed, self.numbers[index], self.size)[0]

    def column(self, name: str) -> Source:
        """The masks, as ``"mask"``."""
        if name != "mask":
            hint = "toy faces have masks"
            raise InputError(error_line("column", expected="'mask'", got=repr(name), hint=hint))
        return ToyFaceMasks(self)


def named_toy_faces(split: str) -> ToyFaceSource:
    """The named data set: split ``train``, ``test`` or ``all``, 64 x 64, seed 0.

    >>> len(named_toy_faces("test"))
    1000
    """
    counts = SPLITS if split == "all" else {split: SPLITS[split]}
    first = SPLITS["train"] if split == "test" else 0
    faces = ToyFaceSource(count=sum(counts.values()), size=64, seed=0, first=first)
    faces.table["split"] = [name for name, count in counts.items() for _ in range(count)]
    return faces


class ToyFaceMasks(Source):
    """The masks of a source of toy faces.

    >>> ToyFaceMasks(ToyFaceSource(count=2, size=16, seed=0)).read(0).shape
    torch.Size([1, 16, 16])
    """

    def __init__(self, faces: ToyFaceSource) -> None:
        self.faces, self.names, self.table = faces, faces.names, faces.table

    @property
    def fingerprint(self) -> str:
        """The faces', and that these are masks."""
        return digest([self.faces.fingerprint, "mask"])

    def read(self, index: int) -> UInt8[torch.Tensor, "c h w"]:
        """Draw the mask of face ``index``."""
        return draw_face(self.faces.seed, self.faces.numbers[index], self.faces.size)[1][None]


def _check_size(size: int) -> int:
    if size < SMALLEST:
        hint = "draw larger faces and resize them"
        raise InputError(
            error_line("size", expected=f"{SMALLEST} pixels or more", got=str(size), hint=hint)
        )
    return size
