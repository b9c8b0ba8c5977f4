import pytest
import torch
from torch import nn

from giqa_lib.gan import (
    LEAST_SQUARES,
    MultiScaleDiscriminator,
    PatchDiscriminator,
    PatchSettings,
    feature_matching_loss,
    loss_per_image,
    patch_size,
)

SMALL = PatchSettings(channels=3, classes=2, width=4, halvings=2)


def random_pair(size=64, seed=0):
    random = torch.Generator().manual_seed(seed)
    maps = torch.rand(2, 2, size, size, generator=random)
    return torch.rand(2, 3, size, size, generator=random) * 2 - 1, maps


@pytest.mark.parametrize("halvings", [1, 2, 3])
def test_a_logit_sees_its_patch_and_no_more(halvings):
    settings = PatchSettings(channels=3, classes=2, width=4, halvings=halvings)
    judge = PatchDiscriminator(settings).eval()
    images, maps = (part.requires_grad_() for part in random_pair(160))
    logits = judge(images, maps)
    row = logits.shape[2] // 2
    logits[0, 0, row, row].backward()
    for seen in (images.grad[0], maps.grad[0]):
        rows = torch.nonzero(seen.abs().sum((0, 2))).flatten()
        assert int(rows[-1] - rows[0]) + 1 == patch_size(halvings)


def test_the_papers_patch():
    assert [patch_size(halvings) for halvings in (1, 2, 3)] == [16, 34, 70]


def test_a_change_outside_its_patch_does_not_change_a_logit():
    judge = PatchDiscriminator(SMALL).eval()
    images, maps = random_pair()
    changed = images.clone()
    changed[:, :, 40:] = 0.9
    before, after = judge(images, maps), judge(changed, maps)
    assert torch.equal(before[:, :, 0], after[:, :, 0])
    assert not torch.equal(before[:, :, -1], after[:, :, -1])


def test_it_looks_at_the_map():
    judge = PatchDiscriminator(SMALL).eval()
    images, maps = random_pair()
    assert not torch.equal(judge(images, maps), judge(images, 1 - maps))


def test_the_size_of_the_papers_discriminator():
    judge = PatchDiscriminator(PatchSettings(channels=3, classes=3))
    # 2.769 million is what the official code prints for three channels each
    assert sum(p.numel() for p in judge.parameters()) == pytest.approx(2.769e6, rel=2e-3)


def test_each_scale_judges_the_halved_images():
    judge = MultiScaleDiscriminator(SMALL, 3).eval()
    images, maps = random_pair()
    logits = judge(images, maps)
    assert len(logits) == 3
    assert torch.equal(logits[0], judge.judges[0](images, maps))
    half = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)
    assert torch.equal(logits[2], judge.judges[2](half(half(images)), half(half(maps))))


def test_the_loss_of_scales_is_the_sum_of_their_means():
    judge = MultiScaleDiscriminator(SMALL, 2).eval()
    logits = judge(*random_pair())
    expected = sum((each - 1).square().mean((1, 2, 3)) for each in logits)
    assert torch.allclose(loss_per_image(LEAST_SQUARES.generator_loss, logits), expected)


@torch.no_grad()
def test_feature_matching_is_zero_for_equal_images_only():
    judge = MultiScaleDiscriminator(SMALL, 2).eval()
    images, maps = random_pair()
    same = judge.features(images, maps)
    assert float(feature_matching_loss(same, same)) == 0.0
    assert float(feature_matching_loss(same, judge.features(-images, maps))) > 0


def test_feature_matching_by_hand():
    real = [[torch.zeros(1, 2, 1, 1), torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 1, 1)]]
    fake = [
        [torch.tensor([[[[1.0]], [[-3.0]]]]), torch.full((1, 1, 2, 2), 0.5), torch.ones(1, 1, 1, 1)]
    ]
    assert float(feature_matching_loss(real * 2, fake * 2)) == 2 * (2.0 + 0.5)  # logits left out


def test_feature_matching_moves_the_generated_images_only():
    real, fake = (torch.rand(1, 2, 3, 3, requires_grad=True) for _ in range(2))
    feature_matching_loss([[real, real]], [[fake, fake]]).backward()
    assert real.grad is None
    assert fake.grad is not None


def test_spectral_norm_makes_the_largest_singular_value_one():
    settings = PatchSettings(channels=3, classes=2, width=4, norm="instance", spectral=True)
    judge = PatchDiscriminator(settings)
    for _ in range(60):
        judge(*random_pair())
    for block in judge.blocks:
        weight = block[0].weight.detach().flatten(1)
        assert float(torch.linalg.matrix_norm(weight, 2)) == pytest.approx(1.0, abs=0.02)
