r"""How far scores agree with opinion in each domain, which of two scores agrees better, and both over several domains.

SRCC, KRCC, PLCC after the five-parameter logistic, and RMSE after it in the opinions' unit, with bootstrap errors over
images. The logistic is fitted once, not to every resample: the errors of PLCC and RMSE leave its own uncertainty out. A difference of two
scores is that of their SRCC on the same resampled images.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float64
from numpy.typing import ArrayLike, NDArray

from giqa_lib.checks import InputError, check_same_length, check_scores, error_line
from giqa_lib.evaluation import bootstrap, fit_logistic, krcc, plcc, rmse, srcc

__all__ = [
    "AGREEMENT_METRICS",
    "agreement",
    "agreement_gap",
    "check_opinions",
    "mean_on_same_images",
    "mean_over_domains",
    "opinion_rows",
    "rank_agreement",
]

#: The metrics of :func:`agreement`.
AGREEMENT_METRICS = ("SRCC", "PLCC", "KRCC", "RMSE")
FEWEST = 5  # judged images, below which a correlation says nothing


def opinion_rows(
    opinions: ArrayLike, domain: ArrayLike, names: Sequence[str]
) -> dict[str, NDArray[np.int64]]:
    """Places of the judged images (those whose opinion is not NaN) of each domain.

    Raises ``InputError`` for a domain with fewer than five judged images or with a constant opinion: no correlation is defined there.

    >>> {k: v.tolist() for k, v in opinion_rows([1.0, 2, 3, 4, 5, np.nan], [0] * 6, ["a"]).items()}
    {'a': [0, 1, 2, 3, 4]}
    """
    values, numbers = np.asarray(opinions, dtype=float), np.asarray(domain)
    check_same_length(opinions=values, domain=numbers)
    found = {}
    for number, name in enumerate(names):
        rows = np.flatnonzero((numbers == number) & np.isfinite(values))
        if len(rows) < FEWEST:
            hint = "collect more opinions, or leave the domain out"
            expected, got = f"{FEWEST} or more judged images", str(len(rows))
            raise InputError(error_line(f"domain {name}", expected=expected, got=got, hint=hint))
        check_opinions(values[rows], name=f"domain {name}")
        found[name] = rows.astype(np.int64)
    return found


def check_opinions(
    opinions: Float64[np.ndarray, " n"], *, name: str = "opinions"
) -> Float64[np.ndarray, " n"]:
    """Return ``opinions`` if they are finite and differ; no correlation is defined with a constant, nor with one image.

    >>> check_opinions(np.arange(2.0)).tolist()
    [0.0, 1.0]
    """
    values = check_scores(opinions, name=name)
    if np.ptp(values) == 0:
        hint = "nothing can be ordered: look at the votes, or leave these images out"
        got = f"a constant {values[0]:g} for {len(values)} image(s)"
        raise InputError(error_line(name, expected="opinions that differ", got=got, hint=hint))
    return values


def agreement(
    scores: Float64[np.ndarray, " n"],
    opinions: Float64[np.ndarray, " n"],
    *,
    resamples: int = 300,
    random_state: int,
) -> pd.DataFrame:
    """One row a metric: ``metric``, ``value``, ``standard_error``, ``n``. A constant score has correlations of 0, with error 0.

    Raises ``InputError`` for constant opinions.

    >>> agreement(np.arange(9.0), np.arange(9.0), resamples=20, random_state=0)["metric"].tolist()
    ['SRCC', 'PLCC', 'KRCC', 'RMSE']
    """
    values, wanted = check_scores(scores), check_opinions(opinions)
    check_same_length(scores=values, opinions=wanted)
    fit = fit_logistic(values, wanted)
    fitted = fit(values)
    whole = {"SRCC": rank_agreement(values, wanted), "KRCC": _or_nought(krcc, values, wanted)}
    whole |= {"PLCC": _or_nought(plcc, values, wanted), "RMSE": rmse(fitted, wanted)}
    of_fitted = {
        "SRCC": lambda a, b, _: rank_agreement(a, b),
        "KRCC": lambda a, b, _: _or_nought(krcc, a, b),
        "PLCC": lambda _, b, c: _or_nought(_linear, c, b),
        "RMSE": lambda _, b, c: rmse(c, b),
    }
    rows = []
    for metric in AGREEMENT_METRICS:
        found = bootstrap(
            of_fitted[metric],
            values,
            wanted,
            fitted,
            resamples=resamples,
            random_state=random_state,
        )
        row = {"metric": metric, "value": whole[metric]}
        rows.append(row | {"standard_error": found.standard_error, "n": found.n})
    return pd.DataFrame(rows)


def agreement_gap(
    first: Float64[np.ndarray, " n"],
    second: Float64[np.ndarray, " n"],
    opinions: Float64[np.ndarray, " n"],
    *,
    resamples: int = 300,
    random_state: int,
) -> dict[str, float]:
    """SRCC of the first score minus that of the second: ``value``, ``standard_error``, ``n``. Errors as for :func:`agreement`.

    >>> up, down = np.arange(9.0), -np.arange(9.0)
    >>> agreement_gap(up, down, up, resamples=20, random_state=0)["value"]
    2.0
    """
    found = bootstrap(
        lambda a, b, c: rank_agreement(a, c) - rank_agreement(b, c),
        check_scores(first),
        check_scores(second),
        check_opinions(opinions),
        resamples=resamples,
        random_state=random_state,
    )
    return {"value": found.value, "standard_error": found.standard_error, "n": found.n}


def rank_agreement(scores: Float64[np.ndarray, " n"], opinions: Float64[np.ndarray, " n"]) -> float:
    """SRCC, in [-1, 1]; 0 where one side is constant: it orders nothing.

    >>> rank_agreement(np.arange(3.0), np.arange(3.0)), rank_agreement(np.ones(3), np.arange(3.0))
    (1.0, 0.0)
    """
    return _or_nought(srcc, scores, opinions)


def mean_over_domains(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    r"""The mean of a group's rows, which are of different images: :math:`SE^2 = \sum_d SE_d^2 / D^2`; ``n`` adds up.

    >>> rows = pd.DataFrame({"name": "a", "domain": ["x", "y"], "value": [0.2, 0.4], "standard_error": [0.3, 0.4], "n": [5, 6]})
    >>> mean_over_domains(rows, ["name"]).round(3).to_dict("records")
    [{'name': 'a', 'value': 0.3, 'standard_error': 0.25, 'n': 11}]
    """
    rows = []
    for key, group in frame.groupby(list(by), sort=False):
        error = float(np.sqrt((group["standard_error"] ** 2).sum())) / len(group)
        found = {"value": float(group["value"].mean()), "standard_error": error}
        rows.append({**dict(zip(by, key, strict=True)), **found, "n": int(group["n"].sum())})
    return pd.DataFrame(rows)


def mean_on_same_images(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    r"""The mean of a group's rows that judge the very same images, as several networks do: no more images than one has.

    :math:`SE^2 = \sum_d SE_d^2 / D`: what the images share does not average out. ``n`` is that of one row.

    >>> rows = pd.DataFrame({"name": "a", "unseen": ["x", "y"], "value": [0.2, 0.4], "standard_error": [0.3, 0.3], "n": [5, 5]})
    >>> mean_on_same_images(rows, ["name"]).round(3).to_dict("records")
    [{'name': 'a', 'value': 0.3, 'standard_error': 0.3, 'n': 5}]
    """
    rows = []
    for key, group in frame.groupby(list(by), sort=False):
        error = float(np.sqrt((group["standard_error"] ** 2).mean()))
        found = {"value": float(group["value"].mean()), "standard_error": error}
        rows.append({**dict(zip(by, key, strict=True)), **found, "n": int(group["n"].max())})
    return pd.DataFrame(rows)


def _or_nought(
    statistic: Callable[..., float], first: NDArray[np.float64], second: NDArray[np.float64]
) -> float:
    """0 where one side is constant, as a resample of few images may be: it orders nothing."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(statistic(first, second))


def _linear(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    return abs(plcc(first, second, logistic=False))
