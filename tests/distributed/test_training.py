"""Sharing a training, without processes: each rank's part is played in turn."""

from dataclasses import dataclass, field

import pytest
import torch
from torch import nn
from training_cases import CASES, STEPS, fresh, settings, summary

from giqa_lib.checks import InputError
from giqa_lib.distributed import average_gradients, join_batch_norms, joint_score, share_training
from giqa_lib.gan import train


@dataclass
class Alone:
    """What Fabric is in a single process, or with others whose rows are given."""

    global_rank: int = 0
    world_size: int = 1
    others: dict[str, torch.Tensor] = field(default_factory=dict)

    def all_reduce(self, data, group=None, reduce_op="mean"):
        return torch.stack([data, *self.others.values()]).mean(0)

    def all_gather(self, data, group=None, sync_grads=False):
        return torch.stack([data, *(other.to(data) for other in self.others.values())])


def test_one_process_takes_the_plain_step():
    case = CASES["dcgan"]
    found = []
    for shared in (False, True):
        state, feed, variant = fresh(case)
        if shared:
            feed, variant = share_training(state, feed, variant, fabric=Alone())
        list(train(state, feed, settings(case, 8), at=[STEPS], variant=variant))
        found.append(summary(state))
    assert all(torch.equal(found[0][key], found[1][key]) for key in found[0])


def test_shares_are_the_rows_of_the_joint_batch_and_leave_the_same_random_state():
    case = CASES["scoregan"]
    state, feed, variant = fresh(case)
    start = state.random.get_state()
    joint, latents = feed(6, state.random), variant.draw_latents(6, 8, state.random)
    after = state.random.get_state()
    images, labels, parts = [], [], []
    for rank in range(3):
        state, feed, variant = fresh(case)
        # networks that all have: the others answer as this one does
        fabric = Alone(global_rank=rank, world_size=3)
        feed, variant = share_training(state, feed, variant, fabric=fabric)
        state.random.set_state(start)
        batch = feed(2, state.random)
        images.append(batch.images)
        labels.append(batch.condition[0])
        parts.append(variant.draw_latents(2, 8, state.random))
        assert torch.equal(state.random.get_state(), after)
    assert torch.equal(torch.cat(images), joint.images)
    assert torch.equal(torch.cat(labels), joint.condition[0])
    assert torch.equal(torch.cat(parts), latents)


def test_gradients_become_their_mean_until_the_hook_is_removed():
    weight, unused = nn.Parameter(torch.tensor([1.0, 2.0])), nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight, unused], lr=1.0)
    hook = average_gradients(optimizer, Alone(world_size=2, others={"b": torch.tensor([3.0, 5.0])}))
    weight.grad = torch.tensor([1.0, 1.0])
    optimizer.step()
    assert weight.tolist() == [1.0 - 2.0, 2.0 - 3.0]
    hook.remove()
    optimizer.step()
    assert unused.item() == 0
    assert weight.tolist() == [-1.0 - 2.0, -1.0 - 3.0]  # the gradient itself had been replaced


def test_a_score_is_that_of_the_joint_batch():
    fabric = Alone(world_size=2, others={"b": torch.ones(2, 1, 1, 1)})
    score = joint_score(lambda images: images.mean() * len(images), fabric)
    assert score(torch.zeros(2, 1, 1, 1)).item() == 2.0


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("kind", [nn.BatchNorm1d, nn.BatchNorm2d])
def test_a_joint_batch_norm_is_pytorchs_of_the_joint_batch(kind, affine, generator):
    shape = (6, 3) if kind is nn.BatchNorm1d else (6, 3, 4, 4)
    rows = 5 + 2 * torch.randn(shape, generator=generator)
    expected, plain = (nn.Sequential(kind(3, affine=affine)) for _ in range(2))
    joined = join_batch_norms(plain, Alone())
    for network in (expected, joined):
        assert network.train()(rows).shape == shape
    torch.testing.assert_close(joined(rows), expected(rows), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(joined.state_dict(), expected.state_dict(), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(joined.eval()(rows), expected.eval()(rows), atol=1e-6, rtol=1e-5)
    assert list(joined.parameters()) == list(plain.parameters())


def test_networks_that_differ_are_refused():
    state, feed, variant = fresh(CASES["dcgan"])
    count = len(list(state.generator.parameters()))
    fabric = Alone(world_size=2, others={"b": torch.zeros(1, count)})
    with pytest.raises(InputError, match="generator: expected the same weights in 2 processes"):
        share_training(state, feed, variant, fabric=fabric)
