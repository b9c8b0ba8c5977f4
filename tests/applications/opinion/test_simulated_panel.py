import numpy as np
import pytest

from giqa_lib.applications.opinion import PanelSettings, simulate_panel
from giqa_lib.checks import InputError
from giqa_lib.evaluation import mean_opinion_scores, screen_observers, srcc

QUALITY = np.random.default_rng(0).uniform(size=400)


@pytest.mark.parametrize("seed", range(4))
def test_screening_finds_the_careless_and_scores_are_better_without_them(seed):
    votes = simulate_panel(QUALITY, PanelSettings(), seed=seed)
    found = screen_observers(votes).set_index("subject")["rejected"]
    careless = votes.groupby("subject")["careless"].first()
    assert careless.sum() == 2
    assert found.equals(careless.rename("rejected"))
    kept = votes[~votes["careless"]]
    before, after = (srcc(mean_opinion_scores(part)["mos"], QUALITY) for part in (votes, kept))
    assert before < after > 0.95


def test_sessions_share_no_image_and_are_alike_in_size():
    votes = simulate_panel(QUALITY, PanelSettings(sessions=7), seed=1)
    assert votes.groupby("image")["session"].nunique().max() == 1
    sizes = votes.groupby("session")["image"].nunique()
    assert len(sizes) == 7
    assert sizes.max() - sizes.min() <= 1
    assert len(votes) == 400 * 20
    again = simulate_panel(QUALITY, PanelSettings(sessions=7), seed=1)
    assert votes.equals(again)


def test_without_faults_votes_are_the_rounded_quality():
    plain = PanelSettings(observers=2, careless=0, sessions=1, bias=0, use=0, noise=0)
    votes = simulate_panel([0.0, 0.25, 0.5, 1.0], plain, seed=0)
    assert votes.groupby("image")["vote"].unique().tolist() == [[1], [2], [3], [5]]


def test_bad_input_is_refused():
    with pytest.raises(InputError, match=r"quality: expected values in \[0, 1\]"):
        simulate_panel([0.5, 1.5], PanelSettings(), seed=0)
    with pytest.raises(InputError, match="careless: expected fewer than observers"):
        PanelSettings(observers=2, careless=2)
    with pytest.raises(InputError, match="noise"):
        PanelSettings(noise=-1)
