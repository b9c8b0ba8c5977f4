"""ControlGAN's networks, the label guide and the score guide: exact properties, and training that resumes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch import nn

from giqa_lib.checks import InputError
from giqa_lib.evaluation import frechet_distance, inception_score
from giqa_lib.gan import (
    AS_PRINTED,
    UNBOUNDED,
    UP_TO_REAL,
    Architecture,
    Batch,
    ClassifierBlock,
    ClassNorm,
    ControlGANSettings,
    DownBlock,
    LabelGuide,
    LabelGuideSettings,
    ResidualClassifier,
    UpBlock,
    altered,
    batch_frechet_distance,
    batch_inception_score,
    label_guidance,
    labelled_at_random,
    layer_table,
    load_checkpoint,
    new_state,
    sample,
    save_checkpoint,
    score_guidance,
    shifted,
    train,
    without_adversary,
)

MADE = ControlGANSettings(classes=3, image_size=16, channels=1, width=4, latent=8, halve_after=4)
GUIDE = LabelGuideSettings(widths=(4, 4), batch_size=4, gamma_rate=0.01)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def feed():
    images = torch.randint(0, 255, (32, 1, 16, 16), dtype=torch.uint8, generator=rng())
    return labelled_at_random(images, torch.arange(32) % 3)


def guide(seed=0, settings=GUIDE):
    return LabelGuide(feed(), settings, channels=1, classes=3, seed=seed)


def run(alteration, *, steps=6, stop=None, folder=None):
    """A training of a few steps; saved and left at ``stop``, or gone on from what ``folder`` has."""
    random = rng()
    networks = MADE.networks(random)
    settings = replace(MADE.training(steps, batch_size=4), discriminator_steps=2)
    state = new_state(*networks, settings, latent=8, random=random)
    variant = alteration.change(MADE.variant(networks[1]))
    state.companions = alteration.companions
    if folder is not None and stop is None:
        assert load_checkpoint(folder, state, {})
    for reached in train(state, feed(), settings, at=[stop or steps], variant=variant):
        if stop is not None:
            save_checkpoint(folder, reached, {})
            break
    return state


def same(one, two):
    players = (("generator", "discriminator"), (one, two))
    return all(
        torch.equal(a, b)
        for name in players[0]
        for a, b in zip(
            getattr(one, name).state_dict().values(),
            getattr(two, name).state_dict().values(),
            strict=True,
        )
    )


def score(images):
    return images.mean((1, 2, 3)).var()


def test_it_is_an_architecture_whose_players_take_labels():
    assert isinstance(MADE, Architecture)
    generator, discriminator = MADE.networks(rng())
    labels = torch.tensor([0, 2])
    images = generator(torch.randn(2, 8, generator=rng()), labels)
    assert images.shape == (2, 1, 16, 16)
    assert images.abs().max() <= 1
    assert torch.equal(discriminator(images, labels), discriminator.eval()(images))


def test_the_papers_layers_have_the_papers_sizes():
    made = ControlGANSettings(classes=10)
    generator, discriminator = made.networks(rng())
    classifier = ResidualClassifier(3, 10, widths=(32, 64, 128, 128))
    assert generator.dense.out_features == 4 * 4 * 256
    assert [block.first.out_channels for block in generator.blocks] == [256] * 3
    down = [isinstance(b.shortcut, nn.Identity) for b in discriminator.blocks]
    assert down == [False, False, True, True]
    widths = [block.first.out_channels for block in classifier.blocks[1:]]
    assert widths == [32] * 4 + [64] * 4 + [128] * 4 + [128] * 3
    assert classifier.dense.in_features == 128


UP, DOWN, PLAIN = "UpBlock 256", "DownBlock 256", "ClassifierBlock {}"
PRINTED = {
    "generator": ["Linear 4096", *[UP] * 3],
    "discriminator": [*[DOWN] * 4, "Linear 1"],
    "CIFAR-10": [PLAIN.format(w) for w in [32] * 4 + [64] * 4 + [128] * 7] + ["Linear 10"],
    "CIFAR-100": [PLAIN.format(w) for w in [32] * 4 + [64] * 4 + [128] * 4 + [256] * 3]
    + ["Linear 100"],
}


@pytest.mark.parametrize("name", PRINTED)
def test_tables_1_and_4_come_out_of_the_code(name):
    labels, images = torch.zeros(2, dtype=torch.long), torch.zeros(2, 3, 32, 32)
    if name.startswith("CIFAR"):
        classes, last = (10, 128) if name == "CIFAR-10" else (100, 256)
        table = layer_table(ResidualClassifier(3, classes, widths=(32, 64, 128, last)), images)
    else:
        generator, discriminator = ControlGANSettings(classes=10).networks(rng())
        given = (torch.zeros(2, 128), labels) if name == "generator" else (images,)
        table = layer_table(generator if name == "generator" else discriminator, *given)
    blocks = table[table["layer"].str.endswith("Block") | (table["layer"] == "Linear")]
    found = [f"{row.layer} {row.output.split(' ')[0]}" for row in blocks.itertuples()]
    assert found == PRINTED[name]


def test_the_papers_settings_are_the_defaults():
    made, guided = ControlGANSettings(classes=10), LabelGuideSettings()
    run = made.training(100_000)
    assert (run.discriminator_rate, run.generator_rate) == (4e-4, 2e-4)
    assert (run.betas, run.discriminator_steps) == ((0.0, 0.9), 5)
    assert (made.penalty, made.image_size, made.width, made.latent) == (10.0, 32, 256, 128)
    assert (guided.gamma_most, guided.widths) == (0.1, (32, 64, 128, 128))
    assert score_guidance(score, name="spread").description["weight"] == 0.5
    hinge = made.variant(nn.Identity()).objective
    logits = torch.tensor([-2.0, 0.5, 2.0])
    assert hinge.real_loss(logits).tolist() == [3.0, 0.5, 0.0]
    assert hinge.fake_loss(logits).tolist() == [0.0, 1.5, 3.0]
    assert hinge.generator_loss(logits).tolist() == [2.0, -0.5, -2.0]


def test_an_up_block_doubles_and_adds_the_enlarged_input():
    block = UpBlock(2, 2, classes=3)
    with torch.no_grad():
        block.second.weight.zero_()
        block.second.bias.zero_()
        block.shortcut.weight.copy_(torch.eye(2)[:, :, None, None])
        block.shortcut.bias.zero_()
    x = torch.randn(4, 2, 3, 3, generator=rng())
    expected = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert torch.allclose(block(x, torch.zeros(4, dtype=torch.long)), expected)


@pytest.mark.parametrize("down", [False, True])
def test_a_down_block_without_its_inner_way_is_the_pooled_input(down):
    block = DownBlock(2, 2, down=down, wrap=lambda layer: layer)
    with torch.no_grad():
        block.second.weight.zero_()
        block.second.bias.zero_()
        if down:
            block.shortcut.weight.copy_(torch.eye(2)[:, :, None, None])
            block.shortcut.bias.zero_()
    x = torch.randn(3, 2, 4, 4, generator=rng())
    expected = nn.functional.avg_pool2d(x, 2) if down else x
    assert torch.allclose(block(x), expected)


def test_the_first_block_does_not_rectify_an_image():
    dark, mirrored = (DownBlock(1, 2, down=True, first=first) for first in (True, False))
    mirrored.load_state_dict(dark.state_dict())
    x = -torch.rand(2, 1, 8, 8, generator=rng())
    assert not torch.allclose(dark.eval()(x), mirrored.eval()(x))


def test_spectral_norm_holds_every_layer_of_the_discriminator_to_one():
    _, discriminator = MADE.networks(rng())
    x = torch.randn(8, 1, 16, 16, generator=rng())
    for _ in range(60):  # the power iterations converge
        discriminator(x)
    discriminator.eval()
    layers = [m for m in discriminator.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(layers) == 4 * 2 + 2 + 1
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        assert float(largest) == pytest.approx(1.0, abs=0.02)


def test_the_norm_by_class_is_batch_norm_with_the_labels_own_scale():
    norm = ClassNorm(2, classes=2)
    with torch.no_grad():
        norm.scale.weight[1] = torch.tensor([3.0, 5.0])
        norm.shift.weight[1] = torch.tensor([-1.0, 1.0])
    x = torch.randn(6, 2, 3, 3, generator=rng())
    labels = torch.tensor([0, 1, 0, 1, 1, 0])
    plain = nn.BatchNorm2d(2)(x)
    scaled = plain * torch.tensor([3.0, 5.0])[:, None, None]
    scaled = scaled + torch.tensor([-1.0, 1.0])[:, None, None]
    expected = torch.where((labels == 1)[:, None, None, None], scaled, plain)
    assert torch.allclose(norm(x, labels), expected, atol=1e-6)


def test_the_classifiers_blocks_do_not_mix_images():
    block = ClassifierBlock(2, 4, down=True)
    x = torch.randn(3, 2, 8, 8, generator=rng())
    assert torch.allclose(block(x)[:1], block(x[:1]), atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": 0}, "classes"),
        ({"image_size": 24}, "image_size: expected a power of two"),
        ({"channels": 2}, "channels"),
        ({"penalty": -1.0}, "penalty"),
        ({"halve_after": 0}, "halve_after"),
    ],
)
def test_bad_settings_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        replace(MADE, **change)


def test_labels_below_zero_are_refused():
    with pytest.raises(InputError, match=r"labels: expected 0, 1, \.\.\., got -1"):
        labelled_at_random(torch.zeros(2, 1, 8, 8, dtype=torch.uint8), torch.tensor([0, -1]))


def test_rates_are_halved_once_and_stay_so_when_resumed(tmp_path):
    straight = run(label_guidance(guide()))
    run(label_guidance(guide()), stop=5, folder=tmp_path)
    resumed = run(label_guidance(guide(seed=9)), folder=tmp_path)
    for state in (straight, resumed):
        assert state.generator_optimizer.param_groups[0]["lr"] == 1e-4
        assert state.discriminator_optimizer.param_groups[0]["lr"] == 2e-4
    early = run(label_guidance(guide()), steps=4)
    assert early.generator_optimizer.param_groups[0]["lr"] == 2e-4


@pytest.mark.parametrize("weight", [None, 0.5], ids=["ControlGAN", "ScoreGAN"])
def test_training_with_a_guide_resumes_bitwise(tmp_path, weight):
    def guided(by):
        if weight is None:
            return label_guidance(by)
        return altered(label_guidance(by), score_guidance(score, name="spread", weight=weight))

    first = guide()
    straight = run(guided(first))
    run(guided(guide()), stop=3, folder=tmp_path)
    again = guide(seed=9)  # everything of it is replaced
    resumed = run(guided(again), folder=tmp_path)
    assert same(straight, resumed)
    assert straight.losses == resumed.losses
    assert first.gamma == again.gamma != 0
    one, two = first.tensors(), again.tensors()
    assert set(one) == set(two)
    assert all(torch.equal(one[key], two[key]) for key in one)


def test_gamma_follows_the_schedule_and_is_clipped():
    one = guide(settings=replace(GUIDE, gamma_rate=0.5, gamma_most=0.3))
    batch = feed()(8, rng())
    one._real_loss = torch.tensor(0.7)
    missed = nn.functional.cross_entropy(one.classifier(batch.images), batch.condition[0]).detach()
    assert one.loss(batch.images, batch) == 0  # by the gamma before the step
    assert float(one.gamma) == pytest.approx(min(0.3, max(0, 0.5 * float(missed - 0.7))))
    one._real_loss = torch.tensor(-10.0)
    one.loss(batch.images, batch)
    assert float(one.gamma) == pytest.approx(0.3)
    assert float(one.loss(batch.images, batch).detach()) == pytest.approx(0.3 * float(missed))
    one._real_loss = torch.tensor(10.0)
    one.loss(batch.images, batch)
    assert one.gamma == 0


def test_the_guide_teaches_the_generator_but_not_its_classifier():
    one = guide()
    one.gamma = torch.tensor(0.1)
    batch = feed()(4, rng())
    fake = batch.images.clone().requires_grad_()
    one.loss(fake, batch).backward()
    assert fake.grad.abs().sum() > 0
    assert all(p.grad is None and p.requires_grad for p in one.classifier.parameters())


def test_the_classifier_learns_its_labels():
    images = torch.zeros(30, 1, 16, 16, dtype=torch.uint8)
    labels = torch.arange(30) % 3
    images[labels == 1, :, :8], images[labels == 2, :, 8:] = 255, 255
    settings = replace(GUIDE, batch_size=30, rate=1e-2, flip=False)
    one = LabelGuide(labelled_at_random(images, labels), settings, channels=1, classes=3, seed=0)
    networks = MADE.networks(rng())
    state = new_state(*networks, MADE.training(1), latent=8, random=rng())
    for _ in range(80):
        one.learn(state)
    assert float(one._real_loss) < 0.3 < np.log(3)


def test_shifting_moves_whole_images_within_reach():
    x = torch.zeros(40, 1, 10, 10)
    x[:, :, 4, 5] = 1.0
    moved = shifted(x, 0.2, rng(), flip=False)
    places = moved.flatten(1).argmax(1)
    rows, columns = places // 10, places % 10
    assert (moved.sum((1, 2, 3)) == 1).all()
    assert set(rows.tolist()) == {2, 3, 4, 5, 6}
    assert set(columns.tolist()) == {3, 4, 5, 6, 7}
    mirrored = shifted(x, 0.0, rng(), flip=True).flatten(1).argmax(1) % 10
    assert set(mirrored.tolist()) == {4, 5}


def test_the_batch_score_is_the_inception_score_of_one_part():
    logits = torch.randn(40, 5, generator=rng(), dtype=torch.float64) * 3
    doubled = torch.cat([logits, logits]).softmax(1).numpy()
    expected = inception_score(doubled, splits=2).value
    assert float(batch_inception_score(logits)) == pytest.approx(expected, rel=1e-9)
    assert float(batch_inception_score(torch.zeros(6, 5))) == pytest.approx(1.0)
    sure = 1e4 * torch.eye(3, requires_grad=True)
    value = batch_inception_score(sure)
    value.backward()
    assert float(value.detach()) == pytest.approx(3.0, rel=1e-5)


def test_the_batch_scores_have_the_gradients_of_finite_differences():
    logits = torch.randn(6, 4, generator=rng(), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(batch_inception_score, (logits,))
    mean = torch.zeros(4, dtype=torch.float64)
    factor = torch.randn(4, 4, generator=rng(3), dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda f: batch_frechet_distance(f, mean, factor), (logits,))


@pytest.mark.parametrize("count", [3, 30])
def test_the_batch_distance_is_the_frechet_distance(count):
    draw = np.random.default_rng(0)
    real, generated = draw.normal(size=(50, 6)), draw.normal(size=(count, 6)) + 1
    factor = (real - real.mean(0)) / np.sqrt(49)
    found = batch_frechet_distance(*map(torch.from_numpy, (generated, real.mean(0), factor)))
    expected = frechet_distance(real=real, generated=generated)
    assert float(found) == pytest.approx(expected, rel=1e-9)
    covariances = np.cov(real, rowvar=False), np.cov(generated, rowvar=False)
    root = sqrtm(covariances[0] @ covariances[1]).real.trace()
    by_root = ((real.mean(0) - generated.mean(0)) ** 2).sum() - 2 * root
    by_root += sum(np.trace(each) for each in covariances)
    assert float(found) == pytest.approx(by_root, rel=1e-4)


@pytest.mark.parametrize(
    ("bound", "fake_scale", "learns"),
    [(UP_TO_REAL, 0.5, True), (UP_TO_REAL, 2.0, False), (AS_PRINTED, 0.5, False), (AS_PRINTED, 2.0, True)],
)  # fmt: skip
def test_the_score_pushes_up_to_that_of_real_images_and_as_printed_only_above(
    bound, fake_scale, learns
):
    real = torch.randn(8, 1, 4, 4, generator=rng())
    fake = (fake_scale * real).requires_grad_()
    variant = score_guidance(score, name="spread", weight=0.5, bound=bound).change(
        MADE.variant(MADE.networks(rng())[1])
    )
    extra = variant.generator_extra(fake, Batch(images=real))
    limit = min if bound is UP_TO_REAL else max
    expected = -0.5 * limit(float(score(real)), float(score(fake.detach())))
    assert float(extra.detach()) == pytest.approx(expected, rel=1e-5)
    if extra.requires_grad:
        extra.backward()
    moved = fake.grad is not None and bool(fake.grad.abs().sum() > 0)
    assert moved is learns


def test_weight_nought_is_controlgan_bitwise_and_any_other_is_not():
    plain = run(label_guidance(guide()))
    nought = score_guidance(score, name="spread", weight=0.0)
    assert same(plain, run(altered(label_guidance(guide()), nought)))
    some = score_guidance(score, name="spread", weight=0.5)
    assert not same(plain, run(altered(label_guidance(guide()), some)))


def test_a_guidance_is_described_by_words_that_last():
    described = [
        score_guidance(score, name="spread", bound=bound).description["bound"]
        for bound in (UP_TO_REAL, AS_PRINTED, UNBOUNDED)
    ]
    assert described == ["up to real", "as printed", "without bound"]
    with pytest.raises(InputError, match="bound: expected UP_TO_REAL, AS_PRINTED or UNBOUNDED"):
        score_guidance(score, name="spread", bound=lambda reached, value: value)


def test_the_losses_tell_of_the_guide():
    one = guide()
    state = run(label_guidance(one), steps=3)
    assert [len(row) for row in state.losses] == [6] * 3
    gammas = [row[5] for row in state.losses]
    assert gammas == sorted(gammas)
    assert gammas[-1] == float(one.gamma)
    steps = [max(0.0, row[4] - row[3]) * GUIDE.gamma_rate for row in state.losses]
    assert gammas[1] == pytest.approx(gammas[0] + steps[1], abs=1e-6)


def test_without_the_adversary_the_generator_does_not_hear_the_discriminator():
    alone = altered(score_guidance(score, name="spread"))
    variant = without_adversary(alone.change(MADE.variant(MADE.networks(rng())[1])))
    fake = torch.randn(5, 1, 4, 4, generator=rng())
    assert variant.generator_weights(fake).tolist() == [0.0] * 5
    assert (
        variant.generator_extra
        is not without_adversary(MADE.variant(nn.Identity())).generator_extra
    )


def test_samples_are_of_the_labels_asked_for():
    generator, _ = MADE.networks(rng())
    with torch.no_grad():
        for norm in generator.modules():
            if isinstance(norm, ClassNorm):
                norm.shift.weight.copy_(torch.arange(3.0)[:, None].expand_as(norm.shift.weight))
    labels = torch.tensor([0, 1, 2, 0, 1])
    whole = sample(generator, 5, latent=8, seed=0, condition=[labels])
    parts = sample(generator, 5, latent=8, seed=0, condition=[labels], batch_size=2)
    assert torch.equal(whole, parts)
    other = sample(generator, 5, latent=8, seed=0, condition=[labels.flip(0)])
    same_label = labels == labels.flip(0)
    assert torch.equal(whole[same_label], other[same_label])
    assert not torch.equal(whole[~same_label], other[~same_label])
    with pytest.raises(InputError, match="condition"):
        sample(generator, 4, latent=8, seed=0, condition=[labels])


def test_the_layer_table_is_of_what_is_called_in_its_order():
    generator, discriminator = MADE.networks(rng())
    table = layer_table(generator, torch.zeros(2, 8), torch.tensor([0, 1]))
    assert table["layer"].tolist() == ["Linear", "UpBlock", "UpBlock", "ClassNorm", "Conv2d"]
    assert table["output"].tolist()[1:] == [
        "4 x 8 x 8",
        "4 x 16 x 16",
        "4 x 16 x 16",
        "1 x 16 x 16",
    ]
    assert table["parameters"].sum() == sum(p.numel() for p in generator.parameters())
    assert generator.training
    assert not any(part._forward_hooks for part in generator.modules())
    other = layer_table(discriminator, torch.zeros(2, 1, 16, 16))
    assert other["layer"].tolist() == ["DownBlock"] * 4 + ["Linear"]
