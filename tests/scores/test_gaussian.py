import numpy as np
import pytest
from scipy.stats import multivariate_normal

from giqa_lib.checks import InputError
from giqa_lib.scores import SingleGaussian


@pytest.mark.parametrize("width", [1, 5, 33])
def test_equals_scipy(make_clusters, width):
    X, _ = make_clusters(400, width, 2)
    score = SingleGaussian().fit(X)
    covariance = np.cov(X.T, bias=True).reshape(width, width) + 1e-6 * np.eye(width)
    assert score.mean_ == pytest.approx(X.mean(0), abs=1e-12)
    assert score.covariance_ == pytest.approx(covariance, rel=1e-10, abs=1e-12)
    expected = multivariate_normal(X.mean(0), covariance).logpdf(X)
    assert score.score_samples(X) == pytest.approx(expected, rel=1e-10)


def test_closed_form():
    X = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])  # covariance I / 2
    score = SingleGaussian(reg_covar=0.0).fit(X)
    queries = np.array([[0.0, 0.0], [1.0, 2.0]])
    assert score.score_samples(queries) == pytest.approx(-np.log(np.pi) - [0.0, 5.0], rel=1e-13)


def test_integers_and_float32_are_taken():
    X = np.random.default_rng(0).integers(9, size=(50, 3))
    expected = SingleGaussian().fit(X.astype(float)).score_samples(X.astype(float))
    assert np.array_equal(SingleGaussian().fit(X).score_samples(X), expected)
    assert np.array_equal(
        SingleGaussian().fit(X.astype(np.float32)).score_samples(X.astype(np.float32)), expected
    )


def test_fewer_images_than_dimensions_need_a_floor():
    X = np.random.default_rng(0).standard_normal((3, 5))
    with pytest.raises(InputError, match="shrinkage='oas'"):
        SingleGaussian(reg_covar=0.0).fit(X)
    assert np.isfinite(SingleGaussian(reg_covar=0.0, shrinkage="oas").fit(X).score_samples(X)).all()
