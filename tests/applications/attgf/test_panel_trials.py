import numpy as np
import pandas as pd
import pytest

from giqa_lib.applications.attgf import panel_trials
from giqa_lib.applications.opinion import (
    OpinionSet,
    PanelSettings,
    damaged_votes,
    rated_opinions,
    simulate_panel,
)
from giqa_lib.applications.opinion.real_opinions import _agiqa, _faces

QUALITY = np.random.default_rng(0).beta(2, 2, size=320)


def test_two_careless_are_found_and_opinions_are_better_for_it():
    found = panel_trials(QUALITY, PanelSettings(), panels=6, seed=0)
    assert found["lost"].sum() == 0
    assert found["found"].mean() > 1.4
    rejected = found[found["found"] == 2]
    assert (rejected["after"] == rejected["best"]).all()
    assert (rejected["gain"] > 0).all()
    assert found.equals(panel_trials(QUALITY, PanelSettings(), panels=6, seed=0))


def test_a_panel_without_careless_observers_loses_nobody():
    found = panel_trials(QUALITY, PanelSettings(careless=0), panels=4, seed=1)
    assert found["found"].tolist() == [0] * 4
    assert (found["before"] == found["best"]).all()


def test_every_damage_has_its_outcome(tmp_path):
    votes = simulate_panel(QUALITY[:40], PanelSettings(observers=5, careless=0, sessions=2), seed=0)
    found = damaged_votes(votes.drop(columns="careless"), tmp_path).set_index("case")["outcome"]
    refused = found.str.startswith("refused: ")
    assert refused.tolist() == [True] * 4 + [False] * 2
    assert "a whole file" in found["an export cut short"]
    assert "got 6" in found["a rating of 6"]
    assert "got two by" in found["an image judged twice"]
    assert found["an observer with one vote"].startswith("kept, marked: 1 votes, 1 sessions")
    assert "1 sessions of equal ones" in found["a session of equal votes"]
    assert "40 images with a score" in found["a session of equal votes"]


def test_agiqa_is_read_by_its_columns():
    table = pd.DataFrame(
        {"mos_quality": [1.0, 2.0, 4.0], "std_quality": [0.5, 0.5, 1.0], "generator": list("aab")}
    )
    found = _agiqa(table)
    assert found.variance.tolist() == pytest.approx([0.25 / 15, 0.25 / 15, 1 / 15])
    assert found.unit.tolist() == [0.2, 0.4, 0.8]
    assert found.family == ("a", "a", "b")


def test_of_the_faces_only_dense_votes_of_two_kinds_count():
    table = pd.DataFrame(
        {
            "generator": ["real", "wgan-gp", "wgan-gp", "progan"],
            "votes_real_dense": [4, 1, 1, 4],
            "votes_total_dense": [5, 5, 4, 5],
        }
    )
    found = _faces(table)
    assert found.opinion.tolist() == [0.8, 0.2]
    assert found.family == ("real", "wgan-gp")


def test_reliability_of_ratings_falls_within_families():
    random = np.random.default_rng(0)
    truth = np.repeat([0.2, 0.8], 200) + random.normal(0, 0.1, 400)
    votes = pd.DataFrame(
        [
            (i, np.clip(1 + 4 * truth[i] + random.normal(0, 1), 1, 5))
            for i in range(400)
            for _ in range(8)
        ],
        columns=["image", "vote"],
    )
    found = rated_opinions(votes, tuple(np.repeat(["a", "b"], 200)), name="simulated")
    assert isinstance(found, OpinionSet)
    assert found.observers == 8
    whole = found.reliability(random_state=0).value
    within = found.reliability_within(random_state=0).value
    assert whole > within + 0.2 > 0.2
