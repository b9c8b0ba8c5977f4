"""A database of quality on disk: two Parquet files in the Hugging Face convention, and a datasheet.

``images.parquet`` has a row an image: ``image`` and ``map`` (structs of PNG bytes and path; a map's pixel is its part),
``domain`` (a name), ``pseudo``, ``mos`` (null where nobody voted). ``pairs.parquet`` has ``better`` and ``worse``, places in it. Names of parts
and domains, the format's number and a digest of the values stand in the schema's metadata. ``README.md`` is a datasheet after Gebru et
al. (2021). All three are written beside the folder and put in its place at once.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor

from giqa_lib.checks import GiqaError, InputError, error_line
from giqa_lib.data.decode import decode_image, encode_png
from giqa_lib.data.quality_database import QualityDatabase

__all__ = ["DATASHEET_SECTIONS", "load_quality_database", "save_quality_database"]

FORMAT = 1
IMAGES, PAIRS, DATASHEET = "images.parquet", "pairs.parquet", "README.md"
KEY = b"giqa_quality"
#: What a datasheet must answer.
DATASHEET_SECTIONS = ("Motivation", "Composition", "Collection", "Labels", "Uses", "Licence")
PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def save_quality_database(
    database: QualityDatabase,
    folder: str | os.PathLike[str],
    *,
    title: str,
    datasheet: Mapping[str, str],
) -> Path:
    """Write ``database`` into a new ``folder``; returns it.

    ``datasheet`` has a paragraph for each of :data:`DATASHEET_SECTIONS`. Raises ``InputError`` where one is missing and where the
    folder is there already.

    >>> import tempfile
    >>> none = torch.zeros(1, dtype=torch.float64)
    >>> one = QualityDatabase(images=torch.zeros(1, 3, 4, 4, dtype=torch.uint8), maps=torch.zeros(1, 4, 4, dtype=torch.uint8),
    ...     parts=("skin",), domains=("toy",), domain=torch.tensor([0]), pseudo=none, mos=none, pairs=torch.zeros(0, 2).long())
    >>> folder = save_quality_database(one, tempfile.mkdtemp() + "/one", title="One", datasheet=dict.fromkeys(DATASHEET_SECTIONS, "-"))
    >>> len(load_quality_database(folder))
    1
    """
    folder = Path(folder)
    missing = [name for name in DATASHEET_SECTIONS if not datasheet.get(name, "").strip()]
    if missing:
        hint = "say it in a sentence"
        expected = f"a paragraph on {', '.join(DATASHEET_SECTIONS)}"
        got = f"none on {missing[0]}"
        raise InputError(error_line("datasheet", expected=expected, got=got, hint=hint))
    if folder.exists():
        hint = "give another folder, or remove it first"
        raise InputError(error_line("folder", expected="a new one", got=str(folder), hint=hint))
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        told = {"format": FORMAT, "parts": database.parts, "domains": database.domains}
        told["digest"] = _digest(database)
        table = _image_table(database).replace_schema_metadata({KEY: json.dumps(told).encode()})
        pq.write_table(table, partial / IMAGES, row_group_size=256)
        pairs = {"better": database.pairs[:, 0].numpy(), "worse": database.pairs[:, 1].numpy()}
        pq.write_table(pa.table(pairs), partial / PAIRS)
        words = _datasheet(database, title, datasheet)
        (partial / DATASHEET).write_text(words, encoding="utf-8")
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def load_quality_database(folder: str | os.PathLike[str]) -> QualityDatabase:
    """The database that :func:`save_quality_database` wrote.

    Raises ``InputError`` for a folder that holds none, a damaged file, another format, and values that are not those that were
    written.
    """
    folder = Path(folder)
    try:
        images, pairs = (pq.read_table(folder / name) for name in (IMAGES, PAIRS))
        told = json.loads((images.schema.metadata or {})[KEY])
        if told["format"] != FORMAT:
            raise _damaged(folder, f"format {told['format']}")
        domains = tuple(told["domains"])
        places = np.stack([pairs[name].to_numpy() for name in ("better", "worse")], axis=1)
        if places.size and not (places.min() >= 0 and places.max() < len(images)):
            raise _damaged(folder, "pairs of images that are not there")
        found = QualityDatabase(
            images=_pictures(images["image"]),
            maps=_pictures(images["map"])[:, 0],
            parts=tuple(told["parts"]),
            domains=domains,
            domain=torch.tensor([domains.index(name) for name in images["domain"].to_pylist()]),
            pseudo=torch.from_numpy(_numbers(images["pseudo"])),
            mos=torch.from_numpy(_numbers(images["mos"])),
            pairs=torch.from_numpy(places.astype(np.int64)),
        )
        digest = told["digest"]
    except InputError:
        raise
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError, GiqaError) as error:
        raise _damaged(folder, f"{type(error).__name__} ({str(error)[:80]})") from error
    if _digest(found) != digest:
        raise _damaged(folder, "other values than were written")
    return found


def _image_table(database: QualityDatabase) -> pa.Table:
    paths = [f"{number:06d}.png" for number in range(len(database))]
    pictures = [encode_png(image) for image in database.images]
    maps = [encode_png(each[None]) for each in database.maps]
    columns = {
        "image": pa.array(_structs(pictures, "images", paths), PICTURE),
        "map": pa.array(_structs(maps, "maps", paths), PICTURE),
        "domain": pa.array([database.domains[number] for number in database.domain.tolist()]),
        "pseudo": pa.array(database.pseudo.numpy()),
        "mos": pa.array(database.mos.numpy(), from_pandas=True),  # NaN becomes null
    }
    return pa.table(columns)


def _structs(encoded: list[bytes], folder: str, paths: list[str]) -> list[dict[str, object]]:
    return [
        {"bytes": data, "path": f"{folder}/{path}"}
        for data, path in zip(encoded, paths, strict=True)
    ]


def _pictures(column: pa.ChunkedArray) -> UInt8[Tensor, "n c h w"]:
    return torch.stack([decode_image(row["bytes"], name=row["path"]) for row in column.to_pylist()])


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.array([np.nan if v is None else v for v in column.to_pylist()], dtype=np.float64)


def _digest(database: QualityDatabase) -> str:
    parts = ("images", "maps", "domain", "pseudo", "mos", "pairs")
    found = hashlib.sha256()
    for name in parts:
        values = getattr(database, name).contiguous().numpy()
        found.update(f"{name} {values.shape} ".encode())
        found.update(
            np.nan_to_num(values).tobytes() if values.dtype.kind == "f" else values.tobytes()
        )
    return found.hexdigest()[:32]


def _datasheet(database: QualityDatabase, title: str, words: Mapping[str, str]) -> str:
    counts = torch.bincount(database.domain, minlength=len(database.domains)).tolist()
    rows = [f"| {name} | {count} |" for name, count in zip(database.domains, counts, strict=True)]
    judged = int(torch.isfinite(database.mos).sum())
    numbers = (
        f"{len(database)} images of {tuple(database.images.shape[1:])}, {judged} with opinion, {len(database.pairs)} pairs; "
        f"parts: {', '.join(database.parts)}."
    )
    table = "\n".join(["| domain | images |", "|:--|--:|", *rows])
    sections = [f"## {name}\n\n{words[name].strip()}" for name in DATASHEET_SECTIONS]
    return "\n\n".join([f"# {title}", numbers, table, *sections]) + "\n"


def _damaged(folder: Path, got: str) -> InputError:
    hint = "write it again with save_quality_database"
    return InputError(error_line(str(folder), expected="a database of quality", got=got, hint=hint))
