import itertools
import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from giqa_lib.checks import InputError
from giqa_lib.data import open_images
from giqa_lib.gan import (
    Architecture,
    DCGANSettings,
    PGGANSettings,
    SnapshotSettings,
    StyleGANSettings,
    WGANGPSettings,
    fetch_snapshots,
    images_at_random,
    load_checkpoint,
    new_state,
    sample,
    save_checkpoint,
    train,
)
from giqa_lib.gan.models.equalised import (
    EqualisedConv2d,
    EqualisedLinear,
    minibatch_deviation,
    pixel_norm,
)
from giqa_lib.store import Store

SMALL = {
    "wgan-gp": WGANGPSettings(image_size=16, width=4, latent=8),
    "pggan": PGGANSettings(image_size=16, width=4, most_width=8, latent=8, phase_steps=1),
    "stylegan": StyleGANSettings(image_size=16, width=4, most_width=8, latent=8, mapping=2),
}
every_family = pytest.mark.parametrize("made", SMALL.values(), ids=SMALL)


def images(count=32):
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 255, (count, 1, 16, 16), dtype=torch.uint8, generator=random)


def fresh(made, steps=6):
    random = torch.Generator().manual_seed(0)
    settings = made.training(steps, batch_size=4)
    networks = made.networks(random)
    state = new_state(
        *networks, settings, latent=made.latent, random=random, average_decay=made.average_decay
    )
    return state, settings, made.variant(networks[1])


def tensors(state):
    found = dict(state.generator.state_dict()) | dict(state.discriminator.state_dict())
    if state.average is not None:
        found |= {f"average.{k}": v for k, v in state.average.state_dict().items()}
    return found


def equal(one, two):
    return all(torch.equal(one[key], two[key]) for key in one)


@every_family
def test_each_is_an_architecture_that_leaves_the_global_generator_alone(made):
    before = torch.get_rng_state()
    assert isinstance(made, Architecture)
    generator, discriminator = made.networks(torch.Generator().manual_seed(0))
    again, _ = made.networks(torch.Generator().manual_seed(0))
    assert equal(generator.state_dict(), again.state_dict())
    assert generator(torch.zeros(2, 8)).shape == (2, 1, 16, 16)
    assert discriminator(torch.zeros(2, 1, 16, 16)).shape == (2,)
    if made.family != "stylegan":  # its layers draw noise when called
        assert torch.equal(torch.get_rng_state(), before)


@every_family
def test_training_resumes_bitwise_with_average_noise_and_growth(made, tmp_path):
    feed = images_at_random(images())
    straight, settings, variant = fresh(made)
    list(train(straight, feed, settings, at=[6], variant=variant))
    stopped, _, variant = fresh(made)
    for reached in train(stopped, feed, settings, at=[3], variant=variant):
        save_checkpoint(tmp_path, reached, {})
        break
    resumed, _, variant = fresh(made)
    assert load_checkpoint(tmp_path, resumed, {})
    list(train(resumed, feed, settings, at=[6], variant=variant))
    assert resumed.losses == straight.losses
    assert equal(tensors(straight), tensors(resumed))


@every_family
def test_snapshots_give_the_averaged_generator_back(made, tmp_path):
    settings = SnapshotSettings(
        architecture=made, train=made.training(4, batch_size=4), steps=(2, 4)
    )
    found = fetch_snapshots(Store(tmp_path), open_images(images()), settings, seed=0)
    one = found.images(4, 5, seed=1)
    assert one.shape == (5, 1, 16, 16)
    assert torch.equal(one[:2], found.images(4, 2, seed=1))
    assert not torch.equal(one, found.images(2, 5, seed=1))


@pytest.mark.parametrize("settings", [DCGANSettings, PGGANSettings, StyleGANSettings])
def test_a_size_that_cannot_be_is_refused(settings):
    with pytest.raises(InputError, match="image_size"):
        settings(image_size=30)


class TestPaperSizes:
    @pytest.mark.slow
    @pytest.mark.parametrize("settings", [PGGANSettings, StyleGANSettings])
    def test_256_pixels_take_one_step(self, settings):
        made = settings.paper(256)
        grown = 13  # steps of one phase each: PGGAN is at full size after 2 x 6 + 1
        if made.family == "pggan":
            made = replace(made, phase_steps=1)
        random, run = torch.Generator().manual_seed(0), made.training(grown + 1, batch_size=2)
        networks = made.networks(random)
        state = new_state(*networks, run, latent=made.latent, random=random)
        state.step = grown
        real = torch.randint(0, 255, (4, 3, 256, 256), dtype=torch.uint8)
        variant = made.variant(networks[1])
        list(train(state, images_at_random(real), run, at=[], variant=variant))
        assert state.step == grown + 1
        assert all(math.isfinite(loss) for loss in state.losses[0])
        made_images = state.generator(torch.randn(2, 512)).detach()
        assert made_images.shape == (2, 3, 256, 256)
        halved = functional.avg_pool2d(made_images, 2)
        assert not torch.allclose(functional.interpolate(halved, scale_factor=2), made_images)

    def test_the_widths_are_the_papers(self):
        widths = [conv.weight.shape[1] for conv in _to_image(PGGANSettings.paper(1024))]
        assert widths == [512, 512, 512, 512, 256, 128, 64, 32, 16]


def _to_image(made):
    return made.networks(torch.Generator().manual_seed(0))[0].to_image


class TestEqualisedLayers:
    def test_the_weight_is_scaled_by_hand(self):
        torch.manual_seed(0)
        layer, x = EqualisedConv2d(3, 5, 3), torch.randn(2, 3, 6, 6)
        by_hand = functional.conv2d(x, layer.weight * math.sqrt(2 / 27), layer.bias, padding=1)
        assert torch.allclose(layer(x), by_hand)

    def test_a_slow_layer_is_the_same_function_with_a_smaller_gradient(self):
        torch.manual_seed(0)
        slow, fast = EqualisedLinear(4, 3, rate=0.01), EqualisedLinear(4, 3)
        fast.weight.data = slow.weight.data * 0.01
        x = torch.randn(5, 4)
        assert torch.allclose(slow(x), fast(x), atol=1e-6)
        for layer in (slow, fast):
            layer(x).sum().backward()
        assert torch.allclose(slow.weight.grad, 0.01 * fast.weight.grad, atol=1e-6)

    def test_output_variance_is_two_for_unit_inputs(self):
        torch.manual_seed(0)
        layer = EqualisedLinear(1000, 1000)
        assert layer(torch.randn(200, 1000)).var().item() == pytest.approx(2, rel=0.05)

    def test_pixel_norm_gives_unit_mean_square(self):
        found = pixel_norm(torch.randn(2, 7, 3, 3))
        assert torch.allclose(found.square().mean(1), torch.ones(2, 3, 3), atol=1e-4)

    def test_minibatch_deviation_of_two_values(self):
        features = torch.tensor([0.0, 2.0]).reshape(2, 1, 1, 1)
        assert minibatch_deviation(features)[:, 1].flatten().tolist() == pytest.approx(
            [1.0, 1.0], abs=2e-4
        )

    def test_minibatch_deviation_has_a_finite_gradient_on_equal_images(self):
        features = torch.ones(4, 2, 3, 3, requires_grad=True)
        minibatch_deviation(features).sum().backward()
        assert torch.isfinite(features.grad).all()


class TestGrowth:
    def pair(self, growth):
        pair = SMALL["pggan"].networks(torch.Generator().manual_seed(0))
        for network in pair:
            network.growth.fill_(growth)
        return pair

    def test_at_the_start_of_a_fade_nothing_has_changed_and_at_its_end_all(self):
        z = torch.randn(3, 8, generator=torch.Generator().manual_seed(1))
        (at_one, judge_one), (start, judge_start) = self.pair(1.0), self.pair(1.0 + 1e-9)
        assert torch.allclose(at_one(z), start(z), atol=1e-6)
        image = torch.randn(4, 1, 16, 16, generator=torch.Generator().manual_seed(2))
        assert torch.allclose(judge_one(image), judge_start(image), atol=1e-5)
        (end, judge_end), (at_two, judge_two) = self.pair(2.0 - 1e-9), self.pair(2.0)
        assert torch.allclose(end(z), at_two(z), atol=1e-6)
        assert torch.allclose(judge_end(image), judge_two(image), atol=1e-5)
        assert not torch.allclose(at_one(z), at_two(z), atol=1e-3)

    def test_half_way_is_the_mean_of_both_images(self):
        z = torch.randn(3, 8, generator=torch.Generator().manual_seed(1))
        old, half, new = (self.pair(g)[0](z) for g in (1.0, 1.5, 2.0))
        assert torch.allclose(half, (old + new) / 2, atol=1e-6)

    def test_an_image_not_yet_grown_is_of_repeated_pixels(self):
        made = self.pair(0.0)[0](torch.randn(2, 8))
        small = functional.avg_pool2d(made, 4)
        assert torch.allclose(functional.interpolate(small, scale_factor=4), made, atol=1e-6)

    def test_the_schedule_rises_to_the_whole(self):
        growth = [SMALL["pggan"].growth(step) for step in range(10)]
        assert growth == [0, 0, 1, 1, 2, 2, 2, 2, 2, 2]
        assert all(a <= b for a, b in itertools.pairwise(growth))


class TestStyles:
    def generator(self):
        return SMALL["stylegan"].networks(torch.Generator().manual_seed(0))[0]

    def test_truncation_of_one_changes_nothing_and_of_nought_leaves_one_image(self):
        generator = self.generator().eval()
        z = torch.randn(4, 8)
        assert torch.allclose(generator.truncated(z, 1.0), generator(z), atol=1e-6)
        none = generator.truncated(z, 0.0)
        assert torch.allclose(none, none[:1].expand_as(none), atol=1e-6)
        full = sample(generator, 4, latent=8, seed=0)
        assert not torch.equal(full, sample(generator, 4, latent=8, seed=0, truncation=0.5))

    def test_noise_is_drawn_in_training_and_fixed_in_evaluation(self):
        generator, z = self.generator(), torch.randn(2, 8)
        for layer in generator.layers:
            nn.init.ones_(layer.strength)
        assert not torch.equal(generator(z), generator(z))
        generator.eval()
        assert torch.equal(generator(z), generator(z))

    def test_the_average_follows_the_styles(self):
        generator, z = self.generator(), torch.randn(64, 8)
        for _ in range(2000):
            generator(z[:2])
        expected = generator.styles(z[:2]).mean(0)
        assert torch.allclose(generator.average, expected, atol=1e-3)

    def test_every_channel_is_normalised_before_its_style(self):
        layer = self.generator().layers[-1]
        nn.init.zeros_(layer.style.weight)
        made = layer(torch.randn(2, 4, 16, 16), torch.randn(2, 8))
        assert torch.allclose(made.mean((2, 3)), torch.zeros(2, 4), atol=1e-5)
        assert torch.allclose(made.var((2, 3), unbiased=False), torch.ones(2, 4), atol=1e-3)


def test_the_average_decays_as_its_closed_form():
    made = SMALL["stylegan"]
    state = fresh(made)[0]
    first = state.generator.constant.detach().clone()
    state.average.update_parameters(state.generator)  # the first is a copy
    with torch.no_grad():
        state.generator.constant.add_(1.0)
    for _ in range(5):
        state.average.update_parameters(state.generator)
    expected = first + 1 - made.average_decay**5
    assert torch.allclose(state.average.module.constant, expected, atol=1e-6)


def test_a_released_generator_is_any_callable():
    network = DCGANSettings(image_size=16, width=4, latent=8).networks(
        torch.Generator().manual_seed(0)
    )[0]
    batch = torch.export.Dim("batch", min=2)
    program = torch.export.export(
        network.eval(), (torch.zeros(4, 8),), dynamic_shapes={"latents": {0: batch}}
    ).module()
    found = sample(lambda z: program(z), 6, latent=8, seed=0, batch_size=3)
    assert torch.equal(found, sample(network, 6, latent=8, seed=0, batch_size=3))
