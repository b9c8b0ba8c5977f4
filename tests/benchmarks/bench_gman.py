"""Five discriminators: what a training step costs against one, in a loop, grouped or vmapped, and in other formats.

    python tests/benchmarks/bench_gman.py --quick --json rows.json
    python tests/benchmarks/bench_gman.py --full --json rows.json

One step of the library's own training loop (``giqa_lib.gan.train``), GMAN with five discriminators against the plain
GAN of the same layers, in turn, in one process with one thread, in CPU seconds. ``ratio`` is the plain step over ours, the
median over the rounds after a first one: the two of a round share what else the machine does. ``mark`` is 1 / 3.5.

The library evaluates them one after another ("loop"), float32, channels last. The alternatives stand beside it as rows
without a mark, each against the same plain step:

- *grouped*: one network of grouped convolutions over five times the channels (exact, its batch norms being one a channel);
- *vmapped* over stacked weights (batch norm without running statistics);
- *loop, contiguous*: weights and images in torch's default memory format;
- *loop, bfloat16*: the same step under autocast.

The library keeps the plain loop: it is the clearest and reaches the mark, and at the report's widths no exact alternative is
faster on a CPU; with narrow dense layers grouping is. bfloat16 is much faster where the processor multiplies it, but
trains other numbers: a user's choice. None of this has been measured on a GPU.
"""

import argparse
import copy
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is loaded

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state

from giqa_lib.gan import (
    Batch,
    Feed,
    GMANDiscriminator,
    GMANSettings,
    MeanOfProbabilities,
    Variant,
    images_at_random,
    new_state,
    train,
)

torch.set_num_threads(1)
MARK = 1 / 3.5
JUDGES = 5
ALTERNATIVES = ("loop", "grouped", "vmapped", "loop, contiguous", "loop, bfloat16")


class Grouped(nn.Module):
    """Five discriminators of one make as one network of grouped convolutions."""

    def __init__(self, settings: GMANSettings) -> None:
        super().__init__()
        judges = [GMANDiscriminator(settings) for _ in range(JUDGES)]
        layers = [
            _grouped(parts) for parts in zip(*(judge.layers for judge in judges), strict=True)
        ]
        self.layers = nn.Sequential(*layers, _grouped([judge.last for judge in judges]))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Logits (n,) of each."""
        return self.layers(images.repeat(1, JUDGES, 1, 1)).flatten(1).unbind(1)


def _grouped(parts: list[nn.Module]) -> nn.Module:
    first = parts[0]
    if isinstance(first, nn.Conv2d):
        made = nn.Conv2d(
            JUDGES * first.in_channels,
            JUDGES * first.out_channels,
            first.kernel_size,
            first.stride,
            first.padding,
            groups=JUDGES,
        )
    elif isinstance(first, nn.BatchNorm2d):
        made = nn.BatchNorm2d(JUDGES * first.num_features)
    else:
        return copy.deepcopy(first)
    for name, parameter in made.named_parameters():
        parameter.data.copy_(torch.cat([getattr(part, name).data for part in parts]))
    return made


class Vmapped(nn.Module):
    """Five discriminators over stacked weights; batch norm by the batch alone."""

    def __init__(self, settings: GMANSettings) -> None:
        super().__init__()
        judges = [GMANDiscriminator(settings) for _ in range(JUDGES)]
        for judge in judges:
            for module in judge.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.track_running_stats = False
                    module.running_mean = module.running_var = module.num_batches_tracked = None
                if isinstance(module, nn.LeakyReLU):
                    module.inplace = False
        stacked, _ = stack_module_state(judges)
        self.names = list(stacked)
        self.stacked = nn.ParameterList(
            [nn.Parameter(value.detach()) for value in stacked.values()]
        )
        self.base = [copy.deepcopy(judges[0]).to("meta")]

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Logits (n,) of each."""
        base = self.base[0]
        values = dict(zip(self.names, self.stacked, strict=True))
        call = torch.vmap(lambda state: functional_call(base, state, (images,)))
        return call(values).unbind(0)


class ContiguousBatch(Batch):
    """A batch in torch's default memory format."""

    def to(self, device: str | torch.device) -> Batch:
        """The same; a training's own goes channels last here."""
        images = self.images.to(device).contiguous()
        return Batch(images=images, condition=self.condition)


def contiguous(feed: Feed) -> Feed:
    """The same images, in torch's default memory format."""

    def draw(size: int, random: torch.Generator) -> Batch:
        return ContiguousBatch(images=feed(size, random).images)

    return draw


def stepper(settings: GMANSettings, how: str, batch: int) -> Callable[[], float]:
    """CPU seconds of one training step, each time a new one."""
    random = torch.Generator().manual_seed(0)
    generator, discriminator = settings.networks(random)
    variant = settings.variant(discriminator)
    side = settings.image_size
    real = torch.randint(0, 255, (500, settings.channels, side, side), dtype=torch.uint8)
    feed = images_at_random(real)
    if how in ("grouped", "vmapped"):
        torch.manual_seed(0)
        discriminator = {"grouped": Grouped, "vmapped": Vmapped}[how](settings)
        if how == "grouped":  # stacked weights have five axes
            discriminator.to(memory_format=torch.channels_last)
        variant = Variant(objective=variant.objective, aggregate=MeanOfProbabilities().fresh())
    if how == "loop, contiguous":
        feed = contiguous(feed)
        for network in (generator, discriminator):
            network.to(memory_format=torch.contiguous_format)
    run = settings.training(10_000, batch_size=batch)
    state = new_state(generator, discriminator, run, latent=settings.latent, random=random)
    steps = train(state, feed, run, at=range(10_000), variant=variant)

    def step() -> float:
        start = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=how == "loop, bfloat16"):
            next(steps)
        return time.process_time() - start

    return step


def rows_for(name: str, made: GMANSettings, batch: int, rounds: int) -> list[dict]:
    """The plain step, and five discriminators each way."""
    five = replace(made, discriminators=JUDGES)
    steppers = {"one": stepper(made, "loop", batch)}
    steppers |= {how: stepper(five, how, batch) for how in ALTERNATIVES}
    rows = [{how: step() for how, step in steppers.items()} for _ in range(rounds + 1)][1:]
    seconds = {how: statistics.median(row[how] for row in rows) for how in steppers}
    times = {how: statistics.median(row[how] / row["one"] for row in rows) for how in steppers}
    return [
        {
            "task": f"{name}: a step with five discriminators, {how}",
            "size": f"width {made.width}, {made.channels} x {made.image_size} px, batch {batch}",
            "peer": "the plain GAN's step",
            "peer_version": f"torch {torch.__version__}",
            "ours_seconds": seconds[how],
            "peer_seconds": seconds["one"],
            "ratio": 1 / times[how],
            "mark": MARK if how == "loop" else None,
            "note": f"{times[how]:.2f} times the plain step"
            + ("" if how == "loop" else "; an alternative, not what the library does"),
            "threads": 1,
            "device": platform.processor() or platform.machine(),
        }
        for how in ALTERNATIVES
    ]


def measure(*, quick: bool) -> list[dict]:
    """All rows."""
    widths, batch, rounds = ((4,), 4, 2) if quick else ((32, 16), 64, 11)
    rows = []
    for width in widths:
        for layers, name in (("convolutional", "DCGMAN"), ("dense", "GMAN")):
            made = GMANSettings(
                layers=layers, width=width, channels=3, soft_labels=layers == "dense"
            )
            rows += rows_for(name, made, batch, rounds)
    return rows


def main() -> None:
    """Measure, print a table, write the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="tiny sizes")
    size.add_argument("--full", action="store_true", help="the default")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    rows = measure(quick=chosen.quick)
    for row in rows:
        print(f"{row['task']:62} {row['size']:40} {1 / row['ratio']:5.2f} x")
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
