import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from giqa_lib.checks import InputError
from giqa_lib.evaluation import (
    FrechetReference,
    accumulate_moments,
    frechet_distance,
    frechet_distance_from_moments,
    frechet_estimate,
)
from giqa_lib.evaluation import frechet as module


def by_sqrtm(real, generated):
    (mean_1, cov_1), (mean_2, cov_2) = ((x.mean(0), np.cov(x.T)) for x in (real, generated))
    root = sqrtm(cov_1 @ cov_2).real
    return ((mean_1 - mean_2) ** 2).sum() + np.trace(cov_1 + cov_2 - 2 * root)


def moments_of(rows, side):
    found = accumulate_moments([rows])
    return {f"{side}_mean": found.mean, f"{side}_covariance": found.covariance}


def from_moments(real, generated):
    return frechet_distance_from_moments(
        **moments_of(real, "real"), **moments_of(generated, "generated")
    )


@pytest.mark.parametrize("case", range(3))
def test_equals_forty_digits(root, case):
    golden = json.loads((root / "tests" / "golden" / "frechet.json").read_text())[case]
    real, generated = np.array(golden["real"]), np.array(golden["generated"])
    expected = float(golden["distance"])
    assert frechet_distance(real=real, generated=generated) == pytest.approx(expected, abs=1e-13)
    assert frechet_distance(real=generated, generated=real) == pytest.approx(expected, abs=1e-13)
    # Covariances of fewer images than dimensions have lost half the digits.
    precision = 1e-12 if len(real) > len(real[0]) < len(generated) else 1e-6
    assert from_moments(real, generated) == pytest.approx(expected, abs=precision)


@pytest.mark.parametrize("width", [1, 3, 20])
def test_equals_the_definition(make_features, width):
    real, generated = make_features(300, 200, width)
    expected = (
        by_sqrtm(real, generated)
        if width > 1
        else (real.mean() - generated.mean()) ** 2 + (real.std(ddof=1) - generated.std(ddof=1)) ** 2
    )
    assert frechet_distance(real=real, generated=generated) == pytest.approx(expected, rel=1e-9)
    assert from_moments(real, generated) == pytest.approx(expected, rel=1e-9)


def test_closed_form_of_diagonal_covariances():
    found = frechet_distance_from_moments(
        real_mean=[0.0, 1.0],
        real_covariance=np.diag([4.0, 9.0]),
        generated_mean=[3.0, 5.0],
        generated_covariance=np.diag([1.0, 25.0]),
    )
    assert found == pytest.approx(25 + 1 + 4, rel=1e-14)


@pytest.mark.parametrize(("n", "width"), [(500, 40), (40, 90), (41, 40), (40, 40), (2, 5)])
def test_a_set_and_itself(make_features, n, width):
    real, _ = make_features(n, n, width)
    assert 0 <= frechet_distance(real=real, generated=real) <= 1e-12
    assert 0 <= frechet_distance(real=real, generated=real[::-1]) <= 1e-12
    if n > width + 1:
        assert 0 <= from_moments(real, real) <= 1e-12


@pytest.mark.parametrize(("n", "m", "width"), [(50, 60, 8), (9, 30, 12), (6, 7, 12)])
def test_laws(make_features, n, m, width):
    real, generated = make_features(n, m, width)
    found = frechet_distance(real=real, generated=generated)
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((width, width)))[0]
    close = {"rel": 1e-10, "abs": 1e-12}
    assert frechet_distance(real=generated, generated=real) == pytest.approx(found, **close)
    assert frechet_distance(real=real @ turn, generated=generated @ turn) == pytest.approx(
        found, **close
    )
    assert frechet_distance(real=3 * real, generated=3 * generated) == pytest.approx(
        9 * found, **close
    )
    assert frechet_distance(real=real + 100, generated=generated + 100) == pytest.approx(
        found, rel=1e-9
    )
    padded = [np.pad(rows, ((0, 0), (0, 5))) for rows in (real, generated)]
    assert frechet_distance(real=padded[0], generated=padded[1]) == pytest.approx(found, **close)


def test_a_feature_that_is_constant_in_one_set_only(make_features):
    real, generated = make_features(100, 90, 10)
    generated[:, 3] = 0.7
    expected = frechet_distance(real=np.delete(real, 3, 1), generated=np.delete(generated, 3, 1))
    expected += (real[:, 3].mean() - 0.7) ** 2 + real[:, 3].var(ddof=1)
    assert frechet_distance(real=real, generated=generated) == pytest.approx(expected, rel=1e-12)
    assert frechet_distance(real=generated, generated=real) == pytest.approx(expected, rel=1e-12)


def test_constant_features_leave_the_fast_way_open(make_features, monkeypatch):
    """The mean of 90 times 0.7 is not 0.7: the feature must still count as constant."""
    real, generated = make_features(100, 90, 10)
    real[:, 2], generated[:, 3] = 1000.1, 0.7
    monkeypatch.setattr(np.linalg, "svd", None)
    assert frechet_distance(real=real, generated=generated) > 9e5


def test_nothing_varies():
    assert frechet_distance(real=np.zeros((3, 2)), generated=np.full((4, 2), 0.1)) == pytest.approx(
        0.02, rel=1e-14
    )


@pytest.mark.parametrize("rank", [1, 5])
def test_collapsed_features_are_exact(make_features, rank):
    """A generator on a plane: the fast way must notice, and the singular values decide."""
    real, generated = make_features(200, 150, 20)
    plane = np.linalg.qr(np.random.default_rng(3).standard_normal((20, rank)))[0]
    flat = generated @ plane @ plane.T
    # In the plane's coordinates the trace is of small full-rank matrices.
    inside = by_sqrtm(real @ plane, flat @ plane) if rank > 1 else None
    found = frechet_distance(real=real, generated=flat)
    swapped = frechet_distance(real=flat, generated=real)
    assert swapped == pytest.approx(found, rel=1e-11)
    if inside is not None:
        apart = real.mean(0) - flat.mean(0)
        outside = (apart**2).sum() - ((apart @ plane) ** 2).sum()
        outside += np.cov(real.T).trace() - np.cov((real @ plane).T).trace()
        assert found == pytest.approx(inside + outside, rel=1e-9)


def test_fast_and_exact_ways_agree_where_both_hold(make_features, monkeypatch):
    real, generated = make_features(400, 300, 60, power=-1.0)
    fast = frechet_distance(real=real, generated=generated)
    used = []

    def slow(*arguments):
        used.append(True)

    monkeypatch.setattr(module, "_roots_of_eigenvalues", slow)
    exact = frechet_distance(real=real, generated=generated)
    assert used
    assert fast == pytest.approx(exact, abs=1e-11)


def test_reference_gives_the_same_and_is_reused(make_features):
    real, generated = make_features(80, 70, 12)
    reference = FrechetReference(real)
    for rows in (generated, real, generated[:5]):
        assert reference.distance(rows) == frechet_distance(real=real, generated=rows)
    found = accumulate_moments([real])
    other = FrechetReference.from_moments(mean=found.mean, covariance=found.covariance)
    assert other.distance(generated) == pytest.approx(reference.distance(generated), rel=1e-10)
    # A small set against moments: one factor from the eigenvectors, one from the features.
    assert other.distance(generated[:5]) == pytest.approx(
        reference.distance(generated[:5]), rel=1e-9
    )


def test_estimate_has_the_spread_of_repeated_samples():
    values = []
    for seed in range(60):
        rows = np.random.default_rng(seed).standard_normal((2, 200, 1))
        values.append(frechet_distance(real=rows[0], generated=rows[1] + 1))
    rows = np.random.default_rng(99).standard_normal((2, 200, 1))
    found = frechet_estimate(real=rows[0], generated=rows[1] + 1, random_state=0)
    assert found.standard_error == pytest.approx(np.std(values), rel=0.35)
    assert found.low < found.value < found.high
    assert found.n == 400


def test_a_reference_has_no_error_of_its_own():
    real = np.random.default_rng(0).standard_normal((100, 1))
    reference = FrechetReference(real)
    values = []
    for seed in range(1, 61):
        values.append(reference.distance(np.random.default_rng(seed).standard_normal((400, 1)) + 1))
    generated = np.random.default_rng(99).standard_normal((400, 1)) + 1
    found = reference.estimate(generated)
    assert found.value == frechet_distance(real=real, generated=generated)
    assert found.standard_error == pytest.approx(np.std(values), rel=0.35)
    both = frechet_estimate(real=real, generated=generated, resamples=200, random_state=0)
    assert both.standard_error > 1.5 * found.standard_error
    assert found.n == 400


@pytest.mark.parametrize(("n", "m", "width"), [(300, 40, 3), (40, 300, 3), (6, 30, 9), (30, 6, 9)])
def test_the_error_is_that_of_each_images_pull_on_the_distance(n, m, width, make_features):
    """Against finite differences: a little more weight on one image moves the distance."""
    real, generated = make_features(n, m, width)
    reference = FrechetReference(real)
    centre = generated.mean(0)
    covariance = np.cov(generated, rowvar=False)

    def weighed(row, share):
        away = generated[row] - centre
        mean = centre + share * away
        spread = (1 - share) * covariance + share * (1 - share) * np.outer(away, away)
        return reference.distance_from_moments(mean=mean, covariance=spread)

    small = 1e-5
    pulls = np.array([weighed(row, small) - weighed(row, -small) for row in range(m)]) / (2 * small)
    expected = pulls.std(ddof=1) / np.sqrt(m)
    assert reference.estimate(generated).standard_error == pytest.approx(expected, rel=2e-3)


def test_the_error_of_constant_features_is_finite(make_features):
    real, generated = make_features(50, 50, 3)
    real[:, 0] = generated[:, 1] = 2.0
    found = FrechetReference(real).estimate(generated)
    apart = FrechetReference(real[:, 2:]).estimate(generated[:, 2:]).standard_error
    assert found.standard_error > apart > 0
    still = FrechetReference(real).estimate(np.ones((5, 3)))
    assert (still.standard_error, still.low) == (0.0, still.value)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 9), st.integers(2, 9), st.integers(1, 6), st.integers(0, 99))
def test_never_negative_whatever_the_rank(n, m, width, seed):
    generator = np.random.default_rng(seed)
    real, generated = generator.integers(-2, 3, (n, width)), generator.integers(-2, 3, (m, width))
    found = frechet_distance(real=real, generated=generated)
    assert found >= ((real.mean(0) - generated.mean(0)) ** 2).sum() - 1e-9
    assert frechet_distance(real=generated, generated=real) == pytest.approx(found, abs=1e-10)


def test_errors(make_features):
    real, generated = make_features(9, 9, 3)
    with pytest.raises(InputError, match="generated: expected 3 columns, got 2"):
        frechet_distance(real=real, generated=generated[:, :2])
    with pytest.raises(InputError, match="real: expected at least 2"):
        frechet_distance(real=real[:1], generated=generated)
    generated[4, 1] = np.nan
    with pytest.raises(InputError, match=r"generated: expected finite values.*index 4"):
        frechet_distance(real=real, generated=generated)
    eye = {"real_mean": [0, 0], "real_covariance": np.eye(2)}
    with pytest.raises(InputError, match="generated_mean: expected 2 features, got 1"):
        frechet_distance_from_moments(**eye, generated_mean=[0], generated_covariance=[[1]])
    with pytest.raises(InputError, match="generated_covariance: expected a symmetric matrix"):
        frechet_distance_from_moments(
            **eye, generated_mean=[0, 0], generated_covariance=[[1, 1], [0, 1]]
        )
    with pytest.raises(InputError, match="no negative eigenvalue"):
        frechet_distance_from_moments(
            **eye, generated_mean=[0, 0], generated_covariance=[[1, 2], [2, 1]]
        )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # its own call of sqrtm
@pytest.mark.parametrize(("n", "width"), [(300, 16), (20, 30)])
def test_equals_pytorch_fid(make_features, n, width):
    peer = pytest.importorskip("pytorch_fid.fid_score", reason="pytorch-fid is not installed")
    real, generated = make_features(n, n, width)
    expected = peer.calculate_frechet_distance(
        real.mean(0), np.cov(real.T), generated.mean(0), np.cov(generated.T)
    )
    precision = 1e-8 if n > width else 1e-4
    assert frechet_distance(real=real, generated=generated) == pytest.approx(
        expected, abs=precision
    )
