"""Lightning Fabric on two CPU processes: what one process makes, for features and for a GAN's steps."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from folder_images import FIT, smooth, write_folder

pytest.importorskip("lightning_fabric")

from giqa_lib.cli import main as giqa
from giqa_lib.data import open_images
from giqa_lib.features import extract, extractor
from giqa_lib.store import Store

FEATURES = """\
import sys
from lightning_fabric import Fabric
from giqa_lib.applications.folders import load_scorer
from giqa_lib.data import open_images
from giqa_lib.distributed import extract_blocks, fabric_worker
from giqa_lib.store import Store

scorer, images, store, count = sys.argv[1:]
fabric = Fabric(accelerator="cpu", devices=int(count), strategy="ddp" if int(count) > 1 else "auto")
fabric.launch()
worker = fabric_worker(fabric)
extract_blocks(open_images(images), load_scorer(scorer).extractor, worker=worker,
               store=Store(store), block=40, batch_size=8)
"""

TRAINING = """\
import sys
import torch
from lightning_fabric import Fabric
from training_cases import CASES, SHARE, STEPS, fresh, settings, summary
from giqa_lib.distributed import join_batch_norms, joint_score, share_training
from giqa_lib.gan import train

name, target, count, joined = sys.argv[1:]
fabric = Fabric(accelerator="cpu", devices=int(count), strategy="ddp" if int(count) > 1 else "auto")
fabric.launch()
case = CASES[name]
score = (lambda score: joint_score(score, fabric)) if joined == "joined" else (lambda score: score)
state, feed, variant = fresh(case, score)
if joined == "joined":
    join_batch_norms(state.generator, fabric)
    join_batch_norms(state.discriminator, fabric)
feed, variant = share_training(state, feed, variant, fabric=fabric)
list(train(state, feed, settings(case, 2 * SHARE // int(count)), at=[STEPS], variant=variant))
torch.save(summary(state), f"{target}/{count}-{joined}-{fabric.global_rank}.pt")
"""

#: Largest difference of a pixel (of a range of 2) or a logit after three steps at large rates. ScoreGAN's
#: is not rounding alone: gamma of its label guide moves with each process's share.
SAME = {"dcgan": 1e-6, "scoregan": 5e-4}
OTHER = 1e-2  # at least so much where batch norms and scores are not joint


def run(script: str, path: Path, root: Path, *arguments: object) -> None:
    path.write_text(script)
    search = f"{root}:{root / 'tests'}:{os.environ.get('PYTHONPATH', '')}"
    done = subprocess.run(
        [sys.executable, str(path), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": search}, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_features_of_two_processes_are_those_of_one(root, tmp_path):
    folder = write_folder(tmp_path / "images", smooth(150, seed=0))
    scorer = tmp_path / "scorer"
    assert giqa(["fit", str(folder), "--to", str(scorer), *FIT, "--no-cache"]) == 0
    store = tmp_path / "store"
    run(FEATURES, tmp_path / "worker.py", root, scorer, folder, store, 2)
    images, network = open_images(folder), extractor("pixels@4")
    found, expected = extract(images, network, store=Store(store)), extract(images, network)
    assert np.array_equal(found.values, expected.values)
    assert found.names == expected.names


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dcgan", "scoregan"])
def test_steps_of_two_processes_are_those_of_one(name, root, tmp_path):
    for count, joined in ((1, "joined"), (2, "joined"), (2, "apart")):
        run(TRAINING, tmp_path / "train.py", root, name, tmp_path, count, joined)

    def made(which: str) -> dict[str, torch.Tensor]:
        return torch.load(tmp_path / f"{which}.pt", weights_only=True)

    def difference(first: str, second: str) -> float:
        one, two = made(first), made(second)
        assert torch.equal(one["random"], two["random"])
        return max(float((one[key] - two[key]).abs().max()) for key in ("images", "logits"))

    assert difference("2-joined-0", "2-joined-1") == 0
    assert difference("1-joined-0", "2-joined-0") < SAME[name]
    assert difference("1-joined-0", "2-apart-0") > OTHER
