"""LGIQA's data path on stand-in folders: textures for the real images, noisy ones for the worse of a pair."""

import pytest
import torch
from image_textures import textures
from PIL import Image

from giqa_lib.applications.giqa import (
    LGIQA_SETTINGS,
    LgiqaSettings,
    NaturalPreset,
    judge_pairs,
    lgiqa_reference,
    lgiqa_values,
)
from giqa_lib.applications.pairs import find_lgiqa, read_pair_folder
from giqa_lib.iqa import BaselineSettings
from giqa_lib.learning import FitSettings
from giqa_lib.store import Store

FIT = FitSettings(steps=4, batch_size=8, check_every=2)
NATURAL = NaturalPreset(real=48, settings=BaselineSettings(fit=FIT, width=4, held_out=8))


@pytest.fixture
def data(tmp_path, monkeypatch):
    """``$GIQA_DATA`` with FFHQ's and LGIQA's layout."""
    real, pairs = tmp_path / "ffhq", tmp_path / "lgiqa" / "ffhq"
    real.mkdir()
    pairs.mkdir(parents=True)
    for number, image in enumerate(textures(60)):
        Image.fromarray(image[0].numpy()).save(real / f"{number:03}.png")
    lines = ["better,worse"]
    for number, image in enumerate(textures(10, seed=1)):
        noise = torch.randint(-90, 90, image.shape, generator=torch.Generator().manual_seed(number))
        bad = (image.int() + noise).clamp(0, 255).to(torch.uint8)
        Image.fromarray(image[0].numpy()).save(pairs / f"good{number}.png")
        Image.fromarray(bad[0].numpy()).save(pairs / f"bad{number}.png")
        lines.append(f"good{number}.png,bad{number}.png")
    (pairs / "pairs.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.setenv("GIQA_DATA", str(tmp_path))


def test_all_methods_without_snapshots_judge_its_pairs(data, tmp_path):
    found = read_pair_folder(find_lgiqa()["ffhq"])
    real = lgiqa_reference("ffhq")
    assert real is not None
    settings = LgiqaSettings(reference="ffhq", components=2, neighbours=3)
    values = lgiqa_values(
        found,
        real,
        settings,
        Store(tmp_path / "store"),
        natural=NATURAL,
        feature="pixels@16",
        side=32,
        max_components=6,
        seed=0,
    )
    frame = judge_pairs(values, [found.pairs], seed=0).accuracies().set_index("name")
    assert set(frame.index) == {
        "NIMA",
        "DeepIQA",
        "RankIQA",
        "NIQE",
        "BRISQUE",
        "SGM-GIQA",
        "GMM-GIQA",
        "KNN-GIQA",
    }
    assert set(frame["n"]) == {10}
    assert frame.loc["NIQE", "value"] > 0.8  # noise is what it knows


def test_the_papers_settings():
    assert {n: (s.components, s.neighbours) for n, s in LGIQA_SETTINGS.items()} == {
        "ffhq": (70, 1),
        "cat": (7, 3500),
        "cityscapes": (7, 1),
    }


def test_without_the_real_images_there_is_no_reference(tmp_path, monkeypatch):
    monkeypatch.setenv("GIQA_DATA", str(tmp_path))
    assert lgiqa_reference("cat") is None
