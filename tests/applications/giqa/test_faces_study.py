"""The faces' study, on textures that play the faces."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from giqa_lib.applications.giqa import (
    FACES_PRESETS,
    LEARNED_PRESETS,
    FacesPreset,
    FacesStudy,
    LabelledGenerator,
    LearnedPreset,
    LearnedStudy,
    same_framing,
    unjudged_faces,
)
from giqa_lib.checks import InputError
from giqa_lib.data import encoded_as, load
from giqa_lib.gan import fetch_snapshots
from giqa_lib.learning import FitSettings
from giqa_lib.scores import mbc, official_thresholds
from giqa_lib.store import Store

PRESET = FacesPreset(steps=(2, 8), width=4, labelled=4, per_snapshot=6, batch_size=4)
FIT = FitSettings(steps=2, batch_size=4, check_every=2)


def rows(images):
    return {bytes(image.contiguous().numpy().tobytes()) for image in images}


@pytest.fixture
def faces(face_files, tmp_path):
    return FacesStudy(PRESET, seed=0, store=Store(tmp_path / "store"))


def test_nobody_judged_the_real_faces(face_files):
    everything = load("faces64-human")
    unjudged = rows(unjudged_faces().tensor())
    assert rows(everything.subset(range(40)).tensor()) <= unjudged
    assert not rows(everything.subset(range(40, 70)).tensor()) & unjudged


def test_the_aligned_faces_are_there_in_the_same_framing_and_encoding(face_files):
    found = unjudged_faces().tensor()
    assert found.shape == (52, 3, 64, 64)
    aligned = same_framing(load("celebamask").tensor())
    assert torch.equal(found[40:], encoded_as("faces64-human", aligned))
    assert not torch.equal(found[40:], aligned)


def test_without_the_aligned_faces_the_others_remain(face_files):
    (face_files / "celebamask.parquet").unlink()
    assert len(unjudged_faces()) == 40


def test_the_framing_is_a_square_below_the_top():
    places = torch.arange(256, dtype=torch.uint8)
    down, across = places.view(-1, 1).expand(256, 256), places.expand(256, 256)
    found = same_framing(torch.stack([down, across, down])[None])[0].float()
    assert (found[0, 0].mean(), found[0, -1].mean()) == (
        pytest.approx(49, abs=1),
        pytest.approx(238, abs=1),
    )
    assert (found[1, :, 0].mean(), found[1, :, -1].mean()) == (
        pytest.approx(33, abs=1),
        pytest.approx(222, abs=1),
    )


def test_each_face_is_learned_from_with_its_mirror_image(faces, monkeypatch):
    seen = {}

    def watched(store, images, settings, **keywords):
        seen.update(images=images, settings=settings)
        return fetch_snapshots(store, images, settings, **keywords)

    monkeypatch.setattr("giqa_lib.applications.giqa.faces_study.fetch_snapshots", watched)
    assert faces.snapshots.steps == (2, 4, 6, 8)
    images, real = seen["images"].tensor(), faces.real.tensor()
    assert torch.equal(images, torch.cat([real, real.flip(3)]))


def test_it_is_what_learned_scores_ask_of_a_study(faces):
    assert isinstance(faces, LabelledGenerator)
    learned = LearnedStudy(
        faces, LearnedPreset(per_snapshot=3, real=1000, held_out=5, width=4, fit=FIT)
    )
    assert faces.labelled_steps == (2, 4, 6, 8)
    assert (learned.train_steps, learned.held_out_steps) == ((2, 6, 8), (4,))
    # fewer real faces than asked for: all but those held out
    assert (learned.train.labels == 1).sum() == 47
    assert (learned.held_out.labels == 1).sum() == 5
    real = [
        part.images[torch.as_tensor(part.labels == 1)] for part in (learned.train, learned.held_out)
    ]
    assert rows(torch.cat(real)) == rows(faces.real.tensor())


def test_later_pairs_are_of_steps_that_far_apart(faces):
    pairs = faces.later_pairs()
    steps = np.repeat([2, 8], 6)
    assert len(faces.judged_images) == 12
    assert (steps[pairs.better] == 8).all()
    assert (steps[pairs.worse] == 2).all()


def test_seeds_differ_in_order_alone(face_files, tmp_path):
    one, two = (FacesStudy(PRESET, seed=seed, store=Store(tmp_path / "s")) for seed in (0, 1))
    assert one.real.fingerprint == two.real.fingerprint
    assert one.reference.fingerprint != two.reference.fingerprint
    assert rows(one.reference.tensor()) == rows(two.reference.tensor())


def test_presets():
    assert set(FACES_PRESETS) == {"quick", "cpu", "paper"}
    with pytest.raises(InputError, match="width"):
        FacesPreset(steps=(1, 2), width=0)


@pytest.mark.slow
def test_the_paper_profile_scores_faces_with_vgg(faces):
    """Patches of 48 of 64 pixels are large enough for the paper's network: one step of two images."""
    paper = LEARNED_PRESETS["paper"]
    fit = replace(paper.fit, steps=1, batch_size=2, check_every=1)
    preset = replace(paper, per_snapshot=2, real=4, held_out=2, fit=fit)
    score = LearnedStudy(faces, preset).score(mbc(official_thresholds()))
    assert (score.settings.name, score.settings.patch) == ("vgg19_bn", 48)
    found = score(faces.judged_images)
    assert found.shape == (12,)
    assert np.isfinite(found).all()
