"""From two folders of images to FID: ours against pytorch-fid, clean-fid, torch-fidelity and torchmetrics.

    python tests/benchmarks/bench_images.py --quick --json rows.json
    python tests/benchmarks/bench_images.py --full --json rows.json

The same PNG files at the network's size (so that nobody resizes), the same network (EfficientNet-Lite0,
1280 features, ImageNet weights of its package) and the same batch size for all; each side decodes, extracts
and computes the distance as its users would, in turn, with two threads and no worker processes. The peers
run the network as timm has it, we as ``extractor()`` prepares it. Fewer images than features, as
in most uses of FID on one's own folders. ``agreement`` is the relative difference of the peer's distance from ours.
torch-fidelity's extractor caches are off. A peer that is not installed has a row that says so.
"""

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

THREADS = 2
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = str(THREADS)  # before NumPy and torch are loaded
os.environ["TQDM_DISABLE"] = "1"

import numpy as np  # noqa: E402
import torch  # noqa: E402
from bench_features import plain_lite0  # noqa: E402
from measuring import version  # noqa: E402
from PIL import Image  # noqa: E402
from torch import nn  # noqa: E402

from giqa_lib.data import degrade, open_images, resize, toy_faces  # noqa: E402
from giqa_lib.evaluation import frechet_distance  # noqa: E402
from giqa_lib.features import extract, extractor  # noqa: E402

torch.set_num_threads(THREADS)
MARK = (
    1.5  # set before the first run: the network is the same for all, decoding and distance are not
)
SIDE, BATCH, WIDTH = 96, 50, 1280


class Normalised(nn.Module):
    """The peers' network for pixels in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        network = extractor(f"efficientnet_lite0@{SIDE}")
        self.network = plain_lite0()
        self.scale, self.shift = network._scale * 255, network._shift

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images * self.scale + self.shift)


def ours(real: Path, generated: Path, network: nn.Module) -> float:
    mine = extractor(f"efficientnet_lite0@{SIDE}")
    first, second = (
        extract(open_images(p), mine, batch_size=BATCH).values for p in (real, generated)
    )
    return frechet_distance(real=first, generated=second)


def pytorch_fid(real: Path, generated: Path, network: nn.Module) -> float:
    from pytorch_fid.fid_score import calculate_activation_statistics, calculate_frechet_distance

    class Listed(nn.Module):
        def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
            return [network(images)[:, :, None, None]]

    moments = [
        calculate_activation_statistics(sorted(p.iterdir()), Listed(), BATCH, WIDTH, "cpu", 0)
        for p in (real, generated)
    ]
    return float(calculate_frechet_distance(*moments[0], *moments[1]))


def clean_fid(real: Path, generated: Path, network: nn.Module) -> float:
    from cleanfid import fid

    def model(batch: torch.Tensor) -> torch.Tensor:
        return network(batch / 255)

    features = [
        fid.get_folder_features(str(p), model, num_workers=0, batch_size=BATCH, device=torch.device("cpu"),
                                mode="clean", custom_fn_resize=lambda array: array, verbose=False)
        for p in (real, generated)
    ]  # fmt: skip
    return float(fid.fid_from_feats(*features))


def torch_fidelity(real: Path, generated: Path, network: nn.Module) -> float:
    import torch_fidelity as peer
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase
    from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY

    class Lite0(FeatureExtractorBase):
        def __init__(self, name: str, features_list: list[str], **_: object) -> None:
            super().__init__(name, features_list)

        @staticmethod
        def get_provided_features_list() -> tuple[str, ...]:
            return ("1280",)

        @staticmethod
        def get_default_feature_layer_for_metric(metric: str) -> str:
            return "1280"

        @staticmethod
        def can_be_compiled() -> bool:
            return False

        @staticmethod
        def get_dummy_input_for_compile() -> torch.Tensor:
            return torch.zeros(1, 3, SIDE, SIDE, dtype=torch.uint8)

        def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return (network(images.float() / 255),)

    if "lite0" not in FEATURE_EXTRACTORS_REGISTRY:  # a name can be registered once
        peer.register_feature_extractor("lite0", Lite0)
    found = peer.calculate_metrics(
        input1=str(generated), input2=str(real), fid=True, feature_extractor="lite0",
        feature_layer_fid="1280", batch_size=BATCH, cuda=False, cache=False, verbose=False,
        save_cpu_ram=True,
    )  # fmt: skip
    return float(found["frechet_inception_distance"])


def torchmetrics(real: Path, generated: Path, network: nn.Module) -> float:
    from torchmetrics.image.fid import FrechetInceptionDistance

    class Sized(nn.Module):
        num_features = WIDTH

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return network(images)

    metric = FrechetInceptionDistance(
        feature=Sized(), normalize=True, input_img_size=(3, SIDE, SIDE)
    )
    metric.set_dtype(torch.float64)
    with torch.no_grad():
        for path, is_real in ((real, True), (generated, False)):
            files = sorted(path.iterdir())
            for start in range(0, len(files), BATCH):
                pixels = [np.asarray(Image.open(file)) for file in files[start : start + BATCH]]
                images = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255
                metric.update(images, real=is_real)
    return float(metric.compute())


#: What is known of the cause, shown where the mark is not reached.
WHY_MISSED = {
    "torchmetrics": "decoding and the network are common, and it too takes the distance from eigenvalues, without sqrtm: "
    "what is left is how the network is run"
}
PEERS: dict[str, Callable[[Path, Path, nn.Module], float]] = {
    "pytorch-fid": pytorch_fid,
    "clean-fid": clean_fid,
    "torch-fidelity": torch_fidelity,
    "torchmetrics": torchmetrics,
}


def write(folder: Path, images: torch.Tensor) -> Path:
    folder.mkdir()
    for number, image in enumerate(resize(images, SIDE)):
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(folder / f"{number:05d}.png")
    return folder


def quiet(function: Callable[..., float], *arguments: object) -> tuple[float, float]:
    """The value and the seconds."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        started = time.perf_counter()
        value = function(*arguments)
        return value, time.perf_counter() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    count, rounds = (60, 1) if options.quick else (400, 2)
    network, rows = Normalised().eval(), []
    with tempfile.TemporaryDirectory() as name:
        faces = toy_faces(2 * count, size=64, seed=0)[0]
        real = write(Path(name) / "real", faces[:count])
        noisy = degrade(faces[count:], "noise", 0.2, torch.Generator().manual_seed(0))
        generated = write(Path(name) / "generated", noisy)
        few = write(Path(name) / "few", faces[:BATCH])
        for peer, function in PEERS.items():
            found = version(peer)
            common = {"task": "images to FID", "size": f"2 x {count} PNG of {SIDE} px, EfficientNet-Lite0",
                      "peer": peer, "peer_version": found, "mark": MARK}  # fmt: skip
            if found is None:
                rows.append(common | {"note": "not installed"})
                continue
            for side in (ours, function):  # what is loaded on first use does not count
                quiet(side, few, few, network)
            times = {"ours": float("inf"), "peer": float("inf")}
            for _ in range(rounds):
                mine, seconds = quiet(ours, real, generated, network)
                times["ours"] = min(times["ours"], seconds)
                theirs, seconds = quiet(function, real, generated, network)
                times["peer"] = min(times["peer"], seconds)
            ratio = times["peer"] / times["ours"]
            rows.append(common | {
                "note": WHY_MISSED.get(peer, "") if ratio < MARK else "",
                "ours_seconds": times["ours"], "peer_seconds": times["peer"],
                "ratio": ratio,
                "agreement": f"FID {mine:.6g} by us, {theirs:.6g} by the peer: relative difference {abs(mine - theirs) / mine:.1e}",
            })  # fmt: skip
    options.json.write_text(json.dumps(rows, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
