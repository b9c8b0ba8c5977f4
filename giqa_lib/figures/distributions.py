"""How scores are distributed: histograms of several sets, or their cumulative shares.

The histogram is the form of GIQA's Figure 4 (arXiv 2003.08932), which compares generators by the
distribution of their images' scores. Departure: outlines on one axis instead of filled panels,
and each set's median, since the sets overlap.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from giqa_lib.checks import InputError, check_positive, check_scores, error_line
from giqa_lib.figures.plot import Plot
from giqa_lib.figures.style import SeriesLook, legend_above, series_looks, styled_figure
from giqa_lib.figures.wording import (
    counted,
    listing,
    lower_first,
    number,
    plain,
    to_scale,
    upper_first,
)

__all__ = ["cumulative_scores", "score_distributions"]

_QUANTILES = 201  # points of a cumulative curve: each half a per cent


def score_distributions(
    scores: Mapping[str, ArrayLike | torch.Tensor],
    *,
    xlabel: str,
    bins: int = 40,
    limits: tuple[float, float] | None = None,
    log: bool = False,
) -> Plot:
    """Histogram outlines of each set's scores (n,) over shared bins, with medians (GIQA, Figure 4).

    The vertical axis is the share of a set's images in a bin, logarithmic with ``log``. ``limits``
    cuts the horizontal axis where a few far scores would squeeze the rest; shares stay shares of
    the whole set, and the alternative text says how much lies outside. Data: ``set``, ``low`` and
    ``high`` (the bin), ``count``, ``share``, ``median``. Raises InputError on no sets, more than
    ten, or non-finite scores.

    >>> plot = score_distributions({"real": [0.0, 1.0, 1.0]}, xlabel="Score", bins=2)
    >>> plot.data["count"].tolist(), plot.data["median"].tolist()
    ([1, 2], [1.0, 1.0])
    """
    check_positive(bins, name="bins")
    sets = _check_sets(scores)
    low, high = _limits(sets, limits)
    edges = np.linspace(low, high, bins + 1)
    looks = series_looks(sets)
    parts, handles = [], list[Artist]()
    with styled_figure(height=4.0) as figure:
        axes = figure.subplots()
        for name, values in sets.items():
            look = looks[name]
            counts = np.histogram(values, edges)[0]
            share = counts / len(values)
            median = float(np.median(values))
            axes.stairs(share, edges, color=look.colour, linestyle=look.line, linewidth=1.8)
            if low <= median <= high:
                _mark_median(axes, median, look)
            handles.append(
                Line2D([], [], color=look.colour, linestyle=look.line, marker=look.marker)
            )
            parts.append(
                pd.DataFrame(
                    {
                        "set": name,
                        "low": edges[:-1],
                        "high": edges[1:],
                        "count": counts,
                        "share": share,
                        "median": median,
                    }
                )
            )
        axes.set_xlim(low, high)
        axes.set_xlabel(f"{xlabel} (markers on the axis: medians)")
        axes.set_ylabel("Share of the set's images in a bin")
        if log:
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        legend_above(figure, handles, [f"{name} (n = {len(v):,})" for name, v in sets.items()])
    return Plot(figure, _alt(sets, xlabel, low, high, log), pd.concat(parts, ignore_index=True))


def cumulative_scores(
    scores: Mapping[str, ArrayLike | torch.Tensor], *, xlabel: str, diagonal: bool = False
) -> Plot:
    """The share of each set (n,) that scores at most so much, at every half per cent.

    ``diagonal`` draws the line on which a score calibrated to [0, 1] puts held-out real images.
    Data: ``set``, ``score``, ``share``. Raises InputError as :func:`score_distributions` does.

    >>> plot = cumulative_scores({"real": [0.0, 1.0]}, xlabel="Calibrated score")
    >>> plot.data["score"].iloc[100]
    np.float64(0.5)
    """
    sets = _check_sets(scores)
    looks = series_looks(sets)
    share = np.linspace(0, 1, _QUANTILES)
    parts, handles = [], list[Artist]()
    with styled_figure(height=4.2) as figure:
        axes = figure.subplots()
        for name, values in sets.items():
            look = looks[name]
            quantiles = np.quantile(values, share)
            handles += axes.plot(
                quantiles,
                share,
                color=look.colour,
                linestyle=look.line,
                marker=look.marker,
                markevery=(20, 40),
                linewidth=1.8,
            )
            parts.append(pd.DataFrame({"set": name, "score": quantiles, "share": share}))
        labels = [f"{name} (n = {len(values):,})" for name, values in sets.items()]
        if diagonal:
            handles += axes.plot([0, 1], [0, 1], color="0.35", linestyle=(0, (1, 2)))
            labels.append("calibrated")
        axes.set_xlabel(xlabel)
        axes.set_ylabel("Share of the set at or below")
        axes.set_ylim(0, 1.01)
        axes.grid(True)
        legend_above(figure, handles, labels)
    low, high = _limits(sets, None)
    alt = f"Cumulative share of {_set_count(sets)} against {lower_first(plain(xlabel))}, "
    alt += (
        f"{to_scale(low, high - low)} to {to_scale(high, high - low)}. {_medians(sets, low, high)}"
    )
    if diagonal:
        deviations = {n: _off_diagonal(np.quantile(v, share), share) for n, v in sets.items()}
        told = [f"{name} {number(value)}" for name, value in deviations.items()]
        alt += f" Largest horizontal distance from the dotted diagonal: {listing(told)}."
    return Plot(figure, alt, pd.concat(parts, ignore_index=True))


def _mark_median(axes: Axes, median: float, look: SeriesLook) -> None:
    axes.axvline(median, ymax=0.06, color=look.colour, linewidth=2.5, solid_capstyle="butt")
    axes.plot(
        [median],
        [0.06],
        transform=axes.get_xaxis_transform(),
        color=look.colour,
        marker=look.marker,
        markersize=7,
        markeredgecolor="white",
    )


def _check_sets(
    scores: Mapping[str, ArrayLike | torch.Tensor],
) -> dict[str, NDArray[np.float64]]:
    if not scores:
        hint = "give {'real images': scores}"
        raise InputError(error_line("scores", expected="a set", got="none", hint=hint))
    return {name: check_scores(given, name=f"scores[{name!r}]") for name, given in scores.items()}


def _limits(
    sets: dict[str, NDArray[np.float64]], limits: tuple[float, float] | None
) -> tuple[float, float]:
    if limits is None:
        low = min(float(values.min()) for values in sets.values())
        high = max(float(values.max()) for values in sets.values())
        # One single value still needs a bin with a width.
        return (low, high) if low < high else (low - 0.5, high + 0.5)
    if not limits[0] < limits[1]:
        hint = "give the lower end first"
        raise InputError(error_line("limits", expected="low < high", got=f"{limits}", hint=hint))
    return limits


def _set_count(sets: dict[str, NDArray[np.float64]]) -> str:
    return counted(len(sets), "set") + " of scores"


def _medians(sets: dict[str, NDArray[np.float64]], low: float, high: float) -> str:
    """The sets in the order of their medians, each with the range of its middle half."""
    ranked = sorted(sets.items(), key=lambda item: float(np.median(item[1])))
    told = []
    for name, values in ranked:
        quarter, median, three = (
            to_scale(float(q), high - low) for q in np.quantile(values, [0.25, 0.5, 0.75])
        )
        told.append(f"{name} {median} (middle half {quarter} to {three})")
    return ("Medians, lowest first: " if len(told) > 1 else "Median: ") + listing(told) + "."


def _alt(
    sets: dict[str, NDArray[np.float64]], xlabel: str, low: float, high: float, log: bool
) -> str:
    axis = ", on a logarithmic vertical axis" if log else ""
    alt = f"Histograms of {_set_count(sets)}: {lower_first(plain(xlabel))}, "
    alt += f"{to_scale(low, high - low)} to {to_scale(high, high - low)}{axis}. {_medians(sets, low, high)}"
    outside = {n: float(((v < low) | (v > high)).mean()) for n, v in sets.items()}
    told = [f"{number(100 * share)}% of {name}" for name, share in outside.items() if share]
    return upper_first(alt) + (f" Outside the axis: {listing(told)}." if told else "")


def _off_diagonal(quantiles: NDArray[np.float64], share: NDArray[np.float64]) -> float:
    return float(np.abs(quantiles - share).max())
