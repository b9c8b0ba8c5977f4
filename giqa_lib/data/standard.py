"""Readers of the formats in which the standard sets are distributed, into memory.

IDX (MNIST, Fashion-MNIST; LeCun's format: two zero bytes, a type, the number of axes, the
axes as big-endian 32-bit numbers, the data), the Python batches of CIFAR, and scikit-learn's
digits. At most 184 MB of pixels.
"""

import gzip
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from numpy.typing import NDArray

from giqa_lib.checks import InputError, error_line
from giqa_lib.data.arrays import ArraySource

__all__ = ["find_idx", "read_cifar", "read_digits", "read_idx", "read_idx_split"]

_IDX_UINT8 = 8
_IDX_STEMS = {"train": "train", "test": "t10k"}
_CIFAR_SAFE = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


def read_idx(path: Path) -> UInt8[np.ndarray, "..."]:
    """The array in an IDX file of unsigned bytes, packed by gzip or not."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read()
        zero, kind, axes = struct.unpack_from(">HBB", data)
        shape = struct.unpack_from(f">{axes}I", data, 4)
    except (OSError, EOFError, struct.error) as error:
        raise _broken(path, str(error)) from error
    start = 4 + 4 * axes
    expected = start + int(np.prod(shape, dtype=np.int64))
    if zero != 0 or kind != _IDX_UINT8 or len(data) != expected:
        raise _broken(path, f"{len(data)} bytes, type {kind}, shape {shape}")
    return np.frombuffer(bytearray(data), np.uint8, offset=start).reshape(shape)


def find_idx(folder: Path, split: str) -> tuple[Path, Path] | None:
    """The image and the label file of a split in a folder, if both are there."""
    found = []
    for what in ("images-idx3-ubyte", "labels-idx1-ubyte"):
        names = (f"{_IDX_STEMS[split]}-{what}", f"{_IDX_STEMS[split]}-{what}.gz")
        files = [folder / name for name in names if (folder / name).is_file()]
        if not files:
            return None
        found.append(files[0])
    return found[0], found[1]


def read_idx_split(folder: Path, split: str) -> ArraySource:
    """Images (n, 1, h, w) with labels from a folder of IDX files."""
    files = find_idx(folder, split)
    if files is None:
        raise _broken(folder, f"no pair of {_IDX_STEMS[split]}-*-ubyte files")
    images, labels = read_idx(files[0]), read_idx(files[1])
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise _broken(folder, f"images {images.shape} with labels {labels.shape}")
    return ArraySource(images[:, None], _labels(labels, split))


def read_cifar(folder: Path, split: str) -> ArraySource:
    """Images (n, 3, 32, 32) with labels from CIFAR-10's or CIFAR-100's Python batches.

    The files are pickles: only NumPy arrays and plain containers are let through.
    """
    fine = (folder / "train").is_file()
    ten = [f"data_batch_{number}" for number in range(1, 6)] if split == "train" else ["test_batch"]
    parts = [_unpickle(folder / name) for name in ([split] if fine else ten)]
    pixels = np.concatenate([part[b"data"] for part in parts]).reshape(-1, 3, 32, 32)
    labels = np.concatenate([part[b"fine_labels" if fine else b"labels"] for part in parts])
    table = _labels(labels, split)
    if fine:
        table["coarse_label"] = np.concatenate([part[b"coarse_labels"] for part in parts])
    return ArraySource(np.ascontiguousarray(pixels), table)


def read_digits(split: str) -> ArraySource:
    """scikit-learn's digits as uint8 (n, 1, 8, 8): 0..16 scaled to 0..255, rounded."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    # within each digit: the digits follow each other in a pattern that a stride would meet
    test = (pd.Series(bunch.target).groupby(bunch.target).cumcount() % 5 == 4).to_numpy()
    chosen = test if split == "test" else ~test
    pixels = np.round(bunch.images[chosen] * (255 / 16)).astype(np.uint8)
    return ArraySource(pixels[:, None], _labels(bunch.target[chosen], split))


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _CIFAR_SAFE:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a CIFAR file")
        return super().find_class(module, name)


def _unpickle(path: Path) -> dict[bytes, Any]:
    try:
        with path.open("rb") as file:
            content = _ArrayUnpickler(file, encoding="bytes").load()
    except Exception as error:  # a broken pickle raises of every kind
        raise _broken(path, str(error)) from error
    if not isinstance(content, dict):
        raise _broken(path, type(content).__name__)
    return content


def _labels(labels: NDArray[Any], split: str) -> pd.DataFrame:
    return pd.DataFrame({"label": np.asarray(labels, dtype=np.int64), "split": split})


def _broken(path: Path, got: str) -> InputError:
    hint = "remove it and fetch the data set again"
    return InputError(error_line(str(path), expected="a whole file", got=got, hint=hint))
