r"""Training pairs from pseudo-opinion (AttGF-IQA, Section III-A): pairs whose order is beyond doubt for the score that made it.

The images of a domain are sorted by their pseudo-MOS and cut into three levels of equal size. The best of the first level and
the worst of the third are each paired with images drawn at random from the second,

.. math:: \{(i, j)\} = \text{best}_e \times \text{partners}_p \;\cup\; \text{partners}_p \times \text{worst}_e, \qquad m = 2 e p .

The paper has 15,000 images a domain, e = 50 and p = 500, hence 50,000 pairs; each of the 2 e draws its own partners.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from giqa_lib.checks import InputError, check_positive, check_scores, error_line

__all__ = ["PAPER_PAIRS", "PairSettings", "construct_pairs", "quality_levels"]

LEVELS = 3


@dataclass(frozen=True, kw_only=True)
class PairSettings:
    """``ends`` best and as many worst images, each with ``partners`` of the middle level.

    >>> PAPER_PAIRS.pairs
    50000
    """

    ends: int
    partners: int

    def __post_init__(self) -> None:
        for name in ("ends", "partners"):
            check_positive(getattr(self, name), name=name)

    @property
    def pairs(self) -> int:
        """Pairs of a domain."""
        return 2 * self.ends * self.partners


PAPER_PAIRS = PairSettings(ends=50, partners=500)


def quality_levels(pseudo: ArrayLike) -> list[NDArray[np.int64]]:
    """Places of the images of three levels, best level and best image first; sizes differ by one at most.

    >>> [level.tolist() for level in quality_levels([0.1, 0.5, 0.3, 0.9, 0.7, 0.2])]
    [[3, 4], [1, 2], [5, 0]]
    """
    order = np.argsort(-check_scores(pseudo, name="pseudo", at_least=LEVELS), kind="stable")
    return [part.astype(np.int64) for part in np.array_split(order, LEVELS)]


def construct_pairs(
    pseudo: ArrayLike, settings: PairSettings, *, random_state: int | np.random.Generator
) -> NDArray[np.int64]:
    """Pairs (m, 2) of places (better, worse) by ``pseudo`` (n,), higher is better.

    Partners of one image are drawn without repetition. Raises ``InputError`` for fewer images than the settings need, and
    where two images of a pair would have the same score.

    >>> pairs = construct_pairs(range(9), PairSettings(ends=1, partners=2), random_state=0)
    >>> len(pairs), bool((pairs[:, 0] > pairs[:, 1]).all())
    (4, True)
    """
    scores = check_scores(pseudo, name="pseudo")
    needed = LEVELS * max(settings.ends, settings.partners)
    if len(scores) < needed:
        hint = "make more images, or lower ends and partners"
        expected = f"{needed} or more images for {settings}"
        raise InputError(error_line("pseudo", expected=expected, got=str(len(scores)), hint=hint))
    best, middle, worst = quality_levels(scores)
    best, worst = best[: settings.ends], worst[len(worst) - settings.ends :]
    if not scores[best].min() > scores[middle].max() >= scores[middle].min() > scores[worst].max():
        hint = "a score with so many ties tells no order; take another"
        expected = "levels with different scores at their borders"
        raise InputError(error_line("pseudo", expected=expected, got="equal ones", hint=hint))
    random = np.random.default_rng(random_state)
    pairs = []
    for image in best:
        pairs += [
            (image, other) for other in random.choice(middle, settings.partners, replace=False)
        ]
    for image in worst:
        pairs += [
            (other, image) for other in random.choice(middle, settings.partners, replace=False)
        ]
    return np.array(pairs, dtype=np.int64)
