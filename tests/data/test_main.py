import subprocess
import sys

import pytest

from giqa_lib.data import dataset_names
from giqa_lib.data.__main__ import main


def test_list_names_every_set(capsys):
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in dataset_names())


def test_where_and_fetch_print_the_path(capsys):
    assert main(["where", "digits"]) == 0
    assert main(["fetch", "digits"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    assert first.endswith("datasets")


@pytest.mark.parametrize("command", ["where", "fetch"])
def test_what_is_not_to_be_had_is_one_line_and_exit_code_1(command, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("GIQA_DATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main([command, "lsun-cat"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("lsun-cat: not found here")
    assert "To have it: " in err


def test_wrong_usage_is_exit_code_2(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["remove", "digits"])


def test_runs_as_a_module():
    command = [sys.executable, "-m", "giqa_lib.data", "where", "digits"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("datasets")
