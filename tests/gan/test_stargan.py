import pytest
import torch
from torch import nn
from torch.nn import functional

from giqa_lib.checks import InputError
from giqa_lib.gan import (
    Architecture,
    Batch,
    StarGANSettings,
    attributes_at_random,
    change_attributes,
    gradient_penalty,
    new_state,
    train,
)

SMALL = StarGANSettings(
    image_size=16, attributes=2, width=4, blocks=1, discriminator_width=4, halvings=2
)


def networks(settings=SMALL, seed=0):
    return settings.networks(torch.Generator().manual_seed(seed))


def faces(count=12):
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, 16, 16), generator=random).to(torch.uint8)


def batch(count=4):
    random = torch.Generator().manual_seed(1)
    images = torch.rand(count, 3, 16, 16, generator=random) * 2 - 1
    wanted, own = (torch.rand(2, count, 2, generator=random) < 0.5).float()
    return Batch(images=images, condition=(images, wanted, own))


def test_what_is_wanted_decides_and_the_images_own_attributes_do_not():
    made, _ = networks()
    images = torch.zeros(1, 3, 16, 16)
    none, one = torch.zeros(1, 2), torch.tensor([[1.0, 0.0]])
    latents = torch.zeros(1, 0)
    with torch.no_grad():
        assert not torch.allclose(
            made(latents, images, none, none), made(latents, images, one, none)
        )
        assert torch.equal(made(latents, images, one, none), made(latents, images, one, one))


def test_a_changed_image_does_not_depend_on_its_batch():
    made, _ = networks()
    wanted = (torch.arange(24) % 3 == 0).float().view(12, 2)
    together = change_attributes(made, faces(), wanted)
    alone = change_attributes(made, faces()[5:6], wanted[5:6])
    assert (together[5:6].int() - alone.int()).abs().max() <= 1  # rounding


def test_the_losses_are_the_papers():
    made, judge = networks()
    for network in (made, judge):
        network.requires_grad_(False)
    variant = SMALL.variant(judge)
    run = SMALL.training(1, batch_size=4)
    state = new_state(made, judge, run, latent=0, random=torch.Generator())
    variant.before_step(state)
    real = batch()
    source, wanted, own = real.condition
    latents = torch.zeros(4, 0)
    fake = made(latents, source, wanted, own)
    cross_entropy = functional.binary_cross_entropy_with_logits
    lost = (made(latents, fake, own, wanted) - source).abs().mean()
    expected = cross_entropy(judge.attributes(fake), wanted) + 10 * lost
    assert float(variant.generator_extra(fake, real)) == pytest.approx(float(expected), rel=1e-5)

    def value(images):
        return judge(images).flatten(1).sum(1)

    draw = torch.Generator().manual_seed(3)
    penalty = gradient_penalty(value, source, fake, torch.Generator().manual_seed(3))
    expected = 10 * penalty + cross_entropy(judge.attributes(source), own)
    found = variant.discriminator_extra(real, fake, draw)
    assert float(found.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)


def test_the_feed_wants_attributes_of_the_same_batch():
    attributes = torch.eye(12)[:, :2]
    found = attributes_at_random(faces(), attributes)(6, torch.Generator().manual_seed(0))
    source, wanted, own = found.condition
    assert torch.equal(source, found.images)
    assert sorted(wanted.tolist()) == sorted(own.tolist())
    assert not torch.equal(wanted, own)


def test_training_learns_to_change_brightness():
    images = faces(16) // 4 + 60
    images[::2] += 70
    attributes = (torch.arange(16) % 2 == 0).float()[:, None]
    settings = StarGANSettings(
        image_size=16,
        attributes=1,
        width=8,
        blocks=1,
        discriminator_width=8,
        halvings=2,
        rate=2e-3,
        discriminator_steps=1,
    )
    assert isinstance(settings, Architecture)
    random = torch.Generator().manual_seed(0)
    made, judge = settings.networks(random)
    run = settings.training(120, batch_size=8)
    state = new_state(made, judge, run, latent=0, random=random)
    feed = attributes_at_random(images, attributes)
    for _ in train(state, feed, run, at=[120], variant=settings.variant(judge)):
        pass
    changed = change_attributes(made, images, 1 - attributes).float().mean((1, 2, 3))
    kept = change_attributes(made, images, attributes).float().mean((1, 2, 3))
    assert (changed[1::2] > kept[1::2] + 10).all()
    assert (changed[::2] < kept[::2] - 10).all()


def test_the_papers_size_can_be_built():
    paper = StarGANSettings(
        image_size=128,
        attributes=5,
        width=64,
        blocks=6,
        discriminator_width=64,
        halvings=6,
        discriminator_steps=5,
    )
    made, judge = paper.networks(torch.Generator().manual_seed(0))
    count = [sum(p.numel() for p in network.parameters()) for network in (made, judge)]
    # what the official code prints, whose generator has no biases in the convolutions
    assert count[0] == pytest.approx(8_430_528, rel=2e-3)
    assert count[1] == pytest.approx(44_786_624, rel=2e-3)
    images = torch.zeros(1, 3, 128, 128)
    with torch.no_grad():
        assert made(torch.zeros(1, 0), images, torch.zeros(1, 5), torch.zeros(1, 5)).shape == (
            1,
            3,
            128,
            128,
        )
        assert judge.attributes(images).shape == (1, 5)


def test_its_instance_norm_is_not_the_batchs():
    made, _ = networks()
    assert not [m for m in made.modules() if isinstance(m, nn.BatchNorm2d)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_size": 20}, "image_size: expected a multiple of 8"),
        ({"attributes": 0}, "attributes"),
        ({"reconstruction": -1.0}, "reconstruction"),
        ({"channels": 4}, "channels"),
    ],
)
def test_settings_that_cannot_be_built_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        StarGANSettings(**({"attributes": 3} | change))
