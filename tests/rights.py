"""What a user may not read or write: tried as nobody where the tests run as root, who may do everything."""

import contextlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from folder_images import FIT, smooth, write_folder
from PIL import Image

from giqa_lib.cli import main as giqa

__all__ = ["CASES", "Refusals", "as_nobody", "can_be_refused", "open_to_all", "try_case"]

NOBODY = 65534
NOTHING = "nothing"  # the control: the same commands then end well


def can_be_refused() -> bool:
    """Whether the system can refuse this process: it is not root's, or root's that may become nobody's."""
    try:
        with as_nobody():
            return os.geteuid() != 0
    except PermissionError:
        return False


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Inside the block root has nobody's rights; for any other user nothing changes."""
    if os.geteuid() != 0:
        yield
        return
    Image.init()  # Pillow loads its formats late, perhaps from a folder that nobody may enter
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextlib.contextmanager
def open_to_all() -> Iterator[Path]:
    """A folder that everyone may enter and write; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="giqa-rights-") as name:
        Path(name).chmod(0o777)
        yield Path(name)


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """How commands ended to which the system refused something."""

    case: str
    commands: int
    refused: int
    wrong: int


def _closed(path: Path, mode: int) -> None:
    for one in [*path.rglob("*"), path] if path.is_dir() else [path]:
        one.chmod(mode)


#: What is refused, and how that is made in the folder ``place``.
CASES: Mapping[str, Callable[[Path], None]] = {
    NOTHING: lambda place: None,
    "a place that may not be written": lambda place: _closed(place / "out", 0o555),
    "a cache that may not be written": lambda place: _closed(place / "store", 0o555),
    "images that may not be listed": lambda place: _closed(place / "images", 0o000),
    "a scorer that may not be read": lambda place: _closed(place / "scorer", 0o000),
}


def try_case(case: str) -> Refusals:
    """Fit, score and compare where ``case`` is refused.

    Right is: status 5 (3 where it is the input that is refused), one line that says so, and nothing left in the place for outputs.
    """
    with open_to_all() as place:
        images, scorer = write_folder(place / "images", smooth(120, seed=0)), place / "scorer"
        other = write_folder(place / "other", smooth(120, seed=1))
        status, said = _run(["fit", images, "--to", scorer, *FIT, "--no-cache"])
        if status != 0:
            raise RuntimeError(f"the scorer of the trial could not be fitted: {said}")
        for name in ("out", "store"):
            (place / name).mkdir(mode=0o777)
            (place / name).chmod(0o777)
        CASES[case](place)
        commands = {
            "fit": [images, *FIT],
            "score": [scorer, images],
            "compare": [other, f"a={images}", *FIT],
        }
        if "scorer" in case:
            commands = {"score": commands["score"]}
        with as_nobody():
            refused = sum(_refused(place, name, given) for name, given in commands.items())
        count = len(commands)
        return Refusals(case=case, commands=count, refused=refused, wrong=count - refused)


def _refused(place: Path, name: str, given: list[object]) -> bool:
    """Whether one command ended as it should."""
    before = os.environ.get("GIQA_STORE", "")
    os.environ["GIQA_STORE"] = str(place / "store")
    try:
        status, said = _run([name, *given, "--to", place / "out" / name])
    finally:
        os.environ["GIQA_STORE"] = before
    one_line = said.count("\n") == 1 and "Permission denied" in said
    return status in (3, 5) and one_line and not list((place / "out").iterdir())


def _run(arguments: list[object]) -> tuple[int, str]:
    """The exit status of ``giqa`` and what it said."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        return giqa([str(one) for one in arguments]), said.getvalue()
