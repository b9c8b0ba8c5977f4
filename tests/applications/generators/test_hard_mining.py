"""Hard mining: weights by hand, exact equalities of training, and what is refused."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from giqa_lib.applications.generators import (
    HardMining,
    hard_mining,
    mining_weights,
    resting_share,
    scores_of_the_next,
)
from giqa_lib.checks import InputError
from giqa_lib.data import open_images
from giqa_lib.gan import (
    NON_SATURATING,
    DCGANSettings,
    SnapshotSettings,
    TrainSettings,
    Variant,
    fetch_snapshots,
    images_at_random,
    load_checkpoint,
    new_dcgan,
    new_state,
    save_checkpoint,
    to_pixels,
    to_unit,
    train,
)
from giqa_lib.store import Store

SIZES = DCGANSettings(image_size=16, width=4, latent=8)


def parity(images):
    """A score that spreads over images of all brightnesses: the sum of pixels modulo 97."""
    return (images.long().sum((1, 2, 3)) % 97) / 96.0


def real_images(count=40):
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 255, (count, 1, 16, 16), dtype=torch.uint8, generator=random)


def fresh(settings):
    random = torch.Generator().manual_seed(0)
    return new_state(*new_dcgan(SIZES, random), settings, latent=SIZES.latent, random=random)


def variant_of(settings, score=parity):
    return hard_mining(score, settings, description={"score": "parity"}).change(Variant())


def trained(settings, variant, *, steps=1):
    state = fresh(settings)
    list(train(state, images_at_random(real_images()), settings, at=[steps], variant=variant))
    return state


def bits(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_weights_by_hand():
    scores = [0.0, 0.2, np.nextafter(0.2, 0), 0.21, 1.0]  # the paper: lower than the threshold
    assert mining_weights(scores).tolist() == [2, 1, 2, 1, 1]
    assert mining_weights(scores, threshold=0.0, weight=5).tolist() == [1] * 5
    assert mining_weights(scores, threshold=1.0, weight=0.5).tolist() == [0.5] * 4 + [1]


def test_the_threshold_is_compared_in_double_precision():
    # 0.2 in single precision lies above 0.2: rounding must not decide a tie
    assert mining_weights(np.array([0.2])).tolist() == [1]
    assert mining_weights(np.array([0.2 - 1e-12])).tolist() == [2]


def test_the_discriminators_loss_is_the_weighted_one_by_hand():
    settings = TrainSettings(steps=1, batch_size=16)
    feed, twin = images_at_random(real_images()), fresh(settings)
    real = feed(16, twin.random).images.contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        fake = twin.generator(torch.randn(16, SIZES.latent, generator=twin.random))
    weights = torch.tensor([2.0 if s < 0.2 else 1.0 for s in parity(to_pixels(fake)).tolist()])
    assert 0 < (weights == 2).sum() < 16
    by_hand = functional.softplus(-twin.discriminator(real)).mean()
    by_hand = by_hand + (weights * functional.softplus(twin.discriminator(fake))).sum() / 16
    state = trained(settings, variant_of(HardMining()))
    assert state.losses[0][1] == pytest.approx(by_hand.item(), rel=1e-6)


def test_each_player_is_weighted_by_name():
    settings = TrainSettings(steps=1, batch_size=16)
    plain = trained(settings, None)
    at_critic = trained(settings, variant_of(HardMining()))
    at_maker = trained(settings, variant_of(HardMining(player="generator")))
    assert not torch.equal(bits(at_critic.discriminator), bits(plain.discriminator))
    assert torch.equal(bits(at_maker.discriminator), bits(plain.discriminator))
    assert not torch.equal(bits(at_maker.generator), bits(plain.generator))


def test_weights_that_a_variant_has_are_multiplied():
    thrice = Variant(discriminator_weights=lambda fake: 3 * torch.ones(len(fake)))
    mining = hard_mining(lambda images: [0.1, 0.9], HardMining(), description={})
    found = mining.change(thrice)
    assert found.discriminator_weights(torch.zeros(2, 1, 4, 4)).tolist() == [6, 3]
    assert found.generator_weights is thrice.generator_weights


def fetched(store, steps, settings=None, score=parity):
    train_settings = TrainSettings(steps=steps[-1], batch_size=4)
    made = SnapshotSettings(architecture=SIZES, train=train_settings, steps=steps)
    how = None if settings is None else hard_mining(score, settings, description={"s": "parity"})
    return fetch_snapshots(store, open_images(real_images()), made, seed=0, alteration=how)


def files(snapshots):
    return {path.name: path.read_bytes() for path in snapshots.folder.glob("*.safetensors")}


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_weight_one_is_bitwise_the_plain_run_kept_elsewhere(tmp_path, player):
    store = Store(tmp_path)
    plain = fetched(store, (2, 6))
    same = fetched(store, (2, 6), HardMining(weight=1.0, player=player))
    assert files(same) == files(plain)
    assert same.losses.equals(plain.losses)
    assert same.folder != plain.folder


def test_threshold_zero_is_bitwise_the_plain_run_and_two_is_not(tmp_path):
    store = Store(tmp_path)
    plain = fetched(store, (6,))
    assert files(fetched(store, (6,), HardMining(threshold=0.0))) == files(plain)
    assert files(fetched(store, (6,), HardMining())) != files(plain)


def test_each_setting_is_kept_under_its_own_name(tmp_path):
    store = Store(tmp_path)
    kinds = [HardMining(), HardMining(weight=3), HardMining(threshold=0.3)]
    kinds.append(HardMining(player="generator"))
    assert len({fetched(store, (1,), kind).folder for kind in kinds}) == len(kinds)


def test_a_run_passes_through_the_steps_of_a_shorter_one(tmp_path):
    store = Store(tmp_path)
    for settings in (None, HardMining()):
        short, long = fetched(store, (3,), settings), fetched(store, (3, 7), settings)
        assert files(long)["generator-0000003.safetensors"] == next(iter(files(short).values()))


def test_a_resumed_run_is_bitwise_the_one_that_was_not_stopped(tmp_path):
    settings = TrainSettings(steps=6, batch_size=8)
    feed, variant = images_at_random(real_images()), variant_of(HardMining())
    through, stopped, resumed = fresh(settings), fresh(settings), fresh(settings)
    list(train(through, feed, settings, at=[6], variant=variant))
    for reached in train(stopped, feed, settings, at=[3], variant=variant):
        save_checkpoint(tmp_path, reached, {})
        break
    assert load_checkpoint(tmp_path, resumed, {})
    list(train(resumed, feed, settings, at=[6], variant=variant_of(HardMining())))
    assert torch.equal(bits(resumed.generator), bits(through.generator))
    assert torch.equal(bits(resumed.discriminator), bits(through.discriminator))
    assert resumed.losses == through.losses


def test_mining_draws_no_random_number_and_leaves_no_gradient():
    fake = to_unit(real_images(8)).requires_grad_()
    before = torch.get_rng_state()
    weights = variant_of(HardMining()).discriminator_weights(fake)
    assert torch.equal(torch.get_rng_state(), before)
    assert weights.dtype == torch.float32
    assert not weights.requires_grad


def test_the_score_sees_whole_pixels():
    seen = []

    def watched(images):
        seen.append(images)
        return torch.full((len(images),), 0.5)

    pixels = real_images(3)
    variant_of(HardMining(), watched).discriminator_weights(to_unit(pixels))
    assert torch.equal(seen[0], pixels)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([0.1, float("nan")], "scores: expected finite values, got 1 NaN or infinite, first at"),
        ([0.1], "scores: expected 2 values, got 1"),
        ([0.1, -40.0], r"calibrated, in \[0, 1\], got 1 outside, first -40 at index 1"),
    ],
)
def test_a_score_that_cannot_be_mined_by_is_refused(scores, message):
    mining = variant_of(HardMining(), lambda images: torch.tensor(scores))
    with pytest.raises(InputError, match=message):
        mining.discriminator_weights(torch.zeros(2, 1, 4, 4))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 1.2}, r"threshold: expected a number in \[0, 1\]"),
        ({"threshold": -0.1}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
        ({"weight": 0.0}, "weight: expected a number > 0"),
        ({"weight": -2.0}, "weight"),
        ({"weight": float("inf")}, "weight: expected a finite number"),
        ({"player": "critic"}, "player: expected one of discriminator, generator"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        HardMining(**settings)
    if "player" not in settings:
        with pytest.raises(InputError, match=message):
            mining_weights([0.5], **settings)


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        HardMining().weight = 1.0


def test_the_control_gives_as_much_weight_to_others():
    images = real_images(32)
    own = mining_weights(parity(images))
    others = mining_weights(scores_of_the_next(parity)(images))
    assert others.sum() == own.sum()
    assert others.tolist() == [*own[1:], own[0]]


def played(real, discriminator_weight, generator_weight):
    """The game of two kinds of images played out: best discriminator, small steps of the generator."""
    real = torch.tensor([real, 1 - real], dtype=torch.float64)
    of_critic = torch.tensor([discriminator_weight, 1.0], dtype=torch.float64)
    of_maker = torch.tensor([generator_weight, 1.0], dtype=torch.float64)
    place = torch.zeros(2, dtype=torch.float64)
    for _ in range(4000):
        share = place.softmax(0)
        logits = (real / (of_critic * share)).log()
        place = place - 0.2 * of_maker * NON_SATURATING.generator_loss(logits)
    return float(place.softmax(0)[0])


@pytest.mark.parametrize(("critic", "maker"), [(1, 1), (2, 1), (1, 2), (3, 0.5)])
def test_the_game_rests_where_it_is_said_to(critic, maker):
    found = resting_share(0.2, discriminator_weight=critic, generator_weight=maker)
    assert found == pytest.approx(played(0.2, critic, maker), abs=1e-6)


@given(st.floats(0.01, 0.99), st.floats(0.1, 10))
def test_a_weighted_discriminator_rests_at_the_closed_form(real, weight):
    found = resting_share(real, discriminator_weight=weight)
    assert found == pytest.approx(real / weight / (real / weight + 1 - real), abs=1e-9)


@pytest.mark.parametrize("share", [0.0, 1.0, 1.5])
def test_a_kind_without_real_images_is_refused(share):
    with pytest.raises(InputError, match="real_share"):
        resting_share(share)
