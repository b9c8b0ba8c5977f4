import pytest
import torch

from giqa_lib.checks import InputError
from giqa_lib.data import DEGRADATIONS, degrade, toy_faces
from giqa_lib.iqa import iw_ssim

FACES = toy_faces(3, size=32, seed=0)[0]


def test_an_image_is_most_like_itself():
    assert torch.allclose(iw_ssim(FACES, FACES), torch.ones(3, dtype=torch.float64), atol=1e-5)


@pytest.mark.parametrize("kind", ["blur", "noise", "jpeg"])
def test_it_falls_with_the_level_of_a_degradation(kind):
    assert kind in DEGRADATIONS
    values = [
        iw_ssim(degrade(FACES, kind, level, torch.Generator().manual_seed(0)), FACES).mean()
        for level in (0.1, 0.4, 0.8)
    ]
    assert 1 > values[0] > values[1] > values[2] > 0


def test_an_image_is_scored_as_it_is_alone():
    other = FACES.flip(3)
    together = iw_ssim(other, FACES, batch_size=3)
    alone = iw_ssim(other, FACES, batch_size=1)
    assert torch.allclose(together, alone, atol=2e-3)  # single precision


def test_it_is_piqs_in_double_precision_within_what_is_said():
    from piq import information_weighted_ssim

    worse = degrade(FACES, "blur", 0.4, torch.Generator().manual_seed(0))
    size = {"size": (161, 161), "mode": "bilinear"}
    one, other = (torch.nn.functional.interpolate(x.double() / 255, **size) for x in (worse, FACES))
    oracle = information_weighted_ssim(one, other, data_range=1.0, reduction="none")
    assert torch.allclose(iw_ssim(worse, FACES), oracle, atol=2e-3)


def test_images_that_have_no_originals_are_refused():
    with pytest.raises(InputError, match="originals: expected shape"):
        iw_ssim(FACES, FACES[:2])
    plain = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    with pytest.raises(InputError, match="images: expected some structure"):
        iw_ssim(plain, plain)


@pytest.mark.parametrize("side", [33, 64, 100, 170])
def test_white_parts_are_enlarged_to_no_more_than_white(side):
    images = torch.randint(0, 256, (2, 3, side, side), generator=torch.Generator().manual_seed(0))
    images[:, :, : side // 2] = 255
    assert torch.allclose(iw_ssim(images.byte(), images.byte()).float(), torch.ones(2), atol=1e-5)
