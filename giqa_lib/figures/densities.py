r"""What a density score says over the plane: contours around shares of the points.

For scores that need to be understood by eye (GIQA's Eqs. 5 to 8 in two dimensions). A contour
passes where the score has the value that a given share of the points exceeds,
:math:`\{z : s(z) = q_{1-p}(s(x_1), \dots, s(x_n))\}`, so that panels of different scores, with
scales of their own, can be compared.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import SupportsFloat

import matplotlib.patheffects as effects
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import RegularGridInterpolator

from giqa_lib.checks import InputError, check_features, check_scores, error_line
from giqa_lib.figures.plot import Plot
from giqa_lib.figures.style import WIDTH, series_looks, styled_figure
from giqa_lib.figures.wording import counted, listing, number, plain

__all__ = ["density_contours"]

_ENCLOSED = (0.99, 0.95, 0.75, 0.5, 0.25)  # shares of the points inside the contours
_GRID = 160  # nodes a side
_ABREAST = 3
_QUERY_MARKER_SIZE = 9


def density_contours(
    log_densities: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.floating]]],
    points: ArrayLike,
    *,
    queries: Mapping[str, Sequence[SupportsFloat] | NDArray[np.floating]] | None = None,
) -> Plot:
    """Draw each function (m, 2) -> (m,) around the ``points`` (n, 2), one panel each.

    Contours lie around 99, 95, 75, 50 and 25% of the points. ``queries`` are named places (2,) to
    mark. A score whose reference points are the very ``points`` peaks at each of them (KNN):
    draw other points to see its shape. Data: ``panel``, ``kind`` (point, query, or contour), ``name``, ``x``, ``y``,
    ``score``. Raises InputError if the points are not in the plane, a function returns
    something else than one finite number a place, or is flat.

    >>> plot = density_contours({"Gaussian": lambda z: -(z**2).sum(1)}, np.eye(2) * [1, 2])
    >>> plot.data.query("kind == 'point'")["score"].tolist()
    [-1.0, -4.0]
    """
    if not log_densities:
        hint = "give {'GMM': score.score_samples}"
        raise InputError(error_line("log_densities", expected="a function", got="none", hint=hint))
    places = _check_plane(points, "points")
    named = {
        name: _check_plane(np.asarray(place)[None], f"queries[{name!r}]")
        for name, place in (queries or {}).items()
    }
    marked = np.concatenate(list(named.values())) if named else np.empty((0, 2))
    grid = _grid(np.concatenate([places, marked]))
    nodes = np.stack([axis.ravel() for axis in grid], axis=1)
    columns = min(_ABREAST, len(log_densities))
    rows = -(-len(log_densities) // columns)
    side = WIDTH / max(columns, 2)
    parts = []
    with styled_figure(side * columns, (side + 0.2) * rows) as figure:
        panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
        for axes, (name, function) in zip(panels, log_densities.items(), strict=False):
            at_nodes = _evaluate(function, nodes, name)
            # Together: scipy's densities return a scalar for a single place.
            at_places = _evaluate(function, np.concatenate([places, marked]), name)
            at_points, at_queries = at_places[: len(places)], at_places[len(places) :]
            surface = at_nodes.reshape(grid[0].shape)
            levels = _levels(surface, grid, places, name)
            axes.contourf(*grid, surface, levels=levels, cmap="Blues", extend="max")
            axes.contour(
                *grid, surface, levels=levels, colors="0.4", linewidths=0.7, linestyles="-"
            )
            axes.plot(*places.T, "o", color="0.15", markersize=2.5, alpha=0.6, markeredgewidth=0)
            _mark(axes, named)
            axes.set_title(name)
            axes.set_aspect("equal")
            parts += [
                _part(name, "point", "", places, at_points),
                _part(name, "query", list(named), marked, at_queries),
                _part(name, "contour", "", np.full((len(levels), 2), np.nan), levels),
            ]
        for axes in panels[len(log_densities) :]:
            axes.set_visible(False)
    data = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return Plot(figure, _alt(data, places), data)


def _check_plane(points: ArrayLike, name: str) -> NDArray[np.float64]:
    array = check_features(points, name=name)
    if array.shape[1] != 2:
        hint = "project to two columns first, for instance with PCA"
        raise InputError(error_line(name, expected="2 columns", got=str(array.shape[1]), hint=hint))
    return array


def _grid(places: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    low, high = places.min(0), places.max(0)
    pad = 0.3 * np.maximum(high - low, 1e-9)
    return np.meshgrid(
        *(np.linspace(a, b, _GRID) for a, b in zip(low - pad, high + pad, strict=True))
    )


def _evaluate(
    function: Callable[[NDArray[np.float64]], NDArray[np.floating]],
    places: NDArray[np.float64],
    name: str,
) -> NDArray[np.float64]:
    return check_scores(function(places), name=f"log_densities[{name!r}]", count=len(places))


def _levels(
    surface: NDArray[np.float64],
    grid: tuple[NDArray[np.float64], ...],
    places: NDArray[np.float64],
    name: str,
) -> NDArray[np.float64]:
    # Quantiles of the drawn surface at the points, not of the function itself: a score that
    # peaks on its own references (KNN) would put every contour inside peaks too thin to draw.
    across, up = grid[0][0], grid[1][:, 0]
    drawn = RegularGridInterpolator((up, across), surface)(places[:, ::-1])
    levels = np.unique(np.quantile(drawn, [1 - share for share in _ENCLOSED]))
    levels = levels[(levels > surface.min()) & (levels < surface.max())]
    if len(levels) < 2:
        raise InputError(
            error_line(
                f"log_densities[{name!r}]",
                expected="a function that varies over the points",
                got=f"{len(levels)} of 5 contours",
                hint="see whether it is constant there",
            )
        )
    return levels


def _mark(axes: Axes, named: dict[str, NDArray[np.float64]]) -> None:
    looks = series_looks(["first", "second"])
    for name, place in named.items():
        axes.plot(
            *place.T,
            "X",
            color=looks["second"].colour,
            markersize=_QUERY_MARKER_SIZE,
            markeredgecolor="white",
        )
        label = axes.annotate(
            name,
            (float(place[0, 0]), float(place[0, 1])),
            xytext=(6, 5),
            textcoords="offset points",
            weight="bold",
            parse_math=False,
        )
        label.set_path_effects([effects.withStroke(linewidth=3, foreground="white")])


def _part(
    panel: str,
    kind: str,
    name: str | list[str],
    places: NDArray[np.float64],
    values: NDArray[np.float64],
) -> pd.DataFrame:
    columns = {"panel": panel, "kind": kind, "name": name, "x": places[:, 0], "y": places[:, 1]}
    return pd.DataFrame({**columns, "score": values})


def _alt(data: pd.DataFrame, places: NDArray[np.float64]) -> str:
    panels = list(dict.fromkeys(data["panel"]))
    low, high = places.min(0), places.max(0)
    shares = listing([f"{share:.0%}".rstrip("%") for share in sorted(_ENCLOSED)])
    sentences = [
        f"{counted(len(panels), 'panel')}: {listing([plain(panel) for panel in panels])}. Each shows "
        f"{counted(len(places), 'point')} between {number(low[0])} and {number(high[0])} across, "
        f"{number(low[1])} and {number(high[1])} up, and contours of its score around "
        f"{shares}% of them, darker where it is higher."
    ]
    for panel in panels:
        part = data[data["panel"] == panel]
        values = part.loc[part["kind"] == "point", "score"]
        asked = part[part["kind"] == "query"].sort_values("score", ascending=False)
        told = [f"{n} {number(v)}" for n, v in zip(asked["name"], asked["score"], strict=True)]
        queries = f"; marked, highest first: {listing(told)}" if told else ""
        sentences.append(
            f"{plain(panel)}: {number(values.min())} to {number(values.max())} over the points{queries}."
        )
    return " ".join(sentences)
