import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giqa_lib.checks import InputError
from giqa_lib.evaluation import Moments, accumulate_moments, read_moments, write_moments


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 7), min_size=1, max_size=6).filter(lambda sizes: sum(sizes) > 1))
def test_any_batches_give_numpy_moments(sizes):
    rows = np.random.default_rng(0).standard_normal((sum(sizes), 3)) + 5
    batches = np.split(rows, np.cumsum(sizes)[:-1])
    found = accumulate_moments(iter(batches))
    assert found.n == len(rows)
    assert found.mean == pytest.approx(rows.mean(0), rel=1e-12)
    assert found.covariance == pytest.approx(np.cov(rows.T), rel=1e-9, abs=1e-12)


def test_a_large_offset_costs_no_digits(rng):
    rows = rng.standard_normal((400, 3))
    exact = np.cov(rows.T)
    moved = rows + 2.0**26  # rows keep 26 bits
    found = accumulate_moments(moved[i : i + 7] for i in range(0, 400, 7))
    assert found.covariance == pytest.approx(exact, abs=1e-6)
    naive = (moved.T @ moved - 400 * np.outer(moved.mean(0), moved.mean(0))) / 399
    assert np.abs(naive - exact).max() > 1e-3  # what is avoided


def test_float32_batches_are_summed_in_float64(rng):
    rows = (rng.standard_normal((1000, 2)) + 100).astype(np.float32)
    found = accumulate_moments([rows[:300], rows[300:]])
    assert found.covariance.dtype == np.float64
    assert found.covariance == pytest.approx(np.cov(rows.T.astype(float)), rel=1e-10)


def test_file_is_the_one_other_tools_write(tmp_path, rng):
    moments = accumulate_moments([rng.standard_normal((9, 4))])
    path = write_moments(tmp_path / "new" / "reference.npz", moments)
    with np.load(path) as file:
        assert sorted(file.files) == ["mu", "sigma"]
    found = read_moments(path)
    assert np.array_equal(found.covariance, moments.covariance)
    assert np.array_equal(found.mean, moments.mean)
    assert found.n is None
    assert [file.name for file in path.parent.iterdir()] == ["reference.npz"]


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({"mu": np.zeros(2)}, "expected arrays mu and sigma, got mu"),
        ({"mu": np.zeros(2), "sigma": np.eye(3)}, "covariance: expected 2 columns"),
        ({"mu": np.zeros(2), "sigma": np.zeros((3, 2))}, r"expected shape \(2, 2\)"),
        ({"mu": np.zeros((1, 2)), "sigma": np.eye(2)}, "mean: expected finite numbers"),
        ({"mu": np.zeros(2), "sigma": np.array([[1.0, 0.5], [0.0, 1.0]])}, "symmetric"),
        ({"mu": np.full(2, np.nan), "sigma": np.eye(2)}, "NaN"),
    ],
)
def test_bad_files(tmp_path, arrays, match):
    path = tmp_path / "bad.npz"
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=match):
        read_moments(path)


def test_errors(tmp_path):
    with pytest.raises(InputError, match="at least 2 rows in all, got 1"):
        accumulate_moments([np.zeros((1, 3))])
    with pytest.raises(InputError, match="batch: expected 3 columns"):
        accumulate_moments([np.zeros((1, 3)), np.zeros((1, 2))])
    with pytest.raises(InputError, match="batch: expected finite"):
        accumulate_moments([np.full((2, 3), np.inf)])
    with pytest.raises(InputError, match="path: expected name"):
        write_moments(tmp_path / "m.npy", Moments(mean=np.zeros(1), covariance=np.eye(1)))
