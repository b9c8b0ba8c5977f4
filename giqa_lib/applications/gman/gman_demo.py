"""Small weights of the four GMAN models for a demonstration: written once after training, read in a moment.

Generators only, in half precision, in one safetensors file with their settings; where they come from stands in the file,
and with its checksum in a JSON file beside it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from giqa_lib.applications.gman.gman_study import GMAN_MODELS, GMAN_PRESETS, GMANStudy
from giqa_lib.applications.snapshots import PRESETS, Study
from giqa_lib.checks import DataUnavailable, InputError, error_line
from giqa_lib.gan import GMANGenerator, GMANSettings
from giqa_lib.store import default_store

__all__ = ["demo_weights", "load_generators", "save_generators", "trained_generators"]

KEPT = ("layers", "image_size", "channels", "width", "latent")


def demo_weights(path: str, *, dataset: str, profile: str = "cpu", seed: int = 0) -> Path:
    """Train the four models as their chapter does, or take them from the store, and write their weights to ``path``.

    Beside it ``<path>.json`` says how they were trained: data set, profile, seed, settings and steps of each, the
    checksum of the file, and the command that makes it again.
    """
    study = Study(PRESETS[profile], dataset=dataset, seed=seed, store=default_store())
    gman = GMANStudy(study, GMAN_PRESETS[profile])
    trained_on = f"{dataset}, profile {profile}, seed {seed}"
    file = save_generators(Path(path), trained_generators(gman), trained_on=trained_on)
    provenance = {
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "made by": f"make demo-weights WEIGHTS_OF={dataset}",
        "trained on": trained_on,
        "images": study.train.fingerprint,
        "runs": {run: gman.settings(run).describe() for run in GMAN_MODELS},
    }
    text = json.dumps(provenance, indent=1, sort_keys=True) + "\n"
    file.with_name(f"{file.name}.json").write_text(text, encoding="utf-8")
    return file


def trained_generators(study: GMANStudy) -> dict[str, nn.Module]:
    """The four models' generators after their last step, trained first if they are not in the store."""
    found = {run: study.snapshots(run) for run in GMAN_MODELS}
    return {run: each.generator(each.steps[-1]) for run, each in found.items()}


def save_generators(path: Path, generators: Mapping[str, nn.Module], *, trained_on: str) -> Path:
    """Write them to one file in half precision; ``trained_on`` says what they were trained on."""
    tensors, settings = {}, {}
    for name, network in generators.items():
        if not isinstance(network, GMANGenerator):
            hint = "take trained_generators(study)"
            got = type(network).__name__
            raise InputError(error_line(name, expected="a GMANGenerator", got=got, hint=hint))
        own = asdict(network.settings)
        settings[name] = {key: own[key] for key in KEPT}
        for key, value in network.state_dict().items():
            half = value.half() if value.is_floating_point() else value
            tensors[f"{name}.{key}"] = half.cpu().contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    details = {"settings": json.dumps(settings), "trained on": trained_on}
    save_file(tensors, path, metadata=details)
    return path


def load_generators(path: Path) -> tuple[dict[str, nn.Module], str]:
    """Generators by name, in evaluation mode, and what they were trained on."""
    if not path.is_file():
        hint = "train them: make demo-weights"
        raise DataUnavailable(
            error_line("weights", expected=str(path), got="no such file", hint=hint)
        )
    with safe_open(path, framework="pt") as file:
        details = file.metadata()
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    found: dict[str, nn.Module] = {}
    for name, settings in json.loads(details["settings"]).items():
        with torch.random.fork_rng(devices=[]):  # initial weights are drawn, and replaced
            network = GMANGenerator(GMANSettings(**settings))
        own = {
            key.removeprefix(f"{name}."): value
            for key, value in tensors.items()
            if key.startswith(f"{name}.")
        }
        network.load_state_dict(own)
        found[name] = network.eval()
    return found, details["trained on"]
