"""Mean opinion scores, screening and agreement, against hand-worked and brute-force values."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kurtosis, ttest_1samp

from giqa_lib.checks import InputError
from giqa_lib.evaluation import (
    check_votes,
    mean_opinion_scores,
    observer_agreement,
    screen_observers,
    standardise_votes,
)


def votes_of(table, *, session=1):
    """Votes from a mapping subject -> votes of images 0, 1, ..."""
    rows = [
        (subject, session, image, vote)
        for subject, given in table.items()
        for image, vote in enumerate(given)
    ]
    return pd.DataFrame(rows, columns=["subject", "session", "image", "vote"])


@pytest.fixture
def panel():
    random = np.random.default_rng(0)
    truth = random.uniform(1, 5, 60)
    votes = {f"s{i}": np.clip(np.round(truth + random.normal(0, 0.6, 60)), 1, 5) for i in range(12)}
    votes["careless"] = random.integers(1, 6, 60)
    return votes_of(votes)


def test_z_scores_by_hand():
    found = standardise_votes(votes_of({"a": [1, 2, 3], "b": [5, 5, 2]}))
    assert found["z"].tolist() == pytest.approx([-1, 0, 1, *(np.array([1, 1, -2]) / np.sqrt(3))])


def test_z_scores_are_of_each_session_apart():
    both = pd.concat(
        [votes_of({"a": [1, 3]}), votes_of({"a": [4, 5]}, session=2).assign(image=[7, 8])]
    )
    z = standardise_votes(both)["z"].tolist()
    assert z == pytest.approx([-(0.5**0.5), 0.5**0.5] * 2)


def test_a_bias_and_another_use_of_the_scale_leave_no_trace():
    random = np.random.default_rng(0)
    truth = random.normal(size=40)
    plain = votes_of({"a": truth, "b": truth})
    biased = votes_of({"a": truth, "b": 3 * truth - 2})
    assert mean_opinion_scores(plain)["mos"].tolist() == pytest.approx(
        mean_opinion_scores(biased)["mos"].tolist()
    )


def test_equal_votes_and_a_single_vote_say_nothing():
    found = standardise_votes(votes_of({"flat": [3, 3, 3], "once": [5]}))
    assert found["z"].tolist() == [0.0] * 4
    mos = mean_opinion_scores(votes_of({"flat": [3, 3], "a": [1, 5]}))
    assert mos["mos"].tolist() == pytest.approx([50 - 100 / 12 / 2**0.5, 50 + 100 / 12 / 2**0.5])


def test_the_mean_opinion_has_students_interval():
    votes = votes_of({"a": [1, 2, 5], "b": [2, 3, 4], "c": [1, 4, 4]})
    found = mean_opinion_scores(votes)
    scaled = 100 * (standardise_votes(votes)["z"] + 3) / 6
    for image in range(3):
        mine = scaled[votes["image"].eq(image)]
        interval = ttest_1samp(mine, 0).confidence_interval(0.95)
        row = found.iloc[image]
        assert row[["mos", "low", "high"]].tolist() == pytest.approx([mine.mean(), *interval])
        assert row["n"] == 3
    assert found["mean_vote"].tolist() == pytest.approx([4 / 3, 3, 13 / 3])
    once = mean_opinion_scores(votes_of({"a": [1, 2]}))
    assert once["standard_error"].isna().all()


def screened_by_hand(votes):
    """The rule of BT.500 as its text reads, vote by vote."""
    rejected = {}
    for subject in votes["subject"].unique():
        high = low = count = 0
        for row in votes[votes["subject"] == subject].itertuples():
            given = votes.loc[votes["image"] == row.image, "vote"].to_numpy(float)
            spread = given.std(ddof=1) if len(given) > 1 else 0.0
            count += 1
            if spread == 0:
                continue
            beta = kurtosis(given, fisher=False)
            reach = spread * (2 if 2 <= beta <= 4 else 20**0.5)
            high += row.vote >= given.mean() + reach
            low += row.vote <= given.mean() - reach
        often = (high + low) / count > 0.05
        rejected[subject] = often and abs(high - low) / (high + low) < 0.3
    return rejected


def test_screening_is_the_rule_read_vote_by_vote(panel):
    found = screen_observers(panel).set_index("subject")["rejected"]
    assert found.to_dict() == screened_by_hand(panel)
    assert found[found].index.tolist() == ["careless"]


def test_an_observer_who_is_far_off_to_one_side_stays(panel):
    wide = panel.pivot(index="image", columns="subject", values="vote").drop(columns="careless")
    strict = wide.mean(axis=1).sub(2).clip(lower=1).round()
    found = screen_observers(votes_of({**wide.to_dict("list"), "strict": strict}))
    row = found.set_index("subject").loc["strict"]
    assert row["low"] > 10 > row["high"]
    assert not row["rejected"]


def test_screening_names_sessions_of_equal_votes_and_bears_single_votes():
    votes = votes_of({"a": [1, 2, 3], "b": [2, 3, 5], "flat": [4, 4, 4], "once": [5]})
    found = screen_observers(votes).set_index("subject")
    assert found["constant"].to_dict() == {"a": 0, "b": 0, "flat": 1, "once": 1}
    assert found["votes"].to_dict() == {"a": 3, "b": 3, "flat": 3, "once": 1}
    same = screen_observers(votes_of({"a": [3, 3], "b": [3, 3]}))
    assert same[["high", "low"]].to_numpy().sum() == 0


def alpha_by_hand(wide):
    """Krippendorff's alpha from all ordered pairs."""
    total = np.isfinite(wide[np.isfinite(wide).sum(1) > 1]).sum()
    observed, values = 0.0, []
    for row in wide:
        mine = row[np.isfinite(row)]
        if len(mine) < 2:
            continue
        values += mine.tolist()
        observed += sum((a - b) ** 2 for a, b in itertools.permutations(mine, 2)) / (len(mine) - 1)
    expected = sum((a - b) ** 2 for a, b in itertools.permutations(values, 2)) / (total - 1)
    return 1 - observed / expected


def test_alpha_is_krippendorffs_with_missing_votes(panel):
    few = panel[panel["image"] < 12].sample(frac=0.7, random_state=0)
    found = observer_agreement(few, random_state=0, splits=5).alpha
    wide = standardise_votes(check_votes(few)).pivot(index="image", columns="subject", values="z")
    assert found == pytest.approx(alpha_by_hand(wide.to_numpy()), rel=1e-9)


def test_agreement_of_twins_is_full_and_of_strangers_none():
    truth = np.random.default_rng(0).normal(size=80)
    twins = observer_agreement(votes_of(dict.fromkeys("abcd", truth)), random_state=0)
    assert (twins.rank, twins.alpha, twins.split_half) == pytest.approx((1, 1, 1))
    random = np.random.default_rng(1)
    strangers = votes_of({name: random.normal(size=400) for name in "abcdefgh"})
    found = observer_agreement(strangers, random_state=0)
    assert abs(found.alpha) < 0.05
    assert abs(found.rank) < 0.1
    assert abs(found.split_half) < 0.25


def test_the_split_half_is_the_reliability_of_a_known_model():
    """Votes = truth + noise of equal variance: with k observers the mean's reliability is k / (k + 1)."""
    random = np.random.default_rng(2)
    truth = random.normal(size=3000)
    votes = votes_of({str(i): truth + random.normal(size=3000) for i in range(10)})
    found = observer_agreement(votes, random_state=0, splits=20)
    assert found.split_half == pytest.approx(10 / 11, abs=0.01)
    assert found.alpha == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.drop(columns="session"), "votes: expected the columns .* got no session"),
        (lambda v: v.iloc[:0], "got no rows"),
        (lambda v: v.assign(vote=[1, 2, 6]), "a number from 1 to 5, got 6 in row 2"),
        (lambda v: v.assign(vote=[1, 0, 5]), "got 0 in row 1"),
        (lambda v: v.assign(vote=["1", "good", "2"]), "got 'good' in row 1"),
        (lambda v: v.assign(vote=[1, np.nan, 2]), "an empty cell in row 1"),
        (lambda v: v.assign(image=[0, 1, 1]), "got two by subject a of image 1"),
    ],
)
def test_a_damaged_table_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        check_votes(change(votes_of({"a": [1, 2, 3]})))


def test_few_observers_cannot_agree(panel):
    with pytest.raises(InputError, match="observers: expected at least 4, got 2"):
        observer_agreement(panel[panel["subject"].isin(["s0", "s1"])], random_state=0)
