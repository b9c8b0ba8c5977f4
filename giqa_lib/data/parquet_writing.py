"""Write images as one Parquet file in the Hugging Face convention, which ``datasets`` and its Hub show as images.

The image column is a struct of ``bytes`` (the encoded file) and ``path`` (its name); the file's metadata name the
type of each column. Written row group by row group, so memory does not grow with the number of images.
"""

import io
import json
import os
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from torch import Tensor

from giqa_lib.checks import InputError, check_positive, error_line
from giqa_lib.data.images import ImageSet
from giqa_lib.data.opening import open_images
from giqa_lib.data.source import UnreadableImage

__all__ = ["write_parquet"]

_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_NAMES = {pa.string(): "string", pa.large_string(): "string", pa.bool_(): "bool"} | {
    kind: str(kind) for kind in (pa.int64(), pa.int32(), pa.int16(), pa.int8(), pa.uint8())
}
_NAMES |= {pa.float64(): "float64", pa.float32(): "float32"}


def write_parquet(
    images: ImageSet | Tensor,
    path: str | os.PathLike[str],
    *,
    table: pd.DataFrame | None = None,
    group: int = 256,
) -> Path:
    """Write every image with its row of ``table`` (by default the set's own); returns the path.

    Files are taken as they are; what has none, such as a tensor, is encoded as PNG, without loss. ``group`` is the
    number of images a row group, the least that a reader reads. The file appears when it is complete. Raises
    :class:`UnreadableImage` at the first image that cannot be read: ``images.readable()`` leaves those out.

    >>> import tempfile, torch
    >>> path = Path(tempfile.mkdtemp()) / "images.parquet"
    >>> open_images(write_parquet(torch.zeros(3, 1, 4, 4, dtype=torch.uint8), path))
    ImageSet(3 images from parquet; no labels)
    """
    check_positive(group, name="group")
    images = open_images(images) if isinstance(images, Tensor) else images
    columns = _columns(images.table if table is None else table, len(images))
    schema = pa.schema(
        [("image", _IMAGE), *zip(columns.column_names, columns.schema.types, strict=True)]
    )
    features = {"image": {"_type": "Image"}} | {
        field.name: {"dtype": _NAMES[field.type], "_type": "Value"} for field in columns.schema
    }
    about = json.dumps({"info": {"features": features}})
    path = Path(path)
    part = path.with_name(f"{path.name}.part")
    try:
        with pq.ParquetWriter(part, schema.with_metadata({"huggingface": about})) as writer:
            for start in range(0, len(images), group):
                rows = range(start, min(start + group, len(images)))
                cells = [{"bytes": _file(images, i), "path": images.names[i]} for i in rows]
                chunk = columns.slice(start, len(cells)).combine_chunks()
                arrays = [pa.array(cells, _IMAGE), *(c.combine_chunks() for c in chunk.columns)]
                writer.write_table(pa.table(arrays, schema=writer.schema), row_group_size=group)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _columns(table: pd.DataFrame, count: int) -> pa.Table:
    if len(table) != count:
        got, hint = f"{len(table)} rows for {count} images", "align it by name"
        raise InputError(error_line("table", expected="one row an image", got=got, hint=hint))
    found = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    for field in found.schema:
        if field.type not in _NAMES or field.name == "image":
            expected, hint = (
                "numbers, bools or text, none called image",
                "convert it or leave it out",
            )
            got = f"column {field.name!r} of {field.type}"
            raise InputError(error_line("table", expected=expected, got=got, hint=hint))
    return found


def _file(images: ImageSet, index: int) -> bytes:
    try:
        return images.encoded(index)
    except UnreadableImage:
        pixels = images[index].permute(1, 2, 0).numpy()
    encoded = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(encoded, "PNG")
    return encoded.getvalue()
