import contextlib
import io
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from giqa_lib.checks import InputError
from giqa_lib.evaluation import neighbour_balls, precision_recall_density_coverage

NAMES = ("precision", "recall", "density", "coverage")


def by_definition(real, generated, k):
    """All pairs at once, as sums of squared differences; strict balls."""

    def squares(first, second):
        return ((first[:, None] - second[None]) ** 2).sum(-1)

    def radii(rows):
        between = squares(rows, rows)
        np.fill_diagonal(between, np.inf)
        return np.sort(between, axis=1)[:, k - 1]

    across = squares(real, generated)
    inside = across < radii(real)[:, None]
    return (
        inside.any(0).mean(),
        (across < radii(generated)[None]).any(1).mean(),
        inside.sum(0).mean() / k,
        inside.any(1).mean(),
    )


def values(found):
    return tuple(getattr(found, name) for name in NAMES)


@pytest.mark.parametrize("k", [1, 5, 14])
@pytest.mark.parametrize(("n", "m", "width"), [(60, 40, 2), (90, 120, 30), (15, 16, 300)])
def test_equals_the_definition(make_features, n, m, width, k):
    real, generated = make_features(n, m, width)
    found = precision_recall_density_coverage(real=real, generated=generated, neighbours=k)
    assert values(found) == pytest.approx(by_definition(real, generated, k), abs=1e-12)


@pytest.mark.parametrize("case", ["offset", "far image", "two scales", "tiny", "huge"])
def test_hard_for_float32(make_features, case):
    """Where float32 leaves many comparisons open the answer is still float64's."""
    real, generated = make_features(120, 100, 6)
    if case == "offset":
        real, generated = real + 1e5, generated + 1e5
    if case == "far image":
        real[0] += 1e6
    if case == "two scales":
        real[:60] += 1e4
        generated[:30] += 1e4
    if case == "tiny":
        real, generated = real * 1e-120, generated * 1e-120
    if case == "huge":
        real, generated = real * 1e120, generated * 1e120
    found = precision_recall_density_coverage(real=real, generated=generated)
    assert values(found) == pytest.approx(by_definition(real, generated, 5), abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_ties_on_a_grid(seed, width, k, levels):
    """Integer features: distances are exact and equal ones common; balls are open."""
    generator = np.random.default_rng(seed)
    real = generator.integers(-levels, levels + 1, (14, width)).astype(float)
    generated = generator.integers(-levels, levels + 1, (11, width)).astype(float)
    found = precision_recall_density_coverage(real=real, generated=generated, neighbours=k)
    assert values(found) == pytest.approx(by_definition(real, generated, k), abs=1e-12)


def test_more_copies_than_are_kept(make_features):
    real, generated = make_features(100, 80, 4)
    real[:40], generated[:10] = real[0], real[0]
    found = precision_recall_density_coverage(real=real, generated=generated)
    assert values(found) == pytest.approx(by_definition(real, generated, 5), abs=1e-12)
    assert not found.covered[:40].any()  # a ball of radius 0 is empty


@pytest.mark.parametrize("k", [1, 3])
def test_all_at_one_distance(k):
    """More neighbours at the k-th distance than are kept, and none of them the image itself."""
    real, generated = np.eye(30), np.eye(30)[:20] * 0.5
    found = precision_recall_density_coverage(real=real, generated=generated, neighbours=k)
    assert values(found) == pytest.approx(by_definition(real, generated, k), abs=1e-12)
    assert found.precision == 1.0


def test_hand_made():
    real, generated = np.array([[0.0], [1.0], [3.0]]), np.array([[0.5], [10.0], [10.5], [11.0]])
    found = precision_recall_density_coverage(real=real, generated=generated, neighbours=1)
    # Real balls: radius 1 about 0, 1 about 1, 2 about 3; of the generated: 9.5, 0.5, 0.5, 0.5.
    assert found.real_balls.tolist() == [2, 0, 0, 0]
    assert found.covered.tolist() == [True, True, False]
    assert found.in_generated.tolist() == [True, True, True]
    assert Fraction(found.precision) == Fraction(1, 4)
    assert found.density == 0.5
    assert found.coverage == pytest.approx(2 / 3)


def test_a_set_and_its_copy_and_two_far_apart(make_features):
    real, _ = make_features(80, 80, 5)
    assert values(precision_recall_density_coverage(real=real, generated=real)) == (1, 1, 1, 1)
    far = precision_recall_density_coverage(real=real, generated=real + 100)
    assert values(far) == (0, 0, 0, 0)


def test_exchanging_the_sets_exchanges_precision_and_recall(make_features):
    real, generated = make_features(100, 70, 8)
    one = precision_recall_density_coverage(real=real, generated=generated)
    two = precision_recall_density_coverage(real=generated, generated=real)
    assert (one.precision, one.recall) == (two.recall, two.precision)


@pytest.mark.parametrize("share", [neighbour_balls._OPEN_SHARE, -1.0])
@pytest.mark.parametrize("side", [7, 64, 2048])
def test_tiles_and_order_do_not_matter(make_features, monkeypatch, side, share):
    real, generated = make_features(130, 110, 10)
    whole = precision_recall_density_coverage(real=real, generated=generated)
    monkeypatch.setattr(neighbour_balls, "_SIDE", side)
    monkeypatch.setattr(neighbour_balls, "_OPEN_SHARE", share)  # -1: no float32 tile is kept
    used = set()
    original = neighbour_balls._compare

    def spy(tile, *arguments):
        used.add((tile.dtype, max(tile.shape)))
        return original(tile, *arguments)

    monkeypatch.setattr(neighbour_balls, "_compare", spy)
    found = precision_recall_density_coverage(real=real[::-1], generated=generated[::-1])
    assert np.array_equal(whole.real_balls, found.real_balls[::-1])
    assert np.array_equal(whole.in_generated, found.in_generated[::-1])
    assert np.array_equal(whole.covered, found.covered[::-1])
    assert max(longest for _, longest in used) <= side
    assert (torch.float64 in {dtype for dtype, _ in used}) == (share < 0)


def test_the_bound_holds(make_features):
    """The largest error of a tile, measured, against the bound that decides what is open."""
    real, generated = make_features(100, 100, 700, power=-1.0)
    first, second = neighbour_balls.Points.both(real + 3, generated + 3)
    every = slice(0, 100)
    exact = ((first.rows[:, None] - second.rows[None]) ** 2).sum(-1) * first.scale**2
    for dtype in (torch.float32, torch.float64):
        tile = neighbour_balls._tile(first, every, second, every, dtype).numpy()
        bound = neighbour_balls._error(first.norms, float(second.norms.max()), 700, dtype)
        assert (np.abs(tile.astype(float) - exact) <= bound[:, None]).all()
        assert (bound < 1e-3 if dtype == torch.float32 else bound < 1e-12).all()


def test_estimates_have_the_binomial_error(make_features):
    real, generated = make_features(400, 300, 6)
    found = precision_recall_density_coverage(real=real, generated=generated)
    estimates = found.estimates(random_state=0, resamples=4000)
    assert {name: e.value for name, e in estimates.items()} == pytest.approx(
        dict(zip(NAMES, values(found), strict=True)), rel=1e-12
    )
    for name, n in (("precision", 300), ("recall", 400), ("coverage", 400)):
        p = getattr(found, name)
        assert estimates[name].standard_error == pytest.approx((p * (1 - p) / n) ** 0.5, rel=0.08)
        assert estimates[name].n == n
    assert estimates["density"].standard_error == pytest.approx(
        (found.real_balls / 5).std() / 300**0.5, rel=0.08
    )


def test_errors(make_features):
    real, generated = make_features(9, 9, 3)
    with pytest.raises(InputError, match="generated: expected at least 6 row"):
        precision_recall_density_coverage(real=real, generated=generated[:5])
    with pytest.raises(InputError, match="generated: expected 3 columns"):
        precision_recall_density_coverage(real=real, generated=generated[:, :2])
    with pytest.raises(InputError, match="neighbours: expected a number > 0"):
        precision_recall_density_coverage(real=real, generated=generated, neighbours=0)
    real[2] = np.inf
    with pytest.raises(InputError, match="real: expected finite"):
        precision_recall_density_coverage(real=real, generated=generated)


@pytest.mark.parametrize("k", [1, 5])
def test_equals_prdc(make_features, k):
    peer = pytest.importorskip("prdc", reason="prdc is not installed")
    real, generated = make_features(500, 400, 64)
    with contextlib.redirect_stdout(io.StringIO()):
        expected = peer.compute_prdc(real, generated, k)
    found = precision_recall_density_coverage(real=real, generated=generated, neighbours=k)
    assert {name: getattr(found, name) for name in NAMES} == pytest.approx(expected, abs=1e-12)
