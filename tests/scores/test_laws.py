"""Laws that every score keeps. A new score joins with one entry in SCORES."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

import giqa_lib.scores
from giqa_lib.scores import (
    Density,
    GaussianMixture,
    KNearestNeighbours,
    SingleGaussian,
    load_score,
)

WIDTH = 37  # no multiple of anything: the edge columns of a product are where rounding differs
COUNT = 45

SCORES = {
    "single": SingleGaussian(),
    "single oas": SingleGaussian(shrinkage="oas"),
    "single float32": SingleGaussian(dtype="float32"),
    "mixture": GaussianMixture(4),
    "mixture two": GaussianMixture(2),
    "mixture oas": GaussianMixture(4, shrinkage="oas"),
    "mixture tied": GaussianMixture(4, covariance_type="tied"),
    "mixture diag": GaussianMixture(4, covariance_type="diag"),
    "mixture spherical": GaussianMixture(4, covariance_type="spherical"),
    "mixture float32": GaussianMixture(4, dtype="float32"),
    "neighbours 1": KNearestNeighbours(1),
    "neighbours 100": KNearestNeighbours(100, block_rows=16),
    "neighbours chunked": KNearestNeighbours(100, memory_limit=2**10, block_rows=48),
    "neighbours float64": KNearestNeighbours(100, dtype="float64"),
    "neighbours squared": KNearestNeighbours(5, metric="sqeuclidean"),
    "neighbours official": KNearestNeighbours.official(5),
}


def test_every_density_score_has_its_laws():
    public = {getattr(giqa_lib.scores, name) for name in giqa_lib.scores.__all__}
    densities = {each for each in public if isinstance(each, type) and issubclass(each, Density)}
    assert {type(score) for score in SCORES.values()} == densities - {Density}


@pytest.fixture(scope="module", params=list(SCORES))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((4, WIDTH)) * 2
    spectrum = np.arange(1, WIDTH + 1) ** -0.5
    real = centres[generator.integers(4, size=800)] + generator.standard_normal((800, WIDTH)) * (
        spectrum
    )
    queries = real[:COUNT] + 0.1 * generator.standard_normal((COUNT, WIDTH))
    queries[::5] += 20.0  # some far off, where rounding bounds are wide
    return real, queries


@pytest.fixture(scope="module")
def fitted(name, data):
    return clone(SCORES[name]).fit(data[0])


def test_shape_and_type(fitted, data):
    scores = fitted.score_samples(data[1])
    assert scores.shape == (COUNT,)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()


def test_order_does_not_matter(fitted, data):
    queries = data[1]
    order = np.random.default_rng(1).permutation(COUNT)
    assert np.array_equal(
        fitted.score_samples(queries[order]), fitted.score_samples(queries)[order]
    )


@pytest.mark.parametrize("size", [1, 7])
def test_batch_does_not_matter(fitted, data, size):
    queries = data[1]
    parts = [fitted.score_samples(queries[i : i + size]) for i in range(0, COUNT, size)]
    assert np.array_equal(np.concatenate(parts), fitted.score_samples(queries))


def test_company_does_not_matter(fitted, data):
    """What the other rival min-max scales away: bad company must not make an image good."""
    real, queries = data
    alone = fitted.score_samples(queries[:3])
    amid = fitted.score_samples(np.concatenate([real[:50] + 100.0, queries[:3]]))
    assert np.array_equal(alone, amid[-3:])


def test_fit_is_deterministic_and_leaves_the_global_state(name, fitted, data):
    np.random.seed(5)  # noqa: NPY002 - the global state is what is being watched
    torch.manual_seed(5)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    torch_before = torch.get_rng_state()
    again = clone(SCORES[name]).fit(data[0])
    assert np.array_equal(again.score_samples(data[1]), fitted.score_samples(data[1]))
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_before)


def test_real_images_outscore_far_points(fitted, data):
    real = data[0]
    assert fitted.score_samples(real).min() > fitted.score_samples(real + 50.0).max()


def test_wrong_width_names_both(fitted, data):
    with pytest.raises(ValueError, match=rf"{WIDTH - 1} features.*{WIDTH} features"):
        fitted.score_samples(data[1][:, 1:])
    with pytest.raises(ValueError, match=rf"\(n, {WIDTH}\).*\({COUNT}, {WIDTH - 1}\)"):
        fitted.log_prob(torch.from_numpy(data[1][:, 1:]))


def test_unfitted_raises(name, data):
    score = clone(SCORES[name])
    with pytest.raises(NotFittedError):
        score.score_samples(data[1])
    with pytest.raises(NotFittedError):
        score.log_prob(torch.from_numpy(data[1]))


def test_not_a_number_raises(fitted, data):
    bad = data[1].copy()
    bad[3, 2] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        fitted.score_samples(bad)
    with pytest.raises(ValueError, match="NaN"):
        clone(fitted).fit(bad)
    with pytest.raises(ValueError, match="NaN"):
        fitted.log_prob(torch.from_numpy(bad))


def test_save_and_load_are_bitwise(fitted, data, tmp_path):
    fitted.save(tmp_path)
    queries = data[1]
    for loaded in (type(fitted).load(tmp_path), load_score(tmp_path)):
        assert type(loaded) is type(fitted)
        assert loaded.get_params() == fitted.get_params()
        assert np.array_equal(loaded.score_samples(queries), fitted.score_samples(queries))
    assert not list(tmp_path.glob("*.pkl"))


def test_clone_is_unfitted(fitted):
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not [n for n in vars(copy) if n.endswith("_")]


def test_log_prob_agrees_and_has_a_gradient(name, fitted, data):
    queries = torch.from_numpy(data[1]).requires_grad_()
    log_prob = fitted.log_prob(queries)
    scores = fitted.score_samples(data[1])
    expected = np.log(scores) if "neighbours" in name else scores
    tolerance = 1e-4 if "float32" in name else 1e-6 if "neighbours" in name else 1e-11
    assert log_prob.detach().numpy() == pytest.approx(expected, rel=tolerance, abs=tolerance)
    (gradient,) = torch.autograd.grad(log_prob.sum(), queries)
    if "float32" in name:
        return
    step, direction = 1e-6, np.random.default_rng(2).standard_normal(queries.shape)
    with torch.no_grad():
        up = fitted.log_prob(queries + step * torch.from_numpy(direction))
        down = fitted.log_prob(queries - step * torch.from_numpy(direction))
    numeric = ((up - down) / (2 * step)).numpy()
    analytic = (gradient.numpy() * direction).sum(1)
    assert analytic == pytest.approx(numeric, rel=1e-4, abs=1e-4)


def test_input_is_left_alone_and_may_be_read_only(fitted, data):
    queries = data[1].copy()
    queries.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.score_samples(queries)
        fitted.score_samples(np.asfortranarray(queries)[::-1])
    assert np.array_equal(queries, data[1])


@pytest.mark.filterwarnings("ignore::giqa_lib.scores.StarvedComponentWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([SingleGaussian(), GaussianMixture(), KNearestNeighbours()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)
