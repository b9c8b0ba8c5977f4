import pytest
import torch
from torch import nn
from torch.nn import functional

from giqa_lib.checks import InputError
from giqa_lib.gan import SPADE, SPADEBlock, SPADESettings, one_hot_maps

SMALL = SPADESettings(
    image_size=32, classes=3, width=4, doublings=3, hidden=6, discriminator_width=4
)


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def random_maps(size=32, seed=0):
    labels = torch.randint(0, 3, (2, size, size), generator=torch.Generator().manual_seed(seed))
    return one_hot_maps(labels.byte(), classes=3)


def uniform(label, size=32):
    return one_hot_maps(torch.full((2, size, size), label, dtype=torch.uint8), classes=3)


def zeroed(layer, *, gamma=0.0, beta=0.0):
    for part, value in ((layer.gamma, gamma), (layer.beta, beta)):
        nn.init.zeros_(part.weight)
        nn.init.constant_(part.bias, value)
    return layer


def test_zero_gamma_and_beta_are_plain_normalisation():
    layer, features = zeroed(SPADE(5, 3, 6)), draw(2, 5, 8, 8)
    expected = functional.batch_norm(features, None, None, training=True)
    assert torch.equal(layer(features, random_maps()), expected)


def test_gamma_scales_by_one_more_and_beta_shifts():
    layer, features = zeroed(SPADE(5, 3, 6), gamma=0.5, beta=-2.0), draw(2, 5, 8, 8)
    expected = 1.5 * functional.batch_norm(features, None, None, training=True) - 2.0
    assert torch.allclose(layer(features, random_maps()), expected, atol=1e-6)


def test_gamma_and_beta_at_a_place_come_from_the_map_around_it():
    layer, features, maps = SPADE(5, 3, 6), draw(2, 5, 16, 16), random_maps(16)
    changed = maps.clone()
    changed[:, :, 10:] = changed[:, :, 10:].roll(1, dims=1)
    before, after = layer(features, maps), layer(features, changed)
    assert torch.equal(before[:, :, :8], after[:, :, :8])  # two 3 x 3 convolutions reach 2 pixels
    assert not torch.equal(before[:, :, 10:], after[:, :, 10:])


def test_a_map_is_resized_to_the_features():
    layer, features = SPADE(5, 3, 6), draw(2, 5, 8, 8)
    small = random_maps(8)
    large = small.repeat_interleave(4, 2).repeat_interleave(4, 3)
    shared = layer.shared(small)
    plain = functional.batch_norm(features, None, None, training=True)
    expected = plain * (1 + layer.gamma(shared)) + layer.beta(shared)
    assert torch.equal(layer(features, large), expected)


@torch.no_grad()
def test_a_uniform_map_is_not_washed_away():
    """Instance norm after a convolution gives the same for every uniform map; SPADE does not."""
    convolution = nn.Conv2d(3, 4, 3, padding=1, padding_mode="replicate")
    washed = [functional.instance_norm(convolution(uniform(label))) for label in (0, 1)]
    assert torch.allclose(washed[0], washed[1], atol=1e-4)
    layer, features = SPADE(5, 3, 6), draw(2, 5, 8, 8)
    nn.init.normal_(layer.gamma.weight)
    kept = [layer(features, uniform(label)) for label in (0, 1)]
    assert float((kept[0] - kept[1]).detach().abs().max()) > 0.05


def test_a_block_is_its_residual_formula():
    block = SPADEBlock(8, 4, SMALL).eval()
    features, maps = draw(2, 8, 8, 8), random_maps(8)
    first, second = block.norms
    inner = block.convolutions[0](functional.leaky_relu(first(features, maps), 0.2))
    own = block.convolutions[1](functional.leaky_relu(second(inner, maps), 0.2))
    expected = block.shortcut(block.shortcut_norm(features, maps)) + own
    assert torch.allclose(block(features, maps), expected)
    assert SPADEBlock(4, 4, SMALL).shortcut is None


def test_it_begins_with_a_latent_or_with_the_map():
    with_latent = SPADESettings(image_size=32, classes=3, width=4, doublings=3, latent=8)
    made, _ = with_latent.networks(torch.Generator().manual_seed(0))
    made.eval()
    assert not torch.equal(made(draw(2, 8), random_maps()), made(draw(2, 8, seed=1), random_maps()))
    made, _ = SMALL.networks(torch.Generator().manual_seed(0))
    made.eval()
    assert made(torch.zeros(2, 0), random_maps()).shape == (2, 3, 32, 32)


def test_an_image_in_evaluation_does_not_depend_on_its_batch():
    made, _ = SMALL.networks(torch.Generator().manual_seed(0))
    none, maps = torch.zeros(2, 0), random_maps()
    made(none, maps)  # moves the running statistics
    made.eval()
    assert torch.allclose(made(none, maps)[1:], made(none[1:], maps[1:]), atol=1e-5)


def test_the_papers_generator():
    paper = SPADESettings(image_size=256, classes=36, width=64, doublings=5, hidden=128)
    assert paper.widths == (512, 256, 128, 64)
    made, _ = paper.networks(torch.Generator())
    # 93.0 million in the literature, for Cityscapes' 35 classes and edges
    assert sum(p.numel() for p in made.parameters()) == pytest.approx(93.0e6, rel=2e-3)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="a multiple of 16, at least 16, got 40 with 4 doublings"):
        SPADESettings(image_size=40, classes=3)
    with pytest.raises(InputError, match="latent: expected a number >= 0"):
        SPADESettings(classes=3, latent=-1)
