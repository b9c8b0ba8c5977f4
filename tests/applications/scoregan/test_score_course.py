"""Late progress and equal time, from curves whose answers are known."""

import numpy as np
import pandas as pd
import pytest

from giqa_lib.applications.scoregan import EARLY_SCORE, LATE_FALL, at_equal_seconds, late_progress
from giqa_lib.checks import InputError

STEPS = np.array([60, 105, 150, 250, 300])


def course(run, seed=0, judge="j", *, score=1.0, fid=-1.0):
    """IS that rises as ``score`` times the step, FID 1000 that falls by ``-fid`` a step."""
    rows = {"run": run, "seed": seed, "judge": judge, "step": STEPS}
    return pd.concat(
        [
            pd.DataFrame(rows | {"metric": "IS", "value": score * STEPS}),
            pd.DataFrame(rows | {"metric": "FID", "value": 1000.0 + fid * STEPS}),
        ]
    )


def test_late_progress_is_read_at_a_third_and_at_half():
    found = late_progress(pd.concat([course("a"), course("b", seed=1, fid=-2.0)]))
    values = found.set_index(["run", "metric"])["value"]
    assert values["a", EARLY_SCORE] == pytest.approx(35.0)
    assert values["a", LATE_FALL] == pytest.approx(100 * (1 - 700 / 850))
    assert values["b", LATE_FALL] == pytest.approx(100 * (1 - 400 / 700))
    assert found[["run", "seed", "judge", "metric"]].duplicated().sum() == 0


def test_what_is_not_one_of_the_two_measures_is_left_out():
    other = course("a").assign(metric="label accuracy").drop_duplicates(["step"])
    assert len(late_progress(pd.concat([course("a"), other]))) == 2


def test_equal_seconds_reads_the_dearer_run_earlier():
    judged = pd.concat([course("plain"), course("guided", score=2.0)])
    found = at_equal_seconds(judged, {"plain": 1.0, "guided": 1.25}).set_index(["run", "metric"])
    assert found.loc[("plain", "IS"), "step"] == 300
    assert found.loc[("guided", "IS"), "step"] == pytest.approx(240)
    assert found.loc[("guided", "IS"), "value"] == pytest.approx(480.0)
    assert found.loc[("guided", "FID"), "value"] == pytest.approx(760.0)


def test_equal_cost_is_the_last_step():
    judged = pd.concat([course("plain"), course("guided", score=2.0)])
    found = at_equal_seconds(judged, {"plain": 3.0, "guided": 3.0})
    assert set(found["step"]) == {300}


@pytest.mark.parametrize(
    ("cost", "message"),
    [
        ({"plain": 1.0}, "cost: expected one of guided"),
        ({"plain": 1.0, "guided": 0.0}, "cost of guided"),
        ({"plain": 1.0, "guided": 9.0}, "equal time of guided: expected a step from 60 on, got 33"),
    ],
)
def test_a_cost_that_cannot_be_is_refused(cost, message):
    judged = pd.concat([course("plain"), course("guided")])
    with pytest.raises(InputError, match=message):
        at_equal_seconds(judged, cost)
