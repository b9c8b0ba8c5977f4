"""Bad input and a bad machine: one line, the documented status, and nothing half written."""

import json
import os
import pty
import resource
import signal
import subprocess
import sys
import termios
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
        refused(done, 3, "expected numbers in column MOS, got 'good' for '000.png'")

    @pytest.mark.parametrize(
        ("suffix", "text", "message"),
        [
            ("csv", "name,opinion\n000.png,nan\n", "got 'nan' for '000.png'"),
            ("csv", "name,opinion\n000.png,\n", "got '' for '000.png'"),
            ("csv", "name,opinion\n000.png,inf\n", "got 'inf' for '000.png'"),
            ("csv", "name,opinion\n000.png,1\n000.png,2\n", "one row an image, got '000.png' 2"),
            ("csv", "better,worse\n000.png,000.png\n", "two images a pair, got '000.png' against"),
            ("csv", "name,opinion\n000.png,1,2\n001.png,2,3\n", "a table of its suffix"),
            ("csv", "name,opinion\n", "rows whose images have scores, got none of 0"),
            ("csv", "name,opinion\n000.png,1\n", "expected three images or more, got 1"),
            ("json", '{"a": 1}', "got JSON that is no list of objects"),
            ("json", "[1, 2]", "got JSON that is no list of objects"),
            ("json", "{", "a table of its suffix"),
            ("parquet", "no", "a table of its suffix"),
            ("txt", "name,opinion\n", "suffix of"),
        ],
    )
    def test_opinions_that_are_none(self, giqa, scores, tmp_path, suffix, text, message):
        people = tmp_path / f"o.{suffix}"
        people.write_text(text)
        done = giqa("agree", scores, people)
        refused(done, 3, message, str(people))
        assert done.err.count("expected") == 1

    def test_a_path_that_is_empty(self, giqa, scorer, real, generated, scores, tmp_path):
        for command in (
            ("fit", "", "--to", tmp_path / "s", *FIT),
            ("fit", real, "--to", "", *FIT),
            ("score", scorer, " ", "--to", tmp_path / "s"),
            ("score", "", generated, "--to", tmp_path / "s"),
            ("agree", scores, ""),
        ):
            refused(giqa(*command), 2, "expected a path, got '", "is a variable not set?")
        for unnamed in ("", "a=", " "):
            done = giqa("compare", real, unnamed, "--to", tmp_path / "s", *FIT)
            refused(done, 3, "set: expected NAME=PATH")
        assert list(tmp_path.iterdir()) == []

    def test_an_output_among_the_images(self, giqa, scorer, real, generated, scores):
        inside = generated / "deep" / "out"
        for command in (
            ("score", scorer, generated, "--to", inside),
            ("compare", real, f"a={generated}", "--to", inside, *FIT),
            ("compare", generated, f"a={real}", "--to", inside, *FIT),
            ("pick", scores, generated, "--keep", 1, "--how", "copy", "--to", inside),
            ("score", scorer, generated, "--to", generated, "--overwrite"),
        ):
            refused(giqa(*command), 3, f"output: expected a place outside of {generated}")
        assert not inside.parent.exists()

    def test_a_file_where_a_folder_should_be_and_the_other_way_round(
        self, giqa, scorer, generated, scores, tmp_path
    ):
        (tmp_path / "file").write_text("mine")
        (tmp_path / "folder.csv").mkdir()
        for options in ((), ("--overwrite",)):
            pick = ("pick", scores, generated, "--keep", 1, "--how", "copy", *options)
            done = giqa("score", scorer, generated, "--to", tmp_path / "file", *options)
            refused(done, 3, f"{tmp_path / 'file'}")
            refused(giqa(*pick, "--to", tmp_path / "file"), 3, f"{tmp_path / 'file'}")
            done = giqa("pick", scores, "--keep", 1, "--to", tmp_path / "folder.csv", *options)
            refused(done, 3, "output: expected a file, got", "a folder that is there")
        assert (tmp_path / "file").read_text() == "mine"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.csv"]

    def test_a_list_without_a_format(self, giqa, scores, tmp_path):
        for name in ("list", "list.txt"):
            done = giqa("pick", scores, "--keep", 1, "--to", tmp_path / name)
            refused(done, 3, "output: expected a .csv or .parquet, got", name)

    def test_a_name_that_parquet_cannot_hold(self, giqa, scorer, generated, tmp_path):
        images = tmp_path / "images"
        images.mkdir()
        (images / "\udcff.png").write_bytes((generated / "000.png").read_bytes())
        done = giqa("score", scorer, images, "--to", tmp_path / "s", "--format", "parquet")
        refused(done, 3, "scores.parquet: expected names in UTF-8", r"'\udcff.png'")
        assert ".part" not in done.err
        assert not (tmp_path / "s").exists()

    def test_a_parameter_that_is_no_yaml(self, giqa, tmp_path):
        done = giqa("book", "run", "1_giqa/features", "-p", "seed=[", "--to", tmp_path)
        refused(done, 3, "-p: expected a value in YAML, got '['")

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("guess",), "No such command 'guess'. 'giqa --help'"),
            (("fit",), "Missing argument 'REAL'. 'giqa fit --help'"),
            (("fit", "x"), "Missing option '--to'."),
            (("fit", "x", "--to"), "'--to' requires an argument"),
            (("fit", "x", "--to", "y", "--components", "0"), "0 is not in the range"),
            (("data", "where"), "'giqa data where --help' shows the usage."),
            (("pick", "x", "--keep", "some"), "no share (0.9, 90%) and no number"),
            (("pick", "x", "--keep", "1", "--how", "link"), "needs IMAGES and --to FOLDER"),
        ],
    )
    def test_wrong_usage(self, giqa, words, message):
        refused(giqa(*words), 2, message)
        done = giqa(words[0], "--json", *words[1:])
        assert done.status == 2
        assert (done.content["ok"], done.content["exit_status"]) == (False, 2)

    def test_a_device_that_is_not_there(self, giqa, real, tmp_path):
        for device in ("cuda:77", "gpu"):
            done = giqa("fit", real, "--to", tmp_path / "s", *FIT, "--device", device)
            refused(done, 3, "device: expected one of this machine")

    def test_weights_that_are_not_there(self, giqa, real, tmp_path):
        for name in ("pixels@4", "inception_v3"):
            options = ["--extractor", name, "--weights", tmp_path / "none"]
            refused(giqa("fit", real, "--to", tmp_path / "s", *options), 4, "weights: expected")


class TestMachine:
    def test_no_place_to_write(self, giqa, scorer, generated, tmp_path):
        (tmp_path / "file").write_text("")
        done = giqa("score", scorer, generated, "--to", tmp_path / "file" / "s")
        refused(done, 5, str(tmp_path / "file"))
        for place in ("/proc/s", tmp_path / ("n" * 300)):
            done = giqa("score", scorer, generated, "--to", place)
            refused(done, 5, str(place), "; ")
            assert ".part" not in done.err

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
    @pytest.mark.parametrize("words", [("pick", "SCORES", "--keep", "100%"), ("fit", "--help")])
    def test_stdout_on_a_full_disk(self, scores, words):
        command = [str(scores) if word == "SCORES" else word for word in words]
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [*GIQA, *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert done.returncode == 5
        assert (
            done.stderr == "giqa: stdout: No space left on device; make room or write elsewhere\n"
        )

    @pytest.mark.slow
    def test_a_stdout_that_is_closed_is_no_error(self, scores):
        closed = ["sh", "-c", '"$@" >&-', "sh", *GIQA, "pick", str(scores), "--keep", "100%"]
        done = subprocess.run(closed, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    @pytest.mark.slow
    def test_an_interrupt_on_a_terminal_that_shows_progress(self, scorer, tmp_path):
        images = write_folder(tmp_path / "many", smooth(3000, seed=0))
        command = ["score", str(scorer), str(images), "--to", str(tmp_path / "s"), "--no-cache"]
        child, terminal = pty.fork()
        if child == 0:
            os.execv(sys.executable, [*GIQA, *command])
        termios.tcsetwinsize(terminal, (24, 80))
        shown, pressed = b"", False
        while data := _read(terminal):
            shown += data
            if b"image/s" in shown and not pressed:
                os.write(terminal, b"\x03")  # what Ctrl-C sends
                pressed = True
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 130
        assert shown.strip().endswith(b"giqa: interrupted")
        assert b"Traceback" not in shown
        assert sorted(path.name for path in tmp_path.iterdir()) == ["many"]


def _read(terminal: int) -> bytes:
    """What the other side of a terminal shows next; nothing once it is closed."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_scores_are_the_same_after_all_that(giqa, scorer, generated, scores, tmp_path):
    giqa("score", scorer, generated, "--to", tmp_path / "s", "--sheet", 0, "--gallery", 0)
    assert (tmp_path / "s" / "scores.csv").read_bytes() == (scores / "scores.csv").read_bytes()
    assert np.isfinite(float((tmp_path / "s" / "scores.csv").read_text().split()[1].split(",")[-1]))
