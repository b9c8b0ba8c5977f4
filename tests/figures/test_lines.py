"""sweep, curves and bars: read back from the axes what their data say they draw."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.container import ErrorbarContainer

from giqa_lib.checks import InputError
from giqa_lib.figures import Plot, bars, curves, sweep

OURS = pd.DataFrame(
    {
        "M": [100, 5, 20, 5, 20, 100],  # out of order: the figure sorts
        "kind": ["faces"] * 3 + ["clothes"] * 3,
        "accuracy": [0.70, 0.61, 0.66, 0.80, 0.88, 0.84],
        "error": [0.01, 0.01, 0.02, 0.005, 0.005, np.nan],
        "note": "unused",
    }
)
PAPER = pd.DataFrame({"M": [5, 100], "kind": "FFHQ", "accuracy": [0.55, 0.59]})


def _sweep(frame: pd.DataFrame = OURS, **changes: object) -> Plot:
    named = {"x": "M", "y": "accuracy", "error": "error", "by": "kind", "paper": PAPER}
    labels = {"xlabel": "Number of components $M$", "ylabel": "Pair accuracy"}
    return sweep(frame, **{**named, **labels, "chance": 0.5, **changes})


def _containers(axes: Axes) -> list[ErrorbarContainer]:
    return [c for c in axes.containers if isinstance(c, ErrorbarContainer)]


def test_sweep_draws_its_data() -> None:
    plot = _sweep()
    drawn = _containers(plot.figure.axes[0])
    parts = list(plot.data.groupby(["source", "kind"], sort=False))
    assert [key for key, _ in parts] == [("ours", "faces"), ("ours", "clothes"), ("paper", "FFHQ")]
    for container, (_, part) in zip(drawn, parts, strict=True):
        np.testing.assert_array_equal(container.lines[0].get_xdata(), part["M"])
        np.testing.assert_array_equal(container.lines[0].get_ydata(), part["accuracy"])
        assert part["M"].is_monotonic_increasing
    assert list(plot.data.columns) == ["kind", "M", "accuracy", "error", "source"]


def test_sweep_error_bars_are_1_96_standard_errors() -> None:
    container = _containers(_sweep().figure.axes[0])[0]
    segments = np.array(container.lines[2][0].get_segments())
    lengths = segments[:, 1, 1] - segments[:, 0, 1]
    np.testing.assert_allclose(lengths, 2 * 1.96 * np.array([0.01, 0.02, 0.01]), rtol=1e-9)


def test_the_papers_values_are_open_and_unjoined() -> None:
    plot = _sweep()
    ours, _, paper = (container.lines[0] for container in _containers(plot.figure.axes[0]))
    assert paper.get_linestyle() == "None"
    assert paper.get_markerfacecolor() == "white"
    assert ours.get_markerfacecolor() == ours.get_color()
    legend = [text.get_text() for text in plot.figure.legends[0].get_texts()]
    assert "open: the paper's (their data, not ours)" in legend


def test_categories_differ_without_colour() -> None:
    lines = [container.lines[0] for container in _containers(_sweep().figure.axes[0])]
    assert len({line.get_marker() for line in lines}) == 3


def test_sweep_in_words() -> None:
    alt = _sweep().alt
    assert alt.startswith(
        "Pair accuracy against number of components M, 5 to 100 (logarithmic axis)."
    )
    assert "faces rises from 0.61 at 5 to 0.7 at 100" in alt
    assert "clothes rises from 0.8 at 5 to 0.88 at 20, then falls to 0.84 at 100" in alt
    assert "highest first: clothes 0.84 and faces 0.657." in alt
    assert "The paper's (their data, not ours): FFHQ rises from 0.55 at 5 to 0.59 at 100." in alt
    assert "chance, 0.5" in alt


def test_sweep_marks_its_values_on_the_axis() -> None:
    axes = _sweep().figure.axes[0]
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["5", "20", "100"]
    assert _sweep(log_x=False).figure.axes[0].get_xscale() == "linear"


def test_labels_of_close_values_do_not_touch() -> None:
    values = [1, 10, 100, 500, 1000, 1500, 3500, 7000]
    frame = pd.DataFrame({"K": values, "accuracy": np.linspace(0.5, 0.6, 8)})
    plot = sweep(frame, x="K", y="accuracy", xlabel="K", ylabel="Accuracy")
    plot.figure.draw_without_rendering()
    labels = plot.figure.axes[0].get_xticklabels()
    boxes = [label.get_window_extent() for label in labels]
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))
    assert labels[-1].get_text() == "7,000"


def test_curves_draw_their_data_and_bands() -> None:
    frame = OURS.fillna({"error": 0.01})
    plot = curves(
        frame,
        x="M",
        y="accuracy",
        error="error",
        by="kind",
        xlabel="Step",
        ylabel="FID",
        log_x=True,
    )
    axes = plot.figure.axes[0]
    bands = [c for c in axes.collections if isinstance(c, FillBetweenPolyCollection)]
    pairs = zip(axes.lines, bands, plot.data.groupby("kind", sort=False), strict=True)
    for line, band, (_, part) in pairs:
        np.testing.assert_array_equal(line.get_xdata(), part["M"])
        np.testing.assert_array_equal(line.get_ydata(), part["accuracy"])
        vertices = band.get_paths()[0].vertices
        high = max(part["accuracy"] + 1.96 * part["error"])
        assert np.asarray(vertices)[:, 1].max() == pytest.approx(high)
    assert len({str(line.get_linestyle()) for line in axes.lines}) == 2
    assert "At their ends, highest first: clothes 0.84 and faces 0.7." in plot.alt


def test_bars_draw_their_data() -> None:
    plot = bars(OURS, x="M", y="accuracy", error="error", by="kind", ylabel="Pair accuracy")
    axes = plot.figure.axes[0]
    drawn = _containers(axes)
    for container, (_, part) in zip(drawn, plot.data.groupby("kind", sort=False), strict=True):
        np.testing.assert_array_equal(container.lines[0].get_ydata(), part["accuracy"])
    first, second = (np.asarray(container.lines[0].get_xdata(), float) for container in drawn)
    # Categories in the order in which they come, 100, 5, 20, the two series side by side.
    assert np.round(first).tolist() == [0, 1, 2]
    assert np.round(second).tolist() == [1, 2, 0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["100", "5", "20"]
    assert "100: clothes 0.84 and faces 0.7 ± 0.0196." in plot.alt


def test_bars_reach_1_96_standard_errors() -> None:
    plot = bars(OURS, x="M", y="accuracy", error="error", by="kind", ylabel="Pair accuracy")
    container = _containers(plot.figure.axes[0])[0]
    segments = np.array(container.lines[2][0].get_segments())
    lengths = segments[:, 1, 1] - segments[:, 0, 1]
    np.testing.assert_allclose(lengths, 2 * 1.96 * np.array([0.01, 0.01, 0.02]), rtol=1e-9)


def test_bars_with_many_values_tell_the_extremes() -> None:
    frame = pd.DataFrame(
        [(c, str(s), s / 10) for c in "abcd" for s in range(9)], columns=["c", "s", "y"]
    )
    alt = bars(frame, x="c", y="y", by="s", ylabel="SRCC").alt
    assert "highest and lowest. a: 8 0.8 and 0 0. b:" in alt


@pytest.mark.parametrize(
    ("frame", "changes", "message"),
    [
        (
            OURS.drop(columns="error"),
            {},
            r"frame: expected the column\(s\) error, got columns M, kind",
        ),
        (OURS.head(0), {}, "frame: expected rows to draw"),
        (OURS.assign(accuracy="high"), {}, r"frame\['accuracy'\]: expected numbers"),
        (
            OURS.assign(accuracy=np.nan),
            {},
            r"frame\['accuracy'\]: expected finite numbers, got nan in row 0",
        ),
        (OURS.assign(error=-0.1), {}, r"frame\['error'\]: expected numbers >= 0, got -0.1"),
        (
            OURS,
            {"by": None, "paper": None},
            "frame: expected one row for each M, got 3 more, first M=5; average",
        ),
        (
            OURS.assign(M=OURS["M"] - 5),
            {},
            "M: expected values > 0 on a logarithmic axis, got 0; set log_x=False",
        ),
        (OURS, {"paper": PAPER.rename(columns={"M": "K"})}, r"paper: expected the column\(s\) M"),
        (
            OURS.rename(columns={"kind": "source"}),
            {"by": "source"},
            "columns: expected no 'source'",
        ),
    ],
)
def test_messages(frame: pd.DataFrame, changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _sweep(frame, **changes)


def test_curves_refuse_a_logarithm_of_nothing() -> None:
    frame = pd.DataFrame({"step": [0, 1], "fid": [1.0, 0.0]})
    named = {"x": "step", "y": "fid", "xlabel": "Step", "ylabel": "FID"}
    with pytest.raises(InputError, match=r"frame\['step'\]: .* set log_x=False"):
        curves(frame, **named, log_x=True)
    with pytest.raises(InputError, match=r"frame\['fid'\]: .* set log_y=False"):
        curves(frame, **named, log_y=True)
