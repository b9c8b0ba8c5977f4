"""Measures over training steps, or over anything else that is dense enough for a line."""

import pandas as pd
from matplotlib.artist import Artist

from giqa_lib.checks import InputError, error_line
from giqa_lib.figures.inputs import plotted_rows, split_series
from giqa_lib.figures.plot import Plot
from giqa_lib.figures.style import (
    INTERVAL,
    chance_line,
    label_values,
    legend_above,
    series_looks,
    styled_figure,
)
from giqa_lib.figures.wording import against, course, listing, number

__all__ = ["curves"]

_MARKED = 25  # more points than this on a curve, and markers would run into each other


def curves(
    frame: pd.DataFrame,
    *,
    x: str,
    y: str,
    xlabel: str,
    ylabel: str,
    error: str | None = None,
    by: str | None = None,
    log_x: bool = False,
    log_y: bool = False,
    chance: float | None = None,
) -> Plot:
    """Draw a line of ``y`` over ``x`` for each series in ``by``.

    Bands reach 1.96 standard errors (column ``error``; NaN draws none) to each side. Data: the
    columns drawn, by series and then by x. Raises InputError on missing columns, two rows for one
    point, or values <= 0 on a logarithmic axis.

    >>> table = pd.DataFrame({"step": [1, 10, 100], "fid": [90.0, 50.0, 20.0]})
    >>> curves(table, x="step", y="fid", xlabel="Step", ylabel="FID", log_x=True).alt
    'FID against step, 1 to 100 (logarithmic axis). The line falls from 90 at 1 to 20 at 100.'
    """
    keys = [x] if by is None else [by, x]
    rows = plotted_rows(frame, name="frame", keys=keys, value=y, numbers=[x], error=error)
    for column, log, option in ((x, log_x, "log_x"), (y, log_y, "log_y")):
        if log and (rows[column] <= 0).any():
            expected = "values > 0 on a logarithmic axis"
            hint = f"set {option}=False or leave those rows out"
            got = f"{rows[column].min():g}"
            raise InputError(
                error_line(f"frame[{column!r}]", expected=expected, got=got, hint=hint)
            )
    series = {name: part.sort_values(x) for name, part in split_series(rows, by).items()}
    looks = series_looks(series)
    handles = list[Artist]()
    with styled_figure(height=4.2) as figure:
        axes = figure.subplots()
        for name, part in series.items():
            look = looks[name]
            handles += axes.plot(
                part[x],
                part[y],
                color=look.colour,
                linestyle=look.line,
                marker=look.marker,
                markevery=max(1, len(part) // _MARKED),
                markersize=5,
                linewidth=1.7,
            )
            if error:
                low, high = (part[y] + sign * INTERVAL * part[error] for sign in (-1, 1))
                axes.fill_between(part[x], low, high, color=look.colour, alpha=0.18, linewidth=0)
        if chance is not None:
            chance_line(axes, chance)
        if log_y:
            axes.set_yscale("log")
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.grid(True)
        label_values(axes, rows[x].astype(float).tolist(), log=log_x)
        if by is not None:
            legend_above(figure, handles, list(series))
    data = pd.concat(series.values(), ignore_index=True)
    alt = [against(ylabel, xlabel, data[x].to_numpy(float), log_x=log_x)]
    for name, part in series.items():
        margin = (part[error] * INTERVAL).to_numpy(float) if error else None
        run = course(part[x].to_numpy(float), part[y].to_numpy(float), margin)
        alt.append(f"{name or 'The line'} {run}.")
    if len(series) > 1:
        ends = {name: float(part[y].iloc[-1]) for name, part in series.items()}
        ranked = sorted(ends, key=lambda name: -ends[name])
        order = listing([f"{name} {number(ends[name])}" for name in ranked])
        alt.append(f"At their ends, highest first: {order}.")
    if error:
        alt.append(f"Bands are {INTERVAL} standard errors.")
    if chance is not None:
        alt.append(f"A dotted line marks chance, {number(chance)}.")
    return Plot(figure, " ".join(alt), data)
