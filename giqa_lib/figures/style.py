"""The look of every figure: size, fonts, and how series are told apart.

Figures are 7 inches wide (700 pixels at 100 dpi) on white, so that they read the same in a light
and a dark theme. A series has a colour of seaborn's "colorblind" palette, and also a marker and
a line style of its own, so that no plot relies on colour. Matplotlib's global settings stay as
they are.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib.style
import numpy as np
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from giqa_lib.checks import InputError, error_line
from giqa_lib.figures.wording import number

__all__ = [
    "INTERVAL",
    "WIDTH",
    "SeriesLook",
    "chance_line",
    "label_values",
    "legend_above",
    "series_looks",
    "styled_figure",
]

WIDTH = 7.0
INTERVAL = 1.96  # standard errors on each side: a 95% interval if errors are normal and well known

_SETTINGS: dict[str, Any] = {
    "font.size": 10,
    "axes.labelsize": 10.5,
    "axes.titlesize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.edgecolor": "0.3",
    "grid.color": "0.9",
    "legend.frameon": False,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
}
# Neighbours in this order stay apart for the common kinds of colour blindness, and the two
# colours that are faint on white come last.
_PALETTE_ORDER = (0, 3, 2, 4, 1, 9, 5, 7, 6, 8)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p")
_LINES: tuple[Any, ...] = (
    "-",
    "--",
    "-.",
    (0, (1, 1)),
    (0, (6, 1)),
    (0, (3, 1, 1, 1, 1, 1)),
    (0, (5, 4)),
    (0, (1, 3)),
    (0, (8, 2, 2, 2)),
    (0, (2, 2)),
)
_LEGEND_CHARACTERS = 84  # of a 10-point font that fit on a line 7 inches wide, handles included


@contextmanager
def _style() -> Iterator[None]:
    with matplotlib.style.context(_SETTINGS, after_reset=True):
        yield


class _StyledFigure(Figure):
    """Matplotlib makes ticks when it draws or measures, with the settings of that moment."""

    def draw(self, renderer: RendererBase) -> None:
        with _style():
            super().draw(renderer)

    def get_tightbbox(
        self,
        renderer: RendererBase | None = None,
        *,
        bbox_extra_artists: Iterable[Artist] | None = None,
    ) -> Any:  # a TransformedBbox, which Matplotlib's own annotation (Bbox) leaves out
        with _style():
            return super().get_tightbbox(renderer, bbox_extra_artists=bbox_extra_artists)


@contextmanager
def styled_figure(
    width: float = WIDTH,
    height: float = 4.0,
    *,
    layout: Literal["constrained"] | None = "constrained",
) -> Iterator[Figure]:
    """Yield a new figure of ``width`` x ``height`` inches to draw on in the house style.

    Matplotlib's own settings change inside the ``with`` block only. The style starts from its
    defaults, not from the caller's settings, and the figure takes it up again whenever it is
    drawn, so that its bytes do not depend on where it is made or saved.

    >>> with styled_figure() as figure:
    ...     float(figure.get_figwidth())
    7.0
    """
    with _style():
        yield _StyledFigure(figsize=(width, height), dpi=100, layout=layout)


@dataclass(frozen=True, kw_only=True)
class SeriesLook:
    """How one series is drawn, in colour and without."""

    colour: tuple[float, float, float]
    marker: str
    line: Any


def series_looks(names: Iterable[str]) -> dict[str, SeriesLook]:
    """One look for each of at most ten ``names``, by their order.

    >>> [look.marker for look in series_looks(["GMM", "KNN"]).values()]
    ['o', 's']
    """
    unique = list(dict.fromkeys(names))
    if len(unique) > len(_MARKERS):
        hint = "draw fewer, or split them over several figures"
        raise InputError(
            error_line("series", expected="at most 10", got=str(len(unique)), hint=hint)
        )
    palette = sns.color_palette("colorblind")
    return {
        name: SeriesLook(colour=palette[_PALETTE_ORDER[i]], marker=_MARKERS[i], line=_LINES[i])
        for i, name in enumerate(unique)
    }


def legend_above(figure: Figure, handles: list[Artist], labels: list[str]) -> None:
    """Put one legend above all axes, in as many columns as the labels leave room for.

    >>> with styled_figure() as figure:
    ...     legend_above(figure, figure.subplots().plot([1, 2]), ["scores"])
    >>> figure.legends[0].get_texts()[0].get_text()
    'scores'
    """
    columns = max(
        count
        for count in range(1, len(labels) + 1)
        if count == 1 or _legend_width(labels, count) <= _LEGEND_CHARACTERS
    )
    lines = -(-len(labels) // columns)
    columns = -(-len(labels) // lines)  # no more than these lines need, so that they fill evenly
    figure.legend(handles, labels, loc="outside upper center", ncols=columns)


def _legend_width(labels: list[str], columns: int) -> int:
    """Letters across a legend, which Matplotlib fills column by column, the first ones longest."""
    parts = np.array_split(np.array([len(label) for label in labels]), columns)
    return sum(int(part.max()) + 6 for part in parts)  # a handle takes about six letters


def chance_line(axes: Axes, chance: float, name: str = "chance") -> None:
    """Draw and name the level that guessing reaches, or another that values are to be held against.

    >>> with styled_figure() as figure:
    ...     chance_line(figure.subplots(), 0.5)
    >>> figure.axes[0].texts[0].get_text()
    'chance'
    """
    axes.axhline(chance, color="0.35", linestyle=(0, (1, 2)), linewidth=1.2, zorder=1)
    axes.annotate(
        name,
        (1, chance),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        color="0.35",
    )


def label_values(axes: Axes, values: list[float], *, log: bool) -> None:
    """Mark the horizontal axis at the plotted ``values`` if they are few and let labels breathe.

    >>> with styled_figure() as figure:
    ...     axes = figure.subplots()
    ...     _ = axes.plot([5, 50], [0, 1])
    ...     label_values(axes, [5.0, 50.0], log=True)
    >>> [tick.get_text() for tick in axes.get_xticklabels()]
    ['5', '50']
    """
    if log:
        axes.set_xscale("log")
    ticks = sorted(set(values))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    if not 1 < len(ticks) <= 12:
        return
    transform = axes.transData.transform
    places = {value: transform((value, axes.get_ylim()[0]))[0] for value in ticks}
    room = axes.bbox.width * 0.075  # about "7,000" and a gap
    labelled = [ticks[-1]]
    for value in ticks[:-1]:
        if all(abs(places[value] - places[other]) >= room for other in labelled):
            labelled.append(value)
    axes.xaxis.set_major_locator(FixedLocator(sorted(labelled)))
    unlabelled = sorted(set(ticks) - set(labelled))
    axes.xaxis.set_minor_locator(FixedLocator(unlabelled) if unlabelled else NullLocator())
    axes.xaxis.set_minor_formatter(lambda value, _: "")
