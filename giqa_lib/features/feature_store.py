"""``FeatureFile``: rows on disk that survive kill -9, appended batch by batch.

Rows go to ``values.npy`` and their image numbers to ``indices.npy``; what counts is the
journal, replaced by one atomic rename after the rows are on disk. Rows beyond the journal are
those of a killed batch and are cut off on opening. So a kill at any moment loses at most
the running batch, and no row is ever wrong, missing or twice. One writer at a time is the
caller's business (``Store.fetch`` holds a lock).
"""

import io
import json
import os
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from giqa_lib.checks import GiqaError, error_line

__all__ = ["FeatureFile", "read_features"]


class FeatureFile:
    """Rows of float32 (d,) with an image number each, appended and committed.

    ``done`` counts the requested images that are settled: stored or found unreadable.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with FeatureFile(folder, width=2) as file:
    ...     file.append(np.ones((3, 2), np.float32), np.arange(3), done=4, failures={"b": "empty"})
    ...     file.finish()
    >>> read_features(folder)[0].shape
    (3, 2)
    """

    def __init__(self, folder: str | os.PathLike[str], *, width: int) -> None:
        self.folder = Path(folder)
        self.width = width
        self.rows = 0
        self.done = 0
        self.failures: dict[str, str] = {}
        if self._journal.is_file():
            kept = json.loads(self._journal.read_text())
            self.rows, self.done = kept["rows"], kept["done"]
            self.failures = kept["failures"]
            if kept["width"] != width:
                hint = "raise the extractor's version when its features change"
                raise GiqaError(
                    error_line(
                        f"{self.folder}",
                        expected=f"width {kept['width']}",
                        got=f"{width}",
                        hint=hint,
                    )
                )
        self._values = _open(self.folder / "values.npy", np.dtype("<f4"), (width,), self.rows)
        self._indices = _open(self.folder / "indices.npy", np.dtype("<i8"), (), self.rows)

    def __enter__(self) -> "FeatureFile":
        return self

    def __exit__(self, *error: object) -> None:
        """Let go of the files; opening the folder again resumes."""
        self._values.close()
        self._indices.close()

    @property
    def _journal(self) -> Path:
        return self.folder / "journal.json"

    def append(
        self,
        values: NDArray[np.float32],
        indices: NDArray[np.int64],
        *,
        done: int,
        failures: dict[str, str],
    ) -> None:
        """Store a batch's rows and commit: afterwards ``done`` images never need redoing."""
        self._values.write(np.ascontiguousarray(values, dtype="<f4").tobytes())
        self._indices.write(np.ascontiguousarray(indices, dtype="<i8").tobytes())
        for file in (self._values, self._indices):
            _sync(file)
        self.rows += len(values)
        self.done = done
        self.failures = dict(failures)
        self._commit()

    def finish(self) -> None:
        """Write the number of rows into both headers, so that numpy reads the files."""
        for file, dtype, tail in (
            (self._values, np.dtype("<f4"), (self.width,)),
            (self._indices, np.dtype("<i8"), ()),
        ):
            file.seek(0)
            file.write(_header(dtype, (self.rows, *tail)))
            _sync(file)
        self._commit()

    def _commit(self) -> None:
        fresh = self.folder / "journal.fresh"
        state = {
            "rows": self.rows,
            "done": self.done,
            "width": self.width,
            "failures": self.failures,
        }
        with fresh.open("w") as file:
            json.dump(state, file)
            _sync(file)
        os.replace(fresh, self._journal)
        _sync_folder(self.folder)


def read_features(
    folder: Path,
) -> tuple[NDArray[np.float32], NDArray[np.int64], dict[str, str]]:
    """Values (memory-mapped, read-only), image numbers and failures of a finished file."""
    failures: dict[str, str] = json.loads((folder / "journal.json").read_text())["failures"]
    indices: NDArray[np.int64] = np.load(folder / "indices.npy")
    if len(indices) == 0:  # an empty file cannot be mapped
        return np.load(folder / "values.npy"), indices, failures
    return np.load(folder / "values.npy", mmap_mode="r"), indices, failures


def _header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    # numpy pads the header so that a longer first axis fits into the same number of bytes
    buffer = io.BytesIO()
    described = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(buffer, described)
    return buffer.getvalue()


def _open(path: Path, dtype: np.dtype[Any], tail: tuple[int, ...], rows: int) -> IO[bytes]:
    """Open for appending after exactly ``rows`` rows."""
    header = _header(dtype, (0, *tail))
    size = len(header) + rows * int(np.prod(tail, dtype=np.int64)) * dtype.itemsize
    there = path.stat().st_size if path.exists() else 0
    if there < size and rows:
        hint = "delete the folder to start anew"
        raise GiqaError(error_line(str(path), expected=f"{size} bytes", got=str(there), hint=hint))
    file = path.open("r+b" if path.exists() else "w+b")
    file.write(header)
    file.truncate(size)
    file.seek(size)
    return file


def _sync(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # other systems cannot open a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
