import os
import socket
import subprocess
import sys

import pytest

from giqa_lib.checks import InputError
from giqa_lib.cli import whole_file, whole_folder


def left(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("write", [whole_file, whole_folder])
def test_a_failure_leaves_nothing(write, tmp_path):
    def fail():
        with write(tmp_path / "out.csv") as path:
            (path / "a" if path.is_dir() else path).write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        fail()
    assert left(tmp_path) == []


@pytest.mark.parametrize("write", [whole_file, whole_folder])
def test_what_is_there_is_refused_and_stays(write, tmp_path):
    target = tmp_path / "out"
    mine = target if write is whole_file else target / "mine"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("1")
    with pytest.raises(InputError, match=r"expected a new place.*--overwrite"), write(target):
        pass
    assert mine.read_text() == "1"


@pytest.mark.parametrize("write", [whole_file, whole_folder])
def test_an_error_names_the_place_that_was_asked_for(write, tmp_path):
    def fail():
        with write(tmp_path / "out.csv") as path:
            raise OSError(28, "No space left on device", str(path / "a"))

    with pytest.raises(OSError, match="No space") as caught:
        fail()
    assert caught.value.filename == str(tmp_path / "out.csv" / "a")


def test_an_empty_folder_is_no_hindrance(tmp_path):
    (tmp_path / "out").mkdir()
    with whole_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("1")
    assert left(tmp_path / "out") == ["a"]


def test_overwriting_replaces_files_of_the_same_name_only(tmp_path):
    target = tmp_path / "out"
    (target / "sub").mkdir(parents=True)
    for name in ("mine", "theirs", "sub/deep"):
        (target / name).write_text("old")
    with whole_folder(target, overwrite=True) as folder:
        (folder / "sub").mkdir()
        for name in ("theirs", "sub/deep", "sub/new"):
            (folder / name).write_text("new")
        assert (target / "theirs").read_text() == "old"  # until all is written
    assert (target / "mine").read_text() == "old"
    assert [(target / n).read_text() for n in ("theirs", "sub/deep", "sub/new")] == ["new"] * 3
    assert left(tmp_path) == ["out"]


def test_what_a_killed_process_left_is_removed_and_what_a_live_one_has_stays(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    host = socket.gethostname()
    here = {n: tmp_path / f".out.{host}.{n}.part" for n in (dead.pid, os.getppid())}
    for path in here.values():
        path.mkdir()
    elsewhere = tmp_path / f".out.another.{dead.pid}.part"
    elsewhere.mkdir()
    with whole_folder(tmp_path / "out"):
        pass
    assert [here[dead.pid].exists(), here[os.getppid()].exists(), elsewhere.exists()] == [
        False,
        True,
        True,
    ]


def test_a_name_with_special_letters_is_no_pattern(tmp_path):
    for name in ("a[1]*.csv", "x"):
        with whole_file(tmp_path / name) as path:
            path.write_text("1")
    assert left(tmp_path) == ["a[1]*.csv", "x"]
