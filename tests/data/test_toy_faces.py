import numpy as np
import pytest
import torch

from giqa_lib.checks import InputError
from giqa_lib.data import TOY_FACE_PARTS, dataset_card, load, toy_faces

PART = {name: number for number, name in enumerate(TOY_FACE_PARTS)}


@pytest.fixture(scope="module")
def faces():
    return toy_faces(24, size=48, seed=3)


def middle(masks, part):
    """Mean row of each face's part."""
    rows = torch.arange(masks.shape[1], dtype=torch.float32)[None, :, None]
    inside = (masks == PART[part]).float()
    return (rows * inside).sum((1, 2)) / inside.sum((1, 2))


def spread_within_parts(images, masks):
    """Variance of colour that the masks leave unexplained, in each face."""
    left = []
    for image, mask in zip(images.float(), masks, strict=True):
        parts = [image[:, mask == part] for part in mask.unique()]
        left.append(sum(float((p - p.mean(1, keepdim=True)).square().sum()) for p in parts))
    return np.array(left)


def test_more_faces_begin_with_the_same_ones():
    few, many = toy_faces(2, size=16, seed=5), toy_faces(4, size=16, seed=5)
    assert torch.equal(few[0], many[0][:2])
    assert torch.equal(few[1], many[1][:2])


def test_seeds_and_numbers_differ():
    one, other = toy_faces(2, size=16, seed=5)[0], toy_faces(2, size=16, seed=6)[0]
    assert not torch.equal(one, other)
    assert not torch.equal(one[0], one[1])


def test_every_face_has_all_parts_but_hair_and_clothing_may_be_cut_off(faces):
    for mask in faces[1]:
        assert set(mask.unique().tolist()) >= {PART[p] for p in ("skin", "eyes", "nose", "mouth")}
    assert set(faces[1].unique().tolist()) == set(PART.values())


def test_the_parts_lie_as_in_a_face(faces):
    brows, eyes, nose, mouth = (middle(faces[1], p) for p in ("brows", "eyes", "nose", "mouth"))
    assert bool(((brows < eyes) | brows.isnan()).all())
    assert bool((eyes < nose).all())
    assert bool((nose < mouth).all())


@pytest.mark.parametrize("shift", [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_the_mask_fits_the_image_better_than_when_it_is_moved_by_one_pixel(faces, shift):
    images, masks = faces
    moved = masks.roll(shift, dims=(1, 2))
    assert (spread_within_parts(images, masks) < spread_within_parts(images, moved)).mean() > 0.95


def test_a_mask_is_the_same_at_another_size():
    small, large = toy_faces(6, size=32, seed=1)[1], toy_faces(6, size=96, seed=1)[1]
    assert float((large[:, 1::3, 1::3] == small).float().mean()) > 0.97


def test_the_named_set():
    train, test, every = (load("toy-faces", split) for split in ("train", "test", "all"))
    card = dataset_card("toy-faces")
    assert len(every) == len(train) + len(test) == card.images
    assert every[0].shape == (card.shape[2], *card.shape[:2])
    assert torch.equal(every[len(train) + 1], test[1])
    assert torch.equal(every[0], toy_faces(1, size=64, seed=0)[0][0])
    assert torch.equal(every.column("mask")[0][0], toy_faces(1, size=64, seed=0)[1][0])
    assert every.table["split"].value_counts().to_dict() == {"train": 4000, "test": 1000}
    assert len({train.fingerprint, test.fingerprint, train.column("mask").fingerprint}) == 3


def test_errors_say_what_to_do():
    with pytest.raises(InputError, match="16 pixels or more, got 8; draw larger"):
        toy_faces(1, size=8, seed=0)
    with pytest.raises(InputError, match="column: expected 'mask', got 'depth'"):
        load("toy-faces").column("depth")
