import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from giqa_lib.checks import InputError
from giqa_lib.figures import Plot, best_and_worst, image_grid, sorted_strip

PICTURES = torch.stack([torch.full((1, 6, 6), i, dtype=torch.uint8) for i in range(40)])
SCORES = np.random.default_rng(1).permutation(40).astype(float) - 20


def _shown(plot: Plot) -> list[NDArray[np.uint8]]:
    return [np.asarray(image.get_array()) for image in plot.figure.axes[0].images]


def test_grid_shows_the_images_in_order() -> None:
    plot = image_grid(PICTURES[:5], columns=3, row_labels=["first", "second"])
    assert [int(picture[0, 0]) for picture in _shown(plot)] == [0, 1, 2, 3, 4]
    assert plot.data[["row", "column"]].to_numpy().tolist() == [
        [0, 0],
        [0, 1],
        [0, 2],
        [1, 0],
        [1, 1],
    ]
    assert "5 images, 2 rows of 3" in plot.alt
    assert "first and second" in plot.alt


def test_places_on_the_sheet_follow_rows_and_columns() -> None:
    plot = image_grid(PICTURES[:6], columns=3)
    extents = np.array([image.get_extent() for image in plot.figure.axes[0].images])
    lefts, tops = extents[:, 0].reshape(2, 3), extents[:, 3].reshape(2, 3)
    assert (np.diff(lefts, axis=1) > 0).all()
    assert (np.diff(tops, axis=0) > 0).all()
    widths, heights = extents[:, 1] - extents[:, 0], extents[:, 2] - extents[:, 3]
    np.testing.assert_allclose(widths, heights)


def test_the_authors_alt_text_wins() -> None:
    assert image_grid(PICTURES[:2], columns=2, alt="Two grey squares.").alt == "Two grey squares."


def test_colour_images_and_their_proportions() -> None:
    tall = torch.zeros(2, 3, 8, 4, dtype=torch.uint8)
    tall[1, 2] = 200
    plot = image_grid(tall, columns=2)
    assert _shown(plot)[1].shape == (8, 4, 3)
    assert _shown(plot)[1][0, 0].tolist() == [0, 0, 200]
    left, right, bottom, top = plot.figure.axes[0].images[0].get_extent()
    assert (bottom - top) / (right - left) == pytest.approx(2)


def test_small_images_keep_square_pixels_and_large_ones_are_smoothed() -> None:
    small = image_grid(PICTURES[:1], columns=1).figure.axes[0].images[0]
    large = image_grid(torch.zeros(1, 1, 512, 512, dtype=torch.uint8), columns=1)
    assert small.get_interpolation() == "nearest"
    assert large.figure.axes[0].images[0].get_interpolation() != "nearest"


def test_strip_runs_from_worst_to_best_at_even_ranks() -> None:
    plot = sorted_strip(PICTURES, SCORES, count=14, rows=2)
    data = plot.data
    assert data["rank"].tolist() == list(range(0, 40, 3))
    np.testing.assert_array_equal(data["score"], np.sort(SCORES)[data["rank"]])
    np.testing.assert_array_equal(SCORES[data["index"]], data["score"])
    assert [int(picture[0, 0]) for picture in _shown(plot)] == data["index"].tolist()
    assert data["row"].tolist() == [0] * 7 + [1] * 7
    written = [text.get_text() for text in plot.figure.axes[0].texts]
    assert written[:14] == [f"{score:.0f}".replace("-", "−") for score in data["score"]]
    assert "14 of 40 images in 2 rows" in plot.alt
    assert "from −20" in plot.alt
    assert plot.alt.endswith("to 19.")


def test_strip_breaks_ties_by_index() -> None:
    plot = sorted_strip(PICTURES[:5], np.zeros(5), count=5, rows=1)
    assert plot.data["index"].tolist() == [0, 1, 2, 3, 4]


def test_ends_are_the_extremes_of_each_method() -> None:
    plot = best_and_worst(PICTURES, {"GMM": SCORES, "KNN": -SCORES}, count=3)
    order = np.argsort(SCORES)
    gmm, knn = (plot.data.query("method == @m")["index"].tolist() for m in ("GMM", "KNN"))
    assert gmm == [*order[::-1][:3], *order[:3][::-1]]
    assert knn == gmm[::-1]
    assert [int(picture[0, 0]) for picture in _shown(plot)] == gmm + knn
    assert "GMM: left 19 to 17, right −18 to −20." in plot.alt
    assert "agree on 0 of the best 3 and 0 of the worst 3" in plot.alt
    assert (
        "agree on 3 of the best 3"
        in best_and_worst(PICTURES, {"a": SCORES, "b": SCORES}, count=3).alt
    )


def test_a_gap_parts_the_best_from_the_worst() -> None:
    plot = best_and_worst(PICTURES, {"GMM": SCORES}, count=2)
    lefts = [image.get_extent()[0] for image in plot.figure.axes[0].images]
    steps = np.diff(lefts)
    assert steps[1] > steps[0] + 0.1
    assert steps[2] == pytest.approx(steps[0])


def test_messages() -> None:
    with pytest.raises(
        InputError, match=r"images: expected uint8, got torch.float32; a generator's"
    ):
        image_grid(torch.zeros(1, 1, 2, 2), columns=1)
    with pytest.raises(InputError, match="1 or 3 channels"):
        image_grid(torch.zeros(1, 2, 2, 2, dtype=torch.uint8), columns=1)
    with pytest.raises(InputError, match="row_labels: expected 2 labels, got 1"):
        image_grid(PICTURES[:4], columns=2, row_labels=["a"])
    with pytest.raises(InputError, match="titles: expected 4 labels, got 1"):
        image_grid(PICTURES[:4], columns=2, titles=["a"])
    with pytest.raises(InputError, match="columns: expected a number > 0"):
        image_grid(PICTURES, columns=0)
    with pytest.raises(InputError, match="images: expected at least 50, got 40"):
        sorted_strip(PICTURES, SCORES, count=50)
    with pytest.raises(InputError, match="scores: expected 40 values, got 3"):
        sorted_strip(PICTURES, [1.0, 2.0, 3.0], count=5)
    with pytest.raises(InputError, match=r"scores\['KNN'\]: expected finite values"):
        best_and_worst(PICTURES, {"KNN": np.where(SCORES > 0, np.nan, SCORES)})
    with pytest.raises(InputError, match="images: expected at least 8, got 7"):
        best_and_worst(PICTURES[:7], {"KNN": SCORES[:7]})
    with pytest.raises(InputError, match="scores: expected a method"):
        best_and_worst(PICTURES, {})
