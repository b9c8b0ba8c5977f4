import warnings

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.covariance import OAS
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Oracle

from giqa_lib.checks import InputError
from giqa_lib.scores import GaussianMixture, SingleGaussian, StarvedComponentWarning
from giqa_lib.scores.components import _Screen, log_joint, log_joint_differentiable

TYPES = ("full", "tied", "diag", "spherical")


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("width", [1, 3, 40])  # 40 is wide enough for the float32 screen
def test_equals_scikit_learn_from_kmeans(make_clusters, covariance_type, width):
    X, _ = make_clusters(900, width, 4)
    queries, _ = make_clusters(60, width, 4, seed=1)
    queries[::7] *= 10
    options = {"covariance_type": covariance_type, "max_iter": 6, "random_state": 0, "tol": 1e-9}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        ours = GaussianMixture(4, **options).fit(X)
        oracle = Oracle(4, **options).fit(X)
    assert ours.lower_bounds_ == pytest.approx(oracle.lower_bounds_, rel=1e-10)
    assert (ours.n_iter_, ours.converged_) == (oracle.n_iter_, oracle.converged_)
    for name in ("weights_", "means_", "covariances_", "precisions_cholesky_"):
        assert getattr(ours, name) == pytest.approx(getattr(oracle, name), rel=1e-7, abs=1e-9)
    assert ours.score_samples(queries) == pytest.approx(oracle.score_samples(queries), rel=1e-9)
    assert np.array_equal(ours.predict(queries), oracle.predict(queries))
    assert ours.predict_proba(queries) == pytest.approx(oracle.predict_proba(queries), abs=1e-9)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_equals_scikit_learn_from_a_given_start(make_clusters, covariance_type):
    X, labels = make_clusters(600, 40, 3)
    start = GaussianMixture(3, labels_init=labels, max_iter=0, covariance_type=covariance_type)
    start.fit(X)
    factor = start.precisions_cholesky_
    square = covariance_type in ("full", "tied")
    options = {
        "weights_init": start.weights_,
        "means_init": start.means_,
        "precisions_init": factor @ np.swapaxes(factor, -1, -2) if square else factor**2,
        "covariance_type": covariance_type,
        "max_iter": 4,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        ours, oracle = GaussianMixture(3, **options).fit(X), Oracle(3, **options).fit(X)
    assert ours.lower_bound_ == pytest.approx(oracle.lower_bound_, rel=1e-12)
    assert ours.score_samples(X) == pytest.approx(oracle.score_samples(X), rel=0, abs=1e-9)


def test_equals_scipy(make_clusters):
    X, labels = make_clusters(500, 33, 3)
    score = GaussianMixture(3, labels_init=labels, max_iter=3, tol=0.5).fit(X)
    parts = [
        np.log(weight) + multivariate_normal(mean, covariance).logpdf(X)
        for weight, mean, covariance in zip(
            score.weights_, score.means_, score.covariances_, strict=True
        )
    ]
    expected = logsumexp(parts, axis=0)
    assert score.score_samples(X) == pytest.approx(expected, rel=0, abs=1e-9)
    assert score.score(X) == pytest.approx(expected.mean(), rel=1e-12)


def test_overlapping_components_are_all_kept(make_clusters):
    """The float32 screen must drop nothing that matters when no component dominates."""
    X = np.random.default_rng(0).standard_normal((400, 40))
    labels = np.arange(400) % 5
    ours = GaussianMixture(5, labels_init=labels, max_iter=0).fit(X)
    parts = [
        np.log(weight) + multivariate_normal(mean, covariance).logpdf(X)
        for weight, mean, covariance in zip(
            ours.weights_, ours.means_, ours.covariances_, strict=True
        )
    ]
    assert ours.score_samples(X) == pytest.approx(logsumexp(parts, axis=0), rel=0, abs=1e-9)


def hard_cases(make_clusters):
    """Mixtures and queries that are hard on the float32 screen."""
    X, labels = make_clusters(900, 100, 6)
    queries = make_clusters(300, 100, 6, seed=1)[0]
    queries[::9] *= 30.0
    random = np.arange(900) % 6
    for rows, asked, start in (
        (X, queries, labels),
        (X, queries, random),  # no component dominates
        (X + 1e4, queries + 1e4, labels),
        (X * 1e-3, queries * 1e-3, labels),  # reg_covar rules the precisions
    ):
        score = GaussianMixture(6, labels_init=start, max_iter=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StarvedComponentWarning)
            yield score.fit(rows), asked


def test_the_screens_bound_holds(make_clusters):
    """Its least norms lie below the true ones, and not far below."""
    for score, queries in hard_cases(make_clusters):
        components = score._components
        screen = components.screen
        points = torch.from_numpy(queries)
        norms, least = screen.norms(points - components.centre)
        pairs = zip(components.means, components.factor, strict=True)
        columns = screen.columns
        true = torch.stack(
            [
                torch.linalg.vector_norm((points - mean) @ upper[:, :columns], dim=1)
                for mean, upper in pairs
            ],
            dim=1,
        )
        assert (least <= true).all()
        assert (norms - least <= 1e-2 * true + 0.1).all()
        slack = (norms - true).abs().max()
        assert (norms - least).max() >= slack


def test_the_screen_only_spares_work(make_clusters, monkeypatch):
    """Bit for bit the scores of computing every component in float64."""
    for score, queries in hard_cases(make_clusters):
        screened = score.score_samples(queries), score.predict_proba(queries)
        with monkeypatch.context() as patch:
            norms = _Screen.norms

            def nothing_excluded(self, points, norms=norms):
                found, least = norms(self, points)
                return found.flip(1), torch.zeros_like(least)  # and the worst start

            patch.setattr(_Screen, "norms", nothing_excluded)
            everything = score.score_samples(queries), score.predict_proba(queries)
        assert np.array_equal(screened[0], everything[0])
        assert np.array_equal(screened[1], everything[1])


def test_what_is_left_out_is_below_half_a_unit(make_clusters):
    for score, queries in hard_cases(make_clusters):
        parts = log_joint_differentiable(torch.from_numpy(queries), score._components)
        kept = torch.isfinite(log_joint(torch.from_numpy(queries), score._components))
        assert 0 < kept.double().mean() <= 1
        best = parts.amax(1, keepdim=True)
        dropped = (parts - best).exp().masked_fill(kept, 0.0).sum(1)
        assert dropped.max() < 1e-15
        full = torch.logsumexp(parts, dim=1).numpy()
        assert score.score_samples(queries) == pytest.approx(full, rel=1e-9, abs=1e-9)


def test_offset_of_the_features_does_not_cancel(make_clusters):
    X, labels = make_clusters(500, 40, 3)
    options = {"labels_init": labels, "max_iter": 2, "tol": 1.0}
    here = GaussianMixture(3, **options).fit(X)
    there = GaussianMixture(3, **options).fit(X + 1000.0)
    expected = here.score_samples(X)
    assert there.score_samples(X + 1000.0) == pytest.approx(expected, rel=0, abs=1e-6)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_likelihood_never_falls(make_clusters, covariance_type):
    X, _ = make_clusters(400, 5, 3)
    labels = np.random.default_rng(0).integers(5, size=400)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        score = GaussianMixture(
            5, covariance_type=covariance_type, labels_init=labels, tol=0.0, max_iter=40
        ).fit(X)
    assert np.diff(score.lower_bounds_).min() > -1e-5  # reg_covar leaves the exact maximum
    assert score.lower_bounds_[-1] > score.lower_bounds_[0]


def test_one_component_is_the_single_gaussian(make_clusters):
    X, _ = make_clusters(300, 20, 2)
    one, single = GaussianMixture(1).fit(X), SingleGaussian().fit(X)
    assert one.score_samples(X) == pytest.approx(single.score_samples(X), rel=1e-12)


def test_best_of_several_starts(make_clusters):
    X, _ = make_clusters(300, 4, 6)
    few = GaussianMixture(6, n_init=1, random_state=3).fit(X)
    more = GaussianMixture(6, n_init=5, random_state=3).fit(X)
    assert more.lower_bound_ >= few.lower_bound_


def test_random_state_may_be_a_generator(make_clusters):
    X, _ = make_clusters(300, 4, 3)
    fits = [GaussianMixture(3, random_state=np.random.default_rng(1)).fit(X) for _ in range(2)]
    assert np.array_equal(fits[0].means_, fits[1].means_)
    GaussianMixture(3, random_state=None).fit(X)


def test_float32_error_is_as_stated(make_clusters):
    X, labels = make_clusters(1500, 64, 4)
    exact = GaussianMixture(4, labels_init=labels).fit(X)
    single = GaussianMixture(4, labels_init=labels, dtype="float32").fit(X)
    difference = np.abs(exact.score_samples(X) - single.score_samples(X)).max()
    assert 0 < difference < 2e-2


def test_starved_components_are_named(make_clusters):
    X, labels = make_clusters(200, 40, 4)
    labels[labels == 3] = 2
    labels[:10] = 3
    with pytest.warns(StarvedComponentWarning, match=r"fewer components.*PCA.*'oas'.*more images"):
        score = GaussianMixture(4, labels_init=labels, max_iter=2, tol=1e9).fit(X)
    assert 3 in score.starved_components_
    assert 3 in score.floored_components_
    assert score.component_counts_.sum() == pytest.approx(200)
    healthy = make_clusters(4000, 5, 3)[0]
    fine = GaussianMixture(3).fit(healthy)
    assert len(fine.starved_components_) == len(fine.floored_components_) == 0


def test_shrinkage_saves_held_out_images(make_clusters):
    X, labels = make_clusters(160, 40, 3)
    held_out, _ = make_clusters(200, 40, 3, seed=1)
    labels[:20] = 3
    with pytest.warns(StarvedComponentWarning):
        plain = GaussianMixture(4, labels_init=labels).fit(X)
    shrunk = GaussianMixture(4, labels_init=labels, shrinkage="oas").fit(X)
    assert plain.score(X) > shrunk.score(X)
    assert plain.score(held_out) < shrunk.score(held_out)


def test_shrinkage_is_scikit_learns(make_clusters):
    X, _ = make_clusters(50, 30, 1)
    expected = OAS().fit(X).covariance_
    assert SingleGaussian(shrinkage="oas", reg_covar=0.0).fit(X).covariance_ == pytest.approx(
        expected, rel=1e-9
    )


def test_stopping_early_warns(make_clusters):
    X, _ = make_clusters(300, 5, 3)
    with pytest.warns(ConvergenceWarning, match="max_iter=1"):
        GaussianMixture(3, max_iter=1).fit(X)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"covariance_type": "fill"}, "covariance_type: expected one of diag, full"),
        ({"shrinkage": "lasso"}, "shrinkage: expected one of oas"),
        ({"shrinkage": "oas", "covariance_type": "diag"}, "expected covariance_type full or tied"),
        ({"n_components": 0}, "n_components: expected a number > 0, got 0"),
        ({"n_components": 41}, "n_samples >= n_components = 41, got n_samples = 40"),
        ({"weights_init": [0.5, 0.7]}, r"weights_init: .* sum 1, got values in \[0.5, 0.7\]"),
        ({"means_init": [[1.0]]}, r"means_init: expected shape \(2, 2\), got shape \(1, 1\)"),
        ({"precisions_init": -np.stack([np.eye(2)] * 2)}, "precisions_init: .* positive definite"),
        ({"labels_init": [0, 1]}, r"labels_init: expected 40 integers in 0..1, got shape \(2,\)"),
        ({"labels_init": np.arange(40)}, r"labels_init: .* in 0..39"),
        ({"dtype": "float16"}, "dtype: expected one of float32, float64"),
        ({"reg_covar": -1.0}, "reg_covar: expected a number >= 0"),
    ],
)
def test_mistakes_are_explained(make_clusters, options, message):
    X, _ = make_clusters(40, 2, 2)
    with pytest.raises(InputError, match=message):
        GaussianMixture(**{"n_components": 2, **options}).fit(X)


def test_collapse_says_what_to_do():
    X = np.repeat([[0.0, 0.0], [5.0, 5.0]], 20, axis=0)
    with pytest.raises(InputError, match=r"ill-defined empirical covariance.*reg_covar.*PCA"):
        GaussianMixture(2, reg_covar=0.0).fit(X)
