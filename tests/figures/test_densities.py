import numpy as np
import pytest
from matplotlib.contour import QuadContourSet
from numpy.typing import NDArray
from scipy.stats import multivariate_normal

from giqa_lib.checks import InputError
from giqa_lib.figures import density_contours

POINTS = np.random.default_rng(3).normal(size=(400, 2)) * [2.0, 1.0]
GAUSSIAN = multivariate_normal([0, 0], [[4, 0], [0, 1]])


def _inside(path_vertices: NDArray[np.float64]) -> float:
    """Share of the points nearer to the centre than an ellipse through the vertices."""
    radius = ((path_vertices / [2.0, 1.0]) ** 2).sum(1).mean()
    return float((((POINTS / [2.0, 1.0]) ** 2).sum(1) < radius).mean())


def test_contours_enclose_the_stated_shares() -> None:
    plot = density_contours({"SGM": GAUSSIAN.logpdf}, POINTS)
    lines = [c for c in plot.figure.axes[0].collections if isinstance(c, QuadContourSet)][-1]
    shares = [_inside(np.asarray(path.vertices)) for path in lines.get_paths()]
    np.testing.assert_allclose(shares, [0.99, 0.95, 0.75, 0.5, 0.25], atol=0.01)
    levels = plot.data.query("kind == 'contour'")["score"]
    np.testing.assert_array_equal(levels, lines.levels)


def test_points_and_queries_are_drawn_and_scored() -> None:
    queries = {"far": [6, 0], "near": [1, 0]}
    functions = {"SGM": GAUSSIAN.logpdf, "flipped": lambda z: -GAUSSIAN.logpdf(z)}
    plot = density_contours(functions, POINTS, queries=queries)
    axes = plot.figure.axes[0]
    np.testing.assert_array_equal(np.asarray(axes.lines[0].get_xydata()), POINTS)
    np.testing.assert_array_equal(np.asarray(axes.lines[1].get_xydata()), [[6, 0]])
    part = plot.data.query("panel == 'SGM' and kind == 'point'")
    np.testing.assert_allclose(part["score"], GAUSSIAN.logpdf(POINTS), rtol=1e-12)
    sgm, flipped = plot.alt.split("SGM: ")[1].split(" flipped: ")
    assert sgm.index("near −2.66") < sgm.index("far −7.03")  # log(4 pi) = 2.53 less 1/8, 36/8
    assert flipped.index("far") < flipped.index("near")


def test_one_query_to_a_function_that_squeezes_single_rows() -> None:
    plot = density_contours({"SGM": GAUSSIAN.logpdf}, POINTS, queries={"A": (0.0, 0.0)})
    assert (plot.data["kind"] == "query").sum() == 1


def test_a_score_that_peaks_on_its_own_points_still_has_contours() -> None:
    def nearest(places: NDArray[np.float64]) -> NDArray[np.float64]:
        distances = np.linalg.norm(places[:, None] - POINTS[None, :50], axis=2)
        return (1 / np.maximum(np.sort(distances, axis=1)[:, :10], 1e-6)).mean(1)

    plot = density_contours({"KNN": nearest}, POINTS[:50])
    assert (plot.data["kind"] == "contour").sum() == 5


def test_panels_wrap_after_three() -> None:
    plot = density_contours(dict.fromkeys("abcd", GAUSSIAN.logpdf), POINTS)
    shown = [axes for axes in plot.figure.axes if axes.get_visible()]
    assert [axes.get_title() for axes in shown] == list("abcd")
    assert plot.alt.startswith("4 panels: a, b, c and d.")


def test_messages() -> None:
    with pytest.raises(InputError, match="points: expected 2 columns, got 3; project"):
        density_contours({"SGM": GAUSSIAN.logpdf}, np.zeros((4, 3)))
    with pytest.raises(InputError, match=r"queries\['A'\]: expected 2 columns, got 3"):
        density_contours({"SGM": GAUSSIAN.logpdf}, POINTS, queries={"A": [0.0, 0.0, 0.0]})
    with pytest.raises(InputError, match="log_densities: expected a function"):
        density_contours({}, POINTS)
    with pytest.raises(
        InputError, match=r"log_densities\['flat'\]: expected a function that varies"
    ):
        density_contours({"flat": lambda z: np.zeros(len(z))}, POINTS)
    with pytest.raises(InputError, match=r"log_densities\['wide'\]: expected 1 axis"):
        density_contours({"wide": lambda z: z}, POINTS)
