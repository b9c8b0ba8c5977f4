"""Laws that every function of giqa_lib.figures keeps."""

import base64
import io
from collections.abc import Callable

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from giqa_lib import figures
from giqa_lib.checks import InputError
from giqa_lib.figures import Plot

PICTURES = torch.arange(12 * 64, dtype=torch.int64).reshape(12, 1, 8, 8).to(torch.uint8)
TABLE = pd.DataFrame(
    {
        "M": [5, 20, 100] * 2,
        "kind": ["a"] * 3 + ["b"] * 3,
        "accuracy": [0.61, 0.64, 0.66, 0.7, 0.8, 0.75],
        "error": 0.004,
    }
)


def _grid() -> Plot:
    return figures.image_grid(PICTURES, columns=4, titles=list("abcdefghijkl"))


def _strip() -> Plot:
    return figures.sorted_strip(PICTURES, np.arange(12.0), count=6, rows=2)


def _ends() -> Plot:
    return figures.best_and_worst(PICTURES, {"GMM": np.arange(12.0)})


def _distributions() -> Plot:
    return figures.score_distributions({"a": [1.0, 2.0, 2.5], "b": [0.0, 1.0]}, xlabel="Score")


def _cumulative() -> Plot:
    return figures.cumulative_scores({"a": [0.1, 0.2]}, xlabel="Score", diagonal=True)


def _sweep() -> Plot:
    return figures.sweep(
        TABLE,
        x="M",
        y="accuracy",
        error="error",
        by="kind",
        paper=TABLE.assign(accuracy=0.6),
        xlabel="Components",
        ylabel="Pair accuracy",
        chance=0.5,
    )


def _curves() -> Plot:
    return figures.curves(
        TABLE, x="M", y="accuracy", error="error", by="kind", xlabel="Step", ylabel="Accuracy"
    )


def _bars() -> Plot:
    return figures.bars(TABLE, x="M", y="accuracy", error="error", by="kind", ylabel="Accuracy")


def _matrix() -> Plot:
    return figures.matrix(pd.DataFrame({"x": [0.1, 0.2]}, index=["a", "b"]), label="Accuracy")


def _densities() -> Plot:
    points = np.random.default_rng(0).normal(size=(40, 2))
    return figures.density_contours(
        {"Gaussian": lambda z: -(z**2).sum(1)}, points, queries={"A": [0.0, 1.0]}
    )


def _diagram() -> Plot:
    return figures.diagram(
        {"noise": (0, 0), "generator": (1, 0)}, [("noise", "generator", "z")], plain=["noise"]
    )


def _points() -> Plot:
    return figures.score_points({"a": [1.0, 2.0], "b": [3.0]}, ylabel="MOS")


def _fits() -> Plot:
    return figures.fitted_scatter(
        {"a": [0.0, 1.0, 2.0]}, [1.0, 2.0, 4.0], {"a": lambda x: 2 * x}, ylabel="MOS"
    )


def _spectra() -> Plot:
    flat = np.zeros((8, 8))
    return figures.spectra({"real": flat, "made": flat + np.arange(8.0)}, reference="real")


def _power_laws() -> Plot:
    sizes = pd.DataFrame({"n": [10, 100], "s": [1.0, 9.0], "stage": "scores"})
    return figures.power_laws(sizes, x="n", y="s", by="stage", xlabel="Images", ylabel="Seconds")


EVERY: tuple[Callable[[], Plot], ...] = (
    _grid,
    _strip,
    _ends,
    _distributions,
    _cumulative,
    _sweep,
    _curves,
    _bars,
    _matrix,
    _densities,
    _diagram,
    _points,
    _fits,
    _spectra,
    _power_laws,
)


def _png(plot: Plot) -> bytes:
    picture = io.BytesIO()
    plot.figure.savefig(
        picture, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None}
    )
    return picture.getvalue()


def _width(png: bytes) -> int:
    return int.from_bytes(png[16:20], "big")


@pytest.mark.parametrize("draw", EVERY)
def test_laws(draw: Callable[[], Plot]) -> None:
    before = dict(mpl.rcParams)
    first = _png(draw())
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []
    # The caller's settings, a notebook's for instance, do not reach the figure.
    with mpl.rc_context({"font.size": 22, "axes.facecolor": "black", "xtick.labelsize": 30}):
        assert _png(draw()) == first
    assert _width(first) <= 830
    plot = draw()
    assert plot.figure.get_facecolor() == (1.0, 1.0, 1.0, 1.0)
    assert plot.alt.endswith(".")
    assert not any(mark in plot.alt for mark in ("\n", "nan", "$", ".png"))
    assert not plot.data.empty
    plt.close(plot.figure)  # what giqa_lib.results.show does with every figure


def test_every_public_function_that_draws_is_under_the_laws() -> None:
    called = {name for draw in EVERY for name in draw.__code__.co_names}
    public = {name: getattr(figures, name) for name in figures.__all__ if name != "Plot"}
    drawing = {name for name, one in public.items() if one.__annotations__["return"] is Plot}
    assert set(public) - drawing == {"coloured_maps"}  # gives images, drawn by image_grid
    assert drawing <= called


def test_different_data_give_different_pictures() -> None:
    assert base64.b64encode(_png(_sweep())) != base64.b64encode(_png(_curves()))


def test_plot_needs_words_and_data() -> None:
    with pytest.raises(InputError, match="alt: expected a description"):
        Plot(Figure(), " ", pd.DataFrame({"x": [1]}))
    with pytest.raises(InputError, match="data: expected rows"):
        Plot(Figure(), "A point.", pd.DataFrame({"x": []}))
