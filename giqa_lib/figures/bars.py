"""A measure for each of a few categories, by method: dots with error bars.

Dots, since bars need a zero to stand on and the measures here (accuracies, correlations) are read
against each other and against chance.
"""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from giqa_lib.figures.inputs import plotted_rows, split_series
from giqa_lib.figures.plot import Plot
from giqa_lib.figures.style import (
    INTERVAL,
    WIDTH,
    chance_line,
    legend_above,
    series_looks,
    styled_figure,
)
from giqa_lib.figures.wording import listing, number, plain, upper_first

__all__ = ["bars"]

_SPREAD = 0.6  # of the room between two categories, taken by the dots of one
_TOLD = 30  # values that an alternative text gives one by one


def bars(
    frame: pd.DataFrame,
    *,
    x: str,
    y: str,
    ylabel: str,
    xlabel: str | None = None,
    error: str | None = None,
    by: str | None = None,
    chance: float | None = None,
    chance_name: str = "chance",
) -> Plot:
    """Draw a dot at ``y`` for each category in ``x``, side by side for each series in ``by``.

    Error bars reach 1.96 standard errors (column ``error``; NaN draws none) to each side. The
    categories keep the order in which they come. A dotted line at ``chance`` bears ``chance_name``. Data: the columns drawn. Raises InputError on
    missing columns or two rows for one dot.

    >>> table = pd.DataFrame({"score": ["KNN", "GMM"], "accuracy": [0.62, 0.66]})
    >>> bars(table, x="score", y="accuracy", ylabel="Pair accuracy").alt
    'Pair accuracy, highest first: GMM 0.66 and KNN 0.62.'
    """
    keys = [x] if by is None else [by, x]
    rows = plotted_rows(frame, name="frame", keys=keys, value=y, error=error)
    categories = [str(category) for category in dict.fromkeys(rows[x])]
    series = split_series(rows, by)
    looks = series_looks(series)
    places = {category: place for place, category in enumerate(categories)}
    offsets = (np.arange(len(series)) - (len(series) - 1) / 2) * _SPREAD / len(series)
    handles = list[Artist]()
    with styled_figure(height=4.2) as figure:
        axes = figure.subplots()
        for offset, (name, part) in zip(offsets, series.items(), strict=True):
            look = looks[name]
            container = axes.errorbar(
                [places[str(category)] + offset for category in part[x]],
                part[y],
                yerr=part[error] * INTERVAL if error else None,
                color=look.colour,
                marker=look.marker,
                linestyle="none",
                markersize=7,
                linewidth=1.6,
                capsize=3,
            )
            handles.append(container.lines[0])
        for place in range(1, len(categories)):
            axes.axvline(place - 0.5, color="0.9", linewidth=1, zorder=0)
        if chance is not None:
            chance_line(axes, chance, chance_name)
        _label_categories(axes, categories)
        axes.set_xlim(-0.5, len(categories) - 0.5)
        axes.set_xlabel(xlabel or "")
        axes.set_ylabel(ylabel)
        axes.grid(True, axis="y")
        if by is not None:
            legend_above(figure, handles, list(series))
    data = pd.concat(series.values(), ignore_index=True)
    alt = _alt(data, x, y, error, by, ylabel)
    if chance is not None:
        alt += f" A dotted line marks {chance_name}, {number(chance)}."
    return Plot(figure, alt, data)


def _label_categories(axes: Axes, categories: list[str]) -> None:
    letters = int(WIDTH * 12 / len(categories))  # about twelve letters an inch at 10 points
    if letters >= 8:
        labels = [textwrap.fill(category, letters) for category in categories]
        axes.set_xticks(range(len(categories)), labels, parse_math=False)
        return
    axes.set_xticks(
        range(len(categories)),
        categories,
        rotation=35,
        ha="right",
        rotation_mode="anchor",
        parse_math=False,
    )


def _alt(data: pd.DataFrame, x: str, y: str, error: str | None, by: str | None, ylabel: str) -> str:
    measure = upper_first(plain(ylabel))
    if by is None:
        return f"{measure}, highest first: {_ranked(data, x, y, error)}."
    count, told = data[x].nunique(), []
    for category, part in data.groupby(x, sort=False):
        if len(data) > _TOLD and len(part) > 2:
            part = part.loc[[part[y].idxmax(), part[y].idxmin()]]
        told.append(f"{category}: {_ranked(part, by, y, error)}.")
    which = "highest and lowest" if len(data) > _TOLD else "highest first"
    return f"{measure} of {data[by].nunique()} series in {count} categories, {which}. " + " ".join(
        told
    )


def _ranked(part: pd.DataFrame, label: str, y: str, error: str | None) -> str:
    told = []
    for _, row in part.sort_values(y, ascending=False, kind="stable").iterrows():
        margin = f" ± {number(INTERVAL * row[error])}" if error and row[error] == row[error] else ""
        told.append(f"{row[label]} {number(row[y])}{margin}")
    return listing(told)
