"""Words for alternative texts, made from the plotted numbers.

An alternative text says what a reader would see: the axes and their ranges, how each series runs,
which comes first. Numbers keep three significant digits.
"""

import math
from collections.abc import Sequence
from typing import SupportsFloat

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "against",
    "counted",
    "course",
    "listing",
    "lower_first",
    "number",
    "plain",
    "to_scale",
    "upper_first",
]


def number(value: SupportsFloat) -> str:
    """``value`` to three significant digits, thousands grouped, with a true minus sign.

    >>> [number(v) for v in (0.65432, 0.5, -1234.5, 7000, 0.0000123)]
    ['0.654', '0.5', '−1,234', '7,000', '1.23e−05']
    """
    exact = float(value)
    if not math.isfinite(exact):
        return "no value" if math.isnan(exact) else ("∞" if exact > 0 else "−∞")
    size = abs(exact)
    if exact == round(exact) or size >= 1000:
        text = f"{exact:,.0f}"
    elif size < 0.001:
        text = f"{exact:.2e}"
    else:
        text = f"{exact:.{max(0, 2 - math.floor(math.log10(size)))}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−")


def to_scale(value: float, span: float) -> str:
    """``value`` with the digits that matter on an axis as long as ``span``.

    >>> to_scale(8e-11, 0.998), to_scale(-12.345, 30.0)
    ('0', '−12.3')
    """
    if span <= 0:
        return number(value)
    digits = 3 - math.floor(math.log10(span))
    return number(round(value, digits) + 0.0)  # adding zero turns -0.0 into 0.0


def listing(items: Sequence[str]) -> str:
    """``items`` as prose.

    >>> listing(["GMM", "KNN", "SGM"])
    'GMM, KNN and SGM'
    """
    if len(items) < 2:
        return "".join(items)
    return ", ".join(items[:-1]) + " and " + items[-1]


def counted(count: int, noun: str) -> str:
    """A count with its noun, which takes an s unless there is one.

    >>> counted(1, "row"), counted(3000, "row")
    ('1 row', '3,000 rows')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def plain(label: str) -> str:
    """An axis label without the marks of mathematics or line breaks.

    >>> plain(r"Number of components $M$")
    'Number of components M'
    """
    bare = label.translate({ord(mark): None for mark in "$\\{}"})
    return " ".join(bare.split())


def upper_first(text: str) -> str:
    """``text`` with a capital at the start.

    >>> upper_first("pair accuracy")
    'Pair accuracy'
    """
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """``text`` for the middle of a sentence; abbreviations and symbols stay as they are.

    >>> lower_first("Number of components"), lower_first("FID"), lower_first("K")
    ('number of components', 'FID', 'K')
    """
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def against(ylabel: str, xlabel: str, x: NDArray[np.float64], *, log_x: bool) -> str:
    """The first sentence on a plot of ``ylabel`` against ``xlabel``.

    >>> against("Accuracy", "Components", np.array([5.0, 100.0]), log_x=True)
    'Accuracy against components, 5 to 100 (logarithmic axis).'
    """
    span = f"{number(x.min())} to {number(x.max())}" if x.min() < x.max() else number(x[0])
    axis = " (logarithmic axis)" if log_x else ""
    return f"{upper_first(plain(ylabel))} against {lower_first(plain(xlabel))}, {span}{axis}."


def course(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    margin: NDArray[np.float64] | None = None,
) -> str:
    """How ``y`` runs over the increasing ``x``: it rises, falls, turns, or stays.

    ``margin`` is the half-width of each point's error bar. Where even the lowest and the highest
    point differ by no more than their margins together (root of the sum of squares), no trend is
    claimed.

    >>> course(np.array([5.0, 20.0, 100.0]), np.array([0.61, 0.66, 0.64]))
    'rises from 0.61 at 5 to 0.66 at 20, then falls to 0.64 at 100'
    """
    points = [f"{number(value)} at {number(place)}" for place, value in zip(x, y, strict=True)]
    if len(y) == 1:
        return f"is {points[0]}"
    low, high = int(np.argmin(y)), int(np.argmax(y))
    if y[low] == y[high]:
        return f"stays at {number(y[0])}"
    if margin is not None and y[high] - y[low] <= math.hypot(margin[low], margin[high]):
        return (
            f"stays between {number(y[low])} and {number(y[high])}, "
            "with no change beyond its error bars"
        )
    steps = np.diff(y)
    ends = (y[0], y[-1])
    if y[low] in ends and y[high] in ends and y[0] != y[-1]:
        verb = "rises" if y[-1] > y[0] else "falls"
        steady = bool((steps >= 0).all() or (steps <= 0).all())
        return f"{verb} from {points[0]} to {points[-1]}" + ("" if steady else ", unevenly")
    if y[low] in ends:
        return f"rises from {points[0]} to {points[high]}, then falls to {points[-1]}"
    if y[high] in ends:
        return f"falls from {points[0]} to {points[low]}, then rises to {points[-1]}"
    return f"runs from {points[0]} to {points[-1]}, lowest {points[low]}, highest {points[high]}"
