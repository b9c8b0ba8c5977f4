"""Outputs that are whole or not there: a folder or a file gets its name when it is complete.

What is being written stands beside its place under a hidden name with the writer's machine and
process. A failure removes it; what a killed process left is removed by the next one.
"""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from giqa_lib.checks import InputError, error_line

__all__ = ["check_outside", "whole_file", "whole_folder"]


@contextmanager
def whole_folder(target: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A folder to write into; it becomes ``target`` if the block ends without an error.

    An existing target that is not empty is refused. With ``overwrite`` the new files replace
    those of the same name, one by one, and every other file in it stays.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "out"
    >>> with whole_folder(target) as folder:
    ...     _ = (folder / "a").write_text("1")
    >>> (target / "a").read_text()
    '1'
    """
    _check_target(target, overwrite, folder=True)
    part = _part(target)
    try:
        part.mkdir()
        yield part
        _move(part, target)
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        _rename(error, part, target)
        raise


@contextmanager
def whole_file(target: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A path to write to; what stands there becomes ``target`` if the block ends without an error.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "a.txt"
    >>> with whole_file(target) as path:
    ...     _ = path.write_text("1")
    >>> target.read_text()
    '1'
    """
    _check_target(target, overwrite, folder=False)
    part = _part(target)
    part = part.with_name(part.name + target.suffix)  # by which writers choose the format
    try:
        yield part
        os.replace(part, target)
    except BaseException as error:
        part.unlink(missing_ok=True)
        _rename(error, part, target)
        raise


def check_outside(target: Path, images: Path) -> None:
    """Refuse an output among the images: they would be more the next time.

    >>> check_outside(Path("photos/scores"), Path("photos"))
    Traceback (most recent call last):
    giqa_lib.checks.InputError: output: expected a place outside of photos, got photos/scores; ...
    """
    if target.resolve().is_relative_to(images.resolve()):
        expected, hint = f"a place outside of {images}", "pictures there would be scored next time"
        raise InputError(error_line("output", expected=expected, got=str(target), hint=hint))


def _check_target(target: Path, overwrite: bool, *, folder: bool) -> None:
    there = os.path.lexists(target)
    if there and target.is_dir() != folder and (overwrite or not folder):
        expected, found = ("a folder", "a file") if folder else ("a file", "a folder")
        got, hint = f"{target}, {found} that is there", "choose another place"
        raise InputError(error_line("output", expected=expected, got=got, hint=hint))
    empty = target.is_dir() and not any(target.iterdir())
    if there and not empty and not overwrite:
        hint = "choose another, or pass --overwrite"
        raise InputError(
            error_line("output", expected="a new place", got=f"{target}, there", hint=hint)
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{_escaped(target.name)}.*.part*"):
        if _is_dead(left, target.name):
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)


def _rename(error: BaseException, part: Path, target: Path) -> None:
    """Let an error name the place that was asked for: nobody has heard of the hidden one."""
    if isinstance(error, OSError) and isinstance(error.filename, str):
        error.filename = error.filename.replace(str(part), str(target))


def _part(target: Path) -> Path:
    return target.parent / f".{target.name}.{socket.gethostname()}.{os.getpid()}.part"


def _is_dead(left: Path, name: str) -> bool:
    """Whether the process of this machine that wrote ``left`` is gone."""
    host, _, rest = left.name.removeprefix(f".{name}.").rpartition(".part")[0].rpartition(".")
    if host != socket.gethostname() or not rest.isdigit():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _move(part: Path, target: Path) -> None:
    if not target.exists():
        os.replace(part, target)
        return
    for path in sorted(part.rglob("*")):
        place = target / path.relative_to(part)
        if path.is_dir() and not path.is_symlink():
            place.mkdir(exist_ok=True)
        else:
            os.replace(path, place)
    shutil.rmtree(part)


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "[]*?" else letter for letter in name)
