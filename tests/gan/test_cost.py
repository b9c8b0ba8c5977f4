"""The cost of a training by hand."""

import pytest
import torch

from giqa_lib.gan import (
    DCGANSettings,
    TrainSettings,
    WGANGPSettings,
    images_at_random,
    new_dcgan,
    training_cost,
)

SIZES = DCGANSettings(image_size=16, width=4, latent=8)
FEED = images_at_random(torch.zeros(4, 1, 16, 16, dtype=torch.uint8))


def test_parameters_are_those_of_both_players():
    networks = new_dcgan(SIZES, torch.Generator().manual_seed(0))
    wanted = sum(p.numel() for network in networks for p in network.parameters())
    assert training_cost(SIZES, TrainSettings(steps=1), FEED).parameters == wanted


def test_cost_grows_with_images_and_steps_and_memory_with_images_alone():
    one = training_cost(SIZES, TrainSettings(steps=5, batch_size=8), FEED)
    larger = training_cost(SIZES, TrainSettings(steps=5, batch_size=16), FEED)
    longer = training_cost(SIZES, TrainSettings(steps=15, batch_size=8), FEED)
    assert larger.flops == pytest.approx(2 * one.flops)
    assert longer.flops == pytest.approx(3 * one.flops)
    weights = 16 * one.parameters
    assert larger.memory - weights == pytest.approx(2 * (one.memory - weights))
    assert longer.memory == one.memory


def test_operations_of_a_training_are_counted_by_torchs_own_counter():
    from torch.utils.flop_counter import FlopCounterMode

    generator, _ = new_dcgan(SIZES, torch.Generator().manual_seed(0))
    with FlopCounterMode(display=False) as forward:
        generator(torch.randn(2, 8))
    found = training_cost(SIZES, TrainSettings(steps=1, batch_size=2), FEED).flops
    # Two passes of the generator and its backward pass (at most twice a pass), beside the judge's.
    assert found > 3 * forward.get_total_flops()


def test_a_penalty_of_gradients_is_counted_too():
    made = WGANGPSettings(image_size=16, channels=1, width=4)
    cost = training_cost(made, made.training(3, batch_size=4), FEED)
    assert cost.flops > 0
    assert cost.seconds > 0
