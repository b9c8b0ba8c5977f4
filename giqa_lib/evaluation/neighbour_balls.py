r"""Radii to the k-th neighbour and who lies in whose ball, decided as in float64.

Squared distances come in tiles, :math:`|x|^2 + |y|^2 - 2 x^T y`, first in float32 on rows
centred and scaled together. Their error is at most

.. math:: e = (d / 2 + 8)\, u\, (|x| + |y|)^2, \qquad u = 2^{-24},

(Higham 2002, section 3.1: :math:`d\,u\,|x||y|` a product, in whatever order it is summed,
and the rounding of inputs and norms). A comparison nearer than e is done again as
:math:`\sum (x - y)^2` in float64. Where float32 leaves too much open, the tile is computed
again in float64 first. All of it is torch's: where NumPy's faster product stood between torch's
steps, the two pools of threads kept the processors from one another.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["BallCounts", "Points", "count_in_balls", "squared_radii"]

Array = NDArray[np.float64]
Places = NDArray[np.int64]
# Neighbours kept beyond the k-th, so that the float32 order need not be the right one.
_SPARE = 11
# Share of a tile's comparisons left open above which the tile is computed in float64.
_OPEN_SHARE = 0.005
# Most rows and columns of a tile.
_SIDE = 2048


@dataclass(frozen=True, kw_only=True)
class Points:
    """Rows (n, d) with what tiles need: a centred, scaled float32 copy and its norms."""

    rows: Array
    centre: Array
    scale: float
    single: NDArray[np.float32]
    norms: Array

    @classmethod
    def both(cls, first: Array, second: Array) -> tuple["Points", "Points"]:
        """Both sets about their common mean, of norms at most 1."""
        centre = (first.mean(axis=0) + second.mean(axis=0)) / 2.0
        ends = (end(rows, axis=0) for rows in (first, second) for end in (np.min, np.max))
        largest = max(float(np.abs(end - centre).max()) for end in ends)
        # A power of two changes no digit.
        reach = largest * float(np.sqrt(len(centre)))
        scale = float(2.0 ** np.clip(-np.ceil(np.log2(reach)), -900, 900)) if reach > 0 else 1.0
        return cls._of(first, centre, scale), cls._of(second, centre, scale)

    @classmethod
    def _of(cls, rows: Array, centre: Array, scale: float) -> "Points":
        single = np.empty(rows.shape, dtype=np.float32)
        norms = np.empty(len(rows))
        for part in _parts(len(rows)):
            block = rows[part] - centre
            block *= scale
            single[part] = block
            norms[part] = np.sqrt(np.einsum("ij,ij->i", block, block))
        return cls(rows=rows, centre=centre, scale=scale, single=single, norms=norms)

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, chosen: slice | Places, dtype: torch.dtype) -> NDArray[np.floating]:
        """Centred, scaled rows in that precision."""
        if dtype == torch.float32:
            return self.single[chosen]
        return (self.rows[chosen] - self.centre) * self.scale


@dataclass(frozen=True, kw_only=True)
class BallCounts:
    """See :class:`giqa_lib.evaluation.Neighbourhoods`."""

    real_balls: NDArray[np.int64]
    in_generated: NDArray[np.bool_]
    covered: NDArray[np.bool_]


def squared_radii(points: Points, neighbours: int) -> Array:
    """Squared distance (n,) of each point to its k-th nearest other point, scaled units.

    >>> points, _ = Points.both(np.array([[0.0], [1.0], [4.0]]), np.zeros((1, 1)))
    >>> np.sqrt(squared_radii(points, 1)) / points.scale
    array([1., 1., 3.])
    """
    radii = np.empty(len(points))
    every = np.arange(len(points))
    kept = min(len(points) - 1, neighbours + _SPARE)
    left = _fill_radii(radii, points, every, *_nearest(points, kept), neighbours)
    for part in _parts(len(left)):
        rows = left[part]
        near = _nearest_in_double(points, rows, kept)
        for row in _fill_radii(radii, points, rows, *near, neighbours):
            squares = _direct(points, points, np.full(len(points), row), every)
            squares[row] = np.inf
            radii[row] = np.partition(squares, neighbours - 1)[neighbours - 1]
    return radii


def count_in_balls(
    real: Points, generated: Points, real_radii: Array, generated_radii: Array
) -> BallCounts:
    """Memberships of generated images in real balls and the reverse; squared radii, scaled.

    >>> real, generated = Points.both(np.array([[0.0], [1.0]]), np.array([[0.5], [4.0]]))
    >>> radii = np.array([1.0, 1.0]) * real.scale**2
    >>> count_in_balls(real, generated, radii, radii).real_balls
    array([2, 0])
    """
    found = BallCounts(
        real_balls=np.zeros(len(generated), dtype=np.int64),
        in_generated=np.zeros(len(real), dtype=np.bool_),
        covered=np.zeros(len(real), dtype=np.bool_),
    )
    for rows in _parts(len(real)):
        for columns in _parts(len(generated)):
            places = (real, rows, generated, columns)
            if not _count_tile(found, *places, real_radii, generated_radii, torch.float32):
                _count_tile(found, *places, real_radii, generated_radii, torch.float64)
    return found


def _nearest(points: Points, kept: int) -> tuple[Tensor, Tensor]:
    """The ``kept`` least float32 distances (n, kept) to other points, rising, and to whom.

    A tile serves its rows and its columns: half the products.
    """
    near = torch.full((len(points), kept), torch.inf)
    places = torch.zeros((len(points), kept), dtype=torch.int64)
    for rows in _parts(len(points)):
        for columns in _parts(len(points)):
            if columns.start < rows.start:
                continue
            tile = _tile(points, rows, points, columns, torch.float32)
            if columns.start == rows.start:
                tile.fill_diagonal_(torch.inf)
            else:
                _merge(near[columns], places[columns], tile.T.contiguous(), rows.start)
            _merge(near[rows], places[rows], tile, columns.start)
    return near, places


def _nearest_in_double(points: Points, rows: Places, kept: int) -> tuple[Tensor, Tensor]:
    """As ``_nearest`` for some rows, from float64 tiles."""
    near = torch.full((len(rows), kept), torch.inf, dtype=torch.float64)
    places = torch.zeros((len(rows), kept), dtype=torch.int64)
    for columns in _parts(len(points)):
        tile = _tile(points, rows, points, columns, torch.float64)
        own = np.flatnonzero((rows >= columns.start) & (rows < columns.stop))
        tile[torch.from_numpy(own), torch.from_numpy(rows[own] - columns.start)] = torch.inf
        _merge(near, places, tile, columns.start)
    return near, places


def _merge(near: Tensor, places: Tensor, tile: Tensor, offset: int) -> None:
    """Bring the least of each row of ``tile`` into ``near``, which stays sorted."""
    kept = near.shape[1]
    least = torch.topk(tile, min(kept, tile.shape[1]), dim=1, largest=False, sorted=False)
    values = torch.cat([near, least.values], dim=1)
    found = torch.cat([places, least.indices + offset], dim=1)
    best = torch.topk(values, kept, dim=1, largest=False, sorted=True)
    near.copy_(best.values)
    places.copy_(found.gather(1, best.indices))


def _fill_radii(
    radii: Array, points: Points, rows: Places, near: Tensor, places: Tensor, neighbours: int
) -> Places:
    """Set ``radii`` at ``rows`` where the ``near`` ones suffice; returns the other rows.

    All within twice the error of the k-th are measured again; those below are sure to be nearer.
    """
    width = points.rows.shape[1]
    error = 2.0 * _error(points.norms[rows], float(points.norms.max()), width, near.dtype)
    values = near.numpy().astype(np.float64)
    middle = values[:, neighbours - 1]
    enough = (values.shape[1] == len(points) - 1) | (values[:, -1] > middle + error)
    values, middle, error = values[enough], middle[enough, None], error[enough, None]
    nearer = (values < middle - error).sum(axis=1)
    open_ = (values >= middle - error) & (values <= middle + error)
    squares = np.full(values.shape, np.inf)
    who, column = open_.nonzero()
    others = places.numpy()[enough][who, column]
    squares[who, column] = _direct(points, points, rows[enough][who], others)
    squares.sort(axis=1)
    radii[rows[enough]] = squares[np.arange(len(squares)), neighbours - 1 - nearer]
    return rows[~enough]


def _count_tile(
    found: BallCounts,
    real: Points,
    rows: slice,
    generated: Points,
    columns: slice,
    real_radii: Array,
    generated_radii: Array,
    dtype: torch.dtype,
) -> bool:
    """Add a tile to ``found``; False, and nothing added, if float32 leaves too much open."""
    width = real.rows.shape[1]
    tile = _tile(real, rows, generated, columns, dtype)
    radii = real_radii[rows]
    error = _error(real.norms[rows], float(generated.norms[columns].max()), width, dtype)
    inside, who, whom = _compare(tile, radii[:, None], error[:, None])
    if dtype == torch.float32 and len(who) > _OPEN_SHARE * tile.numel():
        return False
    decided = _direct(real, generated, who + rows.start, whom + columns.start) < radii[who]
    inside[torch.from_numpy(who[decided]), torch.from_numpy(whom[decided])] = True
    found.real_balls[columns] += inside.sum(dim=0).numpy()
    found.covered[rows] |= inside.any(dim=1).numpy()
    # The other balls: one that holds a real image for certain is enough; else ask the open ones.
    radii = generated_radii[columns]
    error = _error(generated.norms[columns], float(real.norms[rows].max()), width, dtype)
    held, who, whom = _compare(tile, radii[None], error[None])
    found.in_generated[rows] |= held.any(dim=1).numpy()
    asked = ~found.in_generated[rows][who]
    who, whom = who[asked], whom[asked]
    decided = _direct(real, generated, who + rows.start, whom + columns.start) < radii[whom]
    found.in_generated[who[decided] + rows.start] = True
    return True


def _compare(tile: Tensor, limit: Array, error: Array) -> tuple[Tensor, Places, Places]:
    """What is below ``limit`` for certain, and the rows and columns where that is open."""
    # The limits are rounded outward, so that float32 comparisons stay certain.
    low = torch.from_numpy(limit - error).to(tile.dtype)
    high = torch.from_numpy(limit + error).to(tile.dtype)
    low = torch.nextafter(low, torch.full_like(low, -torch.inf))
    high = torch.nextafter(high, torch.full_like(high, torch.inf))
    inside = tile < low
    rows, columns = ((tile <= high) ^ inside).nonzero(as_tuple=True)
    return inside, rows.numpy(), columns.numpy()


def _tile(
    first: Points,
    rows: slice | Places,
    second: Points,
    columns: slice,
    dtype: torch.dtype,
) -> Tensor:
    """Squared distances of some rows to some others, of error at most ``_error``."""
    x, y = torch.from_numpy(first.part(rows, dtype)), torch.from_numpy(second.part(columns, dtype))
    tile = torch.addmm(torch.from_numpy(second.norms[columns] ** 2).to(dtype), x, y.T, alpha=-2.0)
    tile += torch.from_numpy(first.norms[rows] ** 2).to(dtype)[:, None]
    return tile


def _error(norms: Array, other: float, width: int, dtype: torch.dtype) -> Array:
    unit = float(torch.finfo(dtype).eps) / 2.0
    values: Array = (width / 2.0 + 8.0) * unit * (norms + other) ** 2
    return values


def _direct(first: Points, second: Points, rows: Places, columns: Places) -> Array:
    """Squared distances of pairs in scaled units, as sums of squared differences."""
    squares = np.empty(len(rows))
    step = max(1, 2**19 // first.rows.shape[1])  # 4 MiB
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        difference = (first.rows[rows[part]] - second.rows[columns[part]]) * first.scale
        squares[part] = np.einsum("ij,ij->i", difference, difference)
    return squares


def _parts(count: int) -> list[slice]:
    """Equal parts, so that few of the products are spent on the half tiles of the diagonal."""
    side = -(-count // max(1, -(-count // _SIDE)))
    return [slice(start, min(start + side, count)) for start in range(0, count, max(1, side))]
