"""Pixels that are exactly their local mean: the black grounds of digits and clothes, and wholly flat images."""

import numpy as np
import pytest
import torch
from image_textures import textures
from scipy.stats import gennorm

from giqa_lib.iqa import fit_brisque, fit_niqe, held_out_examples
from giqa_lib.iqa.natural_statistics import fit_asymmetric_gaussian, mscn, scene_statistics


def grounded(count, *, seed=0):
    """Textures in the middle of a black ground."""
    images = textures(count, seed=seed)
    images[:, :, :9] = 0
    images[:, :, -9:] = 0
    return images


def test_zeros_are_on_neither_side_of_the_fit():
    """A symmetric sample stays symmetric, and its deviations are those of what is not zero."""
    sample = torch.as_tensor(gennorm.rvs(1.0, size=(1, 50_000), random_state=0))
    _, left, right = fit_asymmetric_gaussian(sample)[0]
    _, *among_zeros = fit_asymmetric_gaussian(torch.cat([sample, torch.zeros(1, 50_000)], 1))[0]
    assert among_zeros == pytest.approx([left, right], rel=1e-12)


def test_the_fit_by_hand():
    """Ratio r = 1.5^2 / 2.5, deviations 2 and 1: the shape is where Gamma's ratio is r 9 3 / 25."""
    shape, left, right = fit_asymmetric_gaussian(torch.tensor([[-2.0, -2.0, 1.0, 1.0]]).double())[0]
    assert (left, right) == pytest.approx((2.0, 1.0))
    wanted = 1.5**2 / 2.5 * (2**3 + 1) * (2 + 1) / (2**2 + 1) ** 2
    assert (
        wanted > 0.75
    )  # above every shape's ratio, which tends to 3/4: the last one that is tried
    assert shape == pytest.approx(10.0, abs=0.002)


@pytest.mark.parametrize("grey", [0, 77, 255])
def test_a_flat_ground_is_exactly_zero_at_every_grey(grey):
    image = torch.full((1, 20, 20), float(grey), dtype=torch.float64)
    image[:, 14:] = torch.arange(6 * 20).view(6, 20) % 7 * 30
    found = mscn(image)
    assert (found[:, :11] == 0).all()
    assert (found[:, 14:] != 0).all()


def test_a_negative_has_the_features_of_its_image():
    """Normalised, a negative is minus the image: products, and the symmetric fit, do not see the sign."""
    images = grounded(20)
    assert scene_statistics(255 - images) == pytest.approx(scene_statistics(images), abs=2e-3)


@pytest.mark.parametrize("kind", ["NIQE", "BRISQUE"])
def test_a_flat_image_scores_finite_and_below_the_textured_ones(kind):
    train = textures(150)
    degraded, quality = held_out_examples(train, seed=0)
    score = fit_niqe(train) if kind == "NIQE" else fit_brisque(degraded, quality)
    flat = torch.full((3, 1, 28, 28), 77, dtype=torch.uint8)
    found = score(flat)
    assert np.isfinite(found).all()
    assert found.max() < np.median(score(textures(30, seed=5)))


def test_a_feature_that_never_changes_does_no_harm():
    """All flat: every feature has a spread of zero, which must not be divided by."""
    greys = torch.arange(20, dtype=torch.uint8).view(20, 1, 1, 1).expand(20, 1, 16, 16)
    found = fit_brisque(greys, np.linspace(0, 1, 20))(greys)
    assert np.isfinite(found).all()
    assert np.ptp(found) == 0


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", ["NIQE", "BRISQUE"])
def test_company_changes_no_bit(kind, channels):
    train = grounded(60).expand(-1, channels, -1, -1)
    degraded, quality = held_out_examples(train, seed=0)
    score = fit_niqe(train) if kind == "NIQE" else fit_brisque(degraded, quality)
    images = degraded[:20]
    assert np.array_equal(np.concatenate([score(image[None]) for image in images]), score(images))
