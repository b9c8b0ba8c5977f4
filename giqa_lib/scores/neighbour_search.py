r"""Exact distances to the K nearest of many references, K small or in the thousands.

.. math:: \lVert x - r \rVert^2 = \lVert x \rVert^2 - 2 x \cdot r + \lVert r \rVert^2

is one matrix product, which float32 does fast and cancels badly for close pairs (at d = 2048
a true distance of 0.01 comes out 220 % wrong). So the product, on centred data, only chooses
and measures the bulk; the nearest are measured again in float64 from the differences:

* K <= 64: all K, and a rigorous bound of the product's error certifies that no other
  reference can be among them (else more candidates are measured), so distances are exact to
  float64 rounding;
* K > 64: the nearest 16. The others err by some 1e-6 relative; where they come so close that
  float32 would cancel, the product is made again in float64 and all K are measured.

The norms ride along as extra columns, so one product gives the squared distance; as these are
positive but for rounding, their bit patterns order like integers, which selects faster.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from giqa_lib.scores.blocks import full_float32, pad_block, padded_width, row_blocks

__all__ = ["Distances", "References", "nearest"]

_EXACT_NEIGHBOURS = 64
_SPARE_CANDIDATES = 32
_REMEASURED = 16
_CANCELLATION = 2e-3  # squared distance over (2 |x|)^2 below which float32 is not trusted
_PREPARED_ELEMENTS = 2**19  # made at once when fitting: stays in the cache
_UNIT_ROUNDOFF = {torch.float32: 2.0**-24, torch.float64: 2.0**-53}
_BITS = {torch.float32: torch.int32, torch.float64: torch.int64}


@dataclass(frozen=True, kw_only=True, eq=False)
class Distances:
    """K distances a query, in no order: squared for L2, plain for L1; and which references."""

    values: Float[Tensor, "n k"]
    indices: Int[Tensor, "n k"]


class References:
    """The reference features, prepared for :func:`nearest`.

    ``points`` (n, d) are kept, not copied; beside them stands a copy in ``dtype``, centred,
    scaled by a power of two and transposed. ``rows`` queries are measured at once.
    """

    def __init__(
        self,
        points: Tensor,
        *,
        metric: str,
        dtype: torch.dtype,
        rows: int,
        memory_limit: int,
    ) -> None:
        count, width = points.shape
        self.points = points
        self.metric = metric
        self.dtype = dtype
        self.rows = rows
        self.memory_limit = memory_limit
        self.centre = _mean(points)
        self.padded = padded_width(width + 2)
        self.lengths = torch.empty(count, dtype=torch.float64, device=points.device)
        pieces = list(row_blocks(count, max(1, _PREPARED_ELEMENTS // width)))
        for piece in pieces:
            self.lengths[piece] = torch.linalg.vector_norm(self.shifted(points[piece]), dim=1)
        self.longest = float(self.lengths.max())
        # A power of two: dividing by it is exact, and float32 cannot overflow.
        self.scale = 2.0 ** math.ceil(math.log2(self.longest)) if self.longest > 0 else 1.0
        height = width if metric == "l1" else self.padded
        self.columns = torch.empty(height, count, dtype=dtype, device=points.device)
        for piece in pieces:
            self._build(piece, self.columns[:, piece])
        if metric == "l1":
            self.columns = self.columns.T.contiguous()

    def shifted(self, points: Tensor) -> Tensor:
        """Float64 points about the references' mean."""
        return torch.sub(points, self.centre)  # of two types: one pass, without a copy

    def left(self, queries: Tensor, dtype: torch.dtype) -> Tensor:
        """Queries (b, d) float64 as rows of the product, (rows, padded); L1: (b, d)."""
        shifted = self.shifted(queries) / self.scale
        if self.metric == "l1":
            return shifted.to(dtype)
        square = shifted.square().sum(1, keepdim=True)
        one = torch.ones_like(square)
        full = torch.cat([-2.0 * shifted, one, square], dim=1).to(dtype)
        return pad_block(full, self.rows, self.padded)

    def _build(self, piece: slice, columns: Tensor) -> None:
        """Fill columns of the product for some references: centred, squared norm, one."""
        shifted = self.shifted(self.points[piece]).div_(self.scale).to(columns.dtype)
        width = self.points.shape[1]
        columns[:width] = shifted.T
        if self.metric != "l1":
            columns[width] = (self.lengths[piece] / self.scale).square_()
            columns[width + 1] = 1.0
            columns[width + 2 :] = 0.0

    def right(self, piece: slice, dtype: torch.dtype) -> Tensor:
        """The other operand: kept in ``self.dtype``, made anew in another."""
        if dtype != self.dtype:
            columns = self.columns.new_empty(self.padded, piece.stop - piece.start, dtype=dtype)
            self._build(piece, columns)
            return columns
        return self.columns[piece] if self.metric == "l1" else self.columns[:, piece]

    def buffer(self) -> Tensor:
        """Memory for one block of distances, for :func:`nearest` to use again and again."""
        size = self.rows * self.chunk(self.dtype)
        return torch.empty(size, dtype=self.dtype, device=self.points.device)

    def chunk(self, dtype: torch.dtype) -> int:
        """References measured at once: half the memory limit is for their distances."""
        size = dtype.itemsize * self.rows
        if dtype != self.dtype:
            size += 3 * dtype.itemsize * self.padded
        count = len(self.points)
        return max(min(count, 1024), min(count, self.memory_limit // 2 // size))


def _mean(points: Tensor) -> Tensor:
    total = torch.zeros(points.shape[1], dtype=torch.float64, device=points.device)
    for piece in row_blocks(len(points), max(1, _PREPARED_ELEMENTS // points.shape[1])):
        total += points[piece].double().sum(0)
    return total / len(points)


def _candidates(
    queries: Tensor,
    references: References,
    count: int,
    dtype: torch.dtype,
    buffer: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """The ``count`` nearest by the fast distance (scaled), and their indices; (b, count) each."""
    left = references.left(queries, dtype)
    best = torch.empty(len(queries), 0, dtype=_BITS[dtype], device=queries.device)
    where = torch.empty(len(queries), 0, dtype=torch.int64, device=queries.device)
    chunk = references.chunk(dtype)
    if buffer is None or buffer.dtype != dtype:
        buffer = left.new_empty(references.rows * chunk)
    for piece in row_blocks(len(references.points), chunk):
        right = references.right(piece, dtype)
        if references.metric == "l1":
            distances = torch.cdist(left, right, p=1.0)
        else:  # in place: fresh memory for each block costs a good part of the product
            distances = torch.mm(
                left, right, out=buffer[: left.shape[0] * right.shape[1]].view(left.shape[0], -1)
            )
        bits = distances[: len(queries)].view(_BITS[dtype])
        found = bits.topk(min(count, bits.shape[1]), dim=1, largest=False, sorted=False)
        best = torch.cat([best, found.values], dim=1)
        where = torch.cat([where, found.indices + piece.start], dim=1)
        if best.shape[1] > count:
            best, order = best.topk(count, dim=1, largest=False, sorted=False)
            where = where.gather(1, order)
    return best.view(dtype), where


def _measured(queries: Tensor, indices: Tensor, references: References) -> Tensor:
    """Float64 distances from the differences, (b, k), squared for L2."""
    values = torch.empty(indices.shape, dtype=torch.float64, device=indices.device)
    cost = indices.shape[1] * queries.shape[1] * 24
    for piece in row_blocks(len(queries), max(1, references.memory_limit // 4 // cost)):
        difference = references.points[indices[piece]].double()
        difference -= queries[piece, None, :]
        if references.metric == "l1":
            values[piece] = difference.abs_().sum(2)
        else:
            values[piece] = difference.square_().sum(2)
    return values


def _reach(queries: Tensor, references: References) -> Tensor:
    """(|x| + max |r|)^2 of the centred query, (b,): what cancellation is measured against."""
    return (torch.linalg.vector_norm(references.shifted(queries), dim=1) + references.longest) ** 2


def _all_exact(
    queries: Tensor, references: References, neighbours: int, count: int, buffer: Tensor | None
) -> Distances:
    """The nearest few in float64, certified: see the module's head."""
    total = len(references.points)
    count = min(count, total)
    fast, indices = _candidates(queries, references, count, references.dtype, buffer)
    # The sorted order makes sums over the neighbours independent of how they were found.
    values, order = _measured(queries, indices, references).sort(dim=1, stable=True)
    values, indices = values[:, :neighbours], indices.gather(1, order[:, :neighbours])
    if count == total:
        return Distances(values=values, indices=indices)
    roundings = (references.padded + 16) * _UNIT_ROUNDOFF[references.dtype]
    power = 1 if references.metric == "l1" else 2
    reach = _reach(queries, references)
    if references.metric == "l1":
        reach = queries.shape[1] ** 0.5 * reach.sqrt()
    error = roundings / (1 - roundings) * reach
    outside = fast.double().amax(1) * references.scale**power - error
    doubtful = ~(outside >= values[:, -1])
    if bool(doubtful.any()):
        again = _all_exact(queries[doubtful], references, neighbours, count * 8, buffer)
        values[doubtful], indices[doubtful] = again.values, again.indices
    return Distances(values=values, indices=indices)


def _mostly_fast(
    queries: Tensor, references: References, neighbours: int, buffer: Tensor | None
) -> Distances:
    """Many neighbours: the nearest in float64, the bulk by the fast distance."""
    fast, indices = _candidates(queries, references, neighbours, references.dtype, buffer)
    power = 1 if references.metric == "l1" else 2
    values = fast.double() * references.scale**power
    few = fast.topk(_REMEASURED + 1, dim=1, largest=False, sorted=True)
    positions = few.indices[:, :_REMEASURED]
    close = _measured(queries, indices.gather(1, positions), references)
    beyond = few.values[:, -1].double() * references.scale**2
    values.scatter_(1, positions, close)
    if references.metric == "l1":  # sums of absolute values do not cancel
        return Distances(values=values, indices=indices)
    # A reference this close is about as long as the query, so the terms that cancel are too.
    lengths = torch.linalg.vector_norm(references.shifted(queries), dim=1)
    doubtful = ~(beyond >= _CANCELLATION * (2.0 * lengths) ** 2)
    if bool(doubtful.any()):
        close_ones = queries[doubtful]
        _, again = _candidates(close_ones, references, neighbours, torch.float64)
        indices[doubtful] = again
        values[doubtful] = _measured(close_ones, again, references)
    return Distances(values=values, indices=indices)


def nearest(
    queries: Float[Tensor, "b d"],
    references: References,
    neighbours: int,
    *,
    buffer: Tensor | None = None,
) -> Distances:
    """Distances to the ``neighbours`` nearest references of at most ``references.rows`` queries.

    ``queries`` float64 on the references' device. The result for a query does not depend on
    the other queries, bit for bit on a CPU. ``buffer`` is ``references.buffer()``, made once
    for many calls.

    >>> points = torch.tensor([[0.0], [3.0], [5.0]])
    >>> options = dict(metric="l2", dtype=torch.float32, rows=16, memory_limit=2**20)
    >>> nearest(torch.tensor([[1.0]]).double(), References(points, **options), 2).values
    tensor([[1., 4.]], dtype=torch.float64)
    """
    with full_float32():
        if neighbours <= _EXACT_NEIGHBOURS:
            count = neighbours + _SPARE_CANDIDATES
            return _all_exact(queries, references, neighbours, count, buffer)
        return _mostly_fast(queries, references, neighbours, buffer)
