import numpy as np
import pytest

from giqa_lib.applications.pairs import Pairs, accuracies, differences, outcomes
from giqa_lib.checks import InputError


def test_outcome_by_hand():
    pairs = Pairs(name="p", better=np.array([0, 1, 2]), worse=np.array([1, 0, 3]))
    assert outcomes(np.array([2.0, 1.0, 5.0, 5.0]), pairs).tolist() == [1.0, 0.0, 0.5]


def test_accuracy_has_the_binomial_error():
    found = accuracies({"a": np.array([1.0] * 75 + [0.0] * 25)}).iloc[0]
    assert found["value"] == 0.75
    assert found["standard_error"] == pytest.approx(np.sqrt(0.75 * 0.25 / 99), rel=1e-12)


def test_a_paired_difference_is_surer_than_two_accuracies():
    random = np.random.default_rng(0)
    easy = (random.random(4000) < 0.7).astype(float)
    better = np.where(random.random(4000) < 0.05, 1.0, easy)
    row = differences({"b": better, "a": easy}, [("b", "a")]).iloc[0]
    assert row["value"] == pytest.approx((better - easy).mean())
    apart = accuracies({"a": easy, "b": better})["standard_error"]
    assert row["standard_error"] < 0.3 * np.sqrt((apart**2).sum())


def test_unequal_pairs_are_refused():
    with pytest.raises(InputError, match="one length"):
        differences({"a": np.ones(3), "b": np.ones(2)}, [("a", "b")])
