"""Training in bfloat16: what stays exact, how near the rest is, and that it resumes bitwise."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from giqa_lib.gan import (
    Architecture,
    ControlGANSettings,
    GMANSettings,
    InBFloat16,
    LabelGuide,
    LabelGuideSettings,
    computes_bfloat16,
    gradient_penalty,
    label_guidance,
    labelled_at_random,
    load_checkpoint,
    new_state,
    save_checkpoint,
    train,
)
from giqa_lib.gan.snapshots import SnapshotSettings

EXACT = ControlGANSettings(classes=3, image_size=16, channels=1, width=8, latent=8)
MADE = InBFloat16(exact=EXACT)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def players(made):
    return made.networks(rng())


def inputs(count=16):
    return torch.randn(count, 8, generator=rng(1)), torch.arange(count) % 3


def relative(found, expected):
    found, expected = found.detach(), expected.detach()
    return float((found - expected).norm() / expected.norm())


def feed():
    images = torch.randint(0, 255, (32, 1, 16, 16), dtype=torch.uint8, generator=rng())
    return labelled_at_random(images, torch.arange(32) % 3)


def run(made, *, steps=6, stop=None, folder=None):
    random = rng()
    networks = made.networks(random)
    settings = replace(EXACT.training(steps, batch_size=4), discriminator_steps=2)
    state = new_state(*networks, settings, latent=8, random=random)
    widths = LabelGuideSettings(widths=(4, 4), batch_size=4)
    alteration = label_guidance(LabelGuide(feed(), widths, channels=1, classes=3, seed=0))
    variant = alteration.change(made.variant(networks[1]))
    state.companions = alteration.companions
    if folder is not None and stop is None:
        assert load_checkpoint(folder, state, {})
    for reached in train(state, feed(), settings, at=[stop or steps], variant=variant):
        if stop is not None:
            save_checkpoint(folder, reached, {})
            break
    return state


def weights(state):
    return [*state.generator.state_dict().values(), *state.discriminator.state_dict().values()]


def test_it_is_an_architecture_with_the_same_weights_and_keys():
    assert isinstance(MADE, Architecture)
    for one, other in zip(players(EXACT), players(MADE), strict=True):
        assert list(one.state_dict()) == list(other.state_dict())
        pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
        assert all(torch.equal(a, b) and a.dtype == b.dtype for a, b in pairs)


def test_training_computes_in_bfloat16_and_answers_in_float32():
    exact, mixed = players(EXACT)[0], players(MADE)[0]
    expected, found = exact(*inputs()), mixed(*inputs())
    assert found.dtype == torch.float32
    assert torch.equal(found, found.bfloat16().float())  # it was that coarse before
    assert 1e-4 < relative(found, expected) < 0.05


def test_in_evaluation_mode_nothing_differs():
    for one, other, given in zip(
        players(EXACT),
        players(MADE),
        (inputs(), (torch.randn(4, 1, 16, 16, generator=rng()),)),
        strict=True,
    ):
        with torch.no_grad():
            assert torch.equal(one.eval()(*given), other.eval()(*given))


def test_the_gradient_penalty_goes_through_bfloat16_twice():
    real, fake = torch.rand(2, 16, 1, 16, 16, generator=rng(2)) * 2 - 1
    slopes, values = [], []
    for made in (EXACT, MADE):
        discriminator = players(made)[1]
        penalty = gradient_penalty(discriminator, real, fake, rng(3))
        penalty.backward()
        values.append(float(penalty.detach()))
        slopes.append(
            torch.cat([p.grad.flatten() for p in discriminator.parameters() if p.grad is not None])
        )
    assert values[1] == pytest.approx(values[0], rel=0.02)
    assert values[1] != values[0]
    cosine = nn.functional.cosine_similarity(*slopes, dim=0)
    assert float(cosine) > 0.99
    assert relative(slopes[1], slopes[0]) < 0.1


def test_the_next_step_sees_the_new_weights():
    generator = players(MADE)[0]
    before = generator(*inputs()).detach()
    with torch.no_grad():
        generator.last.weight.mul_(2.0)
    assert not torch.equal(generator(*inputs()).detach(), before)


def test_a_copy_computes_with_its_own_weights():
    generator = players(MADE)[0]
    other = copy.deepcopy(generator)
    with torch.no_grad():
        other.last.weight.zero_()
        other.last.bias.zero_()
    assert not other(*inputs()).any()
    assert generator(*inputs()).any()


def test_training_resumes_bitwise(tmp_path):
    straight = run(MADE)
    run(MADE, stop=3, folder=tmp_path)
    resumed = run(MADE, folder=tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(weights(straight), weights(resumed), strict=True))
    assert straight.losses == resumed.losses
    exact = run(EXACT)
    assert not all(
        torch.equal(a, b) for a, b in zip(weights(straight), weights(exact), strict=True)
    )
    assert all(torch.isfinite(value).all() for value in weights(straight))


def test_it_is_kept_apart_from_float32():
    settings = SnapshotSettings(architecture=EXACT, train=EXACT.training(2), steps=(1, 2))
    other = replace(settings, architecture=MADE)
    assert settings.describe() != other.describe()
    assert other.describe()["controlgan in bfloat16"]["exact"]["width"] == 8


def test_several_judges_answer_in_float32():
    made = InBFloat16(exact=GMANSettings(width=4, channels=1, discriminators=3, image_size=28))
    discriminator = made.networks(rng())[1]
    answers = discriminator(torch.zeros(4, 1, 28, 28))
    assert len(answers) == 3
    assert {each.dtype for each in answers} == {torch.float32}


def test_a_processor_without_it_is_told_apart(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    assert not computes_bfloat16()
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert computes_bfloat16()
