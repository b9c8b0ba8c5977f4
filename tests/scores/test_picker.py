import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from giqa_lib.checks import InputError
from giqa_lib.scores import pick

some_scores = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=30)


@given(some_scores, st.floats(0.01, 1.0))
def test_none_that_is_left_out_is_better_than_one_that_is_kept(scores, share):
    kept = pick(scores, share=share)
    assert len(kept) == max(1, round(share * len(scores)))
    assert len(set(kept)) == len(kept)
    values = np.array(scores)
    left_out = np.delete(values, kept)
    assert left_out.size == 0 or left_out.max() <= values[kept].min()
    assert (np.diff(values[kept]) <= 0).all()


@given(some_scores.filter(lambda scores: len(scores) > 3), st.data())
def test_with_modes_each_keeps_its_share_of_its_own_best(scores, data):
    values = np.array(scores)
    modes = np.array(
        data.draw(st.lists(st.integers(0, 2), min_size=len(scores), max_size=len(scores)))
    )
    kept = pick(values, share=0.5, modes=modes)
    for mode in np.unique(modes):
        mine = np.flatnonzero(modes == mode)
        chosen = np.intersect1d(kept, mine)
        assert abs(len(chosen) - len(mine) / 2) <= 1
        left_out = np.setdiff1d(mine, chosen)
        if chosen.size and left_out.size:
            assert values[left_out].max() <= values[chosen].min()


def test_ties_go_to_the_first():
    assert pick([0.5, 0.5, 0.5, 0.5], count=2).tolist() == [0, 1]
    assert pick([1.0, 2.0, 2.0], count=1).tolist() == [1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "one of the two, got neither"),
        ({"share": 0.5, "count": 1}, "one of the two, got share 0.5 and count 1"),
        ({"share": 0.0}, "share: expected a number > 0"),
        ({"share": 1.2}, "share"),
        ({"count": 4}, r"count: expected a whole number in 1\.\.3, got 4"),
        ({"count": 0}, "count"),
        ({"share": 0.5, "modes": [0, 1]}, "modes"),
        ({"share": 0.5, "modes": [0.0, 1.0, 2.0]}, r"modes: expected integers \(n,\)"),
    ],
)
def test_what_cannot_be_kept_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        pick([0.1, 0.2, 0.3], **arguments)


def test_a_score_that_is_not_a_number_is_refused():
    with pytest.raises(InputError, match="index 1"):
        pick([0.1, np.nan], count=1)
