r"""How steady a training was: its losses' increments and spikes, and how many classes its images hit.

With :math:`d_t = \ell_{t} - \ell_{t-1}` the increments of a player's loss, after a share of the steps at the start:

- *increment variance*: the variance of the :math:`d_t`;
- *spikes*: the share of steps with :math:`|d_t| > 3 \cdot 1.4826 \operatorname{median} |d_t|`, which has no scale. For a
  normal distribution it is 0.0027.

A mean of N losses that move independently has a variance N times smaller, at no gain in steadiness of any of
them: compare discriminators one by one.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Integer
from numpy.typing import ArrayLike, NDArray

from giqa_lib.applications.snapshots import effective_classes
from giqa_lib.checks import InputError, check_positive, check_probability, check_scores, error_line

__all__ = [
    "classes_hit",
    "increment_variance",
    "is_collapsed",
    "log_ratios",
    "spike_share",
    "stability",
]

NORMAL = 1.4826  # median absolute deviation to standard deviation, of a normal distribution
RARE = 0.2  # of a class's share among real images


def increment_variance(losses: ArrayLike, *, skipped: float = 0.2) -> float:
    """Variance of a loss's increments after the first ``skipped`` share of the steps.

    >>> round(increment_variance([9.0, 0.0, 1.0, 0.0, 1.0], skipped=0.2), 6)
    1.333333
    """
    return float(_increments(losses, skipped).var(ddof=1))


def spike_share(losses: ArrayLike, *, skipped: float = 0.2, threshold: float = 3.0) -> float:
    """Share of increments beyond ``threshold`` robust standard deviations.

    >>> spike_share([0.0, 1.0, 0.0, 1.0, 0.0, 50.0], skipped=0.0)
    0.2
    """
    check_positive(threshold, name="threshold")
    size = np.abs(_increments(losses, skipped))
    return float((size > threshold * NORMAL * np.median(size)).mean())


def stability(losses: pd.DataFrame, *, skipped: float = 0.2) -> pd.DataFrame:
    """One row a run, seed and kind of player: ``increment variance`` and ``spikes``.

    ``losses`` has ``run``, ``seed``, ``player``, ``step``, ``value``. Several discriminators count one by one, and
    the row "a discriminator" is their mean.

    >>> frame = pd.DataFrame({"run": "a", "seed": 0, "player": "generator", "step": range(5), "value": [0., 1., 0., 1., 0.]})
    >>> stability(frame, skipped=0.0)["increment variance"].round(6).tolist()
    [1.333333]
    """
    rows = []
    for (run, seed, player), part in losses.groupby(["run", "seed", "player"], sort=False):
        values = part.sort_values("step")["value"].to_numpy(float)
        kind = "generator" if player == "generator" else "a discriminator"
        found = {
            "increment variance": increment_variance(values, skipped=skipped),
            "spikes": spike_share(values, skipped=skipped),
        }
        rows.append({"run": run, "seed": seed, "player": kind, **found})
    by = ["run", "seed", "player"]
    return pd.DataFrame(rows).groupby(by, sort=False, as_index=False).mean()


def log_ratios(
    frame: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    *,
    metric: str,
    by: str | None = None,
) -> pd.DataFrame:
    r"""How many times a measure doubles from the first run of a pair to the second, seed by seed.

    .. math:: \log_2 \frac{v_\text{second}}{v_\text{first}}

    ``frame`` has ``run``, ``seed``, the column ``metric`` and, where given, the column ``by``, whose groups are compared apart.
    Returns ``name`` ("second over first"), ``by``, ``metric``, ``seed``, ``value``, ``standard_error`` (0: the error is that of seeds) and ``n``
    (1). Groups that a run of the pair does not have are left out. Raises ``InputError`` for a value that is not above 0.

    >>> rows = pd.DataFrame({"run": ["a", "b"], "seed": 0, "FID": [2.0, 8.0]})
    >>> log_ratios(rows, [("a", "b")], metric="FID")[["name", "value"]].values.tolist()
    [['b over a', 2.0]]
    """
    if not (frame[metric] > 0).all():
        got, hint = f"{frame[metric].min():g}", "a ratio needs something below the line"
        raise InputError(error_line(metric, expected="values > 0", got=got, hint=hint))
    keys = ["seed"] if by is None else ["seed", by]
    wide = frame.set_index([*keys, "run"])[metric].unstack("run")
    parts = []
    for first, second in pairs:
        both = wide[[first, second]].dropna()
        values = both.assign(value=np.log2(both[second] / both[first]))["value"].reset_index()
        parts.append(values.assign(name=f"{second} over {first}"))
    return pd.concat(parts, ignore_index=True).assign(metric=metric, standard_error=0.0, n=1)


def classes_hit(
    predicted: Integer[np.ndarray, " n"], real: Integer[np.ndarray, " m"], *, rare: float = RARE
) -> int:
    """How many of the real images' classes have at least ``rare`` of the share that they have among real images.

    >>> classes_hit(np.array([0, 0, 0, 1]), np.array([0, 1, 2, 2]))
    2
    """
    check_probability(rare, name="rare")
    count = int(max(predicted.max(), real.max())) + 1
    shares = np.bincount(predicted, minlength=count) / len(predicted)
    wanted = np.bincount(real, minlength=count) / len(real)
    return int(((wanted > 0) & (shares >= rare * wanted)).sum())


def is_collapsed(
    predicted: Integer[np.ndarray, " n"], real: Integer[np.ndarray, " m"], *, share: float = 0.5
) -> bool:
    """Whether generated images have less than ``share`` of the effective number of classes of real ones.

    The effective number is the exponential of the entropy of the predicted classes.

    >>> is_collapsed(np.zeros(9, dtype=int), np.arange(9))
    True
    """
    check_probability(share, name="share")
    return bool(effective_classes(predicted) < share * effective_classes(real))


def _increments(losses: ArrayLike, skipped: float) -> NDArray[np.float64]:
    check_probability(skipped, name="skipped")
    values = check_scores(losses, name="losses", at_least=4)
    kept = values[int(skipped * len(values)) :]
    return np.diff(check_scores(kept, name="losses after the start", at_least=3))
