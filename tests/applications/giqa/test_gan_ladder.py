import numpy as np
import pytest
import torch

from giqa_lib.applications.giqa import Ladder, ladder_agreement, ladder_means

FID = {"bad": 80.0, "fair": 30.0, "good": 20.0}


@pytest.fixture
def ladder():
    names = np.repeat(list(FID), 50)
    return Ladder(images=torch.zeros(150, 3, 4, 4, dtype=torch.uint8), generator=names, fid=FID)


def scores(ladder, noise):
    level = np.array([-FID[name] for name in ladder.generator])
    return level + np.random.default_rng(0).normal(0, noise, len(level))


def test_a_score_that_is_the_fid_agrees_fully(ladder):
    found = ladder_agreement(ladder, scores(ladder, 1e-9), random_state=0)
    assert found.value == 1
    assert found.standard_error == 0


def test_the_other_way_round_it_disagrees_fully(ladder):
    assert ladder_agreement(ladder, -scores(ladder, 1e-9), random_state=0).value == -1


def test_noise_widens_the_interval(ladder):
    found = ladder_agreement(ladder, scores(ladder, 200.0), random_state=0)
    assert found.standard_error > 0.1


def test_means_by_hand(ladder):
    values = scores(ladder, 5.0)
    frame = ladder_means(ladder, {"m": values}).set_index("generator")
    own = values[ladder.generator == "good"]
    assert frame.loc["good", "mean"] == pytest.approx(own.mean())
    assert frame.loc["good", "standard_error"] == pytest.approx(own.std(ddof=1) / 50**0.5)
    assert frame["fid"].tolist() == [80.0, 30.0, 20.0]
