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
    patch_statistics,
    scene_statistics,
    sharpness,
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


def large(count, seed=0):
    """Images of four patches of 32 pixels: a smooth one, and three with texture."""
    images = textures(count, seed=seed, side=64)
    smooth = images[:, :, :32, :32].float()
    images[:, :, :32, :32] = (128 + (smooth - 128) * 0.2).to(torch.uint8)
    return images


def test_a_patch_that_is_the_image_has_the_image_s_features():
    images = textures(5)
    assert np.array_equal(patch_statistics(images, 32)[:, 0], scene_statistics(images))


def test_patches_are_cut_from_what_was_normalised_whole():
    """Far from the cuts a patch has the statistics of its own pixels; what is left over does not count."""
    images = textures(3, side=100)
    whole = patch_statistics(images, 48)
    assert whole.shape == (3, 4, FEATURES)
    assert np.array_equal(patch_statistics(images[:, :, :96, :96], 48), whole)
    values = mscn(luminance(images[:, :, :96, :96]))[:, 48:, :48]
    alone = mscn(luminance(images[:, :, 48:96, :48]))
    assert (values[:, 3:, :-3] - alone[:, 3:, :-3]).abs().max() < 1e-9
    assert (values - alone).abs().max() > 0.01
    assert whole[:, 2, 1] == pytest.approx(values.square().mean((1, 2)).numpy())  # row by row


def test_blocks_of_patches_do_not_matter():
    images = large(5)
    assert np.array_equal(patch_statistics(images, 32, block=2), patch_statistics(images, 32))
    assert np.array_equal(sharpness(images, 32, block=2), sharpness(images, 32))


def test_the_smooth_patch_is_the_least_sharp():
    assert (sharpness(large(20), 32).argmin(1) == 0).all()


def test_the_model_is_of_sharp_patches_alone():
    images = large(40)
    sharp = sharpness(images, 32)
    chosen = sharp > 0.75 * sharp.max(1, keepdims=True)
    assert not chosen[:, 0].any()
    assert chosen.sum() >= FEATURES
    score = fit_niqe(images, patch=32)
    wanted = patch_statistics(images, 32)[chosen]
    assert score.patch == 32
    assert score.mean == pytest.approx(wanted.mean(0))
    assert score.covariance == pytest.approx(np.cov(wanted.T))


def test_niqe_of_patches_is_equation_10_on_all_patches():
    score = fit_niqe(large(60), patch=32)
    images = large(4, seed=1)
    for image, found in zip(images, score(images), strict=True):
        own = patch_statistics(image[None], 32)[0]
        away = own.mean(0) - score.mean
        middle = (score.covariance + np.cov(own, rowvar=False)) / 2
        assert found == pytest.approx(-np.sqrt(away @ np.linalg.pinv(middle) @ away))


def test_small_images_are_one_patch_each():
    assert fit_niqe(textures(40)).patch == 0
    assert fit_niqe(textures(40, side=63), patch=32).patch == 0


def test_damage_is_seen_in_patches_too():
    score, fresh = fit_niqe(textures(60, side=64), patch=32), textures(20, seed=2, side=64)
    bad = degrade(fresh, "noise", 0.5, torch.Generator().manual_seed(0))
    assert (score(fresh) > score(bad)).mean() > 0.9


def test_what_patches_refuse():
    score = fit_niqe(large(60), patch=32)
    with pytest.raises(InputError, match=r"at least 32 pixels a side, got 28 x 28; take smaller"):
        score(textures(1, side=28))
    with pytest.raises(InputError, match="patch: expected an even number, at least 32, got 30"):
        patch_statistics(large(1), 30)
    with pytest.raises(InputError, match="sharp patches: expected >= 36"):
        fit_niqe(large(5), patch=32)


def test_a_saved_score_of_patches_comes_back(tmp_path):
    score = fit_niqe(large(60), patch=32)
    images = large(3, seed=1)
    again = NIQE.load(score.save(tmp_path))
    assert again.patch == 32
    assert np.array_equal(again(images), score(images))
    singly = np.concatenate([score(image[None]) for image in images])
    assert np.array_equal(singly, score(images))
