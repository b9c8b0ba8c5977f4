import numpy as np
import pandas as pd
import pytest

from giqa_lib.checks import InputError
from giqa_lib.evaluation import (
    mean_reliability,
    observer_agreement,
    rating_variances,
    stepped_reliability,
    vote_variances,
)

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.normal(size=4000)


def ratings(raters, spread=1.5):
    return TRUTH[:, None] + spread * np.random.default_rng(raters).normal(size=(4000, raters))


@pytest.mark.parametrize("raters", [2, 5, 20])
def test_ratings_of_a_known_model_have_its_reliability(raters):
    votes = ratings(raters)
    errors = rating_variances(votes.std(axis=1, ddof=1), raters)
    found = mean_reliability(votes.mean(1), errors, resamples=50, random_state=0)
    assert found.value == pytest.approx(1 / (1 + 1.5**2 / raters), abs=0.02)
    assert found.low < found.value < found.high


def test_it_is_the_correlation_with_another_panel():
    one, other = ratings(6), ratings(6) * 0
    other = TRUTH[:, None] + 1.5 * np.random.default_rng(99).normal(size=(4000, 6))
    errors = rating_variances(one.std(axis=1, ddof=1), 6)
    found = mean_reliability(one.mean(1), errors, resamples=20, random_state=0).value
    assert found == pytest.approx(np.corrcoef(one.mean(1), other.mean(1))[0, 1], abs=0.02)


def test_votes_of_two_kinds_have_theirs_whatever_their_number():
    random = np.random.default_rng(3)
    chance, count = random.beta(2, 3, size=20_000), random.integers(2, 9, size=20_000)
    won = random.binomial(count, chance)
    found = mean_reliability(won / count, vote_variances(won, count), resamples=20, random_state=0)
    again = random.binomial(count, chance) / count
    assert found.value == pytest.approx(np.corrcoef(won / count, again)[0, 1], abs=0.015)


def test_pure_noise_has_none():
    votes = np.random.default_rng(1).normal(size=(4000, 5))
    errors = rating_variances(votes.std(axis=1, ddof=1), 5)
    assert abs(mean_reliability(votes.mean(1), errors, resamples=20, random_state=0).value) < 0.07


def test_it_agrees_with_split_halves_of_the_same_votes():
    votes = ratings(8)[:600]
    rows = [(f"s{s}", 1, i, votes[i, s]) for s in range(8) for i in range(600)]
    table = pd.DataFrame(rows, columns=["subject", "session", "image", "vote"])
    halves = observer_agreement(table, random_state=0, splits=20).split_half
    errors = rating_variances(votes.std(axis=1, ddof=1), 8)
    found = mean_reliability(votes.mean(1), errors, resamples=20, random_state=0).value
    assert found == pytest.approx(halves, abs=0.02)


def test_stepping_up_and_down_again():
    assert stepped_reliability(0.5, size=10, wanted=10) == 0.5
    up = stepped_reliability(0.3, size=2, wanted=20)
    assert stepped_reliability(up, size=20, wanted=2) == pytest.approx(0.3)
    one, many = ratings(2), ratings(12)
    found = [
        mean_reliability(
            v.mean(1),
            rating_variances(v.std(axis=1, ddof=1), v.shape[1]),
            resamples=20,
            random_state=0,
        ).value
        for v in (one, many)
    ]
    assert stepped_reliability(found[0], size=2, wanted=12) == pytest.approx(found[1], abs=0.03)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rating_variances([1.0], 1), "at least 2 raters"),
        (lambda: rating_variances([-1.0], 5), "deviations of 0 or more"),
        (lambda: vote_variances([1, 1], [2, 1]), "got 1 of 1 in row 1"),
        (lambda: vote_variances([3], [2]), "got 3 of 2 in row 0"),
        (
            lambda: mean_reliability([1, 1, 1], [1, 1, 1], random_state=0),
            "means: expected different",
        ),
        (lambda: stepped_reliability(0.5, size=0, wanted=2), "size"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
