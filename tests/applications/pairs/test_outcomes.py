import numpy as np
import pandas as pd
import pytest

from giqa_lib.applications.pairs import Pairs, accuracies, differences, outcomes
from giqa_lib.checks import InputError
from giqa_lib.evaluation import combine_on_same_images, combine_seeds


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


def test_seeds_combine_to_the_larger_of_two_errors():
    base = {"m": [5, 5, 5], "seed": [0, 1, 2], "n": [10, 10, 10]}
    spread = pd.DataFrame({**base, "value": [0.5, 0.6, 0.7], "standard_error": [0.001] * 3})
    assert combine_seeds(spread, by=["m"])["standard_error"][0] == pytest.approx(0.1 / np.sqrt(3))
    close = pd.DataFrame({**base, "value": [0.6] * 3, "standard_error": [0.03] * 3})
    row = combine_seeds(close, by=["m"]).iloc[0]
    assert row["standard_error"] == pytest.approx(0.03 / np.sqrt(3))
    assert row["seeds"] == (0, 1, 2)
    assert row["n"] == 30


def test_seeds_on_the_same_images_do_not_make_them_more():
    """Simulated: the error of a mean over seeds that share their pairs, by drawing the pairs anew many times."""
    random = np.random.default_rng(0)
    means, told, too_sure = [], [], []
    for _ in range(300):
        shared = random.random(100) < 0.7  # pairs that are easy for all seeds
        rows = []
        for seed in range(3):
            found = np.where(random.random(100) < 0.1, ~shared, shared).astype(float)
            row = accuracies({"a": found}).iloc[0]
            rows.append({"m": 0, "seed": seed, **row})
        frame = pd.DataFrame(rows)
        same = combine_on_same_images(frame, by=["m"]).iloc[0]
        means.append(same["value"])
        told.append(same["standard_error"])
        too_sure.append(combine_seeds(frame, by=["m"])["standard_error"][0])
    true = np.std(means, ddof=1)
    assert 0.95 * true < np.mean(told) < 1.5 * true
    assert np.mean(too_sure) < 0.9 * true
    assert same["n"] == 100
    assert same["seeds"] == (0, 1, 2)
