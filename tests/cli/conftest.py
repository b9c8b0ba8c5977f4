"""Folders, a scorer and its scores, and a way to run ``giqa`` in this process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from folder_images import FIT, smooth, write_folder

from giqa_lib.cli import main


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def content(self) -> dict[str, Any]:
        return json.loads(self.out)


Giqa = Callable[..., Done]


@pytest.fixture
def giqa(capsys: pytest.CaptureFixture[str]) -> Giqa:
    """``giqa("score", scorer, images, "--to", out)``; ends with what it printed."""

    def run(*arguments: object) -> Done:
        status = main([str(argument) for argument in arguments])
        return Done(status, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("images") / "real", smooth(120, seed=0))


@pytest.fixture(scope="session")
def generated(real: Path) -> Path:
    """Twenty images like the real ones, twenty noisy ones, one that cannot be read."""
    folder = write_folder(real.parent / "generated", smooth(20, seed=1))
    write_folder(folder, smooth(20, seed=2, noise=40), start=20)
    (folder / "broken.png").write_bytes(b"no image")
    return folder


@pytest.fixture(scope="session")
def scorer(real: Path) -> Path:
    assert main(["fit", str(real), "--to", str(real.parent / "scorer"), *FIT, "--no-cache"]) == 0
    return real.parent / "scorer"


@pytest.fixture(scope="session")
def scores(scorer: Path, generated: Path) -> Path:
    target = scorer.parent / "scores"
    assert main(["score", str(scorer), str(generated), "--to", str(target), "--no-cache"]) == 0
    return target
