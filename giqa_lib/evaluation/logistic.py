r"""The five-parameter logistic that maps scores to opinions before PLCC and RMSE.

.. math:: q(x) = \beta_1 \Bigl(\tfrac12 - \frac{1}{1 + e^{\beta_2 (x - \beta_3)}}\Bigr)
    + \beta_4 x + \beta_5

Sheikh, Sabir, Bovik (2006), eq. 10. Fitted by least squares in standardised units of both
sides, from several starts of the data's direction: raw units and one start, as in the usual
scripts, end in a local minimum or fail. The best straight line is among the starts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares
from scipy.special import expit

from giqa_lib.checks import check_same_length, check_scores

__all__ = ["Logistic", "fit_logistic"]

Array = NDArray[np.float64]
_PARAMETERS = 5
_SLOPES = (0.5, 2.0, 8.0)
_MIDDLES = (-1.0, 0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Logistic:
    """A fitted logistic: call it with scores (n,) to get opinions (n,).

    ``standardised`` are the five parameters between (x - x_mean) / x_scale and
    (y - y_mean) / y_scale; ``direction`` is +1 if opinions rise with scores, else -1.
    """

    standardised: tuple[float, float, float, float, float]
    x_mean: float
    x_scale: float
    y_mean: float
    y_scale: float
    direction: int

    def __call__(self, predictions: ArrayLike) -> Array:
        """Opinions that these scores stand for, in the opinions' unit."""
        x = (check_scores(predictions, name="predictions") - self.x_mean) / self.x_scale
        return self.y_mean + self.y_scale * _curve(np.array(self.standardised), x)

    @property
    def parameters(self) -> tuple[float, float, float, float, float]:
        """The five betas of the formula, in the units of scores and opinions."""
        height, slope, middle, linear, offset = self.standardised
        rise = linear * self.y_scale / self.x_scale
        return (
            height * self.y_scale,
            slope / self.x_scale,
            self.x_mean + middle * self.x_scale,
            rise,
            self.y_mean + offset * self.y_scale - rise * self.x_mean,
        )

    @property
    def is_linear(self) -> bool:
        """Whether the best straight line was kept."""
        return self.standardised[0] == 0.0


def fit_logistic(predictions: ArrayLike, opinions: ArrayLike) -> Logistic:
    """The logistic nearest to ``opinions`` (n,) in least squares, from ``predictions`` (n,).

    With five images or fewer, which five parameters would pass through, it is the straight
    line; with equal predictions the mean opinion. Raises only for what is not two finite (n,).

    >>> fit = fit_logistic([1.0, 2.0, 3.0], [10.0, 20.0, 30.0])
    >>> fit([4.0])
    array([40.])
    """
    scores = check_scores(predictions, name="predictions")
    targets = check_scores(opinions, name="opinions")
    check_same_length(predictions=scores, opinions=targets)
    x_mean, x_scale = _location(scores)
    y_mean, y_scale = _location(targets)
    x, y = (scores - x_mean) / x_scale, (targets - y_mean) / y_scale
    spread = float(x @ x)
    rise = float(x @ y) / spread if spread > 0 else 0.0
    direction = -1 if rise < 0 else 1
    best = np.array([0.0, 1.0, 0.0, rise, 0.0])
    if len(x) > _PARAMETERS and spread > 0:
        best = _search(x, y, best, direction)
    height, slope, middle, linear, offset = (float(value) for value in best)
    return Logistic(
        standardised=(height, slope, middle, linear, offset),
        x_mean=x_mean,
        x_scale=x_scale,
        y_mean=y_mean,
        y_scale=y_scale,
        direction=direction,
    )


def _search(x: Array, y: Array, line: Array, direction: int) -> Array:
    def residual(parameters: Array) -> Array:
        return _curve(parameters, x) - y

    def jacobian(parameters: Array) -> Array:
        return _jacobian(parameters, x)

    best, least = line, _loss(line, x, y)
    height = 2.0 * direction * np.abs(y).max()
    # A gain below rounding is no reason to leave the line.
    enough = 1e-10 * len(y)
    for slope in _SLOPES:
        for middle in _MIDDLES:
            start = np.array([height, slope, middle, 0.0, 0.0])
            # Parameters may run off on the way; a loss that is not finite is not taken.
            with np.errstate(all="ignore"):
                found = least_squares(residual, start, jac=jacobian, method="lm", max_nfev=200).x
                loss = _loss(found, x, y)
            if np.isfinite(loss) and loss < least - enough:
                best, least = found, loss
    return best


def _curve(parameters: Array, x: Array) -> Array:
    height, slope, middle, linear, offset = parameters
    values: Array = height * (expit(slope * (x - middle)) - 0.5) + linear * x + offset
    return values


def _jacobian(parameters: Array, x: Array) -> Array:
    height, slope, middle, _, _ = parameters
    step = expit(slope * (x - middle))
    bend = height * step * (1.0 - step)
    return np.stack([step - 0.5, bend * (x - middle), -bend * slope, x, np.ones_like(x)], axis=1)


def _loss(parameters: Array, x: Array, y: Array) -> float:
    return float(np.sum((_curve(parameters, x) - y) ** 2))


def _location(values: Array) -> tuple[float, float]:
    """Mean and standard deviation; 1 for the deviation of equal values."""
    mean = float(values.mean())
    largest = float(np.abs(values - mean).max())
    if largest == 0.0 or (values == values[0]).all():
        return mean, 1.0
    return mean, largest * float(np.std((values - mean) / largest))
