"""Average spectra side by side, and how each differs from that of real images (the form of AttGF-IQA's Figure 2).

Departure: the second row, and one scale of colours for all, without which pictures of spectra cannot be compared.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike, NDArray

from giqa_lib.checks import InputError, check_choice, error_line
from giqa_lib.figures.plot import Plot
from giqa_lib.figures.style import styled_figure
from giqa_lib.figures.wording import listing, number

__all__ = ["spectra"]

_NYQUIST = 0.5  # cycles a pixel


def spectra(average: Mapping[str, ArrayLike], *, reference: str) -> Plot:
    """Draw average log10 spectra (h, w), zero frequency in the middle, and below each its difference from ``reference``'s.

    Axes are in cycles a pixel. Data: ``set``, ``u``, ``v``, ``power`` (log10) and ``difference``. Raises InputError on fewer than two
    spectra and on spectra of different sizes.

    >>> flat = np.zeros((4, 4))
    >>> spectra({"real": flat, "made": flat + 1}, reference="real").alt
    'Average spectra of real and made, over a row of differences from real. Mean difference of log10 power: made +1.'
    """
    check_choice(reference, list(average), name="reference")
    found = {name: np.asarray(each, dtype=np.float64) for name, each in average.items()}
    shapes = {each.shape for each in found.values()}
    if len(found) < 2 or len(shapes) != 1 or len(next(iter(shapes))) != 2:
        got, hint = f"{len(found)} of shapes {sorted(shapes)}", "compute all at one size"
        raise InputError(
            error_line("average", expected="two or more of one (h, w)", got=got, hint=hint)
        )
    gaps = {name: each - found[reference] for name, each in found.items()}
    low, high = (float(f([f(each) for each in found.values()])) for f in (np.min, np.max))
    most = max(float(np.abs(gap).max()) for gap in gaps.values()) or 1.0
    with styled_figure(height=3.7) as figure:
        axes = figure.subplots(2, len(found), squeeze=False)
        for column, name in enumerate(found):
            axes[0, column].set_title(name, fontsize=10)
            above = _draw(axes[0, column], found[name], low, high, "viridis")
            below = _draw(axes[1, column], gaps[name], -most, most, "RdBu_r")
        axes[0, 0].set_ylabel("spectrum")
        axes[1, 0].set_ylabel(f"minus {reference}")
        figure.colorbar(above, ax=list(axes[0]), shrink=0.85, label="log10 power")
        figure.colorbar(below, ax=list(axes[1]), shrink=0.85, label="difference")
        figure.supxlabel("frequency in cycles a pixel, 0 in the middle", fontsize=10)
    others = [f"{n} {_signed(float(gap.mean()))}" for n, gap in gaps.items() if n != reference]
    alt = (
        f"Average spectra of {listing(list(found))}, over a row of differences from {reference}. "
        f"Mean difference of log10 power: {listing(others)}."
    )
    return Plot(figure, alt, _table(found, gaps))


def _draw(
    axes: Axes, values: NDArray[np.float64], low: float, high: float, colours: str
) -> AxesImage:
    drawn = axes.imshow(
        values,
        vmin=low,
        vmax=high,
        cmap=colours,
        extent=(-_NYQUIST, _NYQUIST, _NYQUIST, -_NYQUIST),
        interpolation="nearest",
    )
    axes.set_xticks([-_NYQUIST, 0, _NYQUIST], ["-0.5", "", "0.5"], fontsize=8)
    axes.set_yticks([])
    axes.grid(False)
    return drawn


def _signed(value: float) -> str:
    return ("+" if value >= 0 else "") + number(value)


def _table(
    found: Mapping[str, NDArray[np.float64]], gaps: Mapping[str, NDArray[np.float64]]
) -> pd.DataFrame:
    parts = []
    for name, each in found.items():
        v, u = (np.fft.fftshift(np.fft.fftfreq(side)) for side in each.shape)
        columns = {"u": np.tile(u, len(v)), "v": np.repeat(v, len(u)), "power": each.ravel()}
        parts.append(pd.DataFrame(columns).assign(difference=gaps[name].ravel(), set=name))
    return pd.concat(parts, ignore_index=True)[["set", "u", "v", "power", "difference"]]
