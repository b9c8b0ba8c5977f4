import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giqa_lib.applications.pairs import PAPER_PAIRS, PairSettings, construct_pairs, quality_levels
from giqa_lib.checks import InputError


def scores(count, seed=0):
    return np.random.default_rng(seed).permutation(count).astype(float)


def test_the_papers_counts():
    pairs = construct_pairs(scores(15_000), PAPER_PAIRS, random_state=0)
    assert pairs.shape == (50_000, 2)
    assert [len(level) for level in quality_levels(scores(15_000))] == [5000] * 3
    assert PAPER_PAIRS.pairs == 50_000
    images, times = np.unique(pairs, return_counts=True)
    assert (times == 500).sum() >= 100
    ends = images[times >= 500]
    values = scores(15_000)
    assert sorted(values[ends]) == [*range(50), *range(14_950, 15_000)]


@settings(deadline=None, max_examples=40)
@given(
    ends=st.integers(1, 5),
    partners=st.integers(1, 7),
    more=st.integers(0, 30),
    seed=st.integers(0, 100),
)
def test_no_pair_contradicts_its_scores_and_every_count_is_right(ends, partners, more, seed):
    values = scores(3 * max(ends, partners) + more, seed)
    wanted = PairSettings(ends=ends, partners=partners)
    pairs = construct_pairs(values, wanted, random_state=seed)
    assert len(pairs) == wanted.pairs == 2 * ends * partners
    better, worse = pairs.T
    assert (values[better] > values[worse]).all()
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    order = np.argsort(-values)
    _, middle, _ = (set(level.tolist()) for level in quality_levels(values))
    top, bottom = set(order[:ends].tolist()), set(order[-ends:].tolist())
    for one, other in pairs.tolist():
        assert (one in top and other in middle) or (one in middle and other in bottom)
    for image in top:
        assert (better == image).sum() == partners
    for image in bottom:
        assert (worse == image).sum() == partners


def test_partners_are_drawn_evenly_from_the_whole_middle():
    drawn = np.concatenate(
        [
            construct_pairs(np.arange(30.0), PairSettings(ends=1, partners=2), random_state=seed)
            for seed in range(600)
        ]
    ).ravel()
    counts = np.bincount(drawn, minlength=30)[10:20]
    assert counts.sum() == 600 * 4
    assert counts.min() > 240 * 0.75


def test_the_levels_hold_all_images_once():
    for count in (9, 10, 11):
        levels = quality_levels(scores(count))
        assert sorted(np.concatenate(levels).tolist()) == list(range(count))
        assert max(map(len, levels)) - min(map(len, levels)) <= 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.arange(8.0), "pseudo: expected 9 or more images"),
        (np.ones(9), "pseudo: expected levels with different scores"),
        ([3, 3, 3, 3, 2, 2, 1, 1, 1], "levels with different scores"),
        ([np.nan] * 9, "pseudo"),
    ],
)
def test_scores_that_make_no_levels_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        construct_pairs(values, PairSettings(ends=1, partners=3), random_state=0)


def test_settings_are_checked():
    with pytest.raises(InputError, match="partners"):
        PairSettings(ends=1, partners=0)
