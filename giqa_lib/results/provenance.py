"""Where a number came from: versions, commit, device.

Nothing here names the machine or its user: a record is public.
"""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

__all__ = ["commit", "device_name", "versions"]

PACKAGES = (
    "giqa-lib", "torch", "torchvision", "numpy", "scipy", "scikit-learn", "pandas", "pillow", "timm",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Python and the packages that decide a number.

    >>> sorted(versions())[:2]
    ['giqa-lib', 'numpy']
    """
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def commit(root: Path) -> str:
    """The checkout's commit, with ``+changes`` where tracked files differ; else ``unknown``."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        head = git("rev-parse", "--short=12", "HEAD")
        # A run writes its own record under book/results: that is no change of the code.
        changed = git("status", "--porcelain", "-uno", "--", ".", ":!book/results")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}+changes" if changed else head


def device_name(device: str) -> str:
    """The processor's model and the threads used, or the GPU's name.

    >>> "thread" in device_name("cpu")
    True
    """
    if device.startswith("cuda") and torch.cuda.is_available():
        return torch.cuda.get_device_name(device)
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    return f"{model}, {torch.get_num_threads()} thread(s) of {os.cpu_count()} cores"
