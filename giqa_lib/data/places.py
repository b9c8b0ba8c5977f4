"""Where a named data set may lie on this machine, and in which form.

Looked through in this order: ``$GIQA_DATA``; the library's own folder (what ``fetch``
downloads); ``./data`` and ``~/data`` and ``$TORCH_HOME/datasets`` in torchvision's layout;
the system's share (Debian's package ``dataset-fashion-mnist``).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from giqa_lib.checks import InputError, error_line
from giqa_lib.data.standard import find_idx

__all__ = ["Place", "fetch_folder", "find_folder", "find_place"]

Form = Literal["parquet", "idx", "cifar", "folder", "zip", "package", "drawn"]

_PARQUET_STEMS = {
    "cifar10": ("cifar10",),
    "cifake": ("cifake_sd14",),
    "mnist": ("mnist",),
    "celebamask": ("celebamask",),
    "faces64-human": ("faces64_human",),
    "agiqa-3k": ("agiqa3k", "agiqa3k_dev"),
    "gan-ladder": ("gan_ladder_cifar10", "gan_ladder_cifar10_dev"),
}
_IDX_FOLDERS = {"fashion-mnist": "FashionMNIST/raw", "mnist": "MNIST/raw"}
_CIFAR_FOLDERS = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}
_CIFAR_FILES = {"cifar10": ("data_batch_5", "test_batch"), "cifar100": ("train", "test")}
_SYSTEM = {"fashion-mnist": Path("/usr/share/datasets/fashion-mnist")}


@dataclass(frozen=True, kw_only=True)
class Place:
    """A path and the form in which the data lies there."""

    path: Path
    form: Form


def fetch_folder() -> Path:
    """Where downloads go: ``$GIQA_DATA`` if it can be written to, else the user's cache.

    >>> isinstance(fetch_folder(), Path)
    True
    """
    given = _given()
    if given is not None and os.access(given, os.W_OK):
        return given
    return _cache()


def find_folder(name: str) -> Path | None:
    """A folder of that name with files that are no images (weights), in the first place that has it, or None.

    >>> find_folder("no such folder") is None
    True
    """
    found = (root / name for root in _roots())
    return next((folder for folder in found if folder.is_dir() and any(folder.iterdir())), None)


def find_place(name: str) -> Place | None:
    """The first place that holds the data set, or None."""
    if name == "toy-faces":
        return Place(path=Path(__file__).with_name("toy_faces.py"), form="drawn")
    if name == "digits":
        spec = find_spec("sklearn")
        folder = Path(spec.origin).parent if spec is not None and spec.origin else None
        return None if folder is None else Place(path=folder / "datasets", form="package")
    for root in _roots():
        for place in _in_root(name, root):
            return place
    system = _SYSTEM.get(name)
    if system is not None and _has_idx(system):
        return Place(path=system, form="idx")
    return None


def _in_root(name: str, root: Path) -> Iterator[Place]:
    stems = (name, name.replace("-", "_"), *_PARQUET_STEMS.get(name, ()))
    for stem in dict.fromkeys(stems):
        if (root / f"{stem}.parquet").is_file():
            yield Place(path=root / f"{stem}.parquet", form="parquet")
        if (root / f"{stem}.zip").is_file():
            yield Place(path=root / f"{stem}.zip", form="zip")
        folder = root / stem
        if name in _IDX_FOLDERS and _has_idx(folder):
            yield Place(path=folder, form="idx")
        elif name in _CIFAR_FILES and _has_files(folder, _CIFAR_FILES[name]):
            yield Place(path=folder, form="cifar")
        elif folder.is_dir() and any(folder.iterdir()):
            yield Place(path=folder, form="folder")
    if name in _IDX_FOLDERS and _has_idx(root / _IDX_FOLDERS[name]):
        yield Place(path=root / _IDX_FOLDERS[name], form="idx")
    if name in _CIFAR_FOLDERS and _has_files(root / _CIFAR_FOLDERS[name], _CIFAR_FILES[name]):
        yield Place(path=root / _CIFAR_FOLDERS[name], form="cifar")


def _roots() -> list[Path]:
    torch_home = os.environ.get("TORCH_HOME")
    given = _given()
    roots = [] if given is None else [given]
    roots += [_cache(), Path("data"), Path.home() / "data"]
    if torch_home:
        roots.append(Path(torch_home) / "datasets")
    return roots


def _given() -> Path | None:
    """``$GIQA_DATA``, which must be a folder if it is set: a typing error must not go unseen."""
    text = os.environ.get("GIQA_DATA")
    if not text:
        return None
    folder = Path(text).expanduser()
    if not folder.is_dir():
        hint = "make it, correct the variable, or unset it"
        raise InputError(error_line("$GIQA_DATA", expected="a folder", got=text, hint=hint))
    return folder


def _cache() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "giqa_lib" / "data"


def _has_idx(folder: Path) -> bool:
    return all(find_idx(folder, split) is not None for split in ("train", "test"))


def _has_files(folder: Path, names: tuple[str, ...]) -> bool:
    return all((folder / name).is_file() for name in names)
