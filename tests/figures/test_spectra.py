import numpy as np
import pytest

from giqa_lib.checks import InputError
from giqa_lib.figures import score_points, spectra


def test_data_are_the_spectra_at_their_frequencies():
    real = np.arange(16.0).reshape(4, 4)
    plot = spectra({"real": real, "made": real * 2}, reference="real")
    made = plot.data[plot.data["set"] == "made"]
    middle = made[(made["u"] == 0) & (made["v"] == 0)].iloc[0]
    assert (middle["power"], middle["difference"]) == (20.0, 10.0)
    assert sorted(made["u"].unique()) == [-0.5, -0.25, 0.0, 0.25]
    right = made[(made["u"] == 0.25) & (made["v"] == 0)].iloc[0]
    assert right["power"] == 22.0


def test_all_pictures_of_a_row_share_their_scale():
    real = np.arange(16.0).reshape(4, 4)
    axes = spectra({"real": real, "made": real - 3}, reference="real").figure.axes
    limits = [each.images[0].get_clim() for each in axes if each.images]
    assert limits[:2] == [(-3.0, 15.0)] * 2
    assert limits[2:4] == [(-3.0, 3.0)] * 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"real": np.zeros((4, 4))}, "two or more"),
        ({"real": np.zeros((4, 4)), "made": np.zeros((4, 5))}, "two or more of one"),
        ({"made": np.zeros((4, 4))}, "reference"),
    ],
)
def test_spectra_that_cannot_be_compared_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        spectra(given, reference="real")


def test_points_stay_in_their_column_and_keep_their_values():
    plot = score_points({"a": np.arange(50.0), "b": [7.0]}, ylabel="MOS")
    lines = plot.figure.axes[0].lines
    across, up = lines[0].get_xdata(), lines[0].get_ydata()
    assert up.tolist() == np.arange(50.0).tolist()
    assert np.abs(across).max() < 0.4
    assert len(np.unique(across.round(6))) == 50
    assert plot.data["value"].tolist() == [*np.arange(50.0), 7.0]
    with pytest.raises(InputError, match="sets of scores"):
        score_points({}, ylabel="MOS")
