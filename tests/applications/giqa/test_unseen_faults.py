"""The kinds of pairs that no method was trained on, on the digits' study."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from giqa_lib.applications.giqa import ALL_PAIRS, UNSEEN_PAIRS, StudyBed, UnseenFaults
from giqa_lib.applications.snapshots import FAMILY_PRESETS, family_snapshots

TINY = replace(FAMILY_PRESETS["quick"], wgan_gp_steps=2, pggan_steps=10, stylegan_steps=2)


@pytest.fixture(scope="module")
def bed(study):
    return StudyBed(study)


@pytest.fixture(scope="module")
def unseen(bed):
    return UnseenFaults(bed, TINY)


def by_name(pairs):
    return {p.name: p for p in pairs}


def members(pairs):
    return set(zip(pairs.better.tolist(), pairs.worse.tolist(), strict=True))


def test_the_beds_own_pairs_and_images_come_first_and_unchanged(bed, unseen):
    assert torch.equal(unseen.images[: len(bed.images)], bed.images)
    for one, two in zip(bed.pairs(), unseen.pairs(), strict=False):
        assert (one.name, members(one)) == (two.name, members(two))


def test_the_unseen_total_is_an_equal_share_of_the_unseen_kinds_alone(unseen):
    found = by_name(unseen.pairs())
    assert list(found)[-4:] == [
        ALL_PAIRS,
        "real over warped",
        "real over other generators",
        UNSEEN_PAIRS,
    ]
    kinds = [found["real over warped"], found["real over other generators"]]
    size = min(map(len, kinds))
    assert len(found[UNSEEN_PAIRS]) == 2 * size
    for kind in kinds:
        assert len(members(kind) & members(found[UNSEEN_PAIRS])) == size
    assert not members(found[ALL_PAIRS]) & members(found[UNSEEN_PAIRS])


def test_a_warped_image_stands_against_its_own_original(study, bed, unseen):
    kind = by_name(unseen.pairs())["real over warped"]
    source = study.pool["source"].to_numpy()[kind.better]
    assert np.array_equal(kind.worse, len(bed.images) + source)
    own = (unseen.images[kind.better].float() - unseen.images[kind.worse].float()).abs().mean()
    other = (
        (unseen.images[kind.better].roll(1, 0).float() - unseen.images[kind.worse].float())
        .abs()
        .mean()
    )
    assert 0 < own < other


def test_generated_images_are_those_of_the_three_families(study, bed, unseen):
    kind = by_name(unseen.pairs())["real over other generators"]
    assert set(study.pool["origin"].iloc[kind.better]) == {"real"}
    each = len(study.real) // 3
    first = len(bed.images) + len(study.real)
    assert len(unseen.images) == first + 3 * each
    run = family_snapshots(study, "pggan", TINY)
    made = study.encoded(run.images(run.steps[-1], each, seed=study.seed))
    assert torch.equal(unseen.images[first + each : first + 2 * each], made)
    families = (kind.worse - first) // each
    assert set(families) == {0, 1, 2}


def test_parts_share_no_image_and_no_latent(study, bed, unseen):
    one, two = (by_name(unseen.pairs(part=part)) for part in ("development", "evaluation"))
    each, first = len(study.real) // 3, len(bed.images) + len(study.real)
    latents = []
    for found in (one, two):
        total = found[UNSEEN_PAIRS]
        latents.append({(row - first) % each for row in total.worse if row >= first})
    assert latents[0]
    assert not latents[0] & latents[1]
    rows = [
        set(np.concatenate([p[UNSEEN_PAIRS].better, p[UNSEEN_PAIRS].worse])) for p in (one, two)
    ]
    assert not rows[0] & rows[1]


def test_without_families_their_kind_is_left_out(bed):
    found = by_name(UnseenFaults(bed).pairs())
    assert "real over other generators" not in found
    assert len(found[UNSEEN_PAIRS]) == len(found["real over warped"])
