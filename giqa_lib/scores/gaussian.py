r"""SGM-GIQA: one Gaussian fitted to the features of real images.

.. math:: s(x) = \log \mathcal N(x; \mu, \Sigma), \qquad
    \Sigma = \tfrac1n \sum_i (x_i - \mu)(x_i - \mu)^T + \epsilon I

The paper's baseline with M = 1 (GIQA, section 3.2.1, Table 8). The score is the natural
logarithm of the density (the official code's output), not the density of Eq. 7: it is
unbounded, and only differences mean something. See :mod:`giqa_lib.scores.calibration`.
"""

from typing import Any, no_type_check

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from giqa_lib.checks import check_positive
from giqa_lib.scores.blocks import to_torch
from giqa_lib.scores.components import Components, log_joint, log_joint_differentiable
from giqa_lib.scores.covariance import check_shrinkage
from giqa_lib.scores.density import Density
from giqa_lib.scores.expectation_maximisation import maximisation

__all__ = ["SingleGaussian"]


class SingleGaussian(Density):
    """Log-density of one Gaussian with full covariance (SGM-GIQA).

    Parameters: ``reg_covar`` is added to the variances (absolute: standardise features
    first); ``shrinkage="oas"`` shrinks the covariance, which a fit with fewer images than
    dimensions needs; ``device`` of the computation; ``dtype="float32"`` is about twice as
    fast, and moves a score by some 1e-3 nats at 256 dimensions.

    Learned: ``mean_`` (d,), ``covariance_`` (d, d), ``precision_cholesky_`` (d, d),
    ``n_samples_``.

    >>> import numpy as np
    >>> X = np.array([[-1.0], [1.0]])
    >>> SingleGaussian(reg_covar=0.0).fit(X).score_samples([[0.0]])
    array([-0.91893853])
    """

    reg_covar: float
    shrinkage: str | None

    @no_type_check  # scikit-learn sets wrong values first and has fit() refuse them
    def __init__(
        self,
        *,
        reg_covar: float = 1e-6,
        shrinkage: str | None = None,
        device: str | torch.device = "cpu",
        dtype: str = "float64",
    ) -> None:
        self.reg_covar = reg_covar
        self.shrinkage = shrinkage
        self.device = device
        self.dtype = dtype

    def fit(self, X: Any, y: Any = None) -> "SingleGaussian":
        """Mean and covariance of ``X`` (n, d), n >= 2; ``y`` is ignored."""
        features = self._check(X, reset=True, at_least=2)
        check_positive(self.reg_covar, name="reg_covar", zero=True)
        check_shrinkage(self.shrinkage)
        single = self._torch_dtype() == torch.float32
        points = to_torch(features, self._torch_device())
        parameters = maximisation(
            points,
            torch.ones(len(points), 1, dtype=torch.float64, device=points.device),
            covariance_type="full",
            reg_covar=self.reg_covar,
            shrinkage=self.shrinkage,
            single=single,
        )
        self.mean_: NDArray[np.float64] = parameters.means[0].cpu().numpy()
        self.covariance_: NDArray[np.float64] = parameters.covariances[0].cpu().numpy()
        self.precision_cholesky_: NDArray[np.float64] = parameters.factor[0].cpu().numpy()
        self.n_samples_ = len(features)
        self._prepare()
        return self

    def log_prob(self, features: Tensor) -> Tensor:
        """Differentiable log-density of (n, d) features, (n,), on the features' device.

        >>> import numpy as np
        >>> score = SingleGaussian(reg_covar=0.0).fit(np.array([[-1.0], [1.0]]))
        >>> x = torch.ones(1, 1, dtype=torch.float64, requires_grad=True)
        >>> score.log_prob(x).sum().backward(); round(x.grad.item(), 6)
        -1.0
        """
        points = self._check_log_prob_input(features).to(self._torch_dtype())
        joint = log_joint_differentiable(points, self._components)
        return joint[:, 0].to(features.dtype)

    def _score(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        points = to_torch(features, torch.device("cpu"))
        values: NDArray[np.float64] = log_joint(points, self._components)[:, 0].cpu().numpy()
        return values

    def _prepare(self) -> None:
        device = self._torch_device()
        self._components = Components(
            weights=torch.ones(1, dtype=torch.float64, device=device),
            means=to_torch(self.mean_[None], device),
            factor=to_torch(self.precision_cholesky_[None], device),
            covariance_type="full",
            single=self._torch_dtype() == torch.float32,
        )
