"""Bad input and a bad machine: one line, the documented status, and nothing half written."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from folder_images import FIT, smooth, write_folder

from giqa_lib.features import PixelExtractor

GIQA = [sys.executable, "-m", "giqa_lib.cli"]


def process(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [*GIQA, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def refused(done, status: int, *words: str) -> None:
    assert done.status == status
    lines = [line for line in done.err.splitlines() if not line.startswith("giqa: warning:")]
    assert len(lines) == 1, done.err
    assert all(word in lines[0] for word in words), lines[0]


class TestInput:
    def test_no_such_images(self, giqa, scorer, tmp_path):
        refused(
            giqa("fit", tmp_path / "none", "--to", tmp_path / "s"), 3, "source: expected a path"
        )
        done = giqa("score", scorer, tmp_path / "none", "--to", tmp_path / "s")
        refused(done, 3, "source: expected a path")
        assert list(tmp_path.iterdir()) == []

    def test_no_such_scorer_and_a_damaged_one(self, giqa, real, scorer, generated, tmp_path):
        done = giqa("score", real, generated, "--to", tmp_path / "s")
        refused(done, 3, "expected a saved scorer, got no ")
        state = json.loads((scorer / "scorer.json").read_text())
        (tmp_path / "scorer.json").write_text(json.dumps(state))
        done = giqa("score", tmp_path, generated, "--to", tmp_path / "s", "--json")
        assert done.status == 3
        assert "expected an undamaged scorer" in done.content["error"]

    def test_too_few_images(self, giqa, tmp_path):
        write_folder(tmp_path / "few", smooth(8, seed=0))
        refused(giqa("fit", tmp_path / "few", "--to", tmp_path / "s", *FIT), 3, "got 6 and 2")
        assert not (tmp_path / "s").exists()

    def test_features_that_are_not_numbers(
        self, giqa, real, scorer, generated, tmp_path, monkeypatch
    ):
        def nan(self, images):
            return torch.full((len(images), self.width), float("nan"))

        monkeypatch.setattr(PixelExtractor, "__call__", nan)
        for command in (
            ("fit", real, "--to", tmp_path / "s", *FIT),
            ("compare", real, generated, "--to", tmp_path / "s", *FIT),
        ):
            refused(giqa(*command, "--no-cache"), 3, "expected finite numbers, got NaN", "png")
        # a loaded scorer is tried on a feature of zeros, so that the network is not asked
        done = giqa("score", scorer, generated, "--to", tmp_path / "s", "--no-cache")
        refused(done, 3, "expected finite numbers, got NaN or infinity for 000.png")
        assert list(tmp_path.iterdir()) == []

    def test_an_output_that_is_there(self, giqa, scorer, generated, scores):
        before = (scores / "scores.csv").read_bytes()
        refused(giqa("score", scorer, generated, "--to", scores), 3, "--overwrite")
        assert (scores / "scores.csv").read_bytes() == before

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "a table of its suffix"),
            ("name,raw\na,1\n", "expected columns name, rank, calibrated, raw"),
            ("name,rank,calibrated,raw\na,1,x,2\n", "expected numbers, got column calibrated"),
            ("name,rank,calibrated,raw\na,1,1,2\na,2,1,2\n", "each name once"),
            ("\0\0\0", "expected"),
        ],
    )
    def test_tables_that_are_none(self, giqa, tmp_path, text, message):
        (tmp_path / "scores.csv").write_text(text)
        refused(giqa("pick", tmp_path, "--keep", 1), 3, message)

    def test_more_than_there_are(self, giqa, scores):
        refused(giqa("pick", scores, "--keep", 1000), 3, "count: expected a whole number in 1..40")
        refused(giqa("pick", scores, "--keep", "300%"), 3, "share")

    def test_other_images_than_were_scored(self, giqa, scores, real, tmp_path):
        write_folder(tmp_path / "other", smooth(1, seed=0), start=900)
        done = giqa(
            "pick", scores, tmp_path / "other", "--keep", 1, "--how", "copy", "--to", tmp_path / "b"
        )
        refused(done, 3, "expected the scored ones")
        assert not (tmp_path / "b").exists()

    def test_an_archive_cannot_write_outside(self, giqa, scorer, generated, tmp_path):
        archive = tmp_path / "in" / "evil.parquet"
        archive.parent.mkdir()
        picture = (generated / "000.png").read_bytes()
        row = {"bytes": picture, "path": "../../evil.png"}
        pq.write_table(pa.table({"image": [row]}), archive)
        assert giqa("score", scorer, archive, "--to", tmp_path / "s").status == 0
        picked = ("pick", tmp_path / "s", archive, "--keep", 1, "--to", tmp_path / "best")
        done = giqa(*picked, "--how", "copy")
        refused(done, 3, "expected a name below a folder, got '../../evil.png'")
        assert not list(tmp_path.rglob("*evil.png"))

    def test_two_sets_of_one_name(self, giqa, real, generated, tmp_path):
        done = giqa("compare", real, generated, generated, "--to", tmp_path / "c", *FIT)
        refused(done, 3, "expected one name a set, got 'generated' twice")

    def test_opinions_without_columns_and_without_numbers(self, giqa, scores, tmp_path):
        (tmp_path / "o.csv").write_text("name,MOS\n000.png,good\n001.png,bad\n002.png,1\n")
        refused(giqa("agree", scores, tmp_path / "o.csv"), 3, "expected columns name and opinion")
        done = giqa("agree", scores, tmp_path / "o.csv", "--opinion", "MOS")
        refused(done, 3, "expected numbers, got column MOS")

    def test_a_device_that_is_not_there(self, giqa, real, tmp_path):
        for device in ("cuda:77", "gpu"):
            done = giqa("fit", real, "--to", tmp_path / "s", *FIT, "--device", device)
            refused(done, 3, "device: expected one of this machine")


class TestMachine:
    def test_no_place_to_write(self, giqa, scorer, generated, tmp_path):
        (tmp_path / "file").write_text("")
        done = giqa("score", scorer, generated, "--to", tmp_path / "file" / "s")
        refused(done, 5, str(tmp_path / "file"))
        refused(giqa("score", scorer, generated, "--to", "/proc/s"), 5, "/proc")

    def test_no_place_for_the_cache(self, giqa, scorer, generated, tmp_path, monkeypatch):
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("GIQA_STORE", str(tmp_path / "file"))
        done = giqa("score", scorer, generated, "--to", tmp_path / "s")
        refused(done, 5, "--no-cache")
        assert not (tmp_path / "s").exists()
        assert giqa("score", scorer, generated, "--to", tmp_path / "s", "--no-cache").status == 0

    @pytest.mark.slow
    @pytest.mark.parametrize("room", [200, 2000, 20_000])
    def test_a_full_disk(self, scorer, real, generated, tmp_path, room):
        """A file may not grow beyond ``room`` bytes: what a full disk does, at each size of file."""

        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

        for arguments in (
            ("score", scorer, generated, "--to", tmp_path / "s", "--no-cache"),
            ("fit", real, "--to", tmp_path / "f", *FIT, "--density", "knn", "--no-cache"),
            ("compare", real, generated, "--to", tmp_path / "c", *FIT, "--no-cache"),
        ):
            done = process(*arguments, preexec_fn=limit)
            if done.returncode == 0:  # it needed no more room
                assert arguments[0] == "fit"
                assert room > 2000
                continue
            assert done.returncode == 5, done.stderr
            assert "too large" in done.stderr.splitlines()[-1]
            assert "Traceback" not in done.stderr
            assert not (tmp_path / arguments[0][0]).exists()
            assert not list(tmp_path.glob(".*.part"))

    @pytest.mark.slow
    def test_an_interrupt_is_130_and_leaves_nothing(self, scorer, tmp_path):
        images = write_folder(tmp_path / "many", smooth(3000, seed=0))
        command = [
            *GIQA,
            "score",
            str(scorer),
            str(images),
            "--to",
            str(tmp_path / "s"),
            "--no-cache",
        ]
        running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob(".s.*.part")) and time.monotonic() < deadline:
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=60)[1]
        assert running.returncode == 130
        assert said.strip().endswith("giqa: interrupted")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["many"]

    @pytest.mark.slow
    def test_a_reader_that_went_away_is_no_error(self, scores):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [*GIQA, "pick", str(scores), "--keep", "100%"],
            stdout=writing, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        os.close(writing)
        assert (done.returncode, done.stderr) == (0, "")

    @pytest.mark.slow
    def test_stdout_on_a_full_disk(self, scores):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [*GIQA, "pick", str(scores), "--keep", "100%"],
                stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
        assert done.returncode == 5
        assert "No space left on device" in done.stderr
        assert "Traceback" not in done.stderr


def test_scores_are_the_same_after_all_that(giqa, scorer, generated, scores, tmp_path):
    giqa("score", scorer, generated, "--to", tmp_path / "s", "--sheet", 0, "--gallery", 0)
    assert (tmp_path / "s" / "scores.csv").read_bytes() == (scores / "scores.csv").read_bytes()
    assert np.isfinite(float((tmp_path / "s" / "scores.csv").read_text().split()[1].split(",")[-1]))
