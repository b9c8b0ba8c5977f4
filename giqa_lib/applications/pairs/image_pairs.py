r"""Pairs of images whose better one is known, to ask a score which it prefers.

GIQA (Section 5) judges a score by the share of pairs in which it prefers the image that
people prefer. LGIQA, its set of such pairs, cannot be had without its authors; these are
**stand-ins**, built from what is known about an image's origin:

- a later snapshot of one generator's training against an earlier one,
- a real image against a generated one,
- a clean real image against the same image degraded,

or real judgements where a data set has them (``by_votes``). Within a set of constructed pairs
each image stands at most once, so that pairs are independent and an accuracy has the
binomial standard error. Known departure: constructed pairs are right on average, not
pair by pair, since one snapshot holds good and bad images: even an ideal score stays below 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from giqa_lib.checks import InputError, check_positive, check_same_length, check_scores, error_line

__all__ = [
    "Pairs",
    "by_votes",
    "clean_over_degraded",
    "join",
    "later_over_earlier",
    "real_over_generated",
]

Indices = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Rows of a pool of images: ``better[i]`` is known to be better than ``worse[i]``."""

    name: str
    better: Indices
    worse: Indices

    def __len__(self) -> int:
        return len(self.better)


def _random(random_state: int | np.random.Generator) -> np.random.Generator:
    return np.random.default_rng(random_state)


def _enough(name: str, found: int) -> None:
    if found == 0:
        hint = "widen the margin, or give more images"
        raise InputError(
            error_line(f"pairs {name!r}", expected="at least one", got="none", hint=hint)
        )


def later_over_earlier(
    steps: ArrayLike,
    *,
    ratio: float = 2.0,
    count: int | None = None,
    random_state: int | np.random.Generator,
) -> Pairs:
    """Pairs of generated images, the later at ``ratio`` times the training step of the earlier or more.

    Parameters
    ----------
    steps : (n,) the training step that each image of the pool was generated at; NaN for
        images that are not generated, which are left out.
    ratio : the margin; steps closer than that are not called different.
    count : at most so many pairs; all by default.

    >>> pairs = later_over_earlier([10, 10, 100, 100], ratio=2, random_state=0)
    >>> len(pairs), bool((pairs.better >= 2).all())
    (2, True)
    """
    check_positive(ratio - 1, name="ratio - 1")
    step = np.asarray(steps, dtype=float)
    random = _random(random_state)
    order = random.permutation(np.flatnonzero(np.isfinite(step)))
    half = len(order) // 2
    first, second = order[:half], order[half : 2 * half]
    later = np.where(step[first] >= step[second], first, second)
    earlier = np.where(step[first] >= step[second], second, first)
    apart = step[later] >= ratio * step[earlier]
    _enough("later over earlier snapshot", int(apart.sum()))
    return Pairs(
        name="later over earlier snapshot",
        better=later[apart][:count],
        worse=earlier[apart][:count],
    )


def real_over_generated(
    real: ArrayLike,
    generated: ArrayLike,
    *,
    count: int | None = None,
    random_state: int | np.random.Generator,
) -> Pairs:
    """A random real image against a random generated one; both are rows of the pool.

    >>> pairs = real_over_generated([0, 1, 2], [3, 4], random_state=0)
    >>> sorted(pairs.worse.tolist())
    [3, 4]
    """
    random = _random(random_state)
    better = random.permutation(np.asarray(real, dtype=np.int64))
    worse = random.permutation(np.asarray(generated, dtype=np.int64))
    size = min(len(better), len(worse), count or len(better))
    _enough("real over generated", size)
    return Pairs(name="real over generated", better=better[:size], worse=worse[:size])


def clean_over_degraded(
    clean: ArrayLike,
    degraded: ArrayLike,
    *,
    count: int | None = None,
    random_state: int | np.random.Generator,
) -> Pairs:
    """Each real image against its own degraded copy: row i of one belongs to row i of the other.

    >>> clean_over_degraded([0, 1], [2, 3], random_state=0).worse.tolist() in ([2, 3], [3, 2])
    True
    """
    better, worse = np.asarray(clean, dtype=np.int64), np.asarray(degraded, dtype=np.int64)
    check_same_length(clean=better, degraded=worse)
    order = _random(random_state).permutation(len(better))[:count]
    _enough("clean over degraded", len(order))
    return Pairs(name="clean over degraded", better=better[order], worse=worse[order])


def by_votes(
    share: ArrayLike,
    votes: ArrayLike,
    *,
    margin: float = 0.5,
    least_votes: int = 5,
    count: int | None = None,
    random_state: int | np.random.Generator,
) -> Pairs:
    """Pairs from human judgements: the better image's share of votes is larger by ``margin`` or more.

    Parameters
    ----------
    share : (n,) the share of observers who took the image for real, in [0, 1]; NaN without votes.
    votes : (n,) how many judged it; images with fewer than ``least_votes`` are left out.

    Each image stands in at most one pair.

    >>> by_votes([0.9, 0.1], [9, 9], margin=0.5, random_state=0).better.tolist()
    [0]
    """
    share, votes = np.asarray(share, dtype=float), np.asarray(votes, dtype=float)
    check_same_length(share=share, votes=votes)
    known = np.flatnonzero(np.isfinite(share) & (votes >= least_votes))
    check_scores(share[known], name="share")
    # The sorted halves face each other, shuffled within: the most pairs with a wide gap.
    random = _random(random_state)
    order = known[np.lexsort((random.random(len(known)), share[known]))]
    half = len(order) // 2
    worse, better = order[:half], random.permutation(order[len(order) - half :])
    apart = share[better] - share[worse] >= margin
    _enough("human votes", int(apart.sum()))
    return Pairs(name="human votes", better=better[apart][:count], worse=worse[apart][:count])


def join(name: str, *parts: Pairs, random_state: int | np.random.Generator) -> Pairs:
    """An equal share of each of ``parts`` as one set, so that a large easy part hides no hard one.

    >>> one = Pairs(name="a", better=np.array([0, 1]), worse=np.array([2, 3]))
    >>> two = Pairs(name="b", better=np.array([4]), worse=np.array([5]))
    >>> len(join("both", one, two, random_state=0))
    2
    """
    random = _random(random_state)
    size = min(len(part) for part in parts)
    chosen = [random.permutation(len(part))[:size] for part in parts]
    return Pairs(
        name=name,
        better=np.concatenate(
            [part.better[rows] for part, rows in zip(parts, chosen, strict=True)]
        ),
        worse=np.concatenate([part.worse[rows] for part, rows in zip(parts, chosen, strict=True)]),
    )
