import numpy as np
import pandas as pd
import pytest
from image_textures import textures

from giqa_lib.applications import (
    HumanVotes,
    LearnedPreset,
    NaturalPreset,
    votes_agreement,
    votes_values,
)
from giqa_lib.iqa import BaselineSettings
from giqa_lib.learning import FitSettings
from giqa_lib.store import Store

FIT = FitSettings(steps=4, batch_size=8, check_every=2)
COUNT = 40


@pytest.fixture(scope="module")
def human():
    """Textures play the faces, noise features theirs: the set itself is not everywhere."""
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {"generator": ["real"] * 15 + ["wgan-gp"] * 25, "share": np.linspace(1, 0, COUNT)}
    )
    return HumanVotes(
        reference=random.normal(size=(600, 2)),
        held_out=random.normal(size=(20, 2)),
        pool=random.normal(size=(COUNT, 2)),
        reference_images=textures(60),
        pool_images=textures(COUNT, seed=1),
        spare_images=textures(20, seed=2),
        table=table,
        pairs=[],
    )


def test_agreement_by_hand(human):
    share = human.table["share"].to_numpy()
    frame = votes_agreement(human, {"votes": share, "against": -share}, random_state=0)
    value = frame.set_index(["name", "faces"])["value"].to_dict()
    assert value == {
        ("votes", "all"): 1.0,
        ("against", "all"): -1.0,
        ("votes", "WGAN-GP"): 1.0,
        ("against", "WGAN-GP"): -1.0,
    }
    assert frame["n"].tolist() == [COUNT, COUNT, 25, 25]


def test_every_method_that_needs_no_snapshot_scores_the_faces(human, tmp_path):
    values = votes_values(
        human,
        Store(tmp_path),
        natural=NaturalPreset(real=60, settings=BaselineSettings(fit=FIT, width=4, held_out=12)),
        learned=LearnedPreset(per_snapshot=1, real=1, held_out=1, width=4, fit=FIT),
        neighbours=3,
        seed=0,
    )
    expected = {
        "NIMA",
        "DeepIQA",
        "RankIQA",
        "NIQE",
        "BRISQUE",
        "BC-GIQA",
        "SGM-GIQA",
        "GMM-GIQA",
        "KNN-GIQA",
    }
    assert set(values) == expected
    assert all(v.shape == (COUNT,) and np.isfinite(v).all() for v in values.values())
