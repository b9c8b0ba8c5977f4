r"""From a raw score to [0, 1]: the share of held-out real images that score below.

.. math:: c(x) = \frac1m \sum_{j=1}^m \Bigl( [s(x_j) < s(x)] + \tfrac12 [s(x_j) = s(x)] \Bigr)

The GIQA paper normalises "to [0, 1]" without saying how. A log-density has no scale of its
own and changes with every fit; its rank among held-out real images is comparable between
generators, runs and feature spaces, and no image's value depends on the others scored.
Held-out: the images the density was fitted on score too high. Departure from other tools:
they min-max the scored set (:func:`min_max`), here only for comparison.
"""

import os
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import NotFittedError

from giqa_lib.checks import (
    InputError,
    check_positive,
    check_same_length,
    check_scores,
    error_line,
)
from giqa_lib.scores.persistence import check_learned, read_state, write_state

__all__ = ["RankCalibration", "WithinModeCalibration", "min_max"]

Array = NDArray[np.float64]


def _share_below(held_out: Array, scores: Array) -> Array:
    """Share of the sorted ``held_out`` below each score, ties half."""
    below = np.searchsorted(held_out, scores, side="left")
    not_above = np.searchsorted(held_out, scores, side="right")
    return (below + not_above) / (2.0 * len(held_out))


def _binomial_error(values: Array, counts: ArrayLike) -> Array:
    """Standard error of a share; one success and one failure are added, so none is 0."""
    counts = np.asarray(counts, dtype=np.float64)
    share = (values * counts + 1.0) / (counts + 2.0)
    return np.sqrt(share * (1.0 - share) / (counts + 2.0))


class RankCalibration:
    """Rank among held-out real images, in [0, 1]; 0.5 is the median real image.

    Learned: ``held_out_``, the sorted scores of the held-out images.

    >>> RankCalibration().fit([1.0, 2.0, 3.0, 4.0]).transform([0.0, 2.0, 2.5, 9.0])
    array([0.   , 0.375, 0.5  , 1.   ])
    """

    rule = "share of held-out real images that score below"

    def fit(self, held_out_scores: ArrayLike) -> "RankCalibration":
        """Keep the scores of real images that the density was not fitted on, (m,)."""
        self.held_out_ = np.sort(check_scores(held_out_scores, name="held_out_scores"))
        return self

    def transform(self, scores: ArrayLike) -> Array:
        """Calibrated values in [0, 1] of raw scores (n,)."""
        values = check_scores(scores)
        return _share_below(self._fitted(), values)

    def standard_error(self, calibrated: ArrayLike) -> Array:
        """Standard error of each calibrated value from the finite held-out set, (n,).

        Binomial with n = m held-out images; one above and one below are added (Laplace), so
        that a 0 or 1 from few images is not called certain.

        >>> RankCalibration().fit(np.arange(98.0)).standard_error([0.5])
        array([0.05])
        """
        return _binomial_error(check_scores(calibrated, name="calibrated"), len(self._fitted()))

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write it as safetensors and JSON; returns the folder."""
        attributes = {"held_out_": self._fitted()}
        return write_state(folder, kind="RankCalibration", parameters={}, attributes=attributes)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> "RankCalibration":
        """What ``save`` wrote."""
        parameters, attributes, _ = read_state(folder, kind="RankCalibration")
        check_learned(parameters, attributes, known=())
        return cls().fit(attributes.get("held_out_", ()))

    def _fitted(self) -> Array:
        if not hasattr(self, "held_out_"):
            raise NotFittedError("RankCalibration is not fitted; call fit(held_out_scores) first")
        return self.held_out_


class WithinModeCalibration:
    """Rank among the held-out real images of the same mode, in [0, 1].

    A raw density measures how typical a class is before it measures quality: ranked over all
    images, the simplest class comes first whatever its quality. A mode is an integer: the
    predicted class or the nearest component. A mode with fewer than ``minimum`` held-out
    images has no usable scale: ``fit`` raises and names it, and ``transform`` raises for a
    mode that ``fit`` never saw; nothing is pooled silently.

    Learned: ``modes_`` (k,), ``counts_`` (k,), ``held_out_`` (m,), sorted by mode, then score.

    >>> calibration = WithinModeCalibration(minimum=2).fit([1.0, 2.0, 11.0, 12.0], [0, 0, 1, 1])
    >>> calibration.transform([1.5, 1.5, 11.5], [0, 1, 1])
    array([0.5, 0. , 0.5])
    """

    rule = "share of held-out real images of the same mode that score below"

    def __init__(self, *, minimum: int = 20) -> None:
        self.minimum = int(check_positive(minimum, name="minimum"))

    def fit(self, held_out_scores: ArrayLike, modes: ArrayLike) -> "WithinModeCalibration":
        """Keep the held-out scores (m,) of each mode (m,)."""
        scores = check_scores(held_out_scores, name="held_out_scores")
        labels = _check_modes(modes)
        check_same_length(held_out_scores=scores, modes=labels)
        order = np.lexsort((scores, labels))
        found, counts = np.unique(labels, return_counts=True)
        scarce = [
            f"{mode} ({count})"
            for mode, count in zip(found, counts, strict=True)
            if count < self.minimum
        ]
        if scarce:
            expected = f"at least {self.minimum} held-out images in each mode"
            got = "too few in mode " + ", ".join(scarce)
            hint = "give more held-out images, use fewer modes, or lower minimum"
            raise InputError(error_line("modes", expected=expected, got=got, hint=hint))
        self.modes_, self.counts_, self.held_out_ = found, counts, scores[order]
        return self

    def transform(self, scores: ArrayLike, modes: ArrayLike) -> Array:
        """Calibrated values in [0, 1] of raw scores (n,) of images in ``modes`` (n,)."""
        values = check_scores(scores)
        places = self._places(modes)
        check_same_length(scores=values, modes=places)
        starts = np.concatenate([[0], np.cumsum(self.counts_)])
        out = np.empty(len(values))
        for place in np.unique(places):
            chosen = places == place
            held_out = self.held_out_[starts[place] : starts[place + 1]]
            out[chosen] = _share_below(held_out, values[chosen])
        return out

    def standard_error(self, calibrated: ArrayLike, modes: ArrayLike) -> Array:
        """Standard error of each calibrated value, from its mode's held-out images, (n,)."""
        values = check_scores(calibrated, name="calibrated")
        places = self._places(modes)
        check_same_length(calibrated=values, modes=places)
        return _binomial_error(values, self.counts_[places])

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write it as safetensors and JSON; returns the folder."""
        self._fitted()
        names = ("modes_", "counts_", "held_out_")
        return write_state(
            folder,
            kind="WithinModeCalibration",
            parameters={"minimum": self.minimum},
            attributes={name: getattr(self, name) for name in names},
        )

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> "WithinModeCalibration":
        """What ``save`` wrote."""
        parameters, attributes, _ = read_state(folder, kind="WithinModeCalibration")
        check_learned(parameters, attributes, known=("minimum",))
        loaded = cls(**parameters)
        for name, value in attributes.items():
            setattr(loaded, name, value)
        return loaded

    def _fitted(self) -> None:
        if not hasattr(self, "held_out_"):
            message = "WithinModeCalibration is not fitted; call fit(held_out_scores, modes) first"
            raise NotFittedError(message)

    def _places(self, modes: ArrayLike) -> NDArray[np.int64]:
        self._fitted()
        labels = _check_modes(modes)
        places = np.searchsorted(self.modes_, labels).clip(max=len(self.modes_) - 1)
        unknown = np.unique(labels[self.modes_[places] != labels])
        if len(unknown):
            got = "unknown mode " + ", ".join(map(str, unknown))
            hint = "hold out real images of that mode, or use RankCalibration"
            expected = f"modes among the {len(self.modes_)} that have held-out images"
            raise InputError(error_line("modes", expected=expected, got=got, hint=hint))
        return places


def _check_modes(modes: ArrayLike) -> NDArray[np.int64]:
    labels = np.asarray(modes)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        got = f"shape {labels.shape} of {labels.dtype}"
        hint = "give the predicted class or GaussianMixture.predict"
        raise InputError(error_line("modes", expected="integers (n,)", got=got, hint=hint))
    return labels.astype(np.int64)


def min_max(scores: ArrayLike) -> Array:
    """Scores scaled by the smallest and largest of the set itself: other tools' rule.

    For comparison only. It is not a score: each value depends on which other images are in
    the set, so a good set and a bad set can get one mean, one outlier rescales all, and one
    image alone has no value (pyMDMA gives NaN). Raises where all scores are equal.

    >>> min_max([2.0, 3.0, 4.0])
    array([0. , 0.5, 1. ])
    """
    values = check_scores(scores)
    low, high = float(values.min()), float(values.max())
    if low == high:
        hint = "use RankCalibration, which needs no second image"
        got = f"{len(values)} score(s) all equal to {low:g}"
        raise InputError(error_line("scores", expected="two different scores", got=got, hint=hint))
    return (values - low) / (high - low)
