"""What a training's course says: how late it goes on improving, and where it stands after equal time (ScoreGAN, Figure 3).

Both take what :meth:`ScoreStudy.judge_run` gives: ``run``, ``seed``, ``step``, ``judge``, ``metric``, ``value``.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from giqa_lib.checks import InputError, check_positive, error_line

__all__ = ["EARLY_SCORE", "LATE_FALL", "at_equal_seconds", "late_progress"]

EARLY_SCORE = "percent of the final IS at a third"
LATE_FALL = "fall of FID in the second half, percent"
THIRD, HALF = 0.35, 0.5  # of the steps, as the paper reads its curves
_KEYS = ["run", "seed", "judge"]


def late_progress(judged: pd.DataFrame) -> pd.DataFrame:
    """The paper's two statements on late progress, a row each for every run, seed and judge.

    ``EARLY_SCORE`` is 100 IS(early) / IS(last), ``LATE_FALL`` is 100 (1 - FID(last) / FID(half)), at the judged steps
    nearest to 35 and 50 percent of the last.

    >>> steps = pd.DataFrame({"step": [35, 50, 100], "run": "a", "seed": 0, "judge": "j"})
    >>> both = pd.concat([steps.assign(metric="IS", value=[4.0, 5.0, 8.0]), steps.assign(metric="FID", value=[90.0, 80.0, 60.0])])
    >>> late_progress(both)["value"].tolist()
    [50.0, 25.0]
    """
    last = judged["step"].max()
    early, half = (_nearest(judged["step"], share * last) for share in (THIRD, HALF))
    score = _wide(judged, "IS")
    fid = _wide(judged, "FID")
    found = {
        EARLY_SCORE: 100 * score[early] / score[last],
        LATE_FALL: 100 * (1 - fid[last] / fid[half]),
    }
    parts = [v.rename("value").reset_index().assign(metric=name) for name, v in found.items()]
    return pd.concat(parts, ignore_index=True)


def at_equal_seconds(judged: pd.DataFrame, cost: Mapping[str, float]) -> pd.DataFrame:
    """Each run's measures when the cheapest has made all its steps, on the straight line between judged steps.

    ``cost`` has each run's seconds a step, in any unit. The run that costs r times the cheapest is read at 1 / r of the
    last step.

    >>> steps = pd.DataFrame({"step": [50, 100], "seed": 0, "judge": "j", "metric": "IS", "value": [2.0, 4.0]})
    >>> both = pd.concat([steps.assign(run="plain"), steps.assign(run="guided")])
    >>> at_equal_seconds(both, {"plain": 2.0, "guided": 2.5}).set_index("run")["value"].to_dict()
    {'plain': 4.0, 'guided': 3.2}
    """
    for run in judged["run"].unique():
        if run not in cost:
            got, hint = ", ".join(cost) or "none", "time a step of each run"
            raise InputError(error_line("cost", expected=f"one of {run}", got=got, hint=hint))
        check_positive(cost[run], name=f"cost of {run}")
    last, cheapest = judged["step"].max(), min(cost[run] for run in judged["run"].unique())
    rows = []
    for key, course in judged.groupby([*_KEYS, "metric"], sort=False):
        run = str(key[0])
        course = course.sort_values("step")
        reach = last * cheapest / cost[run]
        if reach < course["step"].iloc[0]:
            got, hint = f"{reach:.0f}", "judge earlier steps too"
            expected = f"a step from {course['step'].iloc[0]} on"
            raise InputError(
                error_line(f"equal time of {run}", expected=expected, got=got, hint=hint)
            )
        value = float(np.interp(reach, course["step"], course["value"]))
        rows.append((*key, reach, value))
    return pd.DataFrame(rows, columns=[*_KEYS, "metric", "step", "value"])


def _nearest(steps: pd.Series, wanted: float) -> int:
    return int(min(steps.unique(), key=lambda step: abs(step - wanted)))


def _wide(judged: pd.DataFrame, metric: str) -> pd.DataFrame:
    """One row a run, seed and judge, one column a step."""
    part = judged[judged["metric"] == metric]
    return part.pivot(index=_KEYS, columns="step", values="value")
