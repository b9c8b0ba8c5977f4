import numpy as np
import pytest
import torch

from giqa_lib.applications.giqa import ALL_PAIRS, StudyBed, pair_beds
from giqa_lib.applications.snapshots import Study
from giqa_lib.data import ImageSet, open_images


@pytest.fixture(scope="module")
def bed(study):
    return StudyBed(study)


def test_the_pool_comes_first(study, bed):
    assert torch.equal(bed.images[: len(study.pool)], study.pool_images)
    assert len(bed.images) == len(study.pool) + 3 * 20


def test_the_kinds_and_an_equal_share_of_each(bed):
    *kinds, everything = bed.pairs()
    assert [p.name for p in kinds] == [
        "later over earlier snapshot",
        "within one snapshot",
        "real over generated",
        "clean over degraded",
    ]
    assert everything.name == ALL_PAIRS
    assert len(everything) == 4 * min(map(len, kinds))
    for kind in kinds:
        members = set(zip(kind.better.tolist(), kind.worse.tolist(), strict=True))
        chosen = set(zip(everything.better.tolist(), everything.worse.tolist(), strict=True))
        assert len(members & chosen) == min(map(len, kinds))


def test_within_one_snapshot_both_images_are_of_it_and_not_copies_of_each_other(study, bed):
    within = bed.pairs()[1]
    late = np.concatenate(list(bed._late_rows.values()))
    source = late[within.worse - len(study.pool)]  # the image that the worse one was made from
    steps = study.pool["step"].to_numpy()
    assert np.array_equal(steps[within.better], steps[source])
    assert (within.better != source).all()
    assert set(study.pool["part"].to_numpy()[source]) == {"evaluation"}


def test_the_worse_image_is_the_degraded_copy(study, bed):
    late = np.concatenate(list(bed._late_rows.values()))
    clean = study.pool_images[late].float()
    copies = bed.images[len(study.pool) :].float()
    changed = (clean != copies).flatten(1).any(1).float().mean()
    assert changed > 0.8  # the first snapshots' nearly flat images have little to lose
    # a copy is nearer to its own image than to the next one, on average
    own = (clean - copies).flatten(1).norm(dim=1).mean()
    other = (clean.roll(1, 0) - copies).flatten(1).norm(dim=1).mean()
    assert own < other


def test_parts_share_no_image(study, bed):
    one, two = (bed.pairs(part=part)[-1] for part in ("development", "evaluation"))
    rows = [set(np.concatenate([p.better, p.worse])) for p in (one, two)]
    assert not rows[0] & rows[1]


def test_the_same_study_gives_the_same_bed(study, bed):
    again = StudyBed(study)
    assert torch.equal(again.images, bed.images)
    for one, two in zip(again.pairs(), bed.pairs(), strict=True):
        assert np.array_equal(one.worse, two.worse)


def test_cifake_adds_a_kind_where_it_is(study, monkeypatch):
    """A small array of images plays CIFAKE: real pairs need the file."""
    fakes = torch.randint(
        0, 255, (145, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    played: ImageSet = open_images(torch.cat([fakes, fakes[:10]]))
    monkeypatch.setattr(pair_beds, "find", lambda name: "here")
    monkeypatch.setattr(pair_beds, "load", lambda name, split: played)
    other = Study.__new__(Study)
    other.__dict__.update(study.__dict__, dataset="cifar10")
    bed = StudyBed(other)
    kind = bed.pairs()[4]
    assert kind.name == "real over Stable Diffusion"
    assert set(study.pool["origin"].iloc[kind.better]) == {"real"}
    assert (kind.worse >= len(study.pool) + 60).all()
    fresh = bed.pairs(part="development")[4]
    assert not set(kind.worse) & set(fresh.worse)
    chosen = bed.images[len(study.pool) + 60 :]
    assert len(chosen) == 145
    assert (bed.repeats.exact.sum(), bed.repeats.near.sum()) == (10, 0)
    assert len({bytes(image.numpy().tobytes()) for image in chosen}) == len(chosen)
