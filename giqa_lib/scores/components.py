r"""Log-densities of Gaussian components at many points: the E step's and the score's one cost.

.. math:: \log w_k p(x \mid k) = \log w_k - \tfrac d2 \log 2\pi + \tfrac12 \log\det\Lambda_k
    - \tfrac12 \lVert (x - \mu_k)^T U_k \rVert^2, \qquad \Lambda_k = U_k U_k^T

(GIQA, Eq. 7). With full covariances this is M products of n x d by d x d. Two facts make it
cheap. U is triangular, so a block of columns needs only the rows above its end. And in many
dimensions all but one or two components are negligible, which a part of the columns shows, as
the others can only add to the norm. So the first columns are computed in float32 for all
components, with a rigorous bound on the rounding error; the component that looks best then is
computed in float64, from ``x - mean`` directly; and after it those that may still matter
beside it, given up half-way where their first columns in float64 exclude them.

A component is negligible (minus infinity) where its share of the density is below
:math:`2^{-54} / M`: together they lie below half a unit in the last place. That is decided
once more at the end, by the float64 values alone; the float32 pass only spares work, and its
own rounding, which may depend on the batch, cannot show. All other products have one shape:
see :mod:`giqa_lib.scores.blocks`.
"""

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from giqa_lib.scores.blocks import full_float32, pad_block, padded_width, row_blocks
from giqa_lib.scores.covariance import log_det_precision_cholesky

__all__ = ["Components", "log_joint", "log_joint_differentiable"]

_PANEL = 32  # columns of U in one product: narrower wastes the kernel, wider the triangle
_EXACT_ROWS = 128
_SCREEN_MIN_COMPONENTS = 3
_SCREEN_MIN_WIDTH = 32  # and the fewest columns that the screen looks at
_SCREEN_SHARE = 0.6  # of the columns: with fewer, too many components are left to measure
_SCREEN_ROWS = 256  # their images for all components stay in the cache
_CHUNK_ELEMENTS = 2**22
_UNIT_ROUNDOFF = 2.0**-24


@dataclass(frozen=True, kw_only=True, eq=False)
class Components:
    """Parameters of M Gaussian components, and what is derived from them once.

    ``weights`` (m,), ``means`` (m, d), ``factor`` the precisions' Cholesky factor in the shape
    of ``covariance_type``; all float64 on one device. ``single`` makes products in float32.

    >>> one = torch.ones(1, dtype=torch.float64)
    >>> c = Components(weights=one, means=one[:, None], factor=one, covariance_type="spherical")
    >>> log_joint(one[:, None], c)
    tensor([[-0.9189]], dtype=torch.float64)
    """

    weights: Float[Tensor, " m"]
    means: Float[Tensor, "m d"]
    factor: Tensor
    covariance_type: str
    single: bool = False
    centre: Tensor = field(init=False)
    constants: Tensor = field(init=False)
    panels: "_Panels | None" = field(init=False)
    screen: "_Screen | None" = field(init=False)

    def __post_init__(self) -> None:
        width = self.means.shape[1]
        # Subtracting one common point first keeps an offset of the features from cancelling.
        centre = (self.weights / self.weights.sum()) @ self.means
        log_det = log_det_precision_cholesky(self.factor, self.covariance_type, width)
        constants = self.weights.log() - 0.5 * width * math.log(2 * math.pi) + log_det
        panels, screen = None, None
        if self.covariance_type == "full":
            if len(self.means) >= _SCREEN_MIN_COMPONENTS and width >= _SCREEN_MIN_WIDTH:
                screen = _Screen(self.means - centre, self.factor)
            else:
                panels = _Panels(self.means - centre, self.factor, self.dtype)
        object.__setattr__(self, "centre", centre)
        object.__setattr__(self, "constants", constants)
        object.__setattr__(self, "panels", panels)
        object.__setattr__(self, "screen", screen)

    @property
    def dtype(self) -> torch.dtype:
        """Of the products."""
        return torch.float32 if self.single else torch.float64

    @property
    def rows(self) -> int:
        """Rows in one block: fewer where a row costs more, so that one image stays cheap."""
        count, width = self.means.shape
        return 256 if count * width * width <= 2**23 else 128


class _Panels:
    """Column blocks of all the factors side by side: (rows above, m * block) each."""

    def __init__(self, means: Tensor, factor: Tensor, dtype: torch.dtype) -> None:
        count, width = means.shape
        self.count = count
        self.padded = padded_width(width)
        shifts = torch.stack([mean @ upper for mean, upper in zip(means, factor, strict=True)])
        self.blocks: list[tuple[Tensor, Tensor]] = []
        for columns in row_blocks(self.padded, _PANEL):
            start, stop = columns.start, columns.stop
            block = torch.zeros(stop, count, stop - start, dtype=dtype, device=factor.device)
            shift = torch.zeros(count, stop - start, dtype=dtype, device=factor.device)
            last = min(stop, width)
            if start < last:
                block[:last, :, : last - start] = factor[:, :last, start:last].transpose(0, 1)
                shift[:, : last - start] = shifts[:, start:last]
            self.blocks.append((block.reshape(stop, -1), shift.reshape(-1)))

    def norms(self, points: Tensor) -> Tensor:
        """Norms of (x - mean)^T U for each padded row and component, (rows, m)."""
        squares = points.new_zeros(len(points), self.count)
        for block, shift in self.blocks:
            image = torch.addmm(shift, points[:, : block.shape[0]], block, beta=-1)
            image = image.view(len(points), self.count, -1)
            squares += torch.linalg.vector_norm(image, dim=2).square_()
        return squares.sqrt_()


def _panel_log_joint(points: Tensor, components: Components, panels: _Panels) -> Tensor:
    rows = components.rows
    centred = (points - components.centre).to(components.dtype)
    norms = torch.cat(
        [
            panels.norms(pad_block(centred[piece], rows, panels.padded))[: piece.stop - piece.start]
            for piece in row_blocks(len(points), rows)
        ]
    )
    return components.constants - 0.5 * norms.double().square_()


class _Screen:
    """The first columns of all the factors in float32: what excludes most components."""

    def __init__(self, means: Tensor, factor: Tensor) -> None:
        width = means.shape[1]
        self.columns = min(width, max(_SCREEN_MIN_WIDTH, padded_width(int(width * _SCREEN_SHARE))))
        means, upper = means[:, : self.columns], factor[:, : self.columns, : self.columns]
        self.panels = _Panels(means, upper, torch.float32)
        self.factor_norms = torch.linalg.matrix_norm(upper)
        self.mean_norms = torch.linalg.vector_norm(means, dim=1)
        #: Column blocks of the products in :func:`_measure`, first what the screen looks at.
        self.pieces = [slice(0, self.columns)]
        if self.columns < width:
            self.pieces.append(slice(self.columns, width))

    def norms(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Norms of the first columns of (x - mean)^T U, (n, m) float64, and their least.

        A float32 product of length n errs by at most gamma |x| |u|, gamma = n u / (1 - n u)
        (Higham, Accuracy and Stability, section 3.1); n counts the roundings of the operands
        too, and the bound stands twice, since what it is held against, the products of
        :func:`_measure`, may be float32 as well.
        """
        points = points[:, : self.columns]
        single = pad_block(points.float(), len(points), self.panels.padded)
        pieces = row_blocks(len(points), _SCREEN_ROWS)
        norms = torch.cat([self.panels.norms(single[piece]) for piece in pieces]).double()
        terms = (self.columns + 8) * _UNIT_ROUNDOFF
        gamma = 2 * terms / (1.0 - terms)
        lengths = torch.linalg.vector_norm(points, dim=1, keepdim=True)
        error = gamma * (lengths + self.mean_norms) * self.factor_norms
        return norms, (norms * (1 - gamma) - error).clamp_(min=0)


def _screened_log_joint(points: Tensor, components: Components, screen: _Screen) -> Tensor:
    """Log-densities where they matter, minus infinity elsewhere."""
    norms, least = screen.norms(points - components.centre)
    constants, width = components.constants, points.shape[1]
    gap = 54 * math.log(2) + math.log(len(constants))
    likely = constants - 0.5 * norms.square_() * (width / screen.columns)
    first = torch.zeros_like(norms, dtype=torch.bool)
    first.scatter_(1, likely.argmax(1, keepdim=True), value=True)
    out = torch.full_like(norms, -math.inf)
    floor = torch.full_like(norms[:, 0], -math.inf)
    _measure(points, first, floor, out, components, screen)
    floor = out.amax(1) - gap
    most = constants - 0.5 * least.square_()
    # Negated, so that an overflow (NaN) keeps the component.
    others = ~(most < floor[:, None]) & ~first
    _measure(points, others, floor, out, components, screen)
    return out.masked_fill_(out < out.amax(1, keepdim=True) - gap, -math.inf)


def _measure(
    points: Tensor,
    chosen: Tensor,
    floor: Tensor,
    out: Tensor,
    components: Components,
    screen: _Screen,
) -> None:
    """Fill ``out`` where ``chosen``; what falls below ``floor`` may be left as it is."""
    wanted = chosen.T.contiguous()
    padded = padded_width(points.shape[1])
    for k, (mean, upper) in enumerate(zip(components.means, components.factor, strict=True)):
        rows = wanted[k].nonzero().squeeze(1)
        upper = pad_block(upper.to(components.dtype), padded, padded)
        difference = (points[rows] - mean).to(components.dtype)
        squares = torch.zeros(len(rows), dtype=torch.float64, device=points.device)
        for columns in screen.pieces:
            if len(rows) == 0:
                break
            stop = padded_width(columns.stop)
            squares += _squares(difference, upper[:stop, columns.start : stop])
            values = components.constants[k] - 0.5 * squares
            kept = ~(values < floor[rows])
            if not bool(kept.all()):
                rows, difference = rows[kept], difference[kept]
                squares, values = squares[kept], values[kept]
        else:
            out[rows, k] = values


def _squares(difference: Tensor, block: Tensor) -> Tensor:
    """Squared norms of the rows' product with a block, in products of one shape."""
    height = len(block)
    squares = []
    for piece in row_blocks(len(difference), _EXACT_ROWS):
        rows = pad_block(difference[piece, :height], _EXACT_ROWS, height)
        squares.append((rows @ block).square_().sum(1)[: piece.stop - piece.start])
    return torch.cat(squares).double()


def _direct_log_joint(points: Tensor, components: Components) -> Tensor:
    """Tied, diagonal and spherical: differences to the whitened means, block by block."""
    padded = padded_width(points.shape[1])
    dtype = components.dtype
    factor = components.factor.to(dtype)
    means = (components.means - components.centre).to(dtype)
    centred = (points - components.centre).to(dtype)
    if components.covariance_type == "tied":
        means = means @ factor
        factor = pad_block(factor, padded, padded)
    squares = []
    for piece in row_blocks(len(points), components.rows):
        block = pad_block(centred[piece], components.rows, padded)
        if components.covariance_type == "tied":
            block = block @ factor
        block = block[:, : means.shape[1]]
        columns = []
        for k, mean in enumerate(means):
            image = block - mean
            if components.covariance_type != "tied":
                image *= factor[k]
            columns.append(image.square_().sum(1))
        squares.append(torch.stack(columns, dim=1)[: piece.stop - piece.start])
    return components.constants - 0.5 * torch.cat(squares).double()


def log_joint(points: Float[Tensor, "n d"], components: Components) -> Float[Tensor, "n m"]:
    """Log w_k p(x | k) for each row and component, float64; negligible ones minus infinity.

    ``points`` may be of any float type and on any device; they are taken to the components'
    in chunks, so beside the result only a few megabytes are held.
    """
    count, width = len(points), components.means.shape[1]
    device = components.means.device
    chunk = max(components.rows, _CHUNK_ELEMENTS // width // components.rows * components.rows)
    out = torch.empty(count, len(components.means), dtype=torch.float64, device=device)
    for piece in row_blocks(count, chunk):
        block = points[piece].to(device=device, dtype=torch.float64)
        with full_float32():
            if components.screen is not None:
                out[piece] = _screened_log_joint(block, components, components.screen)
            elif components.panels is not None:
                out[piece] = _panel_log_joint(block, components, components.panels)
            else:
                out[piece] = _direct_log_joint(block, components)
    return out


def log_joint_differentiable(points: Tensor, components: Components) -> Tensor:
    """The same in plain torch operations, for gradients: all components, in ``points``' type."""
    factor, means = components.factor.to(points), components.means.to(points)
    squares = []
    for k, mean in enumerate(means):
        difference = points - mean
        if components.covariance_type == "full":
            image = difference @ factor[k]
        elif components.covariance_type == "tied":
            image = difference @ factor
        else:
            image = difference * factor[k]
        squares.append(image.square().sum(1))
    return components.constants.to(points) - 0.5 * torch.stack(squares, dim=1)
