r"""Covariances of Gaussian components: shrinkage, precision Cholesky, the regularisation floor.

The shapes are scikit-learn's: ``full`` (m, d, d), ``tied`` (d, d), ``diag`` (m, d),
``spherical`` (m,). The precision's Cholesky factor is the upper triangular
:math:`U = (L^{-1})^T` of :math:`\Sigma = L L^T`, so that
:math:`(x - \mu)^T \Sigma^{-1} (x - \mu) = \lVert (x - \mu)^T U \rVert^2`.
"""

import math

import torch
from torch import Tensor

from giqa_lib.checks import InputError, check_choice, error_line

__all__ = [
    "COVARIANCE_TYPES",
    "at_regularisation_floor",
    "check_shrinkage",
    "log_det_precision_cholesky",
    "oas_shrunk",
    "precision_cholesky",
    "precision_cholesky_from_precisions",
]

COVARIANCE_TYPES = ("full", "tied", "diag", "spherical")
_POWER_ITERATIONS = 30


def oas_shrunk(covariance: Tensor, count: float) -> Tensor:
    r"""Oracle Approximating Shrinkage of a (d, d) covariance towards a scaled identity.

    With :math:`\mu = \mathrm{tr}(S)/d` and :math:`\alpha` the mean of the squared entries,

    .. math:: \hat\Sigma = (1-\rho) S + \rho \mu I, \qquad
        \rho = \min\Bigl(1, \frac{\alpha + \mu^2}{(n+1)(\alpha - \mu^2/d)}\Bigr)

    (Chen, Wiesel, Eldar, Hero 2010, as in ``sklearn.covariance.oas``). ``count`` is the number
    of samples n, for a mixture the component's n_k.

    >>> oas_shrunk(torch.diag(torch.tensor([2.0, 0.0])), 9.0).diag()
    tensor([1.6000, 0.4000])
    """
    width = covariance.shape[0]
    scale = covariance.diagonal().sum() / width
    alpha = covariance.square().mean()
    denominator = (count + 1.0) * (alpha - scale.square() / width)
    positive = bool(denominator > 0)
    share = min(float((alpha + scale.square()) / denominator), 1.0) if positive else 1.0
    shrunk = covariance * (1.0 - share)
    shrunk.diagonal().add_(share * scale)
    return shrunk


def check_shrinkage(shrinkage: str | None) -> None:
    """Raise unless ``shrinkage`` is None or "oas".

    >>> check_shrinkage(None)
    """
    if shrinkage is not None:
        check_choice(shrinkage, ("oas",), name="shrinkage")


def _ill_defined(covariance_type: str) -> InputError:
    # The words "ill-defined empirical covariance" are scikit-learn's, which users search for.
    return InputError(
        error_line(
            f"{covariance_type} covariance",
            expected="positive definite components",
            got="an ill-defined empirical covariance (singleton or collapsed samples)",
            hint="use fewer components, raise reg_covar, shrink with shrinkage='oas', scale the "
            "features, or reduce them with PCA",
        )
    )


def _inverse_factor(covariance: Tensor) -> Tensor:
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if int(failed) != 0 or not bool(torch.isfinite(factor).all()):
        raise _ill_defined("full")
    eye = torch.eye(len(covariance), dtype=covariance.dtype, device=covariance.device)
    return torch.linalg.solve_triangular(factor, eye, upper=False).T.contiguous()


def precision_cholesky(covariances: Tensor, covariance_type: str) -> Tensor:
    """Cholesky factor of the precision for each component, in the shape of ``covariances``.

    Raises ``InputError`` if a covariance is not positive definite.

    >>> precision_cholesky(torch.tensor([4.0, 1.0]), "spherical")
    tensor([0.5000, 1.0000])
    """
    if covariance_type == "full":
        return torch.stack([_inverse_factor(covariance) for covariance in covariances])
    if covariance_type == "tied":
        return _inverse_factor(covariances)
    if bool((covariances <= 0).any()):
        raise _ill_defined(covariance_type)
    return covariances.rsqrt()


def precision_cholesky_from_precisions(precisions: Tensor, covariance_type: str) -> Tensor:
    r"""The same factor from precisions: of :math:`\Lambda = U U^T` the upper triangular U.

    torch gives lower factors, hence the flips: :math:`J \Lambda J = L L^T`, :math:`U = J L J`.

    >>> precision_cholesky_from_precisions(torch.tensor([[4.0, 9.0]]), "diag")
    tensor([[2., 3.]])
    """
    if covariance_type in ("diag", "spherical"):
        if bool((precisions <= 0).any()):
            raise _ill_defined(covariance_type)
        return precisions.sqrt()
    symmetric = torch.allclose(precisions, precisions.mT)
    factor, failed = torch.linalg.cholesky_ex(precisions.flip(-1, -2))
    if not symmetric or bool(failed.any()):
        raise InputError(
            error_line(
                "precisions_init",
                expected="symmetric positive definite matrices",
                got="at least one that is not",
                hint="give the inverses of covariances",
            )
        )
    return factor.flip(-1, -2).contiguous()


def log_det_precision_cholesky(factor: Tensor, covariance_type: str, width: int) -> Tensor:
    r""":math:`\tfrac12 \log\det\Lambda_k` for each component, (m,); tied: a scalar.

    >>> log_det_precision_cholesky(torch.tensor([1.0]), "spherical", 3)
    tensor([0.])
    """
    if covariance_type in ("full", "tied"):
        return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    if covariance_type == "diag":
        return factor.log().sum(1)
    return width * factor.log()


def at_regularisation_floor(factor: Tensor, covariance_type: str, reg_covar: float) -> Tensor:
    """Whether a component's smallest variance is nothing but ``reg_covar``, bool (m,) or scalar.

    Flagged where the smallest eigenvalue of the covariance is below twice ``reg_covar``: the
    density there is set by the regularisation, not by the data. The largest eigenvalue of the
    precision comes from a few power iterations, which are far cheaper than ``eigvalsh`` at
    d = 2048 and can only miss a border case.

    >>> at_regularisation_floor(torch.tensor([1000.0, 1.0]), "spherical", 1e-6)
    tensor([ True, False])
    """
    if covariance_type == "spherical":
        largest = factor.square()
    elif covariance_type == "diag":
        largest = factor.square().amax(1)
    else:
        precision_diagonal = factor.square().sum(-1)
        vector = torch.zeros_like(precision_diagonal)
        vector.scatter_(-1, precision_diagonal.argmax(-1, keepdim=True), 1.0)
        largest = precision_diagonal.amax(-1)
        for _ in range(_POWER_ITERATIONS):
            image = (factor @ (factor.mT @ vector.unsqueeze(-1))).squeeze(-1)
            largest = torch.linalg.vector_norm(image, dim=-1)
            vector = image / largest.unsqueeze(-1)
    if reg_covar <= 0 or not math.isfinite(reg_covar):
        return torch.zeros_like(largest, dtype=torch.bool)
    return largest > 1.0 / (2.0 * reg_covar)
