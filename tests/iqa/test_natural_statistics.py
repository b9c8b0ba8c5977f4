import numpy as np
import pytest
import torch
from image_textures import textures
from scipy.ndimage import gaussian_filter
from scipy.stats import gennorm
from sklearn.svm import SVR

from giqa_lib.checks import InputError
from giqa_lib.data import degrade
from giqa_lib.iqa import BRISQUE, NIQE, fit_brisque, fit_niqe, held_out_examples
from giqa_lib.iqa.natural_statistics import (
    FEATURES,
    fit_asymmetric_gaussian,
    luminance,
    mscn,
    scene_statistics,
)


def test_mscn_against_a_few_lines_of_scipy():
    grey = luminance(textures(2))
    mean = gaussian_filter(grey.numpy(), (0, 7 / 6, 7 / 6), mode="nearest", radius=(0, 3, 3))
    square = gaussian_filter(grey.numpy() ** 2, (0, 7 / 6, 7 / 6), mode="nearest", radius=(0, 3, 3))
    expected = (grey.numpy() - mean) / (np.sqrt(np.clip(square - mean**2, 0, None)) + 1)
    assert mscn(grey).numpy() == pytest.approx(expected, abs=1e-9)


def test_colour_is_weighed_as_in_bt601():
    image = torch.tensor([10, 100, 200], dtype=torch.uint8).view(1, 3, 1, 1)
    assert float(luminance(image)) == pytest.approx(0.299 * 10 + 0.587 * 100 + 0.114 * 200)


@pytest.mark.parametrize("shape", [0.7, 1.0, 2.0, 4.0])
def test_the_fit_finds_the_shape_of_a_sample(shape):
    random = np.random.default_rng(0)
    sample = np.abs(gennorm.rvs(shape, size=200_000, random_state=random))
    # twice as wide on the left, and so with twice the mass there: the density has one value at 0
    sample = np.where(random.random(len(sample)) < 2 / 3, -2 * sample, sample)
    share = gennorm.var(shape) ** 0.5
    found, left, right = fit_asymmetric_gaussian(torch.as_tensor(sample)[None])[0]
    assert found == pytest.approx(shape, rel=0.05)
    assert left == pytest.approx(2 * share, rel=0.02)
    assert right == pytest.approx(share, rel=0.02)


def test_a_flat_image_is_finite():
    found = scene_statistics(torch.full((2, 1, 16, 16), 77, dtype=torch.uint8))
    assert found.shape == (2, FEATURES)
    assert np.isfinite(found).all()


def test_too_small_an_image_is_refused():
    with pytest.raises(InputError, match=r"at least 16 pixels a side, got 16 x 15; enlarge"):
        scene_statistics(torch.zeros(1, 1, 16, 15, dtype=torch.uint8))


def test_blocks_do_not_matter():
    images = textures(7)
    assert np.array_equal(scene_statistics(images, block=2), scene_statistics(images))


def test_niqe_is_the_mahalanobis_distance_and_best_at_the_mean():
    score = fit_niqe(textures(200))
    features = scene_statistics(textures(5, seed=1))
    every = scene_statistics(textures(200))
    precision = np.linalg.pinv(np.cov(every.T), hermitian=True)
    expected = [-np.sqrt((f - every.mean(0)) @ precision @ (f - every.mean(0))) for f in features]
    assert score.from_features(features) == pytest.approx(expected)
    assert score.from_features(every.mean(0)[None]) == pytest.approx([0.0], abs=1e-6)


def test_too_few_images_for_niqe():
    with pytest.raises(InputError, match="expected >= 36, got 20"):
        fit_niqe(textures(20))


def test_brisque_is_scikit_learns_regression():
    images, quality = held_out_examples(textures(60), seed=0)
    score = fit_brisque(images, quality.numpy())
    features = scene_statistics(images)
    scaled = (features - features.mean(0)) / features.std(0)
    theirs = SVR(kernel="rbf", gamma=1 / 36, C=1.0, epsilon=0.05).fit(scaled, quality.numpy())
    assert score(images) == pytest.approx(theirs.predict(scaled), abs=1e-9)


@pytest.mark.parametrize("kind", ["noise", "blur", "pixelate"])
def test_damage_is_seen(kind):
    train, fresh = textures(300), textures(60, seed=2)
    degraded, quality = held_out_examples(train, seed=0)
    bad = degrade(fresh, kind, 0.7, torch.Generator().manual_seed(0))
    for score in (fit_niqe(train), fit_brisque(degraded, quality.numpy())):
        assert (score(fresh) > score(bad)).mean() > 0.85


@pytest.fixture(scope="module", params=["NIQE", "BRISQUE"])
def score(request):
    if request.param == "NIQE":
        return fit_niqe(textures(100))
    images, quality = held_out_examples(textures(100), seed=0)
    return fit_brisque(images, quality.numpy())


def test_laws(score, tmp_path):
    images = textures(9, seed=3)
    found = score(images)
    assert found.shape == (9,)
    assert found.dtype == np.float64
    order = np.random.default_rng(0).permutation(9)
    assert np.array_equal(score(images[torch.as_tensor(order)]), found[order])
    singly = np.concatenate([score(image[None]) for image in images])
    assert singly == pytest.approx(found, rel=1e-12)
    kind = type(score)
    assert np.array_equal(kind.load(score.save(tmp_path))(images), found)
    other = NIQE if kind is BRISQUE else BRISQUE
    with pytest.raises(InputError, match=f"expected a saved {other.__name__}, got {kind.__name__}"):
        other.load(tmp_path)
