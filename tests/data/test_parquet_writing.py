import json

import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from giqa_lib.checks import InputError
from giqa_lib.data import UnreadableImage, open_images, write_parquet

TABLE = pd.DataFrame(
    {"score": [0.5, 0.25, 1.0], "label": [2, 0, 1], "kept": [True, False, True], "who": list("abc")}
)


@pytest.fixture
def colour():
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (3, 3, 5, 7), dtype=torch.uint8, generator=random)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("group", [1, 2, 100])
def test_pixels_and_columns_come_back(tmp_path, colour, channels, group):
    path = write_parquet(colour[:, :channels], tmp_path / "a.parquet", table=TABLE, group=group)
    found = open_images(path)
    assert torch.equal(found.tensor(), colour[:, :channels])
    pd.testing.assert_frame_equal(found.table, TABLE, check_dtype=False)
    assert pq.ParquetFile(path).num_row_groups == -(-3 // group)
    assert [file.name for file in tmp_path.iterdir()] == ["a.parquet"]


def test_files_are_kept_as_they_are(tmp_path, encode):
    folder = tmp_path / "images"
    folder.mkdir()
    for name, kind in (("a.jpg", "JPEG"), ("b.png", "PNG")):
        (folder / name).write_bytes(encode(1, kind))
    images = open_images(folder)
    found = open_images(write_parquet(images, tmp_path / "a.parquet"))
    assert list(found.names) == ["a.jpg", "b.png"]
    assert [found.encoded(i) for i in (0, 1)] == [images.encoded(i) for i in (0, 1)]


def test_a_file_that_is_no_image_leaves_nothing(tmp_path, encode):
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.png").write_bytes(encode())
    (folder / "b.png").symlink_to(folder / "nothing")
    with pytest.raises(UnreadableImage, match=r"b\.png"):
        write_parquet(open_images(folder), tmp_path / "a.parquet")
    assert not list(tmp_path.glob("*.parquet*"))
    path = write_parquet(open_images(folder).readable(), tmp_path / "a.parquet")
    assert len(open_images(path)) == 1


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (TABLE[:2], "one row an image, got 2 rows for 3 images"),
        (pd.DataFrame({"image": [1, 2, 3]}), "none called image"),
        (pd.DataFrame({"when": pd.to_datetime(["2020-01-01"] * 3)}), "column 'when' of timestamp"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path, colour, table, message):
    with pytest.raises(InputError, match=message):
        write_parquet(colour, tmp_path / "a.parquet", table=table)


def test_the_metadata_say_what_the_columns_are(tmp_path, colour):
    path = write_parquet(colour, tmp_path / "a.parquet", table=TABLE)
    about = json.loads(pq.read_schema(path).metadata[b"huggingface"])
    assert about["info"]["features"]["image"] == {"_type": "Image"}
    assert about["info"]["features"]["score"] == {"dtype": "float64", "_type": "Value"}


@pytest.mark.filterwarnings("default")  # of datasets' own dependencies
def test_datasets_reads_it_and_writes_what_we_read(tmp_path, colour, monkeypatch):
    datasets = pytest.importorskip("datasets")
    path = write_parquet(colour, tmp_path / "a.parquet", table=TABLE)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    theirs = datasets.Dataset.from_parquet(str(path), cache_dir=str(tmp_path / "cache"))
    assert isinstance(theirs[0]["image"], Image.Image)
    assert {name: theirs[1][name] for name in TABLE} == TABLE.iloc[1].to_dict()
    assert torch.equal(open_images(theirs["image"]).tensor(), colour)
    theirs.to_parquet(str(tmp_path / "b.parquet"))
    back = open_images(tmp_path / "b.parquet")
    assert torch.equal(back.tensor(), colour)
    pd.testing.assert_frame_equal(back.table, TABLE, check_dtype=False)
