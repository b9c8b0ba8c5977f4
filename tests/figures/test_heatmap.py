import numpy as np
import pandas as pd
import pytest

from giqa_lib.checks import InputError
from giqa_lib.figures import matrix

TABLE = pd.DataFrame({"FFHQ": [0.7, 0.6], "cats": [np.nan, 0.9]}, index=["GMM", "KNN"])


def test_cells_hold_the_data() -> None:
    plot = matrix(TABLE, label="Pair accuracy", row_label="Score")
    mesh = plot.figure.axes[0].collections[0]
    drawn = np.ma.asarray(mesh.get_array()).reshape(2, 2)
    np.testing.assert_array_equal(drawn.filled(np.nan), TABLE.to_numpy())
    assert [text.get_text() for text in plot.figure.axes[0].texts] == ["0.70", "0.60", "0.90"]
    assert plot.data["Score"].tolist() == ["GMM", "KNN"]
    pd.testing.assert_frame_equal(plot.data[["FFHQ", "cats"]], TABLE.reset_index(drop=True))


def test_words() -> None:
    alt = matrix(TABLE, label="Pair accuracy").alt
    assert "0.6 to 0.9. Highest at KNN, cats; lowest at KNN, FFHQ." in alt
    assert "KNN 0.75 and GMM 0.7" in alt
    assert alt.endswith("1 cell empty.")


def test_colours_diverge_from_the_centre() -> None:
    mesh = matrix(TABLE, label="Accuracy", centre=0.8).figure.axes[0].collections[0]
    assert mesh.get_clim() == pytest.approx((0.6, 1.0))


def test_messages() -> None:
    with pytest.raises(InputError, match="text in name; make the names of the rows the index"):
        matrix(TABLE.assign(name="x"), label="Accuracy")
    with pytest.raises(InputError, match="frame: expected finite numbers, got an infinite one"):
        matrix(TABLE.replace(0.7, np.inf), label="Accuracy")
    with pytest.raises(InputError, match="frame: expected finite numbers, got none"):
        matrix(TABLE * np.nan, label="Accuracy")
    with pytest.raises(InputError, match="frame: expected different columns"):
        matrix(pd.concat([TABLE, TABLE], axis=1), label="Accuracy")
    with pytest.raises(InputError, match="row_label: expected a name that no column has"):
        matrix(TABLE, label="Accuracy", row_label="cats")
