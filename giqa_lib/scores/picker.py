r"""The image picker (GIQA, Section 4.3): of many images keep the best by a score.

Image i of n keeps its place if fewer than a share r of all images come before it,

.. math:: \#\{j : s_j > s_i \text{ or } (s_j = s_i,\ j < i)\} < r\,n.

A score that prefers one kind of image picks that kind. With modes (predicted classes) an image is placed by its
rank within its own, :math:`(k + 1/2) / n_m` for the one after k better of :math:`n_m`, and each mode keeps
its share, to within an image or so of rounding.
"""

import numpy as np
from jaxtyping import Int64
from numpy.typing import ArrayLike, NDArray

from giqa_lib.checks import (
    InputError,
    check_probability,
    check_same_length,
    check_scores,
    error_line,
)

__all__ = ["pick"]


def pick(
    scores: ArrayLike,
    *,
    share: float | None = None,
    count: int | None = None,
    modes: ArrayLike | None = None,
) -> Int64[np.ndarray, " k"]:
    """Places of the best images by ``scores`` (n,), higher is better: best first, ties in their own order.

    Either ``share`` in (0, 1] of them, to the nearest whole number and at least one, or ``count``. With ``modes``, an
    integer an image (n,), each mode keeps its share. Sort the places to have the images in their own order. Raises
    ``InputError`` for a share or count that is not there to be kept.

    >>> pick([0.1, 0.9, 0.5, 0.9], share=0.5)
    array([1, 3])
    >>> pick([0.1, 0.9, 0.5, 0.9], count=2, modes=[0, 1, 0, 1])
    array([1, 2])
    """
    values = check_scores(scores)
    kept = _number(len(values), share, count)
    places = -values if modes is None else _within(values, modes)
    return np.argsort(places, kind="stable")[:kept]


def _number(total: int, share: float | None, count: int | None) -> int:
    if share is not None and count is None:
        if check_probability(share, name="share") == 0:
            hint = "keep some images, or all with 1"
            raise InputError(error_line("share", expected="a number > 0", got="0", hint=hint))
        return max(1, round(share * total))
    if count is None or share is not None:
        got = "neither" if count is None else f"share {share!r} and count {count!r}"
        hint = "say how many to keep in one way"
        raise InputError(error_line("share, count", expected="one of the two", got=got, hint=hint))
    if not 1 <= count <= total:
        expected, hint = f"a whole number in 1..{total}", "score more images, or keep fewer"
        raise InputError(error_line("count", expected=expected, got=repr(count), hint=hint))
    return count


def _within(scores: NDArray[np.float64], modes: ArrayLike) -> NDArray[np.float64]:
    """The rank of each image within its mode as a share of the mode, best lowest."""
    labels = np.asarray(modes)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        got, hint = f"shape {labels.shape} of {labels.dtype}", "give the predicted class"
        raise InputError(error_line("modes", expected="integers (n,)", got=got, hint=hint))
    check_same_length(scores=scores, modes=labels)
    places = np.empty(len(scores))
    for mode in np.unique(labels):
        members = np.flatnonzero(labels == mode)
        order = members[np.argsort(-scores[members], kind="stable")]
        places[order] = (np.arange(len(members)) + 0.5) / len(members)
    return places
