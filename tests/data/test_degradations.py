from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from giqa_lib.checks import InputError
from giqa_lib.data import DEGRADATIONS, degrade
from giqa_lib.data.degradations import blur, occlusion, patch_swap, pixelate, salt_and_pepper


def pictures(count=8, channels=3, height=32, width=32):
    """Discs and waves: large forms, edges and fine lines."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    images = []
    for i in range(count):
        disc = ((y - height / 2) ** 2 + (x - width / (2 + i % 3)) ** 2).sqrt() < 4 + i
        waves = 40 * torch.sin(x * (0.3 + 0.2 * i)) * torch.cos(y * 0.4)
        images.append(torch.stack([150 * disc + 50 + waves + 10 * c for c in range(channels)]))
    return torch.stack(images).clamp(0, 255).to(torch.uint8)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", DEGRADATIONS)
@pytest.mark.parametrize(("channels", "height", "width"), [(1, 28, 28), (3, 33, 20)])
def test_shape_type_and_identity(name, channels, height, width):
    images = pictures(3, channels, height, width)
    before = images.clone()
    for level in (1e-6, 0.3, 1.0):
        result = degrade(images, name, level, seeded())
        assert result.shape == images.shape
        assert result.dtype == torch.uint8
    same = degrade(images, name, 0.0, seeded())
    assert torch.equal(same, images)
    same.zero_()
    degrade(images, name, 1.0, seeded()).zero_()
    assert torch.equal(images, before)


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_quality_falls_with_the_level(name):
    images = pictures()
    errors = [
        float((degrade(images, name, level, seeded()).float() - images.float()).square().mean())
        for level in np.linspace(0, 1, 6)
    ]
    assert errors[0] == 0
    assert all(a < b for a, b in pairwise(errors)), errors
    # PSNR at level 1 below 20 dB: it can be seen at a glance
    assert 10 * np.log10(255**2 / errors[-1]) < 20


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_only_the_generator_decides(name):
    images = pictures()
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first = degrade(images, name, 0.6, seeded(1))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first, degrade(images, name, 0.6, seeded(1)))
    if name in ("noise", "salt_and_pepper", "occlusion", "patch_swap"):
        assert not torch.equal(first, degrade(images, name, 0.6, seeded(2)))


def test_the_amount_drawn_does_not_depend_on_the_level():
    images = pictures()
    for name in ("noise", "salt_and_pepper", "occlusion", "patch_swap"):
        states = []
        for level in (0.01, 1.0):
            generator = seeded()
            degrade(images, name, level, generator)
            states.append(generator.get_state())
        assert torch.equal(*states), name


def test_blur_is_scipys():
    from scipy.ndimage import gaussian_filter

    images = pictures(2, 1)
    ours = blur(images, 0.5, seeded())[:, 0].numpy().astype(float)
    for mine, image in zip(ours, images[:, 0].numpy(), strict=True):
        theirs = gaussian_filter(image.astype(float), sigma=2.0, mode="nearest", radius=8)
        assert np.abs(mine - theirs).max() <= 0.51


def test_salt_and_pepper_hits_the_share_and_all_channels_at_once():
    images = torch.full((20, 3, 50, 50), 100, dtype=torch.uint8)
    changed = salt_and_pepper(images, 0.4, seeded()) != 100
    assert torch.equal(changed.all(1), changed.any(1))
    share, n = 0.2, 20 * 50 * 50
    tolerance = 4 * (share * (1 - share) / n) ** 0.5
    assert abs(float(changed.float().mean()) - share) < tolerance


def test_occlusion_covers_its_share_with_one_rectangle():
    images = torch.zeros(10, 1, 40, 40, dtype=torch.uint8)
    hidden = occlusion(images, 0.5, seeded()) != 0
    # side 20 of 40, give or take the pixel grid
    assert torch.equal(hidden.any(2).sum((1, 2)) * hidden.any(3).sum((1, 2)), hidden.sum((1, 2, 3)))
    assert bool((hidden.any(3).sum((1, 2)) - 20).abs().le(1).all())


def test_patch_swap_moves_every_chosen_patch_and_loses_none():
    images = torch.arange(16, dtype=torch.uint8).view(1, 1, 4, 4).repeat(5, 1, 1, 1)
    images = images.repeat_interleave(7, 2).repeat_interleave(7, 3)
    for level, moved in ((0.02, 0), (1 / 16, 2), (0.5, 8), (1.0, 16)):
        patches = patch_swap(images, level, seeded())[:, 0, ::7, ::7].flatten(1)
        assert torch.equal(patches.sort(1).values, torch.arange(16).expand(5, -1))
        assert (patches != torch.arange(16)).sum(1).tolist() == [moved] * 5


def test_pixelate_leaves_blocks():
    result = pixelate(pictures(1, 1, 32, 32), 2 / 3, seeded())[0, 0]
    blocks = result.view(8, 4, 8, 4)
    assert torch.equal(blocks, blocks[:, :1, :, :1].expand_as(blocks))


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(sorted(DEGRADATIONS)),
    st.floats(0, 1),
    st.tuples(st.integers(0, 2), st.sampled_from([1, 3]), st.integers(1, 9), st.integers(1, 9)),
)
def test_any_size_and_level(name, level, shape):
    images = torch.full(shape, 200, dtype=torch.uint8)
    assert degrade(images, name, level, seeded()).shape == shape


def test_errors():
    images = pictures(1)
    with pytest.raises(InputError, match="degradation: expected one of blur"):
        degrade(images, "fog", 0.5, seeded())
    with pytest.raises(InputError, match=r"level: expected a number in \[0, 1\], got 1.5"):
        degrade(images, "blur", 1.5, seeded())
