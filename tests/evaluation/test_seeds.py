import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from giqa_lib.checks import InputError
from giqa_lib.evaluation import combine_on_same_images, combine_seeds, paired_differences


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
            error = found.std(ddof=1) / np.sqrt(len(found))
            rows.append(
                {"m": 0, "seed": seed, "value": found.mean(), "standard_error": error, "n": 100}
            )
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


def table(rng, seeds=5):
    rows = [
        {"run": run, "seed": seed, "metric": metric, "value": rng.normal()}
        for run in ("a", "b", "c")
        for seed in range(seeds)
        for metric in ("m1", "m2")
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


def test_paired_differences_against_scipy(rng):
    frame = table(rng)
    found = paired_differences(frame, [("a", "b"), ("c", "b")]).set_index(["name", "metric"])
    for first, metric in (("a", "m1"), ("c", "m2")):
        pair = frame[frame["metric"] == metric].pivot(index="seed", columns="run", values="value")
        low, high = ttest_rel(pair[first], pair["b"]).confidence_interval(0.95)
        row = found.loc[(f"{first} minus b", metric)]
        assert row["value"] - row["half_width"] == pytest.approx(low)
        assert row["value"] + row["half_width"] == pytest.approx(high)
        assert row["differences"] == pytest.approx((pair[first] - pair["b"]).tolist())
        assert row["seeds"] == (0, 1, 2, 3, 4)


def test_one_pair_has_no_interval(rng):
    found = paired_differences(table(rng, seeds=1), [("a", "b")])
    assert found["half_width"].isna().all()
    assert (found["pairs"] == 1).all()


def test_a_run_that_lacks_a_seed_is_refused(rng):
    frame = table(rng)
    lacking = frame[~((frame["run"] == "b") & (frame["seed"] == 3))]
    with pytest.raises(InputError, match="a value of each run and seed, got none for b"):
        paired_differences(lacking, [("a", "b")])
