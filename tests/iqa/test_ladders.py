"""RankIQA's batches: the same images at several levels of one degradation."""

import pytest
import torch

from giqa_lib.iqa import DegradedExamples, ranking_loss


@pytest.mark.parametrize("kind", ["noise", "salt_and_pepper"])
def test_a_level_further_is_the_same_noise_and_more(monkeypatch, kind):
    """Otherwise a rung would differ from the next by chance as well as by level."""
    monkeypatch.setattr("giqa_lib.iqa.examples.KINDS", (kind,))
    grey = torch.full((6, 1, 16, 16), 128, dtype=torch.uint8)
    batch, _ = DegradedExamples(images=grey).ladder(6, 3, torch.Generator().manual_seed(1))
    least, _, most = (batch.float() - 128).view(3, -1)
    assert (least != 0).float().mean() > 0.05
    assert (least * most >= 0).all()
    assert (most.abs() >= least.abs()).all()


def test_rows_come_level_by_level_with_the_images_in_one_order():
    greys = torch.arange(0, 250, 25, dtype=torch.uint8).view(10, 1, 1, 1).expand(10, 1, 8, 8)
    for seed in range(8):
        random = torch.Generator().manual_seed(seed)
        batch, quality = DegradedExamples(images=greys).ladder(5, 4, random)
        assert quality.shape == (4, 5)
        assert (quality == quality[:, :1]).all()  # one level a rung
        rungs = batch.float().view(4, 5, -1).median(dim=2).values
        # the kinds that leave a flat image's median alone show which image a row is
        if (rungs[0] == rungs[3]).all():
            assert (rungs == rungs[0]).all()
            return
    raise AssertionError("no seed drew a degradation that spares a flat image")


@pytest.mark.parametrize(
    ("scores", "expected"), [([3.0, 2.0, 1.0], 0.0), ([1.0, 2.0, 3.0], 4.6 / 3)]
)
def test_the_hinge_knows_which_way_is_better(scores, expected):
    """The best level first: falling scores cost nothing; rising ones 1.2, 1.2 and 2.2, on average 4.6 / 3."""
    quality = torch.tensor([[0.9], [0.5], [0.1]])
    found = ranking_loss(torch.tensor(scores)[:, None], quality)
    assert float(found) == pytest.approx(expected, abs=1e-6)
