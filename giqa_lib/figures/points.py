"""Every value of several sets as a point, side by side (the scatter of AttGF-IQA's Figure 3)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike

from giqa_lib.checks import InputError, check_scores, error_line
from giqa_lib.figures.plot import Plot
from giqa_lib.figures.style import series_looks, styled_figure
from giqa_lib.figures.wording import number

__all__ = ["score_points"]

_SPREAD = 0.7  # of the room between two sets
_GOLDEN = 0.6180339887498949  # multiples of it fill an interval evenly, without a pattern


def score_points(scores: Mapping[str, ArrayLike | torch.Tensor], *, ylabel: str) -> Plot:
    """Draw each score (n,) of each set as a point, with a line at the set's median.

    The place within a set's column means nothing. Data: ``set``, ``index``, ``value``. Raises InputError on no sets, more than ten, or
    non-finite scores.

    >>> score_points({"a": [1.0, 2.0, 6.0], "b": [0.0]}, ylabel="MOS").alt
    'MOS of each of 4 images in 2 sets. a: 1 to 6, median 2; b: 0 to 0, median 0.'
    """
    sets = {name: check_scores(values, name=name) for name, values in scores.items()}
    if not sets:
        hint = "give one or more, by name"
        raise InputError(error_line("scores", expected="sets of scores", got="none", hint=hint))
    looks = series_looks(sets)
    parts = []
    with styled_figure(height=4.0) as figure:
        axes = figure.subplots()
        for place, (name, values) in enumerate(sets.items()):
            index = np.arange(len(values))
            across = place + _SPREAD * ((index * _GOLDEN) % 1 - 0.5)
            look, median = looks[name], float(np.median(values))
            axes.plot(
                across,
                values,
                linestyle="none",
                marker=look.marker,
                color=look.colour,
                markersize=3,
                alpha=0.6,
            )
            axes.hlines(median, place - 0.42, place + 0.42, color="black", linewidth=1.6)
            parts.append(pd.DataFrame({"set": name, "index": index, "value": values}))
        axes.set_xticks(range(len(sets)), list(sets))
        axes.set_xlim(-0.5, len(sets) - 0.5)
        axes.set_ylabel(ylabel)
        axes.grid(True, axis="y")
    data = pd.concat(parts, ignore_index=True)
    told = "; ".join(
        f"{name}: {number(v.min())} to {number(v.max())}, median {number(float(np.median(v)))}"
        for name, v in sets.items()
    )
    counted = "1 set" if len(sets) == 1 else f"{len(sets)} sets"
    return Plot(figure, f"{ylabel} of each of {len(data)} images in {counted}. {told}.", data)
