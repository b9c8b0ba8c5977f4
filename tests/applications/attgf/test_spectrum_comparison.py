import numpy as np
import pytest
import torch

from giqa_lib.applications.attgf import (
    compare_spectra,
    false_alarms,
    name_by_spectrum,
    profile_table,
)
from giqa_lib.evaluation import radial_profiles


def noise(count, seed, blur=False):
    random = np.random.default_rng(seed)
    images = torch.from_numpy(np.clip(128 + 30 * random.normal(size=(count, 1, 16, 16)), 0, 255))
    if blur:
        images = torch.nn.functional.avg_pool2d(images, 3, 1, 1)
    return images.byte()


SETS = {"a": noise(30, 0), "b": noise(30, 1), "blurred": noise(30, 2, blur=True)}


def test_every_two_sets_are_compared_once():
    found = compare_spectra(SETS, permutations=199, random_state=0).set_index(["first", "second"])
    assert list(found.index) == [("a", "b"), ("a", "blurred"), ("b", "blurred")]
    assert found.loc[("a", "b"), "p"] > 0.01
    assert found.loc[("a", "blurred"), "p"] == found["p"].min() == 0.005
    p = found.loc[("a", "b"), "p"]
    assert found.loc[("a", "b"), "error"] == pytest.approx((p * (1 - p) / 199) ** 0.5)


def test_profiles_are_means_with_their_errors():
    found = profile_table(SETS)
    rows = radial_profiles(SETS["b"])
    own = found[found["set"] == "b"]
    assert own["power"].tolist() == pytest.approx(rows.mean(0).tolist())
    assert own["standard_error"].tolist() == pytest.approx((rows.std(0) / 30**0.5).tolist())
    assert own["frequency"].tolist() == [k / 16 for k in range(1, 9)]


def test_a_spectrum_names_its_set_where_there_is_a_difference():
    shares, right = name_by_spectrum(SETS, random_state=0)
    assert shares.sum(axis=1).tolist() == pytest.approx([1, 1, 1])
    assert shares.loc["blurred", "blurred"] == 1
    assert shares.loc[["a", "b"], "blurred"].tolist() == [0, 0]
    assert right.n == 45
    assert right.value == pytest.approx(np.trace(shares) / 3)


def test_false_alarms_come_as_often_as_the_level_says():
    found = false_alarms(noise(24, 5), level=0.1, halvings=300, permutations=99, random_state=0)
    assert found.value == pytest.approx(0.1, abs=0.05)
    assert found.n == 300
