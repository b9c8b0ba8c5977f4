import numpy as np
import pandas as pd
import pytest

from giqa_lib.checks import InputError
from giqa_lib.figures import power_laws

NAMES = {"x": "n", "y": "s", "by": "stage", "xlabel": "Images", "ylabel": "Seconds"}


def table(**series):
    sizes = np.array([10.0, 100.0, 1000.0, 10_000.0])
    return pd.concat(
        pd.DataFrame({"n": sizes, "s": f(sizes), "stage": k}) for k, f in series.items()
    )


def test_exact_power_laws_are_found():
    plot = power_laws(
        table(linear=lambda n: 3 * n, flat=lambda n: 0 * n + 7, square=lambda n: n**2), **NAMES
    )
    found = plot.data.groupby("stage")["slope"].first()
    assert found.to_dict() == pytest.approx({"linear": 1, "flat": 0, "square": 2}, abs=1e-12)
    assert plot.data["fitted"].to_numpy() == pytest.approx(plot.data["s"].to_numpy())
    legend = [text.get_text() for text in plot.figure.legends[0].get_texts()]
    assert legend == ["linear: slope 1.00", "flat: slope 0.00", "square: slope 2.00"]
    assert "square rises from 100 at 10 to 100,000,000 at 10,000, fitted slope 2.00." in plot.alt


def test_points_and_line_are_drawn_on_logarithmic_axes():
    noisy = table(a=lambda n: n * np.array([1.0, 2.0, 0.5, 1.0]))
    axes = power_laws(noisy, **NAMES).figure.axes[0]
    points, line = axes.lines
    assert np.array_equal(points.get_ydata(), noisy["s"])
    # a straight line on these axes
    assert np.diff(np.log(line.get_ydata()), 2) == pytest.approx(0, abs=1e-9)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_what_has_no_logarithm_or_no_slope_is_refused():
    with pytest.raises(InputError, match=r"frame\['s'\]: expected values > 0 .* got 0"):
        power_laws(table(a=lambda n: n - 10), **NAMES)
    with pytest.raises(InputError, match="a: expected two sizes or more, got one"):
        power_laws(table(a=lambda n: n).head(1), **NAMES)
