r"""Estimates of several seeds as one, and two runs compared seed by seed.

With S seeds, each with its own training runs, an estimate is the mean of the S estimates and

.. math:: SE^2 = \frac{1}{S}\max\Big(\frac{1}{S-1}\sum_s (a_s - \bar a)^2,\ \frac{1}{S}\sum_s SE_s^2\Big),

the larger of the spread between seeds and the sampling error within them: the spread of
three seeds can be small by chance.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from giqa_lib.checks import InputError, error_line

__all__ = ["combine_on_same_images", "combine_seeds", "paired_differences"]


def combine_seeds(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Estimates of several seeds (columns ``seed``, ``value``, ``standard_error``, ``n``) as one a group.

    ``n`` adds up; ``seeds`` lists the seeds.

    >>> one = pd.DataFrame({"m": [5, 5], "seed": [0, 1], "value": [0.4, 0.6], "standard_error": [0.01, 0.01], "n": [9, 9]})
    >>> combine_seeds(one, by=["m"]).round(3).to_dict("records")
    [{'m': 5, 'value': 0.5, 'standard_error': 0.1, 'n': 18, 'seeds': (0, 1)}]
    """
    rows = []
    for key, group in frame.groupby(list(by), sort=False, dropna=False):
        within, between = _spreads(group)
        error = float(np.sqrt(max(within, between) / len(group)))
        rows.append(_combined(by, key, group, error, int(group["n"].sum())))
    return pd.DataFrame(rows)


def combine_on_same_images(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    r"""As :func:`combine_seeds` where all seeds judge the very same images: more seeds do not make them more.

    The error of the images stays whole,

    .. math:: SE^2 = \frac{1}{S}\sum_s SE_s^2 + \frac{1}{S(S-1)}\sum_s (a_s - \bar a)^2,

    on the safe side where seeds err on different images. ``n`` is that of one seed.

    >>> one = pd.DataFrame({"m": [5, 5], "seed": [0, 1], "value": [0.5, 0.5], "standard_error": [0.1, 0.1], "n": [9, 9]})
    >>> combine_on_same_images(one, by=["m"]).round(3).to_dict("records")
    [{'m': 5, 'value': 0.5, 'standard_error': 0.1, 'n': 9, 'seeds': (0, 1)}]
    """
    rows = []
    for key, group in frame.groupby(list(by), sort=False, dropna=False):
        within, between = _spreads(group)
        error = float(np.sqrt(within + between / len(group)))
        rows.append(_combined(by, key, group, error, int(group["n"].max())))
    return pd.DataFrame(rows)


def paired_differences(
    frame: pd.DataFrame,
    contrasts: Sequence[tuple[str, str]],
    *,
    by: Sequence[str] = ("metric",),
    level: float = 0.95,
) -> pd.DataFrame:
    r"""Mean difference of two runs over seeds, with Student's interval over the S pairs.

    .. math:: \bar d \pm t_{S-1} \sqrt{\tfrac1S \tfrac1{S-1} \textstyle\sum_s (d_s - \bar d)^2}

    ``frame`` has one row a run, seed and group: ``run``, ``seed``, ``value`` and the columns in ``by``.
    Returns ``name`` ("a minus b"), ``by``, ``value``, ``standard_error`` of the mean, ``half_width`` of the
    interval, ``pairs``, ``seeds`` and ``differences`` by seed. One pair leaves error and interval NaN.

    >>> rows = [("a", 0, 2.0), ("a", 1, 4.0), ("b", 0, 1.0), ("b", 1, 1.0)]
    >>> table = pd.DataFrame(rows, columns=["run", "seed", "value"]).assign(metric="m")
    >>> paired_differences(table, [("a", "b")]).round(2)[["value", "standard_error", "half_width"]].values.tolist()
    [[2.0, 1.0, 12.71]]
    """
    rows = []
    for key, group in frame.groupby(list(by), sort=False):
        values = group.pivot(index="seed", columns="run", values="value")
        for first, second in contrasts:
            missing = {first, second} - set(values.columns[values.notna().all()])
            if missing:
                got, hint = f"none for {', '.join(sorted(missing))}", "judge both runs of each seed"
                expected = "a value of each run and seed"
                raise InputError(error_line("frame", expected=expected, got=got, hint=hint))
            found = (values[first] - values[second]).to_numpy(float)
            count = len(found)
            error = float(found.std(ddof=1) / np.sqrt(count)) if count > 1 else float("nan")
            reach = float(student.ppf(0.5 + level / 2, count - 1)) if count > 1 else float("nan")
            rows.append(
                {
                    "name": f"{first} minus {second}",
                    **dict(zip(by, key, strict=True)),
                    "value": float(found.mean()),
                    "standard_error": error,
                    "half_width": reach * error,
                    "pairs": count,
                    "seeds": tuple(int(seed) for seed in values.index),
                    "differences": tuple(float(each) for each in found),
                }
            )
    return pd.DataFrame(rows)


def _spreads(group: pd.DataFrame) -> tuple[float, float]:
    """The mean squared error within seeds, and the variance between them (0 of one seed)."""
    values, errors = group["value"].to_numpy(float), group["standard_error"].to_numpy(float)
    return float((errors**2).mean()), float(values.var(ddof=1)) if len(values) > 1 else 0.0


def _combined(
    by: Sequence[str], key: tuple[Any, ...], group: pd.DataFrame, error: float, n: int
) -> dict[str, Any]:
    return {
        **dict(zip(by, key, strict=True)),
        "value": float(group["value"].mean()),
        "standard_error": error,
        "n": n,
        "seeds": tuple(int(seed) for seed in group["seed"]),
    }
