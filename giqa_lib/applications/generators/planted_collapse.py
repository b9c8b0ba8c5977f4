"""A generator made to collapse on purpose, in known steps: what a measure of diversity must notice.

From a pool of generated images, batches are drawn that leave out modes, or that repeat few images. Each
image is as good as before; only the variety falls.
"""

import numpy as np
from jaxtyping import Integer
from numpy.typing import ArrayLike, NDArray

from giqa_lib.checks import InputError, check_positive, error_line

__all__ = ["keep_modes", "repeat_images"]

Rows = NDArray[np.int64]


def keep_modes(
    modes: Integer[np.ndarray, " n"], kept: ArrayLike, count: int, *, random_state: int
) -> Rows:
    """``count`` different rows among those whose mode is in ``kept``.

    Different, since an image that occurs twice could be fitted and held out at once.

    >>> sorted(keep_modes(np.array([0, 1, 0, 1]), [1], 2, random_state=0).tolist())
    [1, 3]
    """
    check_positive(count, name="count")
    allowed = np.flatnonzero(np.isin(modes, np.asarray(kept)))
    if len(allowed) < count:
        expected, got = f"at least {count} images of the modes kept", str(len(allowed))
        hint = "keep more modes, or give more images"
        raise InputError(error_line("modes", expected=expected, got=got, hint=hint))
    return np.random.default_rng(random_state).choice(allowed, count, replace=False)


def repeat_images(total: int, distinct: int, count: int, *, random_state: int) -> Rows:
    """``count`` rows that are ``distinct`` different ones of ``total``, each about as often.

    >>> len(set(repeat_images(10, 2, 6, random_state=0).tolist()))
    2
    """
    check_positive(count, name="count")
    if not 1 <= distinct <= total:
        hint = "repeat at least one, and at most all"
        raise InputError(
            error_line("distinct", expected=f"1..{total}", got=str(distinct), hint=hint)
        )
    chosen = np.random.default_rng(random_state).choice(total, distinct, replace=False)
    return np.resize(chosen, count)
