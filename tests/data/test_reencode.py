import io

import numpy as np
import pytest
import torch
from PIL import Image

from giqa_lib.checks import InputError
from giqa_lib.data import jpeg_round_trip, open_images
from giqa_lib.data.images import ImageSet
from giqa_lib.data.reencode import JpegSource


def test_is_pillows_own_round_trip():
    array = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG", quality=75, subsampling="4:2:0")
    theirs = np.asarray(Image.open(buffer))
    ours = jpeg_round_trip(torch.from_numpy(array).permute(2, 0, 1), quality=75)
    np.testing.assert_array_equal(ours.permute(1, 2, 0).numpy(), theirs)


def test_again_at_its_own_quality_changes_little():
    y, x = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    image = (127 + 60 * torch.sin(x / 5) * torch.cos(y / 7)).to(torch.uint8).expand(3, -1, -1)
    once = jpeg_round_trip(image, quality=95)
    twice = jpeg_round_trip(once, quality=95)
    first = (once.float() - image.float()).abs().mean()
    second = (twice.float() - once.float()).abs().mean()
    assert float(first) > 0
    assert float(second) < 0.5 * float(first)


def test_a_set_keeps_names_and_table_and_gets_another_key(mixed_folder):
    plain = open_images(mixed_folder)
    coded = ImageSet(JpegSource(plain.source, quality=75))
    assert coded.names == plain.names
    assert coded.fingerprint != plain.fingerprint
    assert coded.fingerprint != ImageSet(JpegSource(plain.source, quality=95)).fingerprint
    one = plain.readable()[0]
    assert torch.equal(coded.readable()[0], jpeg_round_trip(one, quality=75))
    assert len(coded.failures) == 8


def test_quality_out_of_range(mixed_folder):
    with pytest.raises(InputError, match="quality: expected 1 to 95, got 100"):
        JpegSource(open_images(mixed_folder).source, quality=100)
