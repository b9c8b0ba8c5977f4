import numpy as np
import pytest
from scipy import stats

from giqa_lib.applications.opinion import opinion_agreement, order_agreement
from giqa_lib.checks import InputError


def test_correlations_are_scipys(rng):
    scores = rng.normal(size=60)
    opinions = scores + rng.normal(size=60)
    found = opinion_agreement(scores, opinions, resamples=100).set_index("measure")
    expected = {"SRCC": stats.spearmanr, "KRCC": stats.kendalltau, "PLCC": stats.pearsonr}
    for name, oracle in expected.items():
        assert found.loc[name, "value"] == pytest.approx(oracle(scores, opinions).statistic)
        assert found.loc[name, "low"] < found.loc[name, "value"] < found.loc[name, "high"]


def test_intervals_hold_what_they_promise():
    truth = 6 / np.pi * np.arcsin(0.6 / 2)  # Spearman's of a Gaussian with correlation 0.6
    held = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        x, e = random.normal(size=(2, 80))
        found = opinion_agreement(x, 0.6 * x + 0.8 * e, resamples=200, seed=seed).iloc[0]
        held += found["low"] <= truth <= found["high"]
    assert held >= 33


def test_a_resample_of_one_value_counts_as_nothing():
    found = opinion_agreement([0, 0, 0, 1], [0, 0, 0, 1], resamples=200)
    assert found["value"].iloc[0] == 1
    assert found["low"].iloc[0] == 0


def test_pairs_count_ties_half():
    found = order_agreement([1.0, 2.0, 3.0, 0.0], [1.0, 1.0, 1.0, 1.0]).iloc[0]
    assert found["value"] == 2.5 / 4
    assert (found["ties"], found["n"]) == (1, 4)


@pytest.mark.parametrize(
    ("scores", "opinions", "message"),
    [
        ([1, 2], [1, 2], "at least 3 value"),
        ([1, 2, 3], [1, 1, 1], "two different values"),
        ([1, 2, 3], [1, 2, 3, 4], "one length"),
        ([1, 2, np.nan], [1, 2, 3], "finite values"),
    ],
)
def test_what_has_no_agreement_is_refused(scores, opinions, message):
    with pytest.raises(InputError, match=message):
        opinion_agreement(scores, opinions)
