"""Scores against opinions with a fitted curve, a panel a measure (the scatter of AttGF-IQA's Figure 8)."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float64
from numpy.typing import ArrayLike, NDArray

from giqa_lib.checks import InputError, check_same_length, check_scores, error_line
from giqa_lib.figures.plot import Plot
from giqa_lib.figures.style import WIDTH, styled_figure
from giqa_lib.figures.wording import number, plain

__all__ = ["fitted_scatter"]

Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]
_ABREAST = 2
_NODES = 200


def fitted_scatter(
    scores: Mapping[str, ArrayLike],
    opinions: ArrayLike,
    curves: Mapping[str, Curve],
    *,
    ylabel: str,
) -> Plot:
    """Draw the ``opinions`` (n,) over each measure's scores (n,), and its curve from scores to opinions.

    Data: ``measure``, ``score``, ``opinion``, ``fitted``. Raises InputError for no measure, another number of opinions, and
    a measure without a curve.

    >>> fitted_scatter({"a": [0.0, 1.0]}, [1.0, 3.0], {"a": lambda x: 1 + 2 * x}, ylabel="MOS").alt
    'MOS of 2 images against their scores, with fitted curves. a: scores 0 to 1, the curve from 1 to 3.'
    """
    wanted = check_scores(opinions, name="opinions")
    missing = [name for name in scores if name not in curves]
    if not scores or missing:
        hint = "give a curve a measure, such as giqa_lib.evaluation.fit_logistic(scores, opinions)"
        got = f"none for {missing[0]}" if missing else "no measure"
        raise InputError(error_line("curves", expected="measures and curves", got=got, hint=hint))
    rows = -(-len(scores) // _ABREAST)
    parts, told = [], []
    with styled_figure(WIDTH, 2.6 * rows + 0.3) as figure:
        panels = figure.subplots(rows, _ABREAST, squeeze=False, sharey=True).ravel()
        for axes, (name, given) in zip(panels, scores.items(), strict=False):
            values = check_scores(given, name=name)
            check_same_length(**{name: values, "opinions": wanted})
            fitted: Float64[np.ndarray, " n"] = np.asarray(curves[name](values), dtype=np.float64)
            across = np.linspace(values.min(), values.max(), _NODES)
            axes.plot(values, wanted, "o", color="0.35", markersize=2.5, alpha=0.5)
            axes.plot(across, curves[name](across), color="#0072b2", linewidth=2)
            axes.set_title(name)
            axes.set_xlabel("score")
            axes.grid(True)
            columns = {"measure": name, "score": values, "opinion": wanted, "fitted": fitted}
            parts.append(pd.DataFrame(columns))
            ends = [number(float(v)) for v in (values.min(), values.max())]
            curve = [number(float(fitted[place])) for place in (values.argmin(), values.argmax())]
            told.append(
                f"{plain(name)}: scores {' to '.join(ends)}, the curve from {' to '.join(curve)}"
            )
        for axes in panels[len(scores) :]:
            axes.set_axis_off()
        for axes in panels[::_ABREAST]:
            axes.set_ylabel(ylabel)
    alt = f"{ylabel} of {len(wanted)} images against their scores, with fitted curves. {'; '.join(told)}."
    return Plot(figure, alt, pd.concat(parts, ignore_index=True))
