import pytest
import torch
from image_textures import textures

from giqa_lib.checks import InputError
from giqa_lib.data import DEGRADATIONS, warp


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def mean_change(one, two):
    return float((one.float() - two.float()).abs().mean())


def test_level_zero_gives_the_very_pixels_back_as_a_copy():
    images = textures(4)
    same = warp(images, 0.0, seeded())
    assert torch.equal(same, images)
    same += 1
    assert not torch.equal(same, images)


def test_a_higher_level_moves_more_by_the_same_draws():
    images = textures(30)
    changes = [mean_change(images, warp(images, level, seeded())) for level in (0.1, 0.3, 1.0)]
    assert changes == sorted(changes)
    assert changes[0] > 0.5
    one, two = seeded(), seeded()
    warp(images, 0.0, one)
    warp(images, 1.0, two)
    assert torch.equal(one.get_state(), two.get_state())


def test_pixels_move_by_the_displacement_that_is_promised():
    """A ramp shows how far: its grey value is the place along it."""
    side = 64
    ramp = torch.arange(side, dtype=torch.uint8).repeat(200, 1, side, 1) * 3
    moved = (warp(ramp, 0.5, seeded()).float() - ramp.float()) / 3
    inner = moved[:, :, 16:48, 16:48]
    assert float(inner.mean()) == pytest.approx(0, abs=0.4)
    # the standard deviation at the grid's points is 0.05 of the side; between them it is smaller
    assert 0.5 * 0.05 * side < float(inner.std()) < 1.1 * 0.05 * side


def test_a_flat_image_stays_as_it_is():
    flat = torch.full((2, 3, 16, 16), 90, dtype=torch.uint8)
    assert torch.equal(warp(flat, 1.0, seeded()), flat)


def test_no_measure_is_trained_on_it():
    assert "warp" not in DEGRADATIONS


@pytest.mark.parametrize("level", [-0.1, 1.1, float("nan")])
def test_a_level_outside_is_refused(level):
    with pytest.raises(InputError, match="level"):
        warp(textures(1), level, seeded())
