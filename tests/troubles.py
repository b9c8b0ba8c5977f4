"""Commands in trouble, at random from a seed: what must be refused in one line, or do no harm.

A command runs in a forked copy of this process. Right is: the documented exit status, one line
beside warnings, and nothing left in the place for outputs; or, where a trial may do no harm, status
0 and, byte for byte, the output of an undisturbed run.
"""

import io
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from folder_images import FIT, smooth, write_folder
from hostile_scorers import SCORERS
from tqdm import tqdm

from giqa_lib.cli import main as giqa
from giqa_lib.features import PixelExtractor

__all__ = ["TROUBLES", "Trouble", "scorer_trouble", "try_trouble"]

OUT = "out"


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """How often commands in one kind of trouble ended how."""

    trouble: str
    trials: int
    refused: int
    unharmed: int
    wrong: int


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the trials take place: images, a scorer of them, their scores."""

    root: Path

    @property
    def commands(self) -> dict[str, list[object]]:
        """Commands that write, without the place that they write to."""
        real, generated, scorer = (self.root / n for n in ("real", "generated", "scorer"))
        return {
            "fit": ["fit", real, *FIT, "--no-cache"],
            "score": ["score", scorer, generated, "--no-cache"],
            "compare": ["compare", real, f"a={generated}", *FIT, "--no-cache"],
            "pick": ["pick", self.root / "scores", generated, "--keep", "50%", "--how", "copy"],
        }


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One command, and what is done to it in its own process (``before``) or from outside."""

    command: Sequence[object]
    status: int
    before: Callable[[], None] = lambda: None
    interrupt_after: float | None = None
    may_succeed: bool = False
    clean: Callable[[], bool] = lambda: True


def _full_disk(place: Place, random: np.random.Generator) -> Trial:
    room = int(10 ** random.uniform(1.5, 5))

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    return Trial(command=_any(place, random), status=5, before=limit, may_succeed=True)


def _nan_features(place: Place, random: np.random.Generator) -> Trial:
    value = (float("nan"), float("inf"), -float("inf"))[random.integers(3)]
    column, names = int(random.integers(16)), ("fit", "score", "compare")
    honest = PixelExtractor.__call__

    def poisoned(self: PixelExtractor, images: torch.Tensor) -> torch.Tensor:
        features = honest(self, images).clone()
        features[len(features) // 2, column % features.shape[1]] = value
        return features

    def poison() -> None:
        PixelExtractor.__call__ = poisoned  # type: ignore[method-assign]

    return Trial(command=_any(place, random, names), status=3, before=poison)


def _interrupt(place: Place, random: np.random.Generator) -> Trial:
    after = float(random.uniform(0, 0.6))
    return Trial(
        command=_any(place, random), status=130, interrupt_after=after, may_succeed=True
    )  # fmt: skip


def _leads_out(place: Place, random: np.random.Generator) -> Trial:
    archive = place.root / "evil.parquet"  # of a zip such names are passed over, like hidden files
    name = ("../evil.png", "../../evil.png", "/tmp/../evil.png", "a/../../evil.png")
    picture = (place.root / "real" / "000.png").read_bytes()
    row = {"bytes": picture, "path": name[random.integers(len(name))]}
    pq.write_table(pa.table({"image": [row]}), archive)
    scores = place.root / "evil scores"
    fresh = ["--to", scores, "--overwrite", "--no-cache", "--sheet", 0, "--gallery", 0]
    _quiet(["score", place.root / "scorer", archive, *fresh])
    command = ["pick", scores, archive, "--keep", "100%", "--how", "copy"]
    return Trial(
        command=command, status=3, clean=lambda: not list(place.root.parent.rglob("*evil.png"))
    )


def scorer_trouble(damage: Callable[[Path, np.random.Generator], None]) -> Callable[..., Trial]:
    """The trouble of being given a scorer so changed."""

    def trial(place: Place, random: np.random.Generator) -> Trial:
        changed = place.root / "changed"
        shutil.rmtree(changed, ignore_errors=True)
        shutil.copytree(place.root / "scorer", changed)
        damage(changed, random)
        command = ["score", changed, place.root / "generated", "--no-cache"]
        return Trial(
            command=command, status=3, clean=lambda: not (place.root / "unpickled").exists()
        )

    return trial


#: What a command meets, and a trial of it.
TROUBLES: Mapping[str, Callable[[Place, np.random.Generator], Trial]] = {
    "a disk that is full after some bytes": _full_disk,
    "NaN or infinity among the features": _nan_features,
    "Ctrl-C at a random moment": _interrupt,
    "an archive whose names lead out of the folder": _leads_out,
    **{name: scorer_trouble(damage) for name, damage in SCORERS.items()},
}


def try_trouble(trouble: str, *, trials: int, seed: int) -> Trouble:
    """Run ``trials`` commands that meet ``trouble``, and count how they ended."""
    random = np.random.default_rng(seed)
    found = Trouble(trouble=trouble, trials=trials, refused=0, unharmed=0, wrong=0)
    # tqdm's own lock is shared by forks: one that was interrupted might keep it
    tqdm.set_lock(threading.RLock())
    with tempfile.TemporaryDirectory(prefix="giqa-trouble-") as name:
        place = _prepared(Path(name) / "trials")
        undisturbed: dict[str, dict[str, bytes]] = {}
        for _ in range(trials):
            trial = TROUBLES[trouble](place, random)
            ended = _ended(trial, place, undisturbed)
            found = replace(found, **{ended: getattr(found, ended) + 1})
    return found


def _ended(trial: Trial, place: Place, undisturbed: dict[str, dict[str, bytes]]) -> str:
    """``refused``, ``unharmed`` or ``wrong``."""
    outputs = place.root / "outputs"
    outputs.mkdir()
    try:
        status, said = _forked([*trial.command, "--to", outputs / OUT], trial)
        left = sorted(path.name for path in outputs.iterdir())
        # click begins a new line after the ^C of a terminal
        lines = [line for line in said.split("\n") if line]
        lines = [line for line in lines if not line.startswith("giqa: warning:")]
        if status == trial.status and not left and len(lines) == 1 and trial.clean():
            return "refused"
        done = status == 0 or (trial.interrupt_after is not None and status == trial.status)
        if (
            done and trial.may_succeed and left == [OUT]
        ):  # an interrupt may come after the last file
            name = str(trial.command[0])
            if name not in undisturbed:
                undisturbed[name] = _undisturbed(trial.command, place)
            if _tree(outputs / OUT) == undisturbed[name]:
                return "unharmed"
        sys.stderr.write(f"{trial.command[0]}: status {status}, left {left}, said {said!r}\n")
        return "wrong"
    finally:
        shutil.rmtree(outputs)


def _prepared(root: Path) -> Place:
    place = Place(root=root)
    write_folder(root / "real", smooth(120, seed=0))
    write_folder(root / "generated", smooth(60, seed=1, noise=20))
    _quiet([*place.commands["fit"], "--to", root / "scorer"])
    _quiet([*place.commands["score"], "--to", root / "scores"])
    return place


def _undisturbed(command: Sequence[object], place: Place) -> dict[str, bytes]:
    target = place.root / "undisturbed"
    _quiet([*command, "--to", target])
    found = _tree(target)
    shutil.rmtree(target)
    return found


def _tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _any(
    place: Place,
    random: np.random.Generator,
    names: Sequence[str] = ("fit", "score", "compare", "pick"),
) -> list[object]:
    return place.commands[names[random.integers(len(names))]]


def _quiet(command: Sequence[object]) -> None:
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        status = giqa([str(one) for one in command])
    if status != 0:
        raise RuntimeError(f"{command[0]} of the trial itself failed: {said.getvalue()}")


def _forked(command: Sequence[object], trial: Trial) -> tuple[int, str]:
    """The exit status of ``giqa`` in a copy of this process, and what it said on stderr."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os._exit(_command(command, trial, writing))
    os.close(writing)
    if trial.interrupt_after is not None:
        timer = threading.Timer(trial.interrupt_after, os.kill, (child, signal.SIGINT))
        timer.start()
    with os.fdopen(reading, "rb") as said:
        text = said.read().decode("utf-8", errors="replace")
    if trial.interrupt_after is not None:
        timer.cancel()  # before the child is waited for, whose number may then be another's
        timer.join()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


def _command(command: Sequence[object], trial: Trial, writing: int) -> int:
    """What the child does; the moments before and after the command are not the command's."""
    status = None
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # what a shell starts in the background ignores it
    with os.fdopen(writing, "w", errors="replace") as said:
        try:
            trial.before()
            with redirect_stdout(io.StringIO()), redirect_stderr(said):
                status = giqa([str(one) for one in command])
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        except KeyboardInterrupt:
            if status is None:
                said.write("giqa: interrupted\n")
                return 130
        except BaseException:
            traceback.print_exc(file=said)
    return 1 if status is None else status
