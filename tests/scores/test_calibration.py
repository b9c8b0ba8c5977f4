import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import percentileofscore
from sklearn.exceptions import NotFittedError

from giqa_lib.checks import InputError
from giqa_lib.scores import RankCalibration, WithinModeCalibration, min_max

values = st.lists(st.integers(-1000, 1000).map(float), min_size=1, max_size=30)


@given(values, values)
@settings(max_examples=50, deadline=None)
def test_equals_scipy_and_is_monotone(held_out, scores):
    found = RankCalibration().fit(held_out).transform(scores)
    assert found == pytest.approx(percentileofscore(held_out, scores, kind="mean") / 100)
    assert (found >= 0).all()
    assert (found <= 1).all()
    order = np.argsort(scores, kind="stable")
    assert (np.diff(found[order]) >= 0).all()


@given(values, values)
@settings(max_examples=50, deadline=None)
def test_invariant_to_increasing_maps(held_out, scores):
    plain = RankCalibration().fit(held_out).transform(scores)

    def grow(x):
        return np.array(x) ** 3 + 5 * np.array(x)

    assert np.array_equal(RankCalibration().fit(grow(held_out)).transform(grow(scores)), plain)


@given(values, st.lists(st.integers(0, 3), min_size=30, max_size=30))
@settings(max_examples=50, deadline=None)
def test_within_mode_is_the_rank_of_each_mode_alone(scores, modes):
    modes = np.array(modes[: len(scores)])
    found = WithinModeCalibration(minimum=1).fit(scores, modes).transform(scores, modes)
    for mode in np.unique(modes):
        chosen = np.array(scores)[modes == mode]
        assert np.array_equal(found[modes == mode], RankCalibration().fit(chosen).transform(chosen))


def test_within_mode_forgets_what_is_typical():
    """A class that scores high as a whole must not come first."""
    generator = np.random.default_rng(0)
    modes = np.repeat([0, 1], 500)
    scores = generator.standard_normal(1000) + 100 * modes
    within = WithinModeCalibration().fit(scores, modes).transform(scores, modes)
    assert within[modes == 0].mean() == pytest.approx(within[modes == 1].mean(), abs=1e-12)
    over_all = RankCalibration().fit(scores).transform(scores)
    assert over_all[modes == 0].max() < over_all[modes == 1].min()


def test_held_out_images_are_uniform():
    generator = np.random.default_rng(0)
    calibrated = (
        RankCalibration()
        .fit(generator.standard_normal(2000))
        .transform(generator.standard_normal(2000))
    )
    # 4 standard errors: that of 2000 new images and that of the 2000 held out
    assert calibrated.mean() == pytest.approx(0.5, abs=4 * np.sqrt(2 / 12 / 2000))


def test_standard_error_is_that_of_repeated_held_out_sets():
    generator = np.random.default_rng(1)
    found = [
        RankCalibration().fit(generator.standard_normal(200)).transform([0.5])[0]
        for _ in range(2000)
    ]
    stated = RankCalibration().fit(generator.standard_normal(200)).standard_error([0.6915])[0]
    assert stated == pytest.approx(np.std(found), rel=4 / np.sqrt(2 * 2000) + 0.02)
    few = WithinModeCalibration(minimum=2).fit([1.0, 2.0] + [1.0] * 98, [0] * 2 + [1] * 98)
    errors = few.standard_error([0.0, 0.0], [0, 1])
    assert errors[0] > 5 * errors[1] > 0


def test_scarce_and_unknown_modes_are_named():
    scores, modes = np.arange(25.0), np.array([0] * 20 + [4] * 5)
    with pytest.raises(InputError, match=r"at least 20 held-out images.*mode 4 \(5\)"):
        WithinModeCalibration().fit(scores, modes)
    fitted = WithinModeCalibration(minimum=5).fit(scores, modes)
    with pytest.raises(InputError, match="unknown mode 3, 7"):
        fitted.transform([1.0, 2.0, 3.0], [3, 4, 7])
    with pytest.raises(InputError, match="integers"):
        fitted.transform([1.0], [0.5])


def test_unfitted_raises(tmp_path):
    for unfitted in (RankCalibration(), WithinModeCalibration()):
        with pytest.raises(NotFittedError, match="call fit"):
            unfitted.save(tmp_path)


def test_save_and_load(tmp_path):
    scores, modes = np.random.default_rng(0).standard_normal(60), np.arange(60) % 3
    rank = RankCalibration().fit(scores)
    rank.save(tmp_path / "a")
    assert np.array_equal(RankCalibration.load(tmp_path / "a").held_out_, rank.held_out_)
    within = WithinModeCalibration(minimum=7).fit(scores, modes)
    within.save(tmp_path / "b")
    loaded = WithinModeCalibration.load(tmp_path / "b")
    assert loaded.minimum == 7
    assert np.array_equal(loaded.transform(scores, modes), within.transform(scores, modes))
    with pytest.raises(InputError, match=r"use WithinModeCalibration\.load"):
        RankCalibration.load(tmp_path / "b")


def test_min_max_is_no_score():
    good = np.array([1.0, 2.0, 3.0])
    assert min_max(good) == pytest.approx([0, 0.5, 1])
    assert min_max(np.append(good, -97.0))[0] == pytest.approx(0.98)  # bad company makes it good
    with pytest.raises(InputError, match="two different scores, got 1 score"):
        min_max([1.0])
