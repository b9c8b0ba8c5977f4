r"""Expectation-maximisation for Gaussian mixtures, as scikit-learn does it, in less time.

.. math:: r_{ik} = \frac{w_k p(x_i \mid k)}{\sum_j w_j p(x_i \mid j)}, \quad
    n_k = \sum_i r_{ik}, \quad \mu_k = \frac1{n_k}\sum_i r_{ik} x_i, \quad
    \Sigma_k = \frac1{n_k}\sum_i r_{ik} (x_i - \mu_k)(x_i - \mu_k)^T + \epsilon I

Semantics, order of steps and stopping rule are those of ``sklearn.mixture.GaussianMixture``
1.9: given the same start, the parameters agree to rounding. Two departures: responsibilities
below 1e-16 are left out of the covariances (in many dimensions they are one-hot, so this step
costs n d^2 instead of M n d^2), and the last E step, which only serves ``fit_predict``, is
not made.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from giqa_lib.scores.blocks import row_blocks
from giqa_lib.scores.components import Components, log_joint
from giqa_lib.scores.covariance import oas_shrunk, precision_cholesky

__all__ = [
    "EMResult",
    "Parameters",
    "expectation",
    "iterate",
    "maximisation",
    "one_hot",
]

_NEGLIGIBLE = 1e-16
_CHUNK_ELEMENTS = 2**21


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """One state of the mixture: weights (m,), means (m, d), covariances, factor, counts (m,)."""

    weights: Tensor
    means: Tensor
    covariances: Tensor
    factor: Tensor
    counts: Tensor

    def components(self, covariance_type: str, *, single: bool = False) -> Components:
        """The same, prepared for evaluation."""
        return Components(
            weights=self.weights,
            means=self.means,
            factor=self.factor,
            covariance_type=covariance_type,
            single=single,
        )


@dataclass(frozen=True, kw_only=True)
class EMResult:
    """What a run ended with; ``lower_bounds`` is the mean log-likelihood at each E step."""

    parameters: Parameters
    lower_bounds: tuple[float, ...]
    converged: bool


def one_hot(labels: Int[Tensor, " n"], count: int) -> Float[Tensor, "n m"]:
    """Responsibilities of a hard assignment.

    >>> one_hot(torch.tensor([1]), 2)
    tensor([[0., 1.]], dtype=torch.float64)
    """
    return torch.nn.functional.one_hot(labels, count).double()


def expectation(points: Tensor, components: Components) -> tuple[float, Tensor]:
    """Mean log-likelihood and responsibilities (n, m)."""
    joint = log_joint(points, components)
    norm = torch.logsumexp(joint, dim=1, keepdim=True)
    return float(norm.mean()), joint.sub_(norm).exp_()


def maximisation(
    points: Tensor,
    responsibilities: Tensor,
    *,
    covariance_type: str,
    reg_covar: float,
    shrinkage: str | None,
    single: bool = False,
) -> Parameters:
    """Weights, means and covariances from responsibilities.

    ``single`` multiplies in float32 and adds the chunks in float64. ``shrinkage="oas"``
    shrinks each component's covariance with n = n_k before ``reg_covar`` is added; the
    likelihood need not rise then.
    """
    dtype = torch.float32 if single else torch.float64
    tiny = 10 * torch.finfo(torch.float64).eps  # scikit-learn's guard for an empty component
    counts = responsibilities.sum(0) + tiny
    sums = torch.zeros(
        responsibilities.shape[1], points.shape[1], dtype=torch.float64, device=points.device
    )
    for piece in _chunks(points):
        sums += responsibilities[piece].T @ points[piece].double()
    means = sums / counts[:, None]
    if covariance_type == "full":
        covariances = _full(points, responsibilities, counts, means, dtype)
    elif covariance_type == "tied":
        covariances = _tied(points, counts, means, dtype)
    else:
        covariances = _diagonal(points, responsibilities, counts, means)
    if shrinkage == "oas" and covariance_type == "full":
        pairs = zip(covariances, counts, strict=True)
        covariances = torch.stack([oas_shrunk(cov, float(count)) for cov, count in pairs])
    elif shrinkage == "oas":
        covariances = oas_shrunk(covariances, float(counts.sum()))
    if covariance_type in ("full", "tied"):
        covariances.diagonal(dim1=-2, dim2=-1).add_(reg_covar)
    else:
        covariances += reg_covar
    if covariance_type == "spherical":
        covariances = covariances.mean(1)
    return Parameters(
        weights=counts / counts.sum(),
        means=means,
        covariances=covariances,
        factor=precision_cholesky(covariances, covariance_type),
        counts=counts,
    )


def _chunks(points: Tensor) -> list[slice]:
    return list(row_blocks(len(points), max(64, _CHUNK_ELEMENTS // points.shape[1])))


def _full(
    points: Tensor, responsibilities: Tensor, counts: Tensor, means: Tensor, dtype: torch.dtype
) -> Tensor:
    count, width = means.shape
    covariances = torch.zeros(count, width, width, dtype=torch.float64, device=points.device)
    columns = responsibilities.T.contiguous()
    for k in range(count):
        rows = (columns[k] > _NEGLIGIBLE).nonzero().squeeze(1)
        for piece in row_blocks(len(rows), max(64, _CHUNK_ELEMENTS // width)):
            chosen = rows[piece]
            difference = points[chosen].double().sub_(means[k])
            difference *= columns[k][chosen].sqrt()[:, None]
            difference = difference.to(dtype)
            covariances[k] += (difference.T @ difference).double()
        covariances[k] /= counts[k]
    return covariances


def _tied(points: Tensor, counts: Tensor, means: Tensor, dtype: torch.dtype) -> Tensor:
    # Sum r (x - m)(x - m)' = sum x x' - sum n m m', taken around the data's mean so that an
    # offset of the features does not cancel.
    centre = (counts @ means) / counts.sum()
    total = torch.zeros(len(centre), len(centre), dtype=torch.float64, device=points.device)
    for piece in _chunks(points):
        difference = (points[piece].double() - centre).to(dtype)
        total += (difference.T @ difference).double()
    deviations = means - centre
    total -= (counts[:, None] * deviations).T @ deviations
    return total / counts.sum()


def _diagonal(points: Tensor, responsibilities: Tensor, counts: Tensor, means: Tensor) -> Tensor:
    total = torch.zeros_like(means)
    columns = responsibilities.T.contiguous()
    for k in range(len(means)):
        rows = (columns[k] > _NEGLIGIBLE).nonzero().squeeze(1)
        for piece in row_blocks(len(rows), max(64, _CHUNK_ELEMENTS // points.shape[1])):
            chosen = rows[piece]
            difference = points[chosen].double().sub_(means[k])
            total[k] += columns[k][chosen] @ difference.square_()
    return total / counts[:, None]


def iterate(
    points: Float[Tensor, "n d"],
    start: Parameters,
    *,
    covariance_type: str,
    reg_covar: float,
    shrinkage: str | None,
    max_iter: int,
    tol: float,
    single: bool = False,
) -> EMResult:
    """EM from ``start`` until the mean log-likelihood changes by less than ``tol``.

    Like scikit-learn, the bound of an iteration is that of the parameters before its M step.
    """
    parameters = start
    bounds: list[float] = []
    for _ in range(max_iter):
        bound, responsibilities = expectation(
            points, parameters.components(covariance_type, single=single)
        )
        parameters = maximisation(
            points,
            responsibilities,
            covariance_type=covariance_type,
            reg_covar=reg_covar,
            shrinkage=shrinkage,
            single=single,
        )
        bounds.append(bound)
        if len(bounds) > 1 and abs(bounds[-1] - bounds[-2]) < tol:
            return EMResult(parameters=parameters, lower_bounds=tuple(bounds), converged=True)
    return EMResult(parameters=parameters, lower_bounds=tuple(bounds), converged=False)
