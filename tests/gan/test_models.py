import pytest
import torch

from giqa_lib.checks import InputError
from giqa_lib.gan import DCGANSettings, TrainSettings, images_at_random, new_dcgan, new_state, train


@pytest.mark.parametrize("size", [16, 28, 32, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes(size, channels):
    settings = DCGANSettings(image_size=size, channels=channels, width=4, latent=8)
    generator, discriminator = new_dcgan(settings, torch.Generator().manual_seed(0))
    images = generator(torch.randn(3, 8))
    assert images.shape == (3, channels, size, size)
    assert images.abs().max() <= 1
    assert discriminator(images).shape == (3,)


def test_same_seed_same_weights_and_the_global_generator_is_untouched():
    before = torch.get_rng_state()
    pairs = [new_dcgan(DCGANSettings(width=4), torch.Generator().manual_seed(5)) for _ in range(2)]
    assert torch.equal(torch.get_rng_state(), before)
    for one, two in zip(pairs[0][0].parameters(), pairs[1][0].parameters(), strict=True):
        assert torch.equal(one, two)


def test_initial_weights_have_the_papers_deviation():
    generator, _ = new_dcgan(DCGANSettings(width=64), torch.Generator().manual_seed(0))
    weights = torch.cat([p.flatten() for n, p in generator.named_parameters() if p.ndim == 4])
    # 4 standard errors of a standard deviation, sigma / sqrt(2 n)
    assert weights.std().item() == pytest.approx(0.02, abs=4 * 0.02 / (2 * len(weights)) ** 0.5)


def test_paper_size_takes_one_step():
    settings = DCGANSettings(image_size=64, channels=3, width=128)
    random = torch.Generator().manual_seed(0)
    players = new_dcgan(settings, random)
    assert players[0].layers[0].out_channels == 1024
    run = TrainSettings(steps=1, batch_size=2)
    state = new_state(*players, run, latent=settings.latent, random=random)
    images = torch.randint(0, 255, (4, 3, 64, 64), dtype=torch.uint8)
    assert [s.step for s in train(state, images_at_random(images), run, at=[1])] == [1]


def test_an_odd_size_is_refused_with_a_way_out():
    with pytest.raises(InputError, match=r"image_size: expected 16, 28, 32.*got 30.*pad or resize"):
        DCGANSettings(image_size=30)
