"""Render a site folder with jupyter-book, warnings as errors."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from giqa_lib.checks import GiqaError

__all__ = ["RenderFailed", "render"]


class RenderFailed(GiqaError):  # noqa: N818, what happened, not what is raised
    """jupyter-book ended with an error or a warning; its own words are above."""


def render(site: Path, *, profile: str, out: Path) -> Path:
    """Build ``site`` to ``out/_build/html``; returns the first page.

    An earlier build is removed first: Sphinx repeats no warning of a page that it did not read
    again, and leaves pages that are gone. A clean build takes seconds.
    """
    tool = Path(sys.executable).with_name("jupyter-book")
    shutil.rmtree(out / "_build", ignore_errors=True)
    done = subprocess.run(
        [
            str(tool),
            "build",
            "-W",
            "-n",
            "--keep-going",
            "-q",
            "--path-output",
            str(out),
            str(site),
        ],
        env={**os.environ, "GIQA_PROFILE": profile},
        check=False,
    )
    if done.returncode:
        raise RenderFailed(f"jupyter-book: exit status {done.returncode}; its messages are above")
    return out / "_build" / "html" / "index.html"
