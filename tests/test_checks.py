import numpy as np
import pytest
import torch

from giqa_lib import checks
from giqa_lib.checks import InputError


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(1, 2, 2), r"expected 4 axes .*got shape \(1, 2, 2\)"),
        (torch.zeros(1, 4, 4, 3), r"expected 1 or 3 channels at axis 1.*permute"),
        (torch.zeros(1, 1, 2, 2, dtype=torch.int64), r"uint8 or a float type, got torch.int64"),
        (
            torch.full((2, 1, 2, 2), torch.nan),
            r"2 image\(s\) with NaN or infinity, first at index 0",
        ),
    ],
)
def test_images(images, message):
    with pytest.raises(InputError, match=message):
        checks.check_images(images)


def test_good_images_come_back_as_they_are():
    images = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    assert checks.check_images(images) is images


@pytest.mark.parametrize(
    ("features", "options", "message"),
    [
        ([1.0, 2.0], {}, r"features: expected 2 axes \(n, d\), got shape \(2,\)"),
        ([["a"]], {}, "expected real numbers"),
        ([[1j]], {}, "expected real numbers"),
        ([[1.0, 2.0]], {"width": 3}, "expected 3 columns, got 2"),
        ([[1.0]], {"at_least": 2}, r"expected at least 2 row\(s\), got 1"),
        ([[0.0], [np.nan]], {}, r"1 row\(s\) with NaN or infinity, first at index 1"),
    ],
)
def test_features(features, options, message):
    with pytest.raises(InputError, match=message):
        checks.check_features(features, **options)


def test_features_from_torch_come_as_float64():
    found = checks.check_features(torch.ones(2, 3, requires_grad=True))
    assert found.dtype == np.float64
    assert found.shape == (2, 3)


@pytest.mark.parametrize(
    ("scores", "options", "message"),
    [
        ([[1.0]], {}, r"scores: expected 1 axis \(n,\), got shape \(1, 1\)"),
        (["a"], {}, "expected real numbers"),
        ([1.0], {"count": 2}, "expected 2 values, got 1"),
        ([], {}, r"expected at least 1 value\(s\), got 0"),
        ([1.0, np.inf], {}, "1 NaN or infinite, first at index 1"),
    ],
)
def test_scores(scores, options, message):
    with pytest.raises(InputError, match=message):
        checks.check_scores(np.asarray(scores), **options)


def test_lengths_choices_and_ranges():
    with pytest.raises(InputError, match="a and b: expected one length, got a 1, b 2"):
        checks.check_same_length(a=[1], b=[1, 2])
    with pytest.raises(InputError, match="metric: expected one of l1, l2, got 'l3'; check"):
        checks.check_choice("l3", ("l2", "l1"), name="metric")
    with pytest.raises(InputError, match="k: expected a number > 0, got 0"):
        checks.check_positive(0, name="k")
    with pytest.raises(InputError, match=r"share: expected a number in \[0, 1\], got 95"):
        checks.check_probability(95, name="share")
    with pytest.raises(InputError, match=r"level: expected a number in \(0, 1\), got 1"):
        checks.check_probability(1, name="level", open_ends=True)
    assert checks.check_positive(0, name="k", zero=True) == 0
