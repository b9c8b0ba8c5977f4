from dataclasses import replace

import numpy as np
import pytest
import torch

from giqa_lib.applications.attgf import (
    FACE_FAMILIES,
    QUALITY_PRESETS,
    NearestFaceMaps,
    QualityStudy,
    face_database,
    kept_observers,
    part_richness,
    quality_study,
)
from giqa_lib.applications.opinion import PanelSettings
from giqa_lib.applications.pairs import PairSettings
from giqa_lib.checks import InputError
from giqa_lib.data import LabelledPairs, load_pairs
from giqa_lib.evaluation import mean_opinion_scores, srcc
from giqa_lib.iqa import iw_ssim
from giqa_lib.store import Store

TINY = replace(
    QUALITY_PRESETS["quick"].trained_for(0.1),
    train=40,
    reference=12,
    sources=6,
    test_sources=6,
    images=18,
    pairs=PairSettings(ends=2, partners=3),
    tested=12,
    selected=30,
    space="pixels@8",
    judge_space="pixels@4",
    dimensions=4,
    panel=PanelSettings(observers=8, careless=1, sessions=2),
)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    return QualityStudy(TINY, seed=0, store=store, progress=False)


def test_the_faces_of_the_parts_are_others(study):
    everything = torch.cat([part.images for part in study.faces.values()]).flatten(1)
    assert len(everything) == TINY.faces
    assert len(everything.unique(dim=0)) == TINY.faces


def test_the_database_to_learn_from(study):
    made = study.train
    assert made.domains == FACE_FAMILIES
    assert torch.bincount(made.domain).tolist() == [18] * 4
    assert made.mos.isnan().all()
    assert len(made.pairs) == 4 * TINY.pairs.pairs
    better, worse = made.pairs.T
    assert (made.pseudo[better] > made.pseudo[worse]).all()
    assert torch.bincount(made.domain[better]).tolist() == [TINY.pairs.pairs] * 4


def test_the_pseudo_opinion_is_likeness_where_there_is_an_original(study):
    shown = study.made["PENNet"]
    found = study.train.pseudo[study.train.domain == 0]
    assert torch.allclose(found, iw_ssim(shown.images, shown.originals), atol=2e-3)
    assert shown.originals is not None
    assert all(study.made[name].originals is None for name in FACE_FAMILIES[1:])


def test_the_others_are_judged_by_a_density_of_real_faces(study):
    made = study.made["StarGAN"]
    rows = study.reduction.transform(study.features(made.images, TINY.space))
    expected = study.density.score_samples(rows)
    assert study.train.pseudo[study.train.domain == 2].tolist() == pytest.approx(expected.tolist())


def test_maps_are_the_sources_where_there_is_a_source(study):
    sources = study.faces["sources"].maps
    for number in (0, 2):
        maps = study.train.maps[study.train.domain == number]
        assert torch.equal(maps, sources[torch.arange(18) % 6])
    parsed = study.train.maps[study.train.domain == 1]
    assert torch.equal(parsed, study.parse(study.made["ProGAN"].images))


def test_as_many_images_come_from_each_step_and_later_ones_are_known_to_be_better(study):
    known = study.made["ProGAN"].known
    assert known.tolist() == [0.0] * 9 + [1.0] * 9
    filled = study.made["PENNet"]
    assert ((filled.known >= 0) & (filled.known <= 1)).all()
    changed = (filled.images != filled.originals).any(1).double().mean((1, 2))
    same_step = filled.known[:9].argsort()
    assert srcc(changed[:9][same_step], -filled.known[:9][same_step]) > 0.5


def test_the_richest_are_selected(study):
    found = study.candidates
    assert len(found) == 48
    rich = part_richness(found.maps, classes=len(found.parts)).numpy()
    chosen = np.zeros(48, bool)
    chosen[study.selected] = True
    assert chosen.sum() == TINY.selected == len(study.test)
    assert rich[chosen].min() >= rich[~chosen].max()


def test_the_opinion_is_the_simulated_panels_after_screening(study):
    expected = mean_opinion_scores(kept_observers(study.votes)).sort_values("image")
    assert study.test.mos.tolist() == expected["mos"].tolist()
    assert srcc(study.test.mos, study.truth) > 0.8
    assert study.votes["subject"].nunique() == 8


def test_the_truth_is_half_distance_and_half_what_is_known(study):
    known = torch.cat([made.known for made in study.shown.values()]).numpy()[study.selected]
    images = study.candidates.images[torch.from_numpy(study.selected)]
    rank = (study.distance(images).numpy()[:, None] < study.distance(images).numpy()).sum(1)
    assert study.truth == pytest.approx((rank / (len(rank) - 1) + known) / 2)
    assert ((study.truth >= 0) & (study.truth <= 1)).all()


def test_real_faces_are_nearer_than_coloured_walls(study):
    colours = torch.eye(3).mul(255).byte()[:, :, None, None].expand(-1, -1, 32, 32).contiguous()
    real = study.distance(study.real("train"))
    assert real.mean() < study.distance(colours).mean()


def test_the_same_seed_gives_the_same_from_the_store_and_another_another(study, tmp_path):
    again = face_database(TINY, seed=0, store=study.store, progress=False)
    for one, other in zip(again, (study.train, study.test), strict=True):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.pairs, other.pairs)
        assert torch.equal(one.mos.nan_to_num(), other.mos.nan_to_num())
    fresh, _ = face_database(TINY, seed=0, store=Store(tmp_path), progress=False)
    assert torch.equal(fresh.images, study.train.images)
    assert torch.equal(fresh.pseudo, study.train.pseudo)
    other, _ = face_database(TINY, seed=1, store=study.store, progress=False)
    assert not torch.equal(other.images, study.train.images)


def test_images_to_learn_from_and_to_test_on_share_no_source(study):
    learned = study.train.maps[study.train.domain == 0].flatten(1).unique(dim=0)
    tested = study.candidates.maps[study.candidates.domain == 0].flatten(1).unique(dim=0)
    both = torch.cat([learned, tested])
    assert len(both.unique(dim=0)) == len(both)


def test_a_parser_of_another_kind_is_asked(study):
    class Bald:
        name = "bald"

        def __call__(self, images):
            return torch.zeros(len(images), *images.shape[2:], dtype=torch.uint8)

    made, _ = face_database(TINY, seed=0, store=study.store, progress=False, parse=Bald())
    assert made.maps[made.domain == 1].max() == 0
    assert made.maps[made.domain == 2].max() > 0


def test_the_nearest_map_is_the_faces_own():
    faces = load_pairs("toy-faces", size=16, count=12)
    parse = NearestFaceMaps(faces)
    assert torch.equal(parse(faces.images), faces.maps)
    brighter = (faces.images.int() + 3).clamp(max=255).byte()
    assert torch.equal(parse(brighter), faces.maps)


def test_richness_counts_equal_parts():
    maps = torch.arange(4, dtype=torch.uint8).repeat(4, 1)[None]
    assert part_richness(maps, classes=6).item() == pytest.approx(4.0)
    assert part_richness(torch.zeros_like(maps), classes=6).item() == pytest.approx(1.0)


def test_training_longer_keeps_the_course_of_growth():
    preset = QUALITY_PRESETS["cpu"]
    for factor in (0.5, 2):
        longer = preset.trained_for(factor)
        for family, own in zip(longer.families, preset.families, strict=True):
            assert family.steps == pytest.approx(factor * own.steps, abs=1)
            assert family.batch_size == own.batch_size
        assert longer.families[1].architecture.phase_steps == pytest.approx(
            factor * preset.families[1].architecture.phase_steps, abs=1
        )


@pytest.mark.parametrize("profile", ["quick", "cpu", "paper"])
def test_images_are_taken_from_grown_generators_only(profile):
    preset = QUALITY_PRESETS[profile]
    family = next(f for f in preset.families if f.name == "ProGAN")
    first = family.settings(preset.snapshots).steps[0]
    doublings = np.log2(preset.size / 4)
    assert family.architecture.growth(first) == doublings


def test_presets_that_contradict_themselves_are_refused():
    quick = QUALITY_PRESETS["quick"]
    with pytest.raises(InputError, match="selected: expected at most 24 of each of 4"):
        replace(quick, selected=97)
    with pytest.raises(InputError, match="PENNet, size: expected 64, got 32"):
        replace(quick, size=64)
    with pytest.raises(InputError, match="dataset"):
        replace(quick, dataset="fashion-mnist")


def test_a_data_set_with_too_few_faces_is_refused(tmp_path, monkeypatch):
    few = load_pairs("toy-faces", size=32, count=5)
    monkeypatch.setattr(quality_study, "load_pairs", lambda name, **sizes: few)
    with pytest.raises(InputError, match=f"faces: expected {TINY.faces} or more, got 5"):
        QualityStudy(TINY, seed=0, store=Store(tmp_path))


def test_pairs_of_faces_stay_together(study):
    both = study.faces["train"]
    assert isinstance(both, LabelledPairs)
    again = load_pairs("toy-faces", size=32, count=TINY.faces)
    place = (again.images.flatten(1) == both.images[0].flatten()).all(1).nonzero().item()
    assert torch.equal(again.maps[place], both.maps[0])
