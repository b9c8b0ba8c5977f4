"""Fixed row blocks: what makes a score independent of the batch it is computed in.

A matrix product rounds differently when its shape changes, so scoring one image alone and
the same image among a thousand would differ in the last bits. Here every product has one
shape, whatever the batch: rows come in blocks of a fixed number, the last one padded with
zeros, and columns are padded to a multiple of 16, since BLAS kernels treat the odd columns
at an edge in another order (measured with MKL: with unpadded, transposed operands up to all
rows of a block moved by an ulp when the rows were permuted; padded and row-major, none).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = [
    "COLUMN_MULTIPLE",
    "full_float32",
    "pad_block",
    "padded_width",
    "row_blocks",
    "to_torch",
]

COLUMN_MULTIPLE = 16


def padded_width(width: int) -> int:
    """The next multiple of 16.

    >>> padded_width(17)
    32
    """
    return -(-width // COLUMN_MULTIPLE) * COLUMN_MULTIPLE


def row_blocks(count: int, rows: int) -> Iterator[slice]:
    """Slices of at most ``rows`` rows that cover 0..count.

    >>> list(row_blocks(3, 2))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    for start in range(0, count, rows):
        yield slice(start, min(start + rows, count))


def pad_block(block: Tensor, rows: int, columns: int) -> Tensor:
    """``block`` (n, d) with zeros up to (rows, columns); itself if it has that shape.

    >>> pad_block(torch.ones(1, 2), 2, 3).sum().item()
    2.0
    """
    if block.shape == (rows, columns):
        return block
    padded = block.new_zeros(rows, columns)
    padded[: block.shape[0], : block.shape[1]] = block
    return padded


def to_torch(array: NDArray[np.floating], device: torch.device) -> Tensor:
    """``array`` as a tensor of its own type there; shares memory where it can.

    >>> to_torch(np.ones(2), torch.device("cpu")).dtype
    torch.float64
    """
    if not array.flags.writeable or any(stride < 0 for stride in array.strides):
        array = array.copy()  # torch warns of read-only arrays and refuses negative strides
    return torch.from_numpy(array).to(device=device)


@contextmanager
def full_float32() -> Iterator[None]:
    """Products in true float32: no TF32 on a GPU, no bfloat16 on a CPU; restored afterwards.

    The error bounds of the callers hold for 24-bit products only.

    >>> with full_float32():
    ...     torch.get_float32_matmul_precision()
    'highest'
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
