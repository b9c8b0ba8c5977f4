"""ScoreGAN's chapter on CIFAR where CIFAR-100 is: here a stub of its files, coloured noise with a hue for each class."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from giqa_lib.runner.execute import execute

ROOT = Path(__file__).parents[2]
CHAPTER = "2_scoregan/cifar"


def write_stub(folder, random):
    folder.mkdir(parents=True)
    for split, count in (("train", 4000), ("test", 4000)):
        labels = np.arange(count) % 100
        hue = np.stack([np.cos(labels / 16 + shift) for shift in (0, 2, 4)], axis=1)
        noise = random.normal(0, 40, (count, 3, 32 * 32))
        pixels = (128 + 60 * hue[:, :, None] + noise).clip(0, 255).astype(np.uint8)
        fields = {b"data": pixels.reshape(count, -1), b"fine_labels": labels.tolist()}
        whole = fields | {b"coarse_labels": (labels // 5).tolist()}
        (folder / split).write_bytes(pickle.dumps(whole, protocol=2))


@pytest.mark.slow
def test_table_3_and_figure_4_are_made_where_the_files_are(tmp_path, monkeypatch):
    write_stub(tmp_path / "data" / "cifar-100-python", np.random.default_rng(0))
    monkeypatch.setenv("GIQA_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GIQA_STORE", str(tmp_path / "store"))
    made = execute(
        CHAPTER,
        profile="quick",
        overrides={"sets": ["cifar100"]},
        root=ROOT,
        results=tmp_path / "results",
        pages=tmp_path / "pages",
    )
    results = json.loads(made.record.read_text())["results"]
    assert {r["dataset"] for r in results} == {"cifar100"}
    rows = {(r["row"], r["metric"]) for r in results if r["exhibit"] == "Table 3"}
    models = ("ControlGAN (baseline)", "ScoreGAN")
    assert {(row, metric) for row in models for metric in ("IS", "FID")} <= rows
    assert ("Real data", "IS") in rows
    page = made.notebook.read_text()
    assert "Real images of CIFAR-100 and images by both models" in page  # Figure 4
