import numpy as np
import pytest

from giqa_lib.checks import InputError
from giqa_lib.evaluation import fit_logistic
from giqa_lib.figures import fitted_scatter


def test_the_data_are_points_and_curve():
    scores, opinions = np.linspace(-1, 2, 30), np.linspace(0, 5, 30) ** 2
    fit = fit_logistic(scores, opinions)
    plot = fitted_scatter({"m": scores}, opinions, {"m": fit}, ylabel="MOS")
    assert np.array_equal(plot.data["score"], scores)
    assert np.array_equal(plot.data["fitted"], fit(scores))
    drawn = plot.figure.axes[0].lines
    assert np.array_equal(drawn[0].get_xydata(), np.stack([scores, opinions], 1))
    assert drawn[1].get_xdata()[[0, -1]].tolist() == [-1, 2]


def test_three_measures_leave_the_fourth_panel_empty():
    names = ("a", "b", "c")
    plot = fitted_scatter({n: [1.0, 2.0] for n in names}, [1.0, 2.0], {n: lambda x: x for n in names}, ylabel="MOS")  # fmt: skip
    assert [axes.get_title() for axes in plot.figure.axes if axes.axison] == list(names)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="got none for a"):
        fitted_scatter({"a": [1.0]}, [1.0], {}, ylabel="MOS")
    with pytest.raises(InputError, match="a and opinions"):
        fitted_scatter({"a": [1.0]}, [1.0, 2.0], {"a": lambda x: x}, ylabel="MOS")
    with pytest.raises(InputError, match="no measure"):
        fitted_scatter({}, [1.0], {}, ylabel="MOS")
