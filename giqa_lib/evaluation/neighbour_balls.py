r"""Radii to the k-th neighbour and who lies in whose ball, decided as in float64.

Squared distances come from one product a block, :math:`|x|^2 + |y|^2 - 2 x^T y`, first in
float32 on rows centred and scaled together. Its error is at most

.. math:: e = (d / 2 + 8)\, u\, (|x| + |y|)^2, \qquad u = 2^{-24},

(Higham 2002, section 3.1: :math:`d\,u\,|x||y|` a product, in whatever order it is summed,
and the rounding of inputs and norms). A comparison nearer than e is done again as
:math:`\sum (x - y)^2` in float64. Where float32 leaves too much open, the block is computed
again in float64 first.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["BallCounts", "Points", "count_in_balls", "squared_radii"]

Array = NDArray[np.float64]
# Neighbours kept beyond the k-th for the check in float64.
_SPARE = 11
# Share of a block's comparisons left open above which the block is computed in float64.
_OPEN_SHARE = 0.005
# Bytes of a distance with the masks over it.
_BYTES = {torch.float32: 8, torch.float64: 12}


@dataclass(frozen=True, kw_only=True)
class Points:
    """Rows (n, d) with what blocks need: a centred, scaled float32 copy and its norms."""

    rows: Array
    centre: Array
    scale: float
    single: Tensor
    norms: Array

    @classmethod
    def both(cls, first: Array, second: Array) -> tuple["Points", "Points"]:
        """Both sets about their common mean, of norms at most 1."""
        centre = (first.mean(axis=0) + second.mean(axis=0)) / 2.0
        largest = max(float(np.abs(rows - centre).max()) for rows in _blocks(first, second))
        # A power of two changes no digit.
        reach = largest * float(np.sqrt(len(centre)))
        scale = float(2.0 ** np.clip(-np.ceil(np.log2(reach)), -900, 900)) if reach > 0 else 1.0
        return cls._of(first, centre, scale), cls._of(second, centre, scale)

    @classmethod
    def _of(cls, rows: Array, centre: Array, scale: float) -> "Points":
        single = np.empty(rows.shape, dtype=np.float32)
        norms = np.empty(len(rows))
        for start in range(0, len(rows), 1024):
            block = (rows[start : start + 1024] - centre) * scale
            single[start : start + 1024] = block
            norms[start : start + 1024] = np.sqrt(np.einsum("ij,ij->i", block, block))
        return cls(
            rows=rows, centre=centre, scale=scale, single=torch.from_numpy(single), norms=norms
        )

    def slice(self, start: int, stop: int, dtype: torch.dtype) -> Tensor:
        """Centred, scaled rows start..stop in that precision."""
        if dtype == torch.float32:
            return self.single[start:stop]
        return torch.from_numpy((self.rows[start:stop] - self.centre) * self.scale)


@dataclass(frozen=True, kw_only=True)
class BallCounts:
    """See :class:`giqa_lib.evaluation.Neighbourhoods`."""

    real_balls: NDArray[np.int64]
    in_generated: NDArray[np.bool_]
    covered: NDArray[np.bool_]


def squared_radii(points: Points, neighbours: int, memory_limit: int) -> Array:
    """Squared distance (n,) of each point to its k-th nearest other point, scaled units.

    >>> points, _ = Points.both(np.array([[0.0], [1.0], [4.0]]), np.zeros((1, 1)))
    >>> np.sqrt(squared_radii(points, 1, 2**20)) / points.scale
    array([1., 1., 3.])
    """
    count = len(points.rows)
    radii = np.empty(count)
    step = _step(memory_limit, count, torch.float32)
    for start in range(0, count, step):
        rows = np.arange(start, min(start + step, count))
        for dtype in (torch.float32, torch.float64):
            part = max(1, len(rows) if dtype == torch.float32 else step // 4)
            left = [
                _radii_of(points, rows[place : place + part], neighbours, dtype, radii)
                for place in range(0, len(rows), part)
            ]
            rows = np.concatenate(left) if left else rows
        for row in rows:  # many at the same distance
            squares = _direct(points, points, np.full(count, row), np.arange(count))
            squares[row] = np.inf
            radii[row] = np.partition(squares, neighbours - 1)[neighbours - 1]
    return radii


def _radii_of(
    points: Points, rows: NDArray[np.int64], neighbours: int, dtype: torch.dtype, radii: Array
) -> NDArray[np.int64]:
    """Fill ``radii`` at ``rows`` where this precision suffices; returns the other rows."""
    if len(rows) == 0:
        return rows
    count = len(points.rows)
    queries = points.single[rows] if dtype == torch.float32 else _double(points, rows)
    block = _without_own_norm(queries, points, dtype)
    block[torch.arange(len(rows)), torch.from_numpy(rows)] = torch.inf
    kept = min(count - 1, neighbours + _SPARE)
    near, places = torch.topk(block, kept, dim=1, largest=False, sorted=True)
    error = _error(points.norms[rows], float(points.norms.max()), points.rows.shape[1], dtype)
    values = near.numpy().astype(np.float64)
    limit = values[:, neighbours - 1] + 2.0 * error
    enough = (kept == count - 1) | (values[:, -1] > limit)
    chosen = np.flatnonzero(enough)
    first = np.repeat(rows[chosen], kept)
    squares = _direct(points, points, first, places.numpy()[chosen].ravel()).reshape(-1, kept)
    radii[rows[chosen]] = np.partition(squares, neighbours - 1, axis=1)[:, neighbours - 1]
    return rows[~enough]


def count_in_balls(
    real: Points, generated: Points, real_radii: Array, generated_radii: Array, memory_limit: int
) -> BallCounts:
    """Memberships of generated images in real balls and the reverse, in blocks of real rows.

    >>> real, generated = Points.both(np.array([[0.0], [1.0]]), np.array([[0.5], [4.0]]))
    >>> radii = np.array([1.0, 1.0]) * real.scale**2
    >>> count_in_balls(real, generated, radii, radii, 2**20).real_balls
    array([2, 0])
    """
    found = BallCounts(
        real_balls=np.zeros(len(generated.rows), dtype=np.int64),
        in_generated=np.zeros(len(real.rows), dtype=np.bool_),
        covered=np.zeros(len(real.rows), dtype=np.bool_),
    )
    step = _step(memory_limit, len(generated.rows), torch.float32)
    for start in range(0, len(real.rows), step):
        stop = min(start + step, len(real.rows))
        if not _count_block(found, real, generated, real_radii, generated_radii, start, stop):
            part = max(1, step // 4)
            for inner in range(start, stop, part):
                end = min(inner + part, stop)
                _count_block(
                    found, real, generated, real_radii, generated_radii, inner, end, double=True
                )
    return found


def _count_block(
    found: BallCounts,
    real: Points,
    generated: Points,
    real_radii: Array,
    generated_radii: Array,
    start: int,
    stop: int,
    double: bool = False,
) -> bool:
    """Add real rows start..stop to ``found``; False, and nothing added, if too much is open."""
    dtype = torch.float64 if double else torch.float32
    width = real.rows.shape[1]
    block = _without_own_norm(real.slice(start, stop, dtype), generated, dtype)
    own = real.norms[start:stop] ** 2
    radii = real_radii[start:stop]
    error = _error(real.norms[start:stop], float(generated.norms.max()), width, dtype)
    inside, open_ = _compare(block, (radii - own)[:, None], error[:, None], dtype)
    if not double and len(open_[0]) > _OPEN_SHARE * block.numel():
        return False
    rows, columns = open_
    decided = _direct(real, generated, rows + start, columns) < radii[rows]
    inside[torch.from_numpy(rows[decided]), torch.from_numpy(columns[decided])] = True
    # The other balls: a real image needs one that holds it for certain, else the open ones.
    block += torch.from_numpy(own).to(dtype)[:, None]
    error = _error(generated.norms, float(real.norms[start:stop].max()), width, dtype)
    held, open_ = _compare(block, generated_radii[None], error[None], dtype)
    sure = held.any(dim=1).numpy()
    rows, columns = open_
    asked = ~sure[rows]
    rows, columns = rows[asked], columns[asked]
    decided = _direct(real, generated, rows + start, columns) < generated_radii[columns]
    sure[rows[decided]] = True
    found.real_balls[:] += inside.sum(dim=0).numpy()
    found.covered[start:stop] = inside.any(dim=1).numpy()
    found.in_generated[start:stop] = sure
    return True


def _compare(
    block: Tensor, limit: Array, error: Array, dtype: torch.dtype
) -> tuple[Tensor, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """What is below ``limit`` for certain, and the places where that is open."""
    # The limits are rounded outward, so that float32 comparisons stay certain.
    low = torch.from_numpy(limit - error).to(dtype)
    high = torch.from_numpy(limit + error).to(dtype)
    low = torch.nextafter(low, torch.full_like(low, -torch.inf))
    high = torch.nextafter(high, torch.full_like(high, torch.inf))
    inside = block < low
    rows, columns = ((block <= high) ^ inside).nonzero(as_tuple=True)
    return inside, (rows.numpy(), columns.numpy())


def _without_own_norm(queries: Tensor, points: Points, dtype: torch.dtype) -> Tensor:
    """:math:`|y|^2 - 2 x^T y` for queries x (b, d) and all points y."""
    squares = torch.from_numpy(points.norms**2).to(dtype)
    if dtype == torch.float32:
        return torch.addmm(squares, queries, points.single.T, alpha=-2.0)
    block = squares.expand(len(queries), -1).clone()
    for start in range(0, len(points.rows), 1024):
        stop = start + 1024
        block[:, start:stop].addmm_(queries, points.slice(start, stop, dtype).T, alpha=-2.0)
    return block


def _double(points: Points, rows: NDArray[np.int64]) -> Tensor:
    return torch.from_numpy((points.rows[rows] - points.centre) * points.scale)


def _error(norms: Array, other: float, width: int, dtype: torch.dtype) -> Array:
    unit = float(torch.finfo(dtype).eps) / 2.0
    values: Array = (width / 2.0 + 8.0) * unit * (norms + other) ** 2
    return values


def _direct(
    first: Points, second: Points, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> Array:
    """Squared distances of pairs in scaled units, as sums of squared differences."""
    squares = np.empty(len(rows))
    step = max(1, 2**21 // first.rows.shape[1])  # 16 MiB
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        difference = (first.rows[rows[part]] - second.rows[columns[part]]) * first.scale
        squares[part] = np.einsum("ij,ij->i", difference, difference)
    return squares


def _step(memory_limit: int, columns: int, dtype: torch.dtype) -> int:
    return max(1, min(4096, memory_limit // (_BYTES[dtype] * columns)))


def _blocks(*arrays: Array) -> list[Array]:
    return [rows[start : start + 1024] for rows in arrays for start in range(0, len(rows), 1024)]
