import numpy as np
import pytest
from matplotlib.patches import StepPatch

from giqa_lib.checks import InputError
from giqa_lib.figures import cumulative_scores, score_distributions

RNG = np.random.default_rng(2)
SETS = {
    "real": RNG.normal(0, 1, 500),
    "early": RNG.normal(-8, 2, 300),
    "late": RNG.normal(-1, 1, 300),
}


def test_histograms_are_what_the_data_say() -> None:
    plot = score_distributions(SETS, xlabel="Log-density", bins=25)
    outlines = [p for p in plot.figure.axes[0].patches if isinstance(p, StepPatch)]
    assert len(outlines) == 3
    for outline, (name, values) in zip(outlines, SETS.items(), strict=True):
        part = plot.data[plot.data["set"] == name]
        shares, edges, _ = outline.get_data()
        np.testing.assert_array_equal(shares, part["share"])
        np.testing.assert_array_equal(edges, [*part["low"], part["high"].iloc[-1]])
        assert part["count"].sum() == len(values)
        assert part["share"].sum() == pytest.approx(1, abs=1e-12)
        assert part["median"].iloc[0] == np.median(values)


def test_alt_orders_the_sets_by_median() -> None:
    alt = score_distributions(SETS, xlabel="Log-density").alt
    assert alt.index("early") < alt.index("late") < alt.index("real")
    assert f"late −{-np.median(SETS['late']):.2f}" in alt


def test_scores_outside_the_limits_are_counted_in_words() -> None:
    plot = score_distributions(
        {"a": np.arange(100.0), "b": np.full(10, 95.0)},
        xlabel="Score",
        limits=(0.0, 89.5),
        log=True,
    )
    assert plot.data.query("set == 'a'")["share"].sum() == pytest.approx(0.9, abs=1e-12)
    assert "Outside the axis: 10% of a and 100% of b." in plot.alt
    assert plot.figure.axes[0].get_yscale() == "log"
    assert plot.figure.axes[0].get_xlim() == (0.0, 89.5)
    assert len(plot.figure.axes[0].lines) == 2  # a's median alone: its stem and its marker


def test_constant_scores_have_a_bin() -> None:
    assert score_distributions({"a": [2.0, 2.0]}, xlabel="Score", bins=3).data["count"].sum() == 2


def test_cumulative_curve() -> None:
    uniform = (np.arange(1000) + 0.5) / 1000
    plot = cumulative_scores({"flat": uniform, "low": uniform**2}, xlabel="Score", diagonal=True)
    first, second, diagonal = plot.figure.axes[0].lines
    np.testing.assert_array_equal(first.get_xdata(), plot.data.query("set == 'flat'")["score"])
    np.testing.assert_array_equal(second.get_ydata(), plot.data.query("set == 'low'")["share"])
    np.testing.assert_array_equal(diagonal.get_xdata(), [0, 1])
    # |p**2 - p| is largest, a quarter, in the middle.
    assert "low 0.25" in plot.alt.split("diagonal: ")[1]


def test_messages() -> None:
    with pytest.raises(InputError, match="scores: expected a set"):
        score_distributions({}, xlabel="Score")
    with pytest.raises(InputError, match=r"scores\['a'\]: expected finite values"):
        score_distributions({"a": [1.0, np.inf]}, xlabel="Score")
    with pytest.raises(InputError, match="limits: expected low < high"):
        score_distributions({"a": [1.0]}, xlabel="Score", limits=(1.0, 1.0))
    with pytest.raises(InputError, match="series: expected at most 10, got 11"):
        cumulative_scores({str(i): [1.0] for i in range(11)}, xlabel="Score")
