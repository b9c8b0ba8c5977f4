import pytest
import torch

from giqa_lib.checks import InputError
from giqa_lib.learning import CENTRE, crop_at, random_crops, random_places


def numbered(count=3, side=6):
    """Images whose every pixel is unique."""
    return torch.arange(count * 2 * side * side).reshape(count, 2, side, side)


@pytest.mark.parametrize("size", [1, 4, 6])
def test_a_random_crop_is_a_window_of_its_own_image(size):
    images = numbered()
    crops = random_crops(images, size, torch.Generator().manual_seed(1))
    for image, crop in zip(images, crops, strict=True):
        windows = image.unfold(1, size, 1).unfold(2, size, 1).permute(1, 2, 0, 3, 4)
        assert (windows == crop).flatten(2).all(-1).sum() == 1


def test_every_place_is_drawn():
    images = torch.arange(4).reshape(1, 1, 2, 2).expand(400, 1, 2, 2)
    found = random_crops(images, 1, torch.Generator().manual_seed(0)).flatten()
    counts = found.bincount(minlength=4)
    assert (counts > 60).all()  # 100 each expected, standard deviation 8.7


def test_a_seed_gives_the_same_crops():
    one, two = (random_crops(numbered(), 3, torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(one, two)


def test_the_corners_and_the_centre():
    images = numbered()
    assert torch.equal(crop_at(images, 2, (0.0, 0.0)), images[:, :, :2, :2])
    assert torch.equal(crop_at(images, 2, (1.0, 1.0)), images[:, :, 4:, 4:])
    assert torch.equal(crop_at(images, 2, CENTRE[0]), images[:, :, 2:4, 2:4])


def test_places_are_in_range_and_differ_by_seed():
    places = random_places(50, seed=0)
    assert all(0 <= share <= 1 for place in places for share in place)
    assert places != random_places(50, seed=1)


@pytest.mark.parametrize(
    "crop", [lambda i: crop_at(i, 7, (0, 0)), lambda i: random_crops(i, 7, torch.Generator())]
)
def test_a_patch_larger_than_the_image_is_refused(crop):
    with pytest.raises(
        InputError, match=r"at least the patch's 7 x 7 pixels, got 6 x 6; take a smaller"
    ):
        crop(numbered())
