r"""Log-densities of Gaussian components at many points: the E step's and the score's one cost.

.. math:: \log w_k p(x \mid k) = \log w_k - \tfrac d2 \log 2\pi + \tfrac12 \log\det\Lambda_k
    - \tfrac12 \lVert (x - \mu_k)^T U_k \rVert^2, \qquad \Lambda_k = U_k U_k^T

(GIQA, Eq. 7). With full covariances this is M products of n x d by d x d. Three facts make it
cheap: U is triangular, so column blocks need only the rows above them (half the work); all
components can share one product; and in many dimensions all but one or two components are
negligible. So a first pass in float32, with a rigorous bound on its rounding error, finds the
components that can matter, and only those are computed in float64, from ``x - mean`` directly.
A component is left out when its share of the density is certainly below
:math:`2^{-54} / M`: together they lie below half a unit in the last place.

Values do not depend on the batch: see :mod:`giqa_lib.scores.blocks`.
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
_EXACT_ROWS = 64
_SCREEN_MIN_COMPONENTS = 3
_SCREEN_MIN_WIDTH = 32
_CHUNK_ELEMENTS = 2**22
_UNIT_ROUNDOFF = 2.0**-24


@dataclass(frozen=True, kw_only=True, eq=False)
class Components:
    """Parameters of M Gaussian components, and what is derived from them once.

    ``weights`` (m,), ``means`` (m, d), ``factor`` the precisions' Cholesky factor in the shape
    of ``covariance_type``; all float64 on one device. ``single`` computes all in float32.

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

    def __post_init__(self) -> None:
        width = self.means.shape[1]
        # Subtracting one common point first keeps an offset of the features from cancelling.
        centre = (self.weights / self.weights.sum()) @ self.means
        log_det = log_det_precision_cholesky(self.factor, self.covariance_type, width)
        constants = self.weights.log() - 0.5 * width * math.log(2 * math.pi) + log_det
        panels = None
        if self.covariance_type == "full":
            low = self.single or self.screened
            dtype = torch.float32 if low else torch.float64
            panels = _Panels(self.means - centre, self.factor, dtype)
        object.__setattr__(self, "centre", centre)
        object.__setattr__(self, "constants", constants)
        object.__setattr__(self, "panels", panels)

    @property
    def screened(self) -> bool:
        """Whether a float32 pass chooses the components to compute in float64."""
        count, width = self.means.shape
        return (
            self.covariance_type == "full"
            and not self.single
            and count >= _SCREEN_MIN_COMPONENTS
            and width >= _SCREEN_MIN_WIDTH
        )

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
        self.factor_norms = torch.linalg.matrix_norm(factor)
        shifts = torch.stack([mean @ upper for mean, upper in zip(means, factor, strict=True)])
        self.shift_norms = torch.linalg.vector_norm(shifts, dim=1)
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


def _kept(points: Tensor, norms: Tensor, components: Components, panels: _Panels) -> Tensor:
    """Which components can matter, from float32 norms and a bound of their error.

    A float32 product of length n errs by at most gamma |x| |u|, gamma = n u / (1 - n u)
    (Higham, Accuracy and Stability, section 3.1); n counts the roundings of the operands too.
    """
    terms = (panels.padded + 8) * _UNIT_ROUNDOFF
    gamma = terms / (1.0 - terms)
    norms = norms.double()
    lengths = torch.linalg.vector_norm(points.double(), dim=1, keepdim=True)
    error = gamma * (lengths * panels.factor_norms + panels.shift_norms)
    most = components.constants - 0.5 * (norms * (1 - gamma) - error).clamp_(min=0).square_()
    least = components.constants - 0.5 * (norms * (1 + gamma) + error).square_()
    gap = 54 * math.log(2) + math.log(panels.count)
    # Negated, so that an overflow (NaN) keeps the component.
    return ~(most < least.amax(1, keepdim=True) - gap)


def _exact(points: Tensor, kept: Tensor, components: Components) -> Tensor:
    """Float64 log-densities where ``kept``, minus infinity elsewhere."""
    out = torch.full(kept.shape, -math.inf, dtype=torch.float64, device=points.device)
    padded = padded_width(points.shape[1])
    columns = kept.T.contiguous()
    for k, (mean, upper) in enumerate(zip(components.means, components.factor, strict=True)):
        rows = columns[k].nonzero().squeeze(1)
        if len(rows) == 0:
            continue
        upper = pad_block(upper, padded, padded)
        for piece in row_blocks(len(rows), _EXACT_ROWS):
            chosen = rows[piece]
            image = pad_block(points[chosen] - mean, _EXACT_ROWS, padded) @ upper
            squares = image.square_().sum(1)[: len(chosen)]
            out[chosen, k] = components.constants[k] - 0.5 * squares
    return out


def _panel_log_joint(points: Tensor, components: Components, panels: _Panels) -> Tensor:
    rows = components.rows
    dtype = panels.blocks[0][0].dtype
    centred = (points - components.centre).to(dtype)
    with full_float32():
        norms = torch.cat(
            [
                panels.norms(pad_block(centred[piece], rows, panels.padded))[
                    : piece.stop - piece.start
                ]
                for piece in row_blocks(len(points), rows)
            ]
        )
    if components.screened:
        return _exact(points, _kept(centred, norms, components, panels), components)
    return components.constants - 0.5 * norms.double().square_()


def _direct_log_joint(points: Tensor, components: Components) -> Tensor:
    """Tied, diagonal and spherical: differences to the whitened means, block by block."""
    padded = padded_width(points.shape[1])
    dtype = torch.float32 if components.single else torch.float64
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
            with full_float32():
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
        if components.panels is None:
            out[piece] = _direct_log_joint(block, components)
        else:
            out[piece] = _panel_log_joint(block, components, components.panels)
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
