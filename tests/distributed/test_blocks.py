"""One set by several processes: the same features to the bit, whoever did what and whoever died."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from folder_images import FIT, smooth, write_folder

from giqa_lib.checks import InputError
from giqa_lib.cli import main as giqa
from giqa_lib.data import open_images
from giqa_lib.distributed import Worker, extract_blocks
from giqa_lib.features import extract, extractor, join_features
from giqa_lib.store import Store

SLOW = """\
import sys, time, os
from pathlib import Path
from giqa_lib.data import open_images
from giqa_lib.distributed import extract_blocks, this_worker
from giqa_lib.features import PixelExtractor
from giqa_lib.store import Store

class Slow(PixelExtractor):
    def __call__(self, images):
        with open(sys.argv[3], "a") as log:
            log.write(f"{os.getpid()} {len(images)}\\n")
        time.sleep(float(sys.argv[4]))
        return super().__call__(images)

found = extract_blocks(open_images(sys.argv[1]), Slow(input_size=4), worker=this_worker(),
                       store=Store(sys.argv[2]), block=16, batch_size=4)
print(len(found))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = write_folder(tmp_path_factory.mktemp("set") / "images", smooth(150, seed=0))
    (folder / "077.png").write_bytes(b"no image")
    return folder


def same(first, second) -> bool:
    return (
        np.array_equal(first.values, second.values)
        and np.array_equal(first.indices, second.indices)
        and first.names == second.names
        and first.failures.equals(second.failures)
    )


class TestInOneProcess:
    @pytest.mark.parametrize("count", [1, 2, 3, 7])
    def test_the_result_does_not_depend_on_the_number_of_workers(self, folder, tmp_path, count):
        images, network = open_images(folder), extractor("pixels@4")
        expected = extract(images, network)
        for rank in reversed(range(count)):
            worker = Worker(rank=rank, count=count)
            found = extract_blocks(images, network, worker=worker, store=Store(tmp_path), block=16)
            assert same(found, expected)

    def test_extract_finds_them_made(self, folder, tmp_path):
        images, network = open_images(folder), extractor("pixels@4")
        made = extract_blocks(images, network, worker=Worker(), store=Store(tmp_path), block=40)

        class Refuses(type(network)):
            def __call__(self, images):
                pytest.fail("it was asked again")

        found = extract(images, Refuses(input_size=4), store=Store(tmp_path))
        assert same(found, made)

    def test_a_part_that_is_missing_is_refused_and_leaves_no_artefact(self, tmp_path):
        images, network = (
            open_images(torch.zeros(5, 1, 4, 4, dtype=torch.uint8)),
            extractor("pixels@4"),
        )
        parts = [extract(images, network, indices=[0, 1])]
        with pytest.raises(InputError, match="parts of 5 images, got 2"):
            join_features(parts, images, network, store=Store(tmp_path))
        whole = [extract(images, network)]
        assert len(join_features(whole, images, network, store=Store(tmp_path))) == 5


def start(script: Path, folder: Path, store: Path, log: Path, rank: int, *, pause: float):
    environment = {**os.environ, "RANK": str(rank), "WORLD_SIZE": "2"}
    command = [sys.executable, str(script), str(folder), str(store), str(log), str(pause)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
class TestProcesses:
    @pytest.fixture
    def script(self, tmp_path) -> Path:
        path = tmp_path / "slow.py"
        path.write_text(SLOW)
        return path

    def test_two_processes_make_what_one_makes_and_no_image_twice(self, folder, script, tmp_path):
        logs = [tmp_path / f"{rank}.log" for rank in (0, 1)]
        workers = [
            start(script, folder, tmp_path / "store", log, rank, pause=0.1)
            for rank, log in enumerate(logs)
        ]
        assert [worker.communicate(timeout=120)[0].strip() for worker in workers] == ["149"] * 2
        done = [sum(int(line.split()[1]) for line in log.read_text().splitlines()) for log in logs]
        assert sum(done) == 149
        assert min(done) > 0
        images, network = open_images(folder), extractor("pixels@4")
        assert same(
            extract(images, network, store=Store(tmp_path / "store")), extract(images, network)
        )

    @pytest.mark.parametrize("restart", [True, False])
    def test_a_killed_worker_costs_a_batch(self, folder, script, tmp_path, restart):
        store = tmp_path / "store"
        victim = start(script, folder, store, tmp_path / "victim.log", 0, pause=0.1)
        deadline = time.monotonic() + 60
        while not (tmp_path / "victim.log").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.25)
        other = start(script, folder, store, tmp_path / "other.log", 1, pause=0.01)
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
        if restart:
            again = start(script, folder, store, tmp_path / "again.log", 0, pause=0.01)
            assert again.communicate(timeout=120)[0].strip() == "149"
        assert other.communicate(timeout=120)[0].strip() == "149"
        images, network = open_images(folder), extractor("pixels@4")
        assert same(extract(images, network, store=Store(store)), extract(images, network))
        logs = [path.read_text().splitlines() for path in tmp_path.glob("*.log")]
        done = sum(int(line.split()[1]) for log in logs for line in log)
        assert 149 <= done <= 149 + 4  # the batch that it was in

    def test_torchrun_then_giqa_score(self, folder, tmp_path, monkeypatch, capsys):
        monkeypatch.setenv("GIQA_STORE", str(tmp_path / "store"))
        scorer = tmp_path / "scorer"
        assert giqa(["fit", str(folder), "--to", str(scorer), *FIT, "--no-cache"]) == 0
        launch = [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--nproc-per-node",
            "2",
            "--standalone",
        ]
        command = [*launch, "-m", "giqa_lib.distributed", str(scorer), str(folder), "--block", "40"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert sorted(done.stdout.splitlines()) == [
            f"worker {r} of 2: 149 features" for r in (0, 1)
        ]
        for options in ((), ("--no-cache",)):
            target = tmp_path / f"scores{len(options)}"
            assert giqa(["score", str(scorer), str(folder), "--to", str(target), *options]) == 0
        capsys.readouterr()
        first, second = ((tmp_path / f"scores{n}" / "scores.csv").read_text() for n in (0, 1))
        assert first == second
