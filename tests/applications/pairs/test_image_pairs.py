import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giqa_lib.applications.pairs import (
    by_votes,
    clean_over_degraded,
    join,
    later_over_earlier,
    real_over_generated,
)
from giqa_lib.checks import InputError

STEPS = np.repeat([100.0, 200.0, 400.0, 800.0], 50)


@given(st.floats(1.1, 8.0), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_later_is_later_by_the_ratio_and_images_stand_once(ratio, seed):
    pairs = later_over_earlier(STEPS, ratio=ratio, random_state=seed)
    assert (STEPS[pairs.better] >= ratio * STEPS[pairs.worse]).all()
    used = np.concatenate([pairs.better, pairs.worse])
    assert len(np.unique(used)) == len(used)


def test_images_without_a_step_are_left_out():
    steps = np.concatenate([STEPS, np.full(30, np.nan)])
    pairs = later_over_earlier(steps, random_state=0)
    assert max(pairs.better.max(), pairs.worse.max()) < len(STEPS)


def test_no_pair_within_the_margin_is_an_error():
    with pytest.raises(InputError, match=r"later over earlier.*widen the margin"):
        later_over_earlier([100.0, 101.0], ratio=2, random_state=0)


def test_real_over_generated_takes_each_side_from_its_rows():
    pairs = real_over_generated(range(10), range(10, 15), random_state=0)
    assert len(pairs) == 5
    assert set(pairs.worse) == set(range(10, 15))
    assert (pairs.better < 10).all()


def test_clean_faces_its_own_degraded_copy():
    pairs = clean_over_degraded(range(20), range(20, 40), count=7, random_state=0)
    assert len(pairs) == 7
    assert (pairs.worse - pairs.better == 20).all()


@given(st.floats(0.05, 0.6), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_votes_keep_the_margin(margin, seed):
    random = np.random.default_rng(seed)
    share, votes = random.random(200), random.integers(0, 20, 200)
    share[0], share[1], votes[:2] = 0.0, 1.0, 9
    pairs = by_votes(share, votes, margin=margin, least_votes=5, random_state=seed)
    assert (share[pairs.better] - share[pairs.worse] >= margin).all()
    assert (votes[np.concatenate([pairs.better, pairs.worse])] >= 5).all()
    used = np.concatenate([pairs.better, pairs.worse])
    assert len(np.unique(used)) == len(used)


def test_join_takes_equal_shares():
    one = real_over_generated(range(10), range(10, 20), random_state=0)
    two = real_over_generated(range(4), range(4, 8), random_state=0)
    both = join("all", one, two, random_state=1)
    assert len(both) == 8


def test_same_seed_same_pairs():
    first = later_over_earlier(STEPS, random_state=3)
    second = later_over_earlier(STEPS, random_state=3)
    assert (first.better == second.better).all()
    assert (first.worse == second.worse).all()
