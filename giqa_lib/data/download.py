"""Downloads through torchvision, made whole before they get their name."""

import os
import shutil
from pathlib import Path

from filelock import FileLock

from giqa_lib.checks import InputError, error_line

__all__ = ["DOWNLOADABLE", "download"]

#: torchvision's class, and the folder that it makes.
DOWNLOADABLE = {
    "fashion-mnist": ("FashionMNIST", "FashionMNIST"),
    "mnist": ("MNIST", "MNIST"),
    "cifar10": ("CIFAR10", "cifar-10-batches-py"),
    "cifar100": ("CIFAR100", "cifar-100-python"),
}


def download(name: str, root: Path) -> Path:
    """Download a data set below ``root`` in torchvision's layout and return its folder.

    torchvision checks the files' MD5 but unpacks in place: a kill would leave a folder that
    looks whole. So it works in a hidden folder, which is renamed at the end. Raises OSError
    or RuntimeError if the mirrors cannot be reached.
    """
    # imported here: torchvision takes a second and is needed for nothing else
    import torchvision.datasets

    kind, folder = DOWNLOADABLE[name]
    final = root / folder
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / f".{folder}.lock"):
        if final.exists():
            hint = "remove it and fetch again"
            raise InputError(
                error_line(name, expected="no folder yet", got=f"an unusable {final}", hint=hint)
            )
        partial = root / f".{folder}.partial"
        getattr(torchvision.datasets, kind)(partial, download=True)
        os.replace(partial / folder, final)
        shutil.rmtree(partial)
    return final
