"""PCA against scikit-learn's, its cap, its signs and its files."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA as Reference
from sklearn.utils.estimator_checks import check_estimator

from giqa_lib.checks import InputError
from giqa_lib.features import PCA


def decaying(n=300, d=12, seed=0):
    random = np.random.default_rng(seed)
    mix = np.linalg.qr(random.normal(size=(d, d)))[0]
    return random.normal(size=(n, d)) * 0.6 ** np.arange(d) @ mix + random.normal(size=d)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_it_is_a_scikit_learn_estimator():
    check_estimator(PCA())


@pytest.mark.parametrize("n", [300, 9])
@pytest.mark.parametrize("whiten", [False, True])
def test_it_equals_scikit_learns(n, whiten):
    x = decaying(n)
    ours = PCA(components=5, whiten=whiten).fit(x)
    theirs = Reference(5, svd_solver="full", whiten=whiten).fit(x)
    np.testing.assert_allclose(ours.transform(x), theirs.transform(x), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours.explained_variance_, theirs.explained_variance_, rtol=1e-8)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95, 0.999])
def test_the_share_keeps_as_few_components_as_hold_it(share):
    x = decaying()
    pca = PCA(variance=share).fit(x)
    kept = pca.n_components_
    assert kept == Reference(share, svd_solver="full").fit(x).n_components_
    assert pca.explained_variance_ratio_.sum() >= share
    assert pca.explained_variance_ratio_[:-1].sum() < share


def test_all_variance_keeps_all_components_and_loses_nothing():
    x = decaying()
    pca = PCA(variance=1.0, standardise=True, whiten=True).fit(x)
    np.testing.assert_allclose(pca.inverse_transform(pca.transform(x)), x, atol=1e-9)


def test_the_cap_holds_whatever_the_share():
    x = decaying()
    capped, full = PCA(variance=0.999, max_components=3).fit(x), PCA(components=3).fit(x)
    assert capped.n_components_ == 3
    np.testing.assert_array_equal(capped.transform(x), full.transform(x))
    assert PCA(variance=0.5, max_components=10).fit(x).n_components_ < 10


def test_whitened_components_have_unit_variance():
    z = PCA(components=6, whiten=True).fit_transform(decaying())
    np.testing.assert_allclose(np.cov(z.T), np.eye(6), atol=1e-8)


def test_standardising_makes_the_unit_of_a_feature_irrelevant():
    x = decaying()
    scaled = x * np.geomspace(1e-3, 1e3, x.shape[1])
    one = PCA(components=4, standardise=True).fit_transform(x)
    other = PCA(components=4, standardise=True).fit_transform(scaled)
    np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-8)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([5, 40]))
def test_signs_depend_on_neither_row_order_nor_reflection_of_noise(seed, n):
    x = decaying(n, 6, seed)
    components = PCA(components=3).fit(x).components_
    largest = np.abs(components).argmax(1)
    assert (components[np.arange(3), largest] > 0).all()
    shuffled = PCA(components=3).fit(x[np.random.default_rng(1).permutation(n)]).components_
    np.testing.assert_allclose(components, shuffled, atol=1e-5)


def test_constant_features_neither_divide_by_zero_nor_count():
    x = np.hstack([decaying(d=3), np.full((300, 2), 7.0)])
    z = PCA(variance=1.0, standardise=True, whiten=True).fit_transform(x)
    assert np.isfinite(z).all()
    np.testing.assert_allclose(z[:, 3:], 0, atol=1e-6)


def test_what_was_saved_transforms_bitwise_alike(tmp_path):
    x = decaying()
    pca = PCA(variance=0.9, max_components=4, standardise=True, whiten=True).fit(x)
    pca.save(tmp_path / "new" / "folder")
    loaded = PCA.load(tmp_path / "new" / "folder")
    np.testing.assert_array_equal(loaded.transform(x), pca.transform(x))
    assert loaded.get_params() == pca.get_params()
    assert loaded.n_features_in_ == 12
    assert not list(tmp_path.rglob("*.pkl"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"variance": 95}, r"variance: expected a number in \[0, 1\], got 95"),
        ({"variance": 0}, "variance: expected a number > 0"),
        ({"components": 0}, "components: expected a whole number >= 1, got 0"),
        ({"max_components": -1}, "max_components: expected a whole number"),
        ({"components": 13}, r"components: expected <= min\(n, d\) = 12, got 13; give more"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(InputError, match=message):
        PCA(**settings).fit(decaying())


def test_wrong_shapes_are_named():
    pca = PCA(components=2).fit(decaying())
    with pytest.raises(ValueError, match="X has 3 features, but PCA is expecting 12"):
        pca.transform(np.zeros((2, 3)))
    with pytest.raises(InputError, match=r"X: expected \(n, 2\), got shape \(4, 3\)"):
        pca.inverse_transform(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="NaN"):
        pca.fit(np.full((5, 3), np.nan))
