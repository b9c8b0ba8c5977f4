"""Parquet files in the Hugging Face convention, read one row group at a time.

An image column is a struct of ``bytes`` (the encoded file) and ``path``, or plain binary.
Row groups are the unit that Parquet can read: the last few are kept, still encoded, so
memory does not grow with the file, but it does with the row groups (a file written with one
row group is held as one).
"""

import hashlib
import os
from collections import Counter, OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from jaxtyping import UInt8

from giqa_lib.checks import InputError, error_line
from giqa_lib.data.decode import MAX_PIXELS, decode_image
from giqa_lib.data.source import Source, UnreadableImage, digest

__all__ = ["ParquetSource"]

_KEPT_GROUPS = 2


class ParquetSource(Source):
    """The rows of one Parquet file, or of several shards of one set in the order given.

    Names are the ``path`` of each image where all are there and differ, else the row numbers.
    The other columns become the table, except further image columns (``column``) and nested
    ones. The fingerprint is a hash of the files' bytes (about a second a gigabyte) and of the
    image column: a copy, or a new date, is the same data.
    """

    def __init__(
        self,
        paths: str | os.PathLike[str] | Sequence[Path],
        *,
        image_column: str | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        one = isinstance(paths, str | os.PathLike)
        self.paths = [Path(paths)] if one else [Path(path) for path in paths]  # type: ignore[arg-type,union-attr]
        self.max_pixels = max_pixels
        self._fingerprint: str | None = None
        self._handles: dict[Path, pq.ParquetFile] = {}
        self._owner = os.getpid()
        self._cache: OrderedDict[int, pa.Array] = OrderedDict()
        schema = self._open(self.paths[0]).schema_arrow
        self.image_columns = tuple(field.name for field in schema if _holds_images(field))
        self.image_column = _choose(self.image_columns, image_column, self.paths[0])
        self._groups = self._list_groups()
        self._starts = np.cumsum([0, *(rows for *_, rows in self._groups)])
        self.table = self._read_table(schema)
        self.names = self._read_names(schema)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_handles": {}, "_cache": OrderedDict()}

    def _open(self, path: Path) -> pq.ParquetFile:
        # a handle that a forked worker shared with its parent would move both their positions
        if self._owner != os.getpid():
            self._handles, self._owner = {}, os.getpid()
        if path not in self._handles:
            try:
                self._handles[path] = pq.ParquetFile(path)
            except (pa.ArrowInvalid, OSError) as error:
                got = f"{path} ({str(error).splitlines()[0]})"
                raise InputError(
                    error_line("Parquet", expected="a whole file", got=got, hint="fetch it again")
                ) from error
        return self._handles[path]

    def _list_groups(self) -> list[tuple[Path, int, int]]:
        """(file, number in it, rows) of every row group."""
        groups = []
        for path in self.paths:
            metadata = self._open(path).metadata
            groups += [
                (path, number, metadata.row_group(number).num_rows)
                for number in range(metadata.num_row_groups)
            ]
        return groups

    def _read_table(self, schema: pa.Schema) -> pd.DataFrame:
        columns = [field.name for field in schema if not pa.types.is_nested(field.type)]
        columns = [name for name in columns if name not in self.image_columns]
        if not columns:
            return pd.DataFrame(index=range(int(self._starts[-1])))
        parts = [self._open(path).read(columns=columns).to_pandas() for path in self.paths]
        return pd.concat(parts, ignore_index=True)

    def _read_names(self, schema: pa.Schema) -> list[str]:
        count = int(self._starts[-1])
        kind = schema.field(self.image_column).type
        names: list[str | None] = [None] * count
        if pa.types.is_struct(kind) and kind.get_field_index("path") >= 0:
            leaf = f"{self.image_column}.path"
            names = []
            for path in self.paths:
                column = self._open(path).read(columns=[leaf]).column(0).combine_chunks()
                names += column.field("path").to_pylist()
        # an image cannot be told from another by a name that both have
        if count == 0 or None in names or max(Counter(names).values()) > 1:
            return [str(number) for number in range(count)]
        return [str(name) for name in names]

    @property
    def fingerprint(self) -> str:
        """Hash of the files' bytes and of the image column; read once."""
        if self._fingerprint is None:
            self._fingerprint = digest([*map(_file_hash, self.paths), self.image_column])
        return self._fingerprint

    def column(self, name: str) -> "ParquetSource":
        """The same rows with the images of another column."""
        return ParquetSource(self.paths, image_column=name, max_pixels=self.max_pixels)

    def read(self, index: int) -> UInt8[torch.Tensor, "c h w"]:
        """Decode the image in row ``index``."""
        return decode_image(self.encoded(index), name=self.names[index], max_pixels=self.max_pixels)

    def encoded(self, index: int) -> bytes:
        """The encoded file in row ``index``."""
        name = self.names[index]
        group = int(np.searchsorted(self._starts, index, side="right")) - 1
        value = self._group(group, name)[index - int(self._starts[group])].as_py()
        data = value.get("bytes") if isinstance(value, dict) else value
        if data is None:
            raise UnreadableImage(name, "the row holds no bytes")
        return bytes(data)

    def _group(self, number: int, name: str) -> pa.Array:
        if number in self._cache:
            self._cache.move_to_end(number)
            return self._cache[number]
        path, inside, _ = self._groups[number]
        try:
            table = self._open(path).read_row_group(inside, columns=[self.image_column])
        except (pa.ArrowException, OSError, InputError) as error:
            reason = f"row group {inside} of {path.name}: {str(error).splitlines()[0]}"
            raise UnreadableImage(name, reason) from error
        while len(self._cache) >= _KEPT_GROUPS:
            self._cache.popitem(last=False)
        self._cache[number] = table.column(0).combine_chunks()
        return self._cache[number]


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


def _holds_images(field: pa.Field) -> bool:
    kind = field.type
    if pa.types.is_struct(kind):
        place = kind.get_field_index("bytes")
        return place >= 0 and _is_binary(kind.field(place).type)
    return _is_binary(kind)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _choose(columns: tuple[str, ...], wanted: str | None, path: Path) -> str:
    """The wanted image column, else ``image``, else the only one."""
    if wanted is None and (len(columns) == 1 or "image" in columns):
        return "image" if "image" in columns else columns[0]
    if wanted in columns:
        return wanted
    expected = f"an image column ({', '.join(columns) or 'none in'} {path.name})"
    hint = "an image column is a struct of bytes and path, or binary; name it"
    raise InputError(error_line("column", expected=expected, got=repr(wanted), hint=hint))
