import numpy as np
import pytest
import torch
from scipy.stats import norm

from giqa_lib.checks import InputError
from giqa_lib.iqa import earth_mover_loss, mean_opinion, opinion_distribution, ranking_loss
from giqa_lib.iqa.objectives import absolute_error_loss, squared_error_loss


def point(place, width=10):
    return torch.eye(width)[place][None]


@pytest.mark.parametrize("distance", [0, 1, 4, 9])
@pytest.mark.parametrize("power", [1.0, 2.0])
def test_two_point_masses_are_as_far_as_the_bins_between_them(distance, power):
    """Their cumulative sums differ by 1 in exactly ``distance`` of ten bins."""
    loss = earth_mover_loss(1000 * point(0), point(distance), power=power)
    assert float(loss) == pytest.approx((distance / 10) ** (1 / power), abs=2e-6)


def test_equal_distributions_are_no_distance_apart_and_have_a_slope():
    logits = torch.randn(3, 10, generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss = earth_mover_loss(logits, logits.detach().softmax(1))
    loss.backward()
    assert float(loss.detach()) < 1e-5
    assert torch.isfinite(logits.grad).all()


def test_the_loss_is_averaged_over_the_batch():
    both = torch.cat([1000 * point(0), 1000 * point(0)])
    loss = earth_mover_loss(both, torch.cat([point(0), point(4)]))
    assert float(loss) == pytest.approx((0.4**0.5) / 2, abs=1e-5)


def test_mean_opinion_by_hand():
    assert float(mean_opinion(1000 * point(6))) == pytest.approx(7.0)
    logits = torch.log(torch.tensor([[0.25, 0.75]]))
    assert float(mean_opinion(logits)) == pytest.approx(1.75)


def test_opinions_are_a_gaussian_of_ten_places():
    found = opinion_distribution(torch.tensor([0.3], dtype=torch.float64))[0].numpy()
    expected = norm.pdf(np.arange(1, 11), 1 + 9 * 0.3, 1.5)
    assert found == pytest.approx(expected / expected.sum())


def test_better_images_have_better_opinions():
    means = opinion_distribution(torch.linspace(0, 1, 9)) @ torch.arange(1.0, 11.0)
    assert (means.diff() > 0).all()


def test_the_hinge_counts_every_pair_of_levels_of_one_image():
    """Two images, three levels: image 0 in order by 1 each, image 1 exactly the wrong way round."""
    scores = torch.tensor([2.0, 0.0, 1.0, 1.0, 0.0, 2.0])[:, None]
    quality = torch.tensor([[0.9, 0.9], [0.5, 0.5], [0.1, 0.1]])
    wrong = [1 + 0.2, 2 + 0.2, 1 + 0.2]  # image 1: 0, 1, 2 where it should fall
    assert float(ranking_loss(scores, quality)) == pytest.approx(sum(wrong) / 6)


def test_ties_cost_the_margin():
    quality = torch.tensor([[0.9], [0.1]])
    assert float(ranking_loss(torch.zeros(2, 1), quality, margin=0.5)) == 0.5
    with pytest.raises(InputError, match="margin"):
        ranking_loss(torch.zeros(2, 1), quality, margin=0.0)


def test_errors_by_hand():
    outputs, quality = torch.tensor([[0.0], [1.0]]), torch.tensor([0.5, 0.0])
    assert float(absolute_error_loss(outputs, quality)) == 0.75
    assert float(squared_error_loss(outputs, quality)) == 0.625
