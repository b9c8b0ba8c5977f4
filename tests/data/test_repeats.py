import numpy as np
import pytest
import torch
from image_textures import textures

from giqa_lib.checks import InputError
from giqa_lib.data import find_repeats, jpeg_round_trip


def test_textures_repeat_nothing():
    found = find_repeats(textures(50))
    assert found.first.all()


def test_an_exact_repeat_is_found_once_and_the_first_is_kept():
    images = textures(3)
    found = find_repeats(torch.cat([images, images[1:2], images[1:2]]))
    assert found.exact.tolist() == [False, False, False, True, True]
    assert not found.near.any()
    assert found.first.sum() == 3


def test_another_encoding_is_a_near_repeat():
    images = textures(3)
    coded = jpeg_round_trip(images[2], quality=75)[None]
    assert not torch.equal(coded[0], images[2])
    found = find_repeats(torch.cat([coded, images]))
    assert found.near.tolist() == [False, False, False, True]
    assert not found.exact.any()


def test_repeats_are_found_across_blocks(monkeypatch):
    monkeypatch.setattr("giqa_lib.data.repeats._BLOCK", 4)
    images = textures(10)
    near = (images[[0, 7]].int() + 1).clamp(0, 255).to(torch.uint8)
    found = find_repeats(torch.cat([images, near]))
    assert np.flatnonzero(found.near).tolist() == [10, 11]


def test_flat_images_are_alike_only_in_every_pixel():
    flat = torch.tensor([10, 20, 10], dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 1, 4, 4)
    found = find_repeats(flat)
    assert found.exact.tolist() == [False, False, True]
    assert not found.near.any()


def test_a_correlation_outside_is_refused():
    with pytest.raises(InputError, match="alike"):
        find_repeats(textures(2), alike=1.5)
