"""dipIQ, UNIQUE, MEON, Meta-IQA and the full-reference measures: losses by hand, that each learns damage."""

import math

import numpy as np
import piq
import pytest
import torch
from image_textures import textures

from giqa_lib.checks import InputError
from giqa_lib.data import degrade
from giqa_lib.iqa import (
    FULL_REFERENCE,
    PAIRWISE_BASELINES,
    BaselineSettings,
    DegradedExamples,
    DescentSettings,
    MetaIQASettings,
    NaturalScore,
    fetch_meta_iqa,
    fit_baseline,
    fit_meta_iqa,
    full_reference_scores,
)
from giqa_lib.iqa.pairwise_measures import (
    damage_loss,
    discriminable_rank_loss,
    fidelity_loss,
    identified_quality,
    identified_quality_loss,
)
from giqa_lib.learning import FitSettings
from giqa_lib.store import Store

META = MetaIQASettings(descent=DescentSettings(steps=60, rate=3e-3), width=8)


def column(*values):
    return torch.tensor(values)[:, None]


def test_dipiq_by_hand():
    quality = torch.tensor(
        [0.9, 0.5, 0.1, 0.52]
    )  # pairs (0, 2) and (1, 3); the second is too close
    found = discriminable_rank_loss(column(2.0, 9.0, 1.0, -9.0), quality)
    assert float(found) == pytest.approx(math.log(1 + math.exp(-1)), rel=1e-6)
    assert float(discriminable_rank_loss(column(1.0, 2.0), torch.tensor([0.5, 0.5]))) == 0


def test_unique_by_hand():
    outputs = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    deviation = math.log(2)  # softplus of nought
    p = 0.5 * (1 + math.erf(1 / math.sqrt(2 * deviation**2) / math.sqrt(2)))
    found = fidelity_loss(outputs, torch.tensor([0.9, 0.1]))
    assert float(found) == pytest.approx(1 - math.sqrt(p), abs=3e-3)
    wrong = fidelity_loss(outputs, torch.tensor([0.1, 0.9]))
    assert float(wrong) == pytest.approx(1 - math.sqrt(1 - p), abs=3e-3)


def test_unique_says_less_where_it_is_unsure():
    sure, unsure = (torch.tensor([[1.0, s], [0.0, s]]) for s in (-3.0, 3.0))
    wrong = torch.tensor([0.1, 0.9])
    assert fidelity_loss(unsure, wrong) < fidelity_loss(sure, wrong)


def test_meon_by_hand():
    outputs = torch.tensor([[math.log(3.0), 0.0, 0.8, 0.4]])
    assert float(identified_quality(outputs)) == pytest.approx(0.75 * 0.8 + 0.25 * 0.4)
    targets = torch.tensor([[0.5, 0.0]])
    assert float(damage_loss(outputs, targets)) == pytest.approx(-math.log(0.75))
    assert float(identified_quality_loss(outputs, targets)) == pytest.approx(0.2 - math.log(0.75))


def test_a_batch_knows_its_damage_and_is_the_plain_batch():
    examples = DegradedExamples(images=textures(20))
    images, targets = examples.identified(16, torch.Generator().manual_seed(0))
    same, quality = examples.batch(16, torch.Generator().manual_seed(0))
    assert torch.equal(images, same)
    assert torch.equal(targets[:, 0], quality)
    assert len(targets[:, 1].unique()) > 2


@pytest.fixture(scope="module")
def beds():
    fresh = textures(80, seed=7)
    return textures(200), fresh, degrade(fresh, "noise", 0.8, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("measure", PAIRWISE_BASELINES)
def test_they_learn_damage(beds, measure):
    images, fresh, bad = beds
    settings = BaselineSettings(
        fit=FitSettings(steps=150, batch_size=32, check_every=30, patience=9), width=8, held_out=60
    )
    score = fit_baseline(measure, images, settings, seed=0)
    assert (score(fresh) > score(bad)).mean() > 0.8


def test_meta_iqa_learns_damage_and_is_kept(beds, tmp_path, monkeypatch):
    images, fresh, bad = beds
    store = Store(tmp_path)
    score = fetch_meta_iqa(store, images, META, seed=0)
    assert (score(fresh) > score(bad)).mean() > 0.8
    monkeypatch.setattr("giqa_lib.iqa.meta_iqa.fit_meta_iqa", None)
    again = fetch_meta_iqa(store, images, META, seed=0)
    assert np.array_equal(again(fresh), score(fresh))
    assert isinstance(again, NaturalScore)


def test_meta_iqa_is_decided_by_its_seed(beds):
    short = MetaIQASettings(descent=DescentSettings(steps=2), tasks=2, width=4)
    first, same, other = (fit_meta_iqa(beds[0], short, seed=s)(beds[1]) for s in (0, 0, 1))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)
    with pytest.raises(InputError, match="tasks: expected at most 8"):
        MetaIQASettings(descent=DescentSettings(steps=2), tasks=9)


@pytest.mark.parametrize("name", FULL_REFERENCE)
def test_full_reference_measures_fall_with_damage(beds, name):
    whole = beds[1][:6].expand(-1, 3, -1, -1).contiguous()
    random = torch.Generator()
    values = [
        full_reference_scores(name, degrade(whole, "noise", level, random.manual_seed(0)), whole)
        for level in (0.1, 0.3, 0.9)
    ]
    assert (values[0] > values[1]).all()
    assert (values[1] > values[2]).all()


def test_full_reference_measures_are_piqs():
    random = torch.Generator().manual_seed(0)
    one, other = torch.randint(0, 256, (2, 2, 3, 192, 192), generator=random).byte()
    mse = (one.double() - other.double()).square().mean((1, 2, 3))
    wanted = 10 * torch.log10(255**2 / mse)
    torch.testing.assert_close(full_reference_scores("PSNR", one, other), wanted, rtol=1e-4, atol=0)
    large = piq.vif_p(one / 255, other / 255, data_range=1.0, reduction="none").double()
    torch.testing.assert_close(full_reference_scores("VIF", one, other), large)


def test_originals_of_another_size_are_refused():
    with pytest.raises(InputError, match="originals: expected shape"):
        full_reference_scores(
            "PSNR", torch.zeros(1, 3, 8, 8).byte(), torch.zeros(1, 3, 9, 8).byte()
        )
    with pytest.raises(InputError, match="measure"):
        full_reference_scores(
            "LPIPS", torch.zeros(1, 3, 8, 8).byte(), torch.zeros(1, 3, 8, 8).byte()
        )
