"""The Snakefile, run dry on a book of two chapters whose outputs are empty files."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from scratch_book import CHAPTER, Book

pytestmark = pytest.mark.slow

OTHER = "1_part/other"
SNAKEMAKE = Path(sys.executable).with_name("snakemake")


@pytest.fixture
def two(book: Book, root: Path) -> Book:
    shutil.copy(root / "Snakefile", book.root)
    notebooks = book.root / "notebooks"
    shutil.copy(notebooks / f"{CHAPTER}.py", notebooks / f"{OTHER}.py")
    contents = book.root / "_toc.yml"
    contents.write_text(
        contents.read_text().replace(
            f"- file: notebooks/{CHAPTER}\n",
            f"- file: notebooks/{CHAPTER}\n- file: notebooks/{OTHER}\n",
        )
    )
    return book


def snakemake(book: Book, *options: str) -> str:
    done = subprocess.run(
        [str(SNAKEMAKE), "--cores", "1", "--config", "profile=quick", "dataset=digits", *options],
        cwd=book.root,
        env={
            **os.environ,
            "PYTHONPATH": str(book.root),
            "XDG_CACHE_HOME": str(book.root / "cache"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def jobs(book: Book) -> Counter[str]:
    """What would run: the rules, and the notebooks by name."""
    said = snakemake(book, "--dry-run")
    found = Counter(re.findall(r"^(?:local)?rule (\w+):", said, flags=re.MULTILINE))
    found.update(sorted(set(re.findall(r"wildcards: notebook=(\S+)", said))))
    return found


def outputs(book: Book) -> list[Path]:
    index = book.root / "build" / "quick" / "_build" / "html" / "index.html"
    return [*(book.pages / f"{name}.ipynb" for name in (CHAPTER, OTHER)), index]


def change(book: Book, name: str) -> None:
    time.sleep(0.1)  # a file system tells times apart only from one tick to the next
    with (book.root / name).open("a") as file:
        file.write("\n# changed\n")


def test_only_what_changed_would_run(two: Book) -> None:
    everything = {"all": 1, "book": 1, "notebook": 2, CHAPTER: 1, OTHER: 1}
    assert jobs(two) == everything
    for path in outputs(two):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    snakemake(two, "--touch")
    assert jobs(two) == {}
    # One notebook: it and the book.
    change(two, f"notebooks/{OTHER}.py")
    assert jobs(two) == {"all": 1, "book": 1, "notebook": 1, OTHER: 1}
    # Prose, a record of this build and a module that no chapter imports: the book only.
    for path in outputs(two):
        path.touch()
    change(two, "book/index.md")
    change(two, "giqa_lib/runner/claim.py")
    two.record.parent.mkdir(parents=True)
    two.record.write_text("{}")
    assert jobs(two) == {"all": 1, "book": 1}
    change(two, "giqa_lib/results/display.py")
    assert jobs(two) == everything


def test_the_slurm_profile_plans_the_same_jobs(two: Book, root: Path) -> None:
    pytest.importorskip("snakemake_executor_plugin_slurm")
    shutil.copytree(root / "profiles", two.root / "profiles")
    said = snakemake(two, "--dry-run", "--profile", "profiles/slurm")
    assert Counter(re.findall(r"^(?:local)?rule (\w+):", said, flags=re.MULTILINE)) == {
        "all": 1,
        "book": 1,
        "notebook": 2,
    }
    assert said.count("slurm_extra=--gres=gpu:1") == 2
    assert "slurm_partition=gpu" in said
