import io
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from giqa_lib.checks import InputError
from giqa_lib.data import (
    DATASHEET_SECTIONS,
    QualityDatabase,
    load_quality_database,
    open_images,
    save_quality_database,
)

SHEET = {name: f"On {name.lower()}." for name in DATASHEET_SECTIONS}


@pytest.fixture
def database():
    random = torch.Generator().manual_seed(0)
    return QualityDatabase(
        images=torch.randint(0, 256, (7, 3, 12, 10), generator=random).byte(),
        maps=torch.randint(0, 3, (7, 12, 10), generator=random).byte(),
        parts=("background", "hair", "skin"),
        domains=("PENNet", "StarGAN"),
        domain=torch.tensor([0, 0, 0, 1, 1, 1, 1]),
        pseudo=torch.randn(7, generator=random, dtype=torch.float64),
        mos=torch.tensor([1.5, float("nan"), 3, 4, 5, float("nan"), 7], dtype=torch.float64),
        pairs=torch.tensor([[0, 1], [2, 1], [6, 3]]),
    )


def saved(database, tmp_path):
    return save_quality_database(database, tmp_path / "db", title="Toy", datasheet=SHEET)


def test_it_comes_back_bit_for_bit(database, tmp_path):
    found = load_quality_database(saved(database, tmp_path))
    for name in ("images", "maps", "domain", "pseudo", "pairs"):
        assert torch.equal(getattr(found, name), getattr(database, name))
    assert torch.equal(found.mos.isnan(), database.mos.isnan())
    assert torch.equal(found.mos.nan_to_num(), database.mos.nan_to_num())
    assert (found.parts, found.domains) == (database.parts, database.domains)


def test_others_read_it_without_this_library(database, tmp_path):
    rows = pq.read_table(saved(database, tmp_path) / "images.parquet").to_pylist()
    assert [row["domain"] for row in rows] == ["PENNet"] * 3 + ["StarGAN"] * 4
    assert rows[1]["mos"] is None
    picture = Image.open(io.BytesIO(rows[2]["image"]["bytes"]))
    assert picture.size == (10, 12)
    assert tuple(picture.getpixel((4, 5))) == tuple(database.images[2, :, 5, 4].tolist())


def test_it_opens_as_a_set_of_images(database, tmp_path):
    images = open_images(saved(database, tmp_path) / "images.parquet")
    assert torch.equal(images.tensor(), database.images)
    assert torch.equal(images.column("map").tensor()[:, 0], database.maps)


def test_the_datasheet_says_what_is_there(database, tmp_path):
    text = (saved(database, tmp_path) / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# Toy\n")
    assert "7 images of (3, 12, 10), 5 with opinion, 3 pairs" in text
    assert "| PENNet | 3 |" in text
    for name in DATASHEET_SECTIONS:
        assert f"## {name}\n\nOn {name.lower()}." in text


def test_nothing_is_overwritten_and_nothing_half_written_stays(database, tmp_path):
    folder = saved(database, tmp_path)
    with pytest.raises(InputError, match="folder: expected a new one"):
        saved(database, tmp_path)
    broken = replace(database)
    object.__setattr__(broken, "domains", ("only one",))
    with pytest.raises(IndexError):
        save_quality_database(broken, tmp_path / "other", title="Toy", datasheet=SHEET)
    assert list(tmp_path.iterdir()) == [folder]


def test_a_datasheet_that_keeps_silent_is_refused(database, tmp_path):
    with pytest.raises(InputError, match=r"datasheet: .* got none on Uses"):
        save_quality_database(database, tmp_path / "db", title="T", datasheet=SHEET | {"Uses": " "})


def cut(folder):
    path = folder / "images.parquet"
    path.write_bytes(path.read_bytes()[:-200])


def without_pairs(folder):
    (folder / "pairs.parquet").unlink()


def foreign_pairs(folder):
    pq.write_table(pa.table({"better": [0], "worse": [70]}), folder / "pairs.parquet")


def other_pairs(folder):
    pq.write_table(pa.table({"better": [1], "worse": [0]}), folder / "pairs.parquet")


def no_metadata(folder):
    table = pq.read_table(folder / "images.parquet").replace_schema_metadata(None)
    pq.write_table(table, folder / "images.parquet")


def renamed(folder):
    table = pq.read_table(folder / "images.parquet")
    names = [{"mos": "opinion"}.get(name, name) for name in table.column_names]
    pq.write_table(table.rename_columns(names), folder / "images.parquet")


def changed_score(folder):
    table = pq.read_table(folder / "images.parquet")
    place = table.column_names.index("pseudo")
    values = [9.0, *table["pseudo"].to_pylist()[1:]]
    pq.write_table(table.set_column(place, "pseudo", pa.array(values)), folder / "images.parquet")


@pytest.mark.parametrize(
    ("damage", "got"),
    [
        (cut, "ArrowInvalid"),
        (without_pairs, "FileNotFoundError"),
        (foreign_pairs, "pairs of images that are not there"),
        (other_pairs, "other values than were written"),
        (no_metadata, "KeyError"),
        (renamed, "KeyError"),
        (changed_score, "other values than were written"),
    ],
)
def test_damage_is_refused_in_one_line(database, tmp_path, damage, got):
    folder = saved(database, tmp_path)
    damage(folder)
    with pytest.raises(InputError, match=f"expected a database of quality, got {got}") as raised:
        load_quality_database(folder)
    assert "\n" not in str(raised.value)


def test_a_folder_without_a_database_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected a database of quality"):
        load_quality_database(tmp_path)
