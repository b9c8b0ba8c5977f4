import pytest
import torch

from giqa_lib.checks import InputError
from giqa_lib.data import FACE_ATTRIBUTES, AttributeThresholds, part_luminance, toy_faces
from giqa_lib.data import TOY_FACE_PARTS as PARTS

FACES, MAPS = toy_faces(60, size=32, seed=0)


def test_luminance_is_of_the_part_alone():
    images = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    images[0, :, 0, 0] = torch.tensor([100, 200, 50], dtype=torch.uint8)
    maps = torch.tensor([[[1, 0], [0, 0]]], dtype=torch.uint8)
    assert part_luminance(images, maps, 1).item() == pytest.approx(29.9 + 117.4 + 5.7)
    assert part_luminance(images, maps, 0).item() == 0
    assert part_luminance(images, maps, 2).isnan().all()


def test_half_of_the_faces_have_each_attribute():
    learned = AttributeThresholds.learn(FACES, MAPS, PARTS)
    found = learned.attributes(FACES, MAPS)
    assert found.shape == (60, len(FACE_ATTRIBUTES))
    assert found.mean(0).tolist() == pytest.approx([0.5] * 3, abs=0.02)


def test_a_face_with_blackened_hair_has_dark_hair():
    learned = AttributeThresholds.learn(FACES, MAPS, PARTS)
    hair = (PARTS.index("hair") == MAPS)[:, None]
    dark, light = torch.where(hair, 0, FACES), torch.where(hair, 255, FACES)
    there = hair.flatten(1).any(1)
    assert learned.attributes(dark.byte(), MAPS)[there, 0].min() == 1
    assert learned.attributes(light.byte(), MAPS)[:, 0].max() == 0
    other = learned.attributes(FACES, MAPS)[:, 1:]
    assert torch.equal(learned.attributes(dark.byte(), MAPS)[:, 1:], other)


def test_a_face_without_the_part_has_not_the_attribute():
    learned = AttributeThresholds.learn(FACES, MAPS, PARTS)
    bald = torch.full_like(MAPS[:1], PARTS.index("skin"))
    assert learned.attributes(FACES[:1], bald)[0, 0] == 0


def test_maps_without_a_face_are_refused():
    nothing = torch.full_like(MAPS, PARTS.index("clothing"))
    with pytest.raises(InputError, match="maps: expected some hair"):
        AttributeThresholds.learn(FACES, nothing, PARTS)
    with pytest.raises(InputError, match="maps: expected some hair"):
        AttributeThresholds.learn(FACES, MAPS, ("background", "road"))
