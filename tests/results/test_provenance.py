import getpass
import json
import platform
import subprocess
from pathlib import Path

import torch

from giqa_lib.results.provenance import commit, device_name, versions


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_versions_are_those_imported() -> None:
    assert versions()["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert versions()["python"] == platform.python_version()


def test_nothing_names_the_machine_or_its_user() -> None:
    text = json.dumps([versions(), device_name("cpu")])
    assert platform.node() not in text
    assert f"/{getpass.getuser()}" not in text


def test_the_commit_says_when_the_code_differs(tmp_path: Path) -> None:
    assert commit(tmp_path) == "unknown"
    git(tmp_path, "init")
    (tmp_path / "book" / "results").mkdir(parents=True)
    for name in ("code.py", "book/results/a.json"):
        (tmp_path / name).write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "one")
    clean = commit(tmp_path)
    assert len(clean) == 12
    # A run rewrites its own record, which is no change of the code.
    (tmp_path / "book/results/a.json").write_text("2")
    assert commit(tmp_path) == clean
    (tmp_path / "code.py").write_text("2")
    assert commit(tmp_path) == f"{clean}+changes"
