r"""Training a GAN by several processes: the step that one process would take on the joint batch.

Each of R processes has the same networks and goes through the same steps with 1/R of the batch. A loss is a
mean over images, so with equal shares the gradient of the joint loss is the mean of the processes' gradients,

.. math:: \nabla_\theta \frac1R \sum_r \mathcal L_r = \frac1R \sum_r \nabla_\theta \mathcal L_r,

which every optimiser gets before its step. The training loop stays as it is: ``share_training`` changes what it is
fed. Two things of a batch are no means over images, and have functions of their own: statistics of batch norm
(:func:`join_batch_norms`) and a score of a batch (:func:`joint_score`).

What is left to each process: what an extra loss of the discriminator draws (the places of a gradient penalty)
comes from a stream of the process's own; gamma of a label guide moves with the share; layers that draw for themselves (dropout)
draw alike in all processes; losses that are recorded are those of the share.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from giqa_lib.checks import InputError, error_line
from giqa_lib.distributed.fabric import Processes, rows_of_all
from giqa_lib.gan import Batch, BatchScore, Feed, TrainState, Variant

__all__ = ["average_gradients", "join_batch_norms", "joint_score", "share_training"]

EXTRA_SEED = 1 << 41  # apart from the streams of weights and steps


def share_training(
    state: TrainState, feed: Feed, variant: Variant, *, fabric: Processes
) -> tuple[Feed, Variant]:
    """Feed and variant with which :func:`giqa_lib.gan.train` takes this process's share of a joint batch.

    Call it once, in every process, with states made from the same seed; ``batch_size`` of the training's settings
    is then that of a share. Every process draws the joint batch and keeps its rows, so the random
    state that a checkpoint holds is that of a run by one process. Gradients are averaged before each optimiser's step.

    Raises ``InputError`` if the processes' networks or seeds differ.
    """
    _check_alike(state, fabric)
    for optimizer in (state.generator_optimizer, state.discriminator_optimizer):
        average_gradients(optimizer, fabric)
    rank, count = fabric.global_rank, fabric.world_size
    own = torch.Generator().manual_seed((state.random.initial_seed() + EXTRA_SEED + rank) % 2**63)

    def shared_feed(size: int, random: torch.Generator) -> Batch:
        batch, rows = feed(size * count, random), slice(rank * size, (rank + 1) * size)
        return Batch(
            images=batch.images[rows], condition=tuple(part[rows] for part in batch.condition)
        )

    def latents(size: int, width: int, random: torch.Generator) -> Tensor:
        return variant.draw_latents(size * count, width, random)[rank * size : (rank + 1) * size]

    def extra(real: Batch, fake: Tensor, random: torch.Generator) -> Tensor:
        return variant.discriminator_extra(real, fake, own)

    return shared_feed, replace(variant, draw_latents=latents, discriminator_extra=extra)


def average_gradients(
    optimizer: torch.optim.Optimizer, fabric: Processes
) -> torch.utils.hooks.RemovableHandle:
    """From now on each gradient is its mean over processes when ``optimizer`` steps; the handle ends that."""

    def average(optimizer: torch.optim.Optimizer, *_: object) -> None:
        gradients = [
            parameter.grad
            for group in optimizer.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        # in one piece: messages cost more than numbers
        joined = fabric.all_reduce(torch.cat([gradient.flatten() for gradient in gradients]))
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, mean in zip(gradients, joined.split(sizes), strict=True):
            gradient.copy_(mean.view(gradient.shape))

    return optimizer.register_step_pre_hook(average)


def joint_score(score: BatchScore, fabric: Processes) -> BatchScore:
    """The score of the joint batch, for :func:`giqa_lib.gan.score_guidance`.

    A score of a batch (its Inception score) is no mean over its images. So each process scores the images of all;
    that costs the evaluator's work as often as there are processes.
    """
    return lambda images: score(rows_of_all(images, fabric))


def join_batch_norms(network: nn.Module, fabric: Processes) -> nn.Module:
    """Let every batch norm in ``network`` use mean and variance of the joint batch; in place, and returned.

    PyTorch's ``SyncBatchNorm`` does this on GPUs only. Weights and buffers are shared with the modules that are
    replaced, so optimisers and checkpoints keep their meaning. Not for networks whose gradient is differentiated again.
    """
    for name, module in network.named_children():
        if isinstance(module, _BatchNorm) and not isinstance(module, _JointBatchNorm):
            setattr(network, name, _JointBatchNorm(module, fabric))
        else:
            join_batch_norms(module, fabric)
    return network


class _JointBatchNorm(_BatchNorm):
    def __init__(self, plain: _BatchNorm, fabric: Processes) -> None:
        super().__init__(plain.num_features)
        self.__dict__.update(plain.__dict__)  # the same parameters and buffers, not copies
        self._fabric = fabric

    def forward(self, input: Tensor) -> Tensor:
        if not self.training and self.running_mean is not None:
            return functional.batch_norm(
                input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        channel = (1, -1, *[1] * (input.ndim - 2))
        others = [dimension for dimension in range(input.ndim) if dimension != 1]
        mean = self._mean(input.mean(others))
        centred = input - mean.view(channel)
        variance = self._mean(centred.square().mean(others))
        if self.training:
            self._remember(mean.detach(), variance.detach(), input.numel() // input.shape[1])
        scaled = centred * (variance + self.eps).rsqrt().view(channel)
        if self.weight is None:
            return scaled
        return scaled * self.weight.view(channel) + self.bias.view(channel)

    def _mean(self, values: Tensor) -> Tensor:
        return rows_of_all(values[None], self._fabric).mean(0)

    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        if (
            self.running_mean is None
            or self.running_var is None
            or self.num_batches_tracked is None
        ):
            return
        joint = count * self._fabric.world_size
        self.num_batches_tracked.add_(1)
        share = self.momentum if self.momentum is not None else 1 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance * (joint / (joint - 1)), share)


def _check_alike(state: TrainState, fabric: Processes) -> None:
    """Weights that differ at the start would stay different for ever."""
    for name, network in (("generator", state.generator), ("discriminator", state.discriminator)):
        with torch.no_grad():
            own = torch.stack([values.double().sum() for values in network.parameters()])
        found = rows_of_all(own[None], fabric)
        if not torch.equal(found, found[:1].expand_as(found)):
            got, hint = "different ones", "make each process's state from the same seed"
            expected = f"the same weights in {fabric.world_size} processes"
            raise InputError(error_line(name, expected=expected, got=got, hint=hint))
    seeds = torch.tensor([state.random.initial_seed() % 2**62])
    if len(set(rows_of_all(seeds, fabric).tolist())) > 1:
        hint = "pass torch.Generator().manual_seed(seed) with the same seed in each"
        raise InputError(error_line("random", expected="one seed", got="several", hint=hint))
