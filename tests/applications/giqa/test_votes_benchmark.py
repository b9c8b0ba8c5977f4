import numpy as np
import pandas as pd
import pytest
from image_textures import textures

from giqa_lib.applications.giqa import (
    FacesPreset,
    FacesStudy,
    LearnedPreset,
    NaturalPreset,
    VotesBed,
    votes_agreement,
    votes_benchmark,
)
from giqa_lib.applications.pairs import HumanVotes, human_votes
from giqa_lib.iqa import BaselineSettings
from giqa_lib.learning import FitSettings
from giqa_lib.scores import BC, IR, even_thresholds, mbc
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
        pool_images=textures(COUNT, seed=1),
        table=table,
        pairs=[],
    )


def test_agreement_by_hand(human):
    share = human.table["share"].to_numpy()
    # what comes after the judged faces does not count
    values = {"votes": np.append(share, [7.0, 8.0]), "against": np.append(-share, [7.0, 8.0])}
    frame = votes_agreement(human, values, random_state=0)
    value = frame.set_index(["name", "faces"])["value"].to_dict()
    assert value == {
        ("votes", "all"): 1.0,
        ("against", "all"): -1.0,
        ("votes", "WGAN-GP"): 1.0,
        ("against", "WGAN-GP"): -1.0,
    }
    assert frame["n"].tolist() == [COUNT, COUNT, 25, 25]


def test_every_method_of_table_1_scores_the_faces(face_files, tmp_path, monkeypatch):
    # few faces: few dimensions, or the mixture warns of starved components
    monkeypatch.setattr(votes_benchmark, "DIMENSIONS", 2)
    monkeypatch.setattr(votes_benchmark, "COMPONENTS", 2)
    store = Store(tmp_path / "store")
    preset = FacesPreset(steps=(2, 8), width=4, labelled=4, per_snapshot=6, batch_size=4)
    faces = FacesStudy(preset, seed=0, store=store)
    bed = VotesBed(faces, human_votes(store, margin=0.3, random_state=0, progress=False))
    natural = NaturalPreset(real=52, settings=BaselineSettings(fit=FIT, width=4, held_out=10))
    learned = LearnedPreset(per_snapshot=3, real=30, held_out=5, width=4, fit=FIT)
    methods = {"BC-GIQA": BC, "IR-GIQA": IR, "MBC-GIQA": mbc(even_thresholds(2))}
    values = bed.scores(methods, natural=natural, learned=learned, neighbours=3)
    assert set(values) == {
        *("NIMA", "DeepIQA", "RankIQA", "NIQE", "BRISQUE"),
        *("BC-GIQA", "IR-GIQA", "MBC-GIQA", "SGM-GIQA", "GMM-GIQA", "KNN-GIQA"),
    }
    assert len(bed.images) == 30 + 12
    assert all(v.shape == (42,) and np.isfinite(v).all() for v in values.values())
    *votes, own = bed.pairs()
    assert [p.name for p in votes] == ["human votes", "human votes within WGAN-GP"]
    assert own.better.min() >= 30
    assert all(max(p.better.max(), p.worse.max()) < 30 for p in votes)
