"""Many simulated panels: does screening find the careless, and are opinions better for it?"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from giqa_lib.applications.attgf.quality_study import kept_observers
from giqa_lib.applications.opinion import PanelSettings, simulate_panel
from giqa_lib.checks import check_positive
from giqa_lib.evaluation import mean_opinion_scores, screen_observers, srcc

__all__ = ["panel_trials"]


def panel_trials(
    quality: ArrayLike, settings: PanelSettings, *, panels: int, seed: int
) -> pd.DataFrame:
    """One row a **simulated** panel: careless ``found``, careful ``lost``, rank correlation with the truth ``before`` and ``after``.

    ``gain`` is after minus before, ``raw`` the correlation of plain mean votes of all observers, ``best`` that without exactly the
    careless.

    >>> trials = panel_trials(np.linspace(0, 1, 200), PanelSettings(), panels=2, seed=0)
    >>> trials["found"].tolist(), trials["lost"].tolist()
    ([2, 2], [0, 0])
    """
    check_positive(panels, name="panels")
    seeds = np.random.default_rng(seed).integers(2**31, size=panels)
    rows = []
    for number in seeds:
        votes = simulate_panel(quality, settings, seed=int(number))
        screened = screen_observers(votes).set_index("subject")["rejected"]
        careless = votes.groupby("subject")["careless"].first().reindex(screened.index)
        row = {"found": int((screened & careless).sum()), "lost": int((screened & ~careless).sum())}
        raw = votes.groupby("image")["vote"].mean()
        sets = {
            "before": votes,
            "after": kept_observers(votes),
            "best": votes[~votes["careless"]],
        }
        row_values = {name: _with_truth(part, quality) for name, part in sets.items()}
        rows.append({**row, "raw": srcc(raw, np.asarray(quality)), **row_values})
    found = pd.DataFrame(rows)
    return found.assign(gain=found["after"] - found["before"])


def _with_truth(votes: pd.DataFrame, quality: ArrayLike) -> float:
    scores = mean_opinion_scores(votes).sort_values("image")["mos"]
    return srcc(scores, np.asarray(quality))
