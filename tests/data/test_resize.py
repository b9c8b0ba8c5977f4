import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from giqa_lib.checks import InputError
from giqa_lib.data import resize, set_channels


def smooth(height, width, channels=3):
    """Waves of several lengths, so that antialiasing has work to do."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / (2 + c)) + np.cos(y / (3 + c)) for c in range(channels)]
    return np.round(127 + 60 * np.stack(waves, 2)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(16, 16), (7, 50), (100, 90), (64, 3)])
def test_agrees_with_pillow(size):
    array = smooth(48, 64)
    images = torch.from_numpy(array).permute(2, 0, 1)[None].contiguous()
    bicubic = Image.Resampling.BICUBIC
    # Pillow's float mode: the same arithmetic
    planes = [Image.fromarray(array[..., c].astype(np.float32)) for c in range(3)]
    exact = np.stack([np.asarray(plane.resize(size[::-1], bicubic)) for plane in planes])
    np.testing.assert_allclose(resize(images.float(), size)[0].numpy(), exact, atol=0.01)
    # Pillow's 8-bit mode rounds between its two passes too
    rounded = np.asarray(Image.fromarray(array).resize(size[::-1], bicubic), dtype=float)
    difference = np.abs(resize(images, size)[0].permute(1, 2, 0).numpy() - rounded)
    assert difference.mean() < 0.3
    assert difference.max() <= 1


def test_shrinking_is_antialiased():
    stripes = torch.zeros(1, 1, 32, 32, dtype=torch.uint8)
    stripes[..., ::2] = 255
    small = resize(stripes, 8)[..., 1:-1].float()
    assert (small - 127.5).abs().max() < 12


def test_constants_stay_and_types_stay():
    for value in (0, 1, 128, 255):
        images = torch.full((2, 3, 9, 5), value, dtype=torch.uint8)
        assert resize(images, (4, 11)).unique().tolist() == [value]
    assert resize(torch.rand(1, 1, 4, 4, dtype=torch.float64), 8).dtype == torch.float64
    assert resize(torch.zeros(0, 3, 4, 4, dtype=torch.uint8), 8).shape == (0, 3, 8, 8)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 12), st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]))
def test_does_not_depend_on_the_batch(count, height, width, channels):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(
        0, 256, (count, channels, 17, 23), dtype=torch.uint8, generator=generator
    )
    together = resize(images, (height, width))
    alone = torch.cat([resize(image[None], (height, width)) for image in images])
    assert torch.equal(together, alone)


def test_luma_is_pillows():
    array = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    ours = set_channels(torch.from_numpy(array).permute(2, 0, 1)[None], 1)[0, 0].numpy()
    theirs = np.asarray(Image.fromarray(array).convert("L"))
    assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1
    assert np.abs(ours.astype(int) - theirs.astype(int)).mean() < 0.01


def test_grey_is_repeated_and_comes_back():
    grey = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    colour = set_channels(grey, 3)
    assert colour.is_contiguous()
    assert torch.equal(colour[:, 2:], grey)
    assert torch.equal(set_channels(colour, 1), grey)


@pytest.mark.parametrize("size", [0, -1, (4, 0)])
def test_bad_sizes(size):
    with pytest.raises(InputError, match="size: expected positive whole pixels"):
        resize(torch.zeros(1, 1, 2, 2), size)


def test_bad_channels():
    with pytest.raises(InputError, match="channels: expected 1 or 3, got 2"):
        set_channels(torch.zeros(1, 1, 2, 2), 2)
