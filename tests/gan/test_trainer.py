import dataclasses

import pytest
import torch

from giqa_lib.checks import GiqaError, InputError
from giqa_lib.gan import (
    NON_SATURATING,
    DCGANSettings,
    TrainSettings,
    Variant,
    images_at_random,
    new_dcgan,
    new_state,
    to_pixels,
    to_unit,
    train,
)

SIZES = DCGANSettings(image_size=16, width=4, latent=8)


def images(count=64, seed=0):
    random = torch.Generator().manual_seed(seed)
    return torch.randint(0, 255, (count, 1, 16, 16), dtype=torch.uint8, generator=random)


def fresh(settings, seed=0):
    random = torch.Generator().manual_seed(seed)
    return new_state(*new_dcgan(SIZES, random), settings, latent=SIZES.latent, random=random)


def run(settings, variant=None, seed=0):
    state = fresh(settings, seed)
    for _ in train(
        state, images_at_random(images()), settings, at=[settings.steps], variant=variant
    ):
        pass
    return state


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_each_player_moves_only_on_its_own_update(monkeypatch):
    settings = TrainSettings(steps=1, batch_size=4)
    state = fresh(settings)
    moved = []
    for name in ("generator", "discriminator"):
        optimizer = getattr(state, f"{name}_optimizer")
        step = optimizer.step

        def watched(step=step, name=name):
            before = {n: weights(getattr(state, n)).clone() for n in ("generator", "discriminator")}
            step()
            after = {n: weights(getattr(state, n)) for n in before}
            moved.append((name, [n for n in before if not torch.equal(before[n], after[n])]))

        monkeypatch.setattr(optimizer, "step", watched)
    list(train(state, images_at_random(images()), settings, at=[1]))
    assert moved == [("discriminator", ["discriminator"]), ("generator", ["generator"])]


@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 16, 16)])
def test_images_of_another_size_are_refused_before_anything_is_learned(shape):
    settings = TrainSettings(steps=1, batch_size=4)
    state = fresh(settings)
    before = weights(state.discriminator).clone()
    wrong = images_at_random(torch.zeros(8, *shape, dtype=torch.uint8))
    with pytest.raises(InputError, match=r"expected \(n, 1, 16, 16\).*resize or pad"):
        list(train(state, wrong, settings, at=[1]))
    assert torch.equal(weights(state.discriminator), before)


def test_equal_seeds_give_equal_bits_and_no_global_draw():
    settings = TrainSettings(steps=3, batch_size=4)
    before = torch.get_rng_state()
    one, two = run(settings), run(settings)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(weights(one.generator), weights(two.generator))
    assert one.losses == two.losses
    assert not torch.equal(weights(one.generator), weights(run(settings, seed=1).generator))


def test_weights_of_one_change_nothing_and_weights_of_two_do():
    settings = TrainSettings(steps=2, batch_size=4)
    plain = run(settings)
    ones = run(settings, Variant(discriminator_weights=lambda fake: torch.ones(len(fake))))
    twos = run(settings, Variant(discriminator_weights=lambda fake: 2 * torch.ones(len(fake))))
    assert torch.equal(weights(plain.discriminator), weights(ones.discriminator))
    assert not torch.equal(weights(plain.discriminator), weights(twos.discriminator))


def test_the_state_is_yielded_at_the_steps_asked_for():
    settings = TrainSettings(steps=5, batch_size=4)
    state = fresh(settings)
    assert [s.step for s in train(state, images_at_random(images()), settings, at=[2, 5])] == [2, 5]
    assert [row[0] for row in state.losses] == [1, 2, 3, 4, 5]


def test_more_discriminator_steps_cost_more_discriminator_updates():
    settings = TrainSettings(steps=2, batch_size=4, discriminator_steps=3)
    state = run(settings)
    counts = [s["step"] for s in state.discriminator_optimizer.state.values()]
    assert {int(c) for c in counts} == {6}


def test_a_loss_that_is_not_finite_names_player_and_step():
    broken = dataclasses.replace(NON_SATURATING, generator_loss=lambda logits: logits / 0)
    settings = TrainSettings(steps=2, batch_size=4)
    with pytest.raises(GiqaError, match=r"generator loss: expected a finite number.*at step 1"):
        run(settings, Variant(objective=broken))


def test_the_discriminator_learns_to_tell_two_brightnesses():
    settings = TrainSettings(steps=60, batch_size=32, generator_rate=1e-9, discriminator_rate=1e-3)
    state = fresh(settings)
    bright = torch.full((64, 1, 16, 16), 230, dtype=torch.uint8)
    list(train(state, images_at_random(bright), settings, at=[60]))
    assert state.losses[-1][1] < 0.3 * state.losses[0][1]


def test_pixels_round_trip():
    every = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    assert torch.equal(to_pixels(to_unit(every)), every)


def test_both_players_train_again_after_a_look_in_evaluation_mode():
    settings = TrainSettings(steps=3, batch_size=4)
    looked, plain = fresh(settings), run(settings)
    for state in train(looked, images_at_random(images()), settings, at=[1, 2, 3]):
        state.generator.eval()
        state.discriminator.eval()
    assert torch.equal(weights(looked.generator), weights(plain.generator))
    assert torch.equal(weights(looked.discriminator), weights(plain.discriminator))


def test_a_failed_step_leaves_the_discriminator_trainable():
    state = fresh(TrainSettings(steps=1, batch_size=4))
    variant = Variant(generator_extra=lambda fake, real: fake.sum() * float("nan"))
    with pytest.raises(GiqaError, match=r"generator loss.*step 1"):
        list(
            train(
                state,
                images_at_random(images()),
                TrainSettings(steps=1, batch_size=4),
                at=[1],
                variant=variant,
            )
        )
    assert all(p.requires_grad for p in state.discriminator.parameters())


def test_a_network_that_holds_nan_is_reported_with_its_step():
    settings = TrainSettings(steps=3, batch_size=4)
    state = fresh(settings)
    with pytest.raises(GiqaError, match=r"discriminator loss.*got nan at step 2"):  # noqa: PT012
        for reached in train(state, images_at_random(images()), settings, at=[1]):
            with torch.no_grad():
                next(reached.generator.parameters()).fill_(float("nan"))
