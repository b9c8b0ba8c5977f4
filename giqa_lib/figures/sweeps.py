"""A measure over the values of one setting, ours beside a paper's.

The form of GIQA's Tables 8 and 9 (arXiv 2003.08932): pair accuracy over the number of components
and of neighbours. A paper's values come from other images, so they are open markers that no line
joins to ours, and the legend says so.
"""

from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.lines import Line2D

from giqa_lib.checks import InputError, error_line
from giqa_lib.figures.inputs import SINGLE, plotted_rows, split_series
from giqa_lib.figures.plot import Plot
from giqa_lib.figures.style import (
    INTERVAL,
    SeriesLook,
    chance_line,
    label_values,
    legend_above,
    series_looks,
    styled_figure,
)
from giqa_lib.figures.wording import against, course, listing, number, upper_first

__all__ = ["sweep"]

_SOURCE = "source"


def sweep(
    frame: pd.DataFrame,
    *,
    x: str,
    y: str,
    xlabel: str,
    ylabel: str,
    error: str | None = None,
    by: str | None = None,
    paper: pd.DataFrame | None = None,
    log_x: bool = True,
    chance: float | None = None,
) -> Plot:
    """Draw ``y`` over the setting ``x`` for each category in ``by``, with the paper's values.

    Ours are filled markers with bars of 1.96 standard errors (column ``error``; NaN draws none);
    ``paper``, with the same columns ``x``, ``y`` and ``by``, gives open ones. ``chance`` is the
    level of guessing. Data: the columns drawn and ``source`` (ours or paper). Raises InputError
    on missing columns, two rows for one point, or x <= 0 on a logarithmic axis.

    >>> table = pd.DataFrame({"M": [5, 20, 100], "accuracy": [0.61, 0.64, 0.66]})
    >>> sweep(table, x="M", y="accuracy", xlabel="Components", ylabel="Pair accuracy").alt
    'Pair accuracy against components, 5 to 100 (logarithmic axis). Ours rises from 0.61 at 5 to 0.66 at 100.'
    """
    keys = [x] if by is None else [by, x]
    if _SOURCE in (*keys, y, error):
        hint = "rename it: the figure's data use that name for ours and paper"
        raise InputError(
            error_line("columns", expected=f"no {_SOURCE!r}", got=f"{_SOURCE!r}", hint=hint)
        )
    ours = plotted_rows(frame, name="frame", keys=keys, value=y, numbers=[x], error=error)
    tables = {"ours": split_series(ours, by)}
    if paper is not None:
        theirs = plotted_rows(paper, name="paper", keys=keys, value=y, numbers=[x])
        tables["paper"] = split_series(theirs, by)
    looks = series_looks([name for table in tables.values() for name in table])
    parts = []
    with styled_figure(height=4.4) as figure:
        axes = figure.subplots()
        for source, table in tables.items():
            for name, unsorted in table.items():
                part, look = unsorted.sort_values(x), looks[name]
                bars = part[error] * INTERVAL if error and source == "ours" else None
                axes.errorbar(
                    part[x],
                    part[y],
                    yerr=bars,
                    color=look.colour,
                    marker=look.marker,
                    linestyle=look.line if source == "ours" else "none",
                    markerfacecolor=look.colour if source == "ours" else "white",
                    markersize=6 if source == "ours" else 7.5,
                    markeredgewidth=1.5,
                    linewidth=1.4,
                    capsize=3,
                    zorder=3 if source == "ours" else 2,
                )
                parts.append(part.assign(**{_SOURCE: source}))
        data = pd.concat(parts, ignore_index=True)
        _check_log(data[x], log_x)
        if chance is not None:
            chance_line(axes, chance)
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.grid(True, axis="y")
        label_values(axes, data[x].astype(float).tolist(), log=log_x)
        handles, labels = _legend(tables, looks, bars=error is not None)
        if len(labels) > 1:
            legend_above(figure, handles, labels)
    alt = _alt(data, x, y, error, by, against(ylabel, xlabel, data[x].to_numpy(float), log_x=log_x))
    if chance is not None:
        alt += f" A dotted line marks chance, {number(chance)}."
    return Plot(figure, alt, data)


def _check_log(values: pd.Series, log_x: bool) -> None:
    if log_x and (values <= 0).any():
        raise InputError(
            error_line(
                str(values.name),
                expected="values > 0 on a logarithmic axis",
                got=f"{values.min():g}",
                hint="set log_x=False",
            )
        )


def _legend(
    tables: dict[str, dict[str, pd.DataFrame]], looks: dict[str, SeriesLook], *, bars: bool
) -> tuple[list[Artist], list[str]]:
    """Colours and shapes for the categories, then filling for whose values they are."""
    handles, labels = list[Artist](), list[str]()
    for name, look in looks.items():
        if name == SINGLE:
            continue
        filled = name in tables["ours"]
        handles.append(
            Line2D(
                [],
                [],
                color=look.colour,
                marker=look.marker,
                linestyle=look.line if filled else "none",
                markerfacecolor=look.colour if filled else "white",
                markeredgewidth=1.5,
            )
        )
        labels.append(name)
    if "paper" in tables:
        grey: dict[str, Any] = {
            "color": "0.3",
            "marker": "o",
            "linestyle": "none",
            "markeredgewidth": 1.5,
        }
        handles.append(Line2D([], [], **grey))
        labels.append("filled: ours" + (", ± 1.96 standard errors" if bars else ""))
        handles.append(Line2D([], [], markerfacecolor="white", **grey))
        labels.append("open: the paper's (their data, not ours)")
    return handles, labels


def _alt(data: pd.DataFrame, x: str, y: str, error: str | None, by: str | None, first: str) -> str:
    sentences = [first]
    for source, table in data.groupby(_SOURCE, sort=False):
        whose = "Ours" if source == "ours" else "The paper's (their data, not ours)"
        told = []
        parts = split_series(table, by)
        for name, part in parts.items():
            margin = (part[error] * INTERVAL).to_numpy(float) if error and whose == "Ours" else None
            run = course(part[x].to_numpy(float), part[y].to_numpy(float), margin)
            told.append(f"{name} {run}" if name else run)
        joined = "; ".join(told)
        sentences.append(f"{whose}: {joined}." if by is not None else f"{whose} {joined}.")
        if len(parts) > 1:
            means = {name: float(part[y].mean()) for name, part in parts.items()}
            ranked = sorted(means, key=lambda name: -means[name])
            order = listing([f"{name} {number(means[name])}" for name in ranked])
            sentences.append(f"By their mean, highest first: {order}.")
    if error:
        sentences.append(f"Error bars are {INTERVAL} standard errors.")
    return upper_first(" ".join(sentences))
