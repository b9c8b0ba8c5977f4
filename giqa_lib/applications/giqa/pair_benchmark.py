"""The pair benchmark of GIQA (Table 1): every method on the same pairs, by kind of pair.

A table of accuracies invites picking the best of several and calling its lead the result. So which
method is the best or the worst of a group is decided on the development half of the pool, and
the difference is measured on the evaluation half, on the same pairs for both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from numpy.typing import NDArray
from sklearn.base import clone
from torch import Tensor

from giqa_lib.applications.pairs import Outcomes, Pairs, accuracies, differences, outcomes
from giqa_lib.applications.snapshots import Study
from giqa_lib.evaluation import combine_seeds, mcnemar
from giqa_lib.scores import Density

__all__ = [
    "Benchmark",
    "density_values",
    "judge_pairs",
    "lead",
    "lead_table",
    "mcnemar_table",
]

Scores = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """``outcomes[kind of pair][method]``, 1, 1/2 (tie) or 0 a pair, for one seed."""

    outcomes: dict[str, dict[str, Outcomes]]
    seed: int

    def accuracies(self) -> pd.DataFrame:
        """``name`` (the method), ``pairs``, ``seed``, ``value``, ``standard_error``, ``n``, ``ties``."""
        parts = []
        for kind, found in self.outcomes.items():
            ties = [int((values == 0.5).sum()) for values in found.values()]
            parts.append(accuracies(found).assign(pairs=kind, seed=self.seed, ties=ties))
        return pd.concat(parts, ignore_index=True)


def judge_pairs(scores: Mapping[str, Scores], pairs: Sequence[Pairs], *, seed: int) -> Benchmark:
    """Every method's outcome on every pair; ``scores`` (n,) are of the images that the pairs are rows of."""
    found = {p.name: {name: outcomes(values, p) for name, values in scores.items()} for p in pairs}
    return Benchmark(outcomes=found, seed=seed)


def density_values(
    study: Study, images: UInt8[Tensor, "n c h w"], densities: Mapping[str, Density]
) -> dict[str, Scores]:
    """Raw scores (n,) of images by densities fitted to the study's reference features, by name."""
    space = study.features()
    features = space.reduction.transform(study.extract(images, space.name))
    return {
        name: clone(density).fit(space.reference).score_samples(features)
        for name, density in densities.items()
    }


def lead(
    development: Benchmark,
    evaluation: Benchmark,
    ours: Sequence[str],
    others: Sequence[str],
    *,
    worst: bool = False,
) -> pd.DataFrame:
    """The best (or ``worst``) of ``ours`` against the best of ``others``, by kind of pair.

    Chosen on ``development``, measured on ``evaluation``: ``pairs``, ``first``, ``second``, ``value`` (difference of
    accuracies), ``standard_error``, ``n``, ``seed``.
    """
    rows = []
    for kind, found in evaluation.outcomes.items():
        means = {name: values.mean() for name, values in development.outcomes[kind].items()}
        first = (min if worst else max)(ours, key=lambda name: means[name])
        second = max(others, key=lambda name: means[name])
        row = differences(found, [(first, second)]).iloc[0]
        rows.append(
            {
                "pairs": kind,
                "first": first,
                "second": second,
                "value": row["value"],
                "standard_error": row["standard_error"],
                "n": int(row["n"]),
                "seed": evaluation.seed,
            }
        )
    return pd.DataFrame(rows)


def lead_table(
    judged: Mapping[str, Sequence[tuple[Benchmark, Benchmark]]],
    contrasts: Mapping[str, tuple[Sequence[str], Sequence[str], bool]],
) -> pd.DataFrame:
    """The leads of all contrasts on all test beds, combined over seeds.

    ``judged[bed]`` has a (development, evaluation) pair a seed; ``contrasts[name]`` is (ours, others, worst) as for
    :func:`lead`. Columns ``contrast``, ``bed``, ``pairs``, ``value``, ``standard_error``, ``n``, ``seeds``.
    """
    rows = [
        lead(development, evaluation, ours, others, worst=worst).assign(contrast=name, bed=bed)
        for name, (ours, others, worst) in contrasts.items()
        for bed, seeds in judged.items()
        for development, evaluation in seeds
    ]
    return combine_seeds(pd.concat(rows), by=["contrast", "bed", "pairs"])


def mcnemar_table(benchmarks: Sequence[Benchmark], kind: str) -> pd.DataFrame:
    """Exact McNemar tests between all methods on one kind of pair, over all seeds' pairs together.

    ``first``, ``second``, ``only first`` and ``only second`` (pairs that only one gets right; a tie is not
    right), ``p`` and ``adjusted p`` (Holm's correction for the number of tests).
    """
    methods = list(benchmarks[0].outcomes[kind])
    right = {
        name: np.concatenate([b.outcomes[kind][name] == 1 for b in benchmarks]) for name in methods
    }
    rows = [
        {
            "first": first,
            "second": second,
            "only first": int((right[first] & ~right[second]).sum()),
            "only second": int((~right[first] & right[second]).sum()),
            "p": mcnemar(right[first], right[second]),
        }
        for first, second in combinations(methods, 2)
    ]
    table = pd.DataFrame(rows)
    return table.assign(**{"adjusted p": _holm(table["p"].to_numpy())})


def _holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's step-down correction: the k-th smallest of m times m - k + 1, never falling, at most 1.

    >>> _holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
