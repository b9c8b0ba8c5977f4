"""Features: images per second of ``extract`` against a plain float32 loop over the same network.

    python tests/benchmarks/bench_features.py --quick --json features.json

The peer is what a script does: timm's or our own network in evaluation mode, float32, the
default memory order, batches of 64 under ``inference_mode``. Both sides get the same uint8 images
at the network's size and normalise them; neither decodes nor resizes. They take turns, and
the fastest of the rounds counts, since a shared machine only ever adds time. ``agreement`` is
the rank correlation of a Gaussian mixture's log-density over our features with that over the
peer's, the mixture fitted to the peer's features of other images.
"""

import argparse
import copy
import json
import platform
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import timm
import torch
from scipy.stats import spearmanr
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import nn

from giqa_lib.data import find, load, resize
from giqa_lib.features import PCA, ClassifierExtractor, ClassifierSettings, extract, extractor
from giqa_lib.features.classifier import SmallClassifier
from giqa_lib.features.classifier_training import train_classifier
from giqa_lib.features.extractors import _SPECS

MARK = 2.5
AGREEMENT = 0.999


def note(ratio: float, agreement: float) -> str:
    """What a row misses, in words: its speed, or the order of the scores."""
    missed = []
    if ratio < MARK:
        missed.append(
            f"slower than the mark of {MARK:g}: probably since on small images the layers are short and the work "
            "around them, which no memory format or folding spares, weighs more"
        )
    if agreement < AGREEMENT:
        missed.append(
            f"scores rank-correlate {agreement:.4f} with float32's, below the {AGREEMENT:g} asked"
            + (" (the speed's mark is reached)" if ratio >= MARK else "")
        )
    return "; ".join(missed)


def plain_lite0() -> nn.Module:
    """Timm's network with the package's weights, as a script would build it."""
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    state = torch.load(_SPECS["efficientnet_lite0"].package(), weights_only=True)
    network.load_state_dict(dict(zip(network.state_dict(), state.values(), strict=True)))
    network.reset_classifier(0)
    return network.eval()


def plain_classifier(trained: ClassifierExtractor) -> nn.Module:
    """The trained classifier's layers up to the penultimate one, not folded."""
    settings = trained.settings
    network = SmallClassifier(
        trained.channels, len(trained.classes), channels=settings.channels, width=settings.width
    )
    network.load_state_dict(trained._state)
    return network.features.eval()


def plain_loop(
    network: nn.Module, images: torch.Tensor, mean: torch.Tensor, std: torch.Tensor
) -> np.ndarray:
    """The peer."""
    parts = []
    with torch.inference_mode():
        for batch in images.split(64):
            parts.append(network((batch.float() / 255 - mean) / std))
    return torch.cat(parts).numpy()


def fastest(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds of the fastest round of each, taking turns."""
    seconds = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds


def density(features: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A mixture of 7 over at most 64 components, as a function of features."""
    pca = PCA(variance=0.95, max_components=64).fit(features)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture = GaussianMixture(7, reg_covar=1e-3, random_state=0, max_iter=30).fit(
            pca.transform(features)
        )
    return lambda other: mixture.score_samples(pca.transform(other))


def rows_for(task, ours, peer, peer_name, images, reference, *, mean, std, rounds, compiled):
    """Rows of one network: float32, bfloat16 and, if wanted, compiled."""
    mean, std = (torch.as_tensor(v, dtype=torch.float32).view(1, -1, 1, 1) for v in (mean, std))
    shown = resize(images, ours.network_size)
    shown = shown.expand(-1, ours.channels, -1, -1).contiguous()
    reference = resize(reference, ours.network_size).expand(-1, ours.channels, -1, -1)
    score = density(plain_loop(peer, reference, mean, std))
    variants = {"float32": (ours, "float32"), "bfloat16": (ours, "bfloat16")}
    if compiled:
        fast = copy.copy(ours)
        fast.compile()
        variants["float32 compiled"] = (fast, "float32")
    truth = score(plain_loop(peer, shown, mean, std))
    runs = {"peer": lambda: plain_loop(peer, shown, mean, std)}
    for name, (network, precision) in variants.items():
        runs[name] = lambda network=network, precision=precision: extract(
            shown, network, precision=precision
        )
    agreements = {
        name: float(spearmanr(truth, score(run().values)).statistic)
        for name, run in runs.items()
        if name != "peer"
    }
    seconds = fastest(runs, rounds)
    return [
        {
            "task": f"{task}, {name}",
            "size": f"{len(shown)} images of {ours.network_size[0]} px",
            "ours_seconds": seconds[name],
            "ours_images_per_second": len(shown) / seconds[name],
            "peer": "plain float32 loop, batch 64",
            "peer_version": peer_name,
            "peer_seconds": seconds["peer"],
            "ratio": seconds["peer"] / seconds[name],
            "agreement": agreements[name],
            "mark": MARK,
            "agreement_mark": AGREEMENT,
            "reached": seconds["peer"] / seconds[name] >= MARK and agreements[name] >= AGREEMENT,
            "note": note(seconds["peer"] / seconds[name], agreements[name]),
            "threads": torch.get_num_threads(),
            "device": platform.processor() or platform.machine(),
        }
        for name in variants
    ]


def measure(*, quick: bool, compiled: bool) -> list[dict]:
    """All rows."""
    if find("fashion-mnist") is None:
        sys.exit("fashion-mnist is not on this machine: make data")
    train, test = load("fashion-mnist", "train"), load("fashion-mnist", "test")
    sizes = {64: 400, 96: 200} if quick else {64: 5000, 96: 3000, 224: 500}
    rounds = 1 if quick else 3
    version = f"timm {timm.__version__}, torch {torch.__version__}"
    rows = []
    pixels = test.subset(range(max(sizes.values()))).tensor()
    fit_on = train.subset(range(500 if quick else 5000)).tensor()
    lite0 = plain_lite0()
    for size, count in sizes.items():
        rows += rows_for(
            f"EfficientNet-Lite0 features at {size} px",
            extractor(f"efficientnet_lite0@{size}"),
            lite0,
            version,
            pixels[:count],
            fit_on[: min(len(fit_on), 4 * count)],
            mean=[0.5],
            std=[0.5],
            rounds=rounds,
            compiled=compiled,
        )
    settings = ClassifierSettings(epochs=1)
    some = train.subset(range(1000 if quick else 20_000))
    trained = train_classifier(some.tensor(), some.labels, settings=settings)
    mean, std = trained._moments
    rows += rows_for(
        "own classifier's features at 28 px",
        trained,
        plain_classifier(trained),
        f"torch {torch.__version__}",
        test.subset(range(500 if quick else 10_000)).tensor(),
        fit_on,
        mean=mean,
        std=std,
        rounds=rounds,
        compiled=compiled,
    )
    return rows


def main() -> None:
    """Measure, print a table, write the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a minute, says little")
    size.add_argument("--full", action="store_true", help="the default")
    parser.add_argument("--compile", action="store_true", help="measure torch.compile as well")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    rows = measure(quick=chosen.quick, compiled=chosen.compile)
    print(f"{'task':55} {'ours/s':>8} {'ratio':>6} {'agreement':>9}  mark")
    for row in rows:
        mark = "reached" if row["reached"] else "missed"
        speed = row["ours_images_per_second"]
        print(f"{row['task']:55} {speed:8.0f} {row['ratio']:6.2f} {row['agreement']:9.5f}  {mark}")
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
