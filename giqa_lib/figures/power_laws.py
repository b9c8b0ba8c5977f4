"""Measured cost against size on two logarithmic axes, with fitted power laws."""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from numpy.typing import NDArray

from giqa_lib.checks import InputError, error_line
from giqa_lib.figures.inputs import plotted_rows, split_series
from giqa_lib.figures.plot import Plot
from giqa_lib.figures.style import label_values, legend_above, series_looks, styled_figure
from giqa_lib.figures.wording import against, course

__all__ = ["power_laws"]


def power_laws(frame: pd.DataFrame, *, x: str, y: str, by: str, xlabel: str, ylabel: str) -> Plot:
    r"""Draw the points of ``y`` over ``x`` for each series in ``by`` and the line $y = a x^b$ through them.

    The line is the least-squares fit of $\log y$ to $\log x$; its slope b stands in the legend: 1 is
    linear, 0 flat. Data: the columns drawn, ``fitted`` and ``slope``. Raises InputError on missing columns, values
    that are not above 0, and a series with fewer than two sizes.

    >>> table = pd.DataFrame({"n": [10, 100, 1000], "s": [0.2, 2.0, 20.0], "stage": "scores"})
    >>> power_laws(table, x="n", y="s", by="stage", xlabel="Images", ylabel="Seconds").alt
    'Seconds against images, 10 to 1,000 (logarithmic axis). scores rises from 0.2 at 10 to 20 at 1,000, fitted slope 1.00.'
    """
    rows = plotted_rows(frame, name="frame", keys=[by, x], value=y, numbers=[x])
    _check_above_zero(rows, [x, y])
    series = {name: part.sort_values(x) for name, part in split_series(rows, by).items()}
    looks, handles, parts = series_looks(series), list[Artist](), []
    with styled_figure(height=4.2) as figure:
        axes = figure.subplots()
        for name, part in series.items():
            sizes, values = part[x].to_numpy(float), part[y].to_numpy(float)
            slope, fitted = _fit(name, sizes, values)
            look = looks[name]
            handles += axes.plot(
                sizes, values, color=look.colour, marker=look.marker, linestyle="none"
            )
            axes.plot(sizes, fitted, color=look.colour, linestyle=look.line, linewidth=1.4)
            parts.append(part.assign(fitted=fitted, slope=slope))
        axes.set_yscale("log")
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.grid(True)
        label_values(axes, rows[x].astype(float).tolist(), log=True)
        slopes = [f"{round(part['slope'].iloc[0], 2) + 0.0:.2f}" for part in parts]  # no -0.00
        legend_above(
            figure, handles, [f"{name}: slope {s}" for name, s in zip(series, slopes, strict=True)]
        )
    data = pd.concat(parts, ignore_index=True)
    alt = [against(ylabel, xlabel, data[x].to_numpy(float), log_x=True)]
    for (name, part), said in zip(series.items(), slopes, strict=True):
        run = course(part[x].to_numpy(float), part[y].to_numpy(float))
        alt.append(f"{name} {run}, fitted slope {said}.")
    return Plot(figure, " ".join(alt), data)


def _check_above_zero(rows: pd.DataFrame, columns: list[str]) -> None:
    for column in columns:
        if (rows[column] <= 0).any():
            got, hint = f"{rows[column].min():g}", "leave those rows out"
            expected = "values > 0 on a logarithmic axis"
            raise InputError(
                error_line(f"frame[{column!r}]", expected=expected, got=got, hint=hint)
            )


def _fit(
    name: str, sizes: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Slope and fitted values of the least-squares line through the logarithms."""
    if len(sizes) < 2:
        hint = "measure at another size; one point has no slope"
        raise InputError(error_line(name, expected="two sizes or more", got="one", hint=hint))
    slope, height = np.polyfit(np.log(sizes), np.log(values), 1)
    return float(slope), np.exp(height + slope * np.log(sizes))
