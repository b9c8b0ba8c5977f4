"""Hostile images, hostile and damaged scorers, troubles and kill -9: counted, and kept as ``book/results/robustness.json``.

    make robust                    the committed counts, some minutes
    make robust ARGS="--quick"     a few of each; nothing is written
    make robust ARGS="--only images --only rights"    these tables anew, the others as they are

Exit status 1 if anything was lost or wrong. A command under trial is a forked copy of this
process, so that a trial does not pay for loading the library.
"""

import argparse
import contextlib
import datetime
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from folder_images import FIT, smooth, write_folder
from hostile_images import KINDS, SPECIAL, try_kind
from rights import CASES, NOTHING, can_be_refused, try_case
from troubles import TROUBLES, try_trouble

from giqa_lib.applications.folders import load_scorer
from giqa_lib.checks import GiqaError
from giqa_lib.cli import main as giqa
from giqa_lib.data import open_images
from giqa_lib.distributed import Worker, extract_blocks
from giqa_lib.features import PixelExtractor, extract
from giqa_lib.results import write_json
from giqa_lib.results.provenance import commit, device_name, versions
from giqa_lib.store import Store

ROOT = Path(__file__).resolve().parent.parent.parent
SLOW = 0.004  # seconds a batch, so that kills meet the middle of the work


class SlowPixels(PixelExtractor):
    """Pixels at the pace of a network."""

    def __call__(self, images):
        time.sleep(SLOW)
        return super().__call__(images)


def forked(work: Callable[[], object], *, kill_after: float | None) -> tuple[bool, float]:
    """Run ``work`` in a child, killed after some seconds; whether it was, and how long it ran."""
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with (
                Path(os.devnull).open("w") as null,
                contextlib.redirect_stdout(null),
                contextlib.redirect_stderr(null),
            ):
                status = int(work() or 0)
        except BaseException:
            traceback.print_exc()
        os._exit(status)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    ended = os.waitpid(child, 0)[1]
    killed = os.WIFSIGNALED(ended)
    if not killed and os.waitstatus_to_exitcode(ended) != 0:
        raise RuntimeError(f"the command failed by itself: {os.waitstatus_to_exitcode(ended)}")
    return killed, time.perf_counter() - started


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder and the hash of its bytes."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def kill_trials(
    stage: str, command: Callable[[Path, Path], object], *, trials: int, seed: int, scratch: Path
) -> dict[str, object]:
    """Kill ``command(output, store)`` at a random moment, look at the output, run it again.

    Right is: after the kill the output is absent or whole; after the second run it is byte for
    byte that of an undisturbed run, and nothing else is left beside it.
    """
    random = np.random.default_rng(seed)
    whole = scratch / "undisturbed"
    forked(lambda: command(scratch / "warm" / "out", scratch / "warm" / "store"), kill_after=None)
    shutil.rmtree(scratch / "warm")
    _, seconds = forked(lambda: command(whole / "out", whole / "store"), kill_after=None)
    expected = tree(whole / "out")
    killed = early = wrong = 0
    for trial in range(trials):
        place = scratch / f"trial {trial}"
        place.mkdir()
        work = lambda place=place: command(place / "out", place / "store")  # noqa: E731
        was, _ = forked(work, kill_after=float(random.uniform(0, seconds)))
        killed += was
        there = (place / "out").exists()
        early += not there
        if there and tree(place / "out") != expected:
            wrong += 1
        if not there:
            forked(work, kill_after=None)
        left = [path.name for path in place.iterdir() if path.name not in ("out", "store")]
        if tree(place / "out") != expected or left:
            wrong += 1
            sys.stderr.write(f"{stage}, trial {trial}: left {left}\n")
        shutil.rmtree(place)
    shutil.rmtree(whole)
    return {
        "stage": stage,
        "trials": trials,
        "killed": killed,
        "before the output was there": early,
        "wrong after the second run": wrong,
    }


def stages(scratch: Path) -> dict[str, Callable[[Path, Path], object]]:
    """What is killed: commands from images to files, and extraction in blocks."""
    real = write_folder(scratch / "real", smooth(300, seed=0))
    generated = write_folder(scratch / "generated", smooth(300, seed=1, noise=20))
    scorer = scratch / "scorer"
    if giqa(["fit", str(real), "--to", str(scorer), *FIT, "--no-cache"]) != 0:
        raise RuntimeError("the scorer of the trials could not be fitted")

    def run(arguments: Sequence[object]) -> Callable[[Path, Path], object]:
        def command(out: Path, store: Path) -> object:
            os.environ["GIQA_STORE"] = str(store)
            return giqa([str(one) for one in (*arguments, "--to", out)])

        return command

    def blocks(out: Path, store: Path) -> object:
        images, network = open_images(generated), SlowPixels(input_size=4)
        found = extract_blocks(
            images, network, worker=Worker(), store=Store(store), block=100, batch_size=20
        )
        return save(found.values, out)

    def features(out: Path, store: Path) -> object:
        found = extract(
            open_images(generated), SlowPixels(input_size=4), store=Store(store), batch_size=20
        )
        return save(found.values, out)

    def save(values: np.ndarray, out: Path) -> int:
        part = out.parent / "store" / "values"
        part.mkdir(exist_ok=True)
        np.save(part / "values.npy", values)
        os.replace(part, out)
        return 0

    return {
        "giqa fit": run(("fit", real, *FIT)),
        "giqa score": run(("score", scorer, generated, "--gallery", 50)),
        "giqa compare": run(("compare", real, f"a={generated}", *FIT)),
        "giqa pick": run(
            (
                "pick",
                scored(scorer, generated, scratch),
                generated,
                "--keep",
                "50%",
                "--how",
                "copy",
            )
        ),
        "extraction into the store": features,
        "extraction in blocks": blocks,
    }


def made(folder: Path) -> Path:
    """The folder, made."""
    folder.mkdir(parents=True)
    return folder


def scored(scorer: Path, generated: Path, scratch: Path) -> Path:
    """The scores that picking reads."""
    giqa(["score", str(scorer), str(generated), "--to", str(scratch / "scores"), "--no-cache"])
    return scratch / "scores"


def damaged_scorers(scorer: Path, *, trials: int, seed: int) -> list[dict[str, object]]:
    """Change, cut or replace a random file of a scorer; it must be refused, or score as before."""
    random = np.random.default_rng(seed)
    images = open_images(write_folder(scorer.parent / "probe", smooth(5, seed=7)))
    expected = load_scorer(scorer).score_images(images).table
    files = [path for path in sorted(scorer.rglob("*")) if path.is_file()]
    damages: dict[str, Callable[[bytes], bytes]] = {
        "a byte changed": lambda data: _flipped(data, random),
        "cut off": lambda data: data[: random.integers(len(data))],
        "random bytes": lambda data: random.bytes(len(data)),
    }
    rows = []
    for name, damage in damages.items():
        refused = same = wrong = 0
        for _ in range(trials):
            path = files[random.integers(len(files))]
            whole = path.read_bytes()
            path.write_bytes(damage(whole))
            try:
                found = load_scorer(scorer).score_images(images).table
                same, wrong = (same + 1, wrong) if found.equals(expected) else (same, wrong + 1)
            except GiqaError as error:
                refused, wrong = (
                    (refused, wrong + 1) if "\n" in str(error) else (refused + 1, wrong)
                )
            except Exception:
                traceback.print_exc()
                wrong += 1
            path.write_bytes(whole)
        row = {"damage": name, "trials": trials, "refused": refused}
        rows.append({**row, "harmless, same scores": same, "wrong": wrong})
    return rows


def _flipped(data: bytes, random: np.random.Generator) -> bytes:
    changed = bytearray(data)
    changed[random.integers(len(data))] ^= 1 << random.integers(8)
    return bytes(changed)


CAPTIONS = {
    "images": "Hostile and odd image files: how many were read, how many listed as unreadable with a reason, and how many were treated wrongly (lost, of a wrong shape, or the wrong one of the two).",
    "rights": "What the system refuses to a user who is not root, who runs fit, score and compare: how many ended with one line that says so and nothing left behind, and how many did not.",
    "troubles": "Commands in trouble (fit, score, compare, pick, one at random; for scorers and archives the one that reads them): refused in one line with nothing left behind, unharmed (the output is, byte for byte, that of an undisturbed run), or wrong.",
    "scorers": "Saved scorers with a random file damaged: refused in one line, harmless (the change means nothing and the scores are the same), or wrong.",
    "kills": "kill -9 at a random moment, then the same command again: how often the output is not, byte for byte, that of an undisturbed run, or something is left beside it.",
}  # fmt: skip


def counted(scratch: Path, *, quick: bool) -> dict[str, Callable[[], list[dict[str, object]]]]:
    """What makes the rows of each table."""
    images, kills, damages, troubles = (10, 3, 20, 3) if quick else (200, 50, 300, 50)
    with contextlib.redirect_stdout(sys.stderr):
        commands = stages(scratch)
    cases = [case for case in CASES if case != NOTHING] if can_be_refused() else []
    return {
        "images": lambda: [
            asdict(try_kind(kind, scratch / "images" / str(number), count=images, seed=number))
            for number, kind in enumerate([*KINDS, *SPECIAL])
        ],
        "rights": lambda: [asdict(try_case(case)) for case in cases],
        "troubles": lambda: [
            asdict(try_trouble(trouble, trials=troubles, seed=number))
            for number, trouble in enumerate(TROUBLES)
        ],
        "scorers": lambda: damaged_scorers(scratch / "scorer", trials=damages, seed=0),
        "kills": lambda: [
            kill_trials(
                stage, command, trials=kills, seed=0, scratch=made(scratch / "kills" / stage)
            )
            for stage, command in commands.items()
        ],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few trials; nothing is written")
    parser.add_argument("--only", action="append", choices=list(CAPTIONS), help="one table")
    options = parser.parse_args()
    # tqdm's own lock is shared by forks: a killed one would keep it for ever
    tqdm.set_lock(threading.RLock())
    with tempfile.TemporaryDirectory(prefix="giqa-robust-") as name:
        ways = counted(Path(name), quick=options.quick)
        found = {table: ways[table]() for table in CAPTIONS if table in (options.only or CAPTIONS)}
    tables = [{"name": n, "caption": CAPTIONS[n], "rows": rows} for n, rows in found.items()]
    wrong = sum(
        int(row[key]) for t in tables for row in t["rows"] for key in row if key.startswith("wrong")
    )
    for table in tables:
        print(table["caption"])
        for row in table["rows"]:
            print("  ", *row.values(), sep=" | ")
    if not options.quick:
        run = {
            "date": datetime.date.today().isoformat(),
            "commit": commit(ROOT),
            "device": device_name("cpu"),
            "versions": versions(),
            "command": "make robust",
        }
        # JSON's keys are sorted, a table's columns are not
        fresh = {
            one["name"]: one | {"columns": list(one["rows"][0]), "commit": commit(ROOT)}
            for one in tables
            if one["rows"]
        }
        path = ROOT / "book" / "results" / "robustness.json"
        kept = json.loads(path.read_text())["tables"] if options.only and path.exists() else []
        known = {one["name"]: one for one in kept} | fresh
        write_json(path, {"run": run, "tables": [known[n] for n in CAPTIONS if n in known]})
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
