import io
import os
import pickle
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from giqa_lib.checks import InputError
from giqa_lib.data import open_images


def write_parquet(path, encoded, *, group=4, paths=None, **columns):
    paths = [f"{i}.png" for i in range(len(encoded))] if paths is None else paths
    image = [{"bytes": data, "path": name} for data, name in zip(encoded, paths, strict=True)]
    pq.write_table(pa.table({"image": image, **columns}), path, row_group_size=group)


class TestFolder:
    def test_order_names_and_fingerprint(self, mixed_folder):
        images = open_images(mixed_folder)
        assert list(images.names) == sorted(images.names)
        before = images.fingerprint
        assert open_images(str(mixed_folder)).fingerprint == before
        os.utime(mixed_folder / "top.bmp", ns=(0, 0))
        assert open_images(mixed_folder).fingerprint != before

    def test_linked_folders_are_followed_but_not_in_circles(self, tmp_path, encode):
        (tmp_path / "x" / "y").mkdir(parents=True)
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "b.png").write_bytes(encode())
        (tmp_path / "x" / "a.png").write_bytes(encode())
        (tmp_path / "x" / "y" / "up").symlink_to(tmp_path / "x")
        (tmp_path / "x" / "link").symlink_to(tmp_path / "other")
        assert open_images(tmp_path / "x").names == ["a.png", "link/b.png"]

    def test_broken_link_is_a_failure(self, tmp_path, encode):
        (tmp_path / "a.png").write_bytes(encode())
        (tmp_path / "b.png").symlink_to(tmp_path / "nothing.png")
        images = open_images(tmp_path)
        list(images.batches(2))
        assert images.failures.to_numpy().tolist() == [["b.png", "the file is gone"]]

    def test_no_images(self, tmp_path):
        (tmp_path / "a.txt").write_text("x")
        with pytest.raises(InputError, match=r"expected image files, got none among 1 file"):
            open_images(tmp_path)


class TestZip:
    @pytest.fixture
    def archive(self, tmp_path, mixed_folder):
        path = tmp_path / "mixed.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(mixed_folder.rglob("*")):
                archive.write(file, file.relative_to(mixed_folder))
            archive.writestr("__MACOSX/a/._0.webp", b"x")
        return path

    def test_equals_the_folder(self, archive, mixed_folder):
        zipped, folder = open_images(archive), open_images(mixed_folder)
        assert zipped.names == folder.names
        zipped.readable()
        zipped = pickle.loads(pickle.dumps(zipped))
        assert zipped.ignored == folder.ignored
        assert zipped.table.equals(folder.table)
        assert torch.equal(zipped.readable().tensor(), folder.readable().tensor())
        assert set(zipped.failures["name"]) == set(folder.failures["name"])

    def test_fingerprint_is_of_the_content(self, archive, tmp_path):
        before = open_images(archive).fingerprint
        archive.rename(tmp_path / "copy.zip")
        assert open_images(tmp_path / "copy.zip").fingerprint == before
        with zipfile.ZipFile(tmp_path / "copy.zip", "a") as more:
            more.writestr("z.png", b"x")
        assert open_images(tmp_path / "copy.zip").fingerprint != before

    def test_a_damaged_entry_is_a_failure(self, tmp_path, encode):
        path = tmp_path / "a.zip"
        data = encode(size=(32, 32))
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("bad.png", data)
            archive.writestr("good.png", data)
        raw = bytearray(path.read_bytes())
        raw[raw.index(data) + len(data) // 2] ^= 0xFF
        path.write_bytes(raw)
        images = open_images(path)
        assert len(images.readable()) == 1
        assert "CRC" in images.failures["reason"][0]

    def test_an_entry_that_unpacks_to_too_much(self, tmp_path):
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("big.png", bytes(100_000))
        images = open_images(path, max_pixels=1000)
        assert list(images.batches(1)) == []
        assert "100000 bytes unpacked" in images.failures["reason"][0]

    def test_encrypted_and_broken_archives(self, tmp_path, encode):
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.png", encode())
        raw = bytearray(path.read_bytes())
        raw[raw.rindex(b"PK\x01\x02") + 8] |= 1
        path.write_bytes(raw)
        with pytest.raises(InputError, match=r"1 encrypted, first a\.png"):
            open_images(path)
        path.write_bytes(b"PK but no more")
        with pytest.raises(InputError, match="expected a zip archive"):
            open_images(path)


class TestParquet:
    def test_images_names_and_table(self, tmp_path, encode):
        path = tmp_path / "a.parquet"
        encoded = [encode(i) for i in range(10)]
        write_parquet(path, encoded, label=list(range(10)), tags=[["x"]] * 10)
        images = open_images(path)
        assert list(images.table.columns) == ["label"]
        assert images.names[3] == "3.png"
        for index in (9, 0, 4):
            stored = np.asarray(Image.open(io.BytesIO(encoded[index])))
            np.testing.assert_array_equal(images[index].permute(1, 2, 0).numpy(), stored)
        assert torch.equal(pickle.loads(pickle.dumps(images)).tensor(), images.tensor())
        shuffled = np.random.default_rng(0).permutation(10)
        order = torch.cat([batch.images for batch in images.batches(3, indices=shuffled)])
        assert torch.equal(order, images.tensor()[shuffled])

    def test_few_row_groups_are_held_and_each_is_read_once(self, tmp_path, encode, monkeypatch):
        path = tmp_path / "a.parquet"
        write_parquet(path, [encode(i) for i in range(40)], group=4)
        images = open_images(path)
        reads = []
        real = pq.ParquetFile.read_row_group

        def counted(self, number, **options):
            reads.append(number)
            return real(self, number, **options)

        monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
        for _ in images.batches(7):
            assert len(images.source._cache) <= 2
            assert sum(map(len, images.source._cache.values())) <= 8
        assert reads == list(range(10))
        reads.clear()
        next(open_images(path).batches(40, indices=np.random.default_rng(0).permutation(40)))
        assert reads == list(range(10))

    def test_streaming_a_large_file_keeps_memory_flat(self, tmp_path, encode):
        path = tmp_path / "a.parquet"
        noise = [encode(i, size=(64, 64)) for i in range(20)] * 25
        write_parquet(path, noise, group=20, paths=[str(i) for i in range(500)])
        images = open_images(path)
        next(images.batches(10))
        before = pa.total_allocated_bytes()
        highest = 0
        for _ in images.batches(10):
            highest = max(highest, pa.total_allocated_bytes() - before)
        assert path.stat().st_size > 20 * len(noise[0])
        # two groups of 20 encoded images, and what reading a third takes
        assert highest < 8 * 20 * len(noise[0])

    def test_fingerprint_is_of_the_content(self, tmp_path, encode):
        path, copy = tmp_path / "a.parquet", tmp_path / "b.parquet"
        write_parquet(path, [encode(i) for i in range(4)])
        copy.write_bytes(path.read_bytes())
        os.utime(copy, (0, 0))
        before = open_images(path).fingerprint
        assert open_images(copy).fingerprint == before
        whole = bytearray(path.read_bytes())
        whole[len(whole) // 3] ^= 1
        copy.write_bytes(whole)
        os.utime(copy, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
        assert open_images(copy).fingerprint != before

    def test_bad_rows_are_failures(self, tmp_path, encode, bad_files):
        path = tmp_path / "a.parquet"
        names = list(bad_files)
        encoded = [encode(), None, *(data for data, _ in bad_files.values())]
        write_parquet(path, encoded, paths=["good", "null", *names])
        images = open_images(path)
        assert images.readable().names == ["good"]
        reasons = images.failures.set_index("name")["reason"]
        assert reasons["null"] == "the row holds no bytes"
        assert set(reasons.index) == {"null", *names}

    def test_names_that_are_missing_or_double_become_row_numbers(self, tmp_path, encode):
        for paths in ([None, "a"], ["a", "a"]):
            write_parquet(tmp_path / "a.parquet", [encode(), encode()], paths=paths)
            assert open_images(tmp_path / "a.parquet").names == ["0", "1"]

    def test_second_image_column_follows_the_selection(self, tmp_path, encode):
        path = tmp_path / "a.parquet"
        masks = [{"bytes": encode(90 + i, mode="L"), "path": f"m{i}"} for i in range(6)]
        write_parquet(path, [encode(i) for i in range(6)], mask=masks, label=list(range(6)))
        images = open_images(path).subset([4, 2])
        found = images.column("mask")
        assert found.names == ["m4", "m2"]
        assert found.tensor().shape == (2, 1, 6, 8)
        assert found.labels.tolist() == [4, 2]
        assert found.fingerprint != images.fingerprint
        with pytest.raises(InputError, match="label"):
            images.column("label")

    def test_plain_binary_column_and_shards(self, tmp_path, encode):
        for shard in range(2):
            table = pa.table(
                {"jpg": [encode(2 * shard), encode(2 * shard + 1)], "label": [shard] * 2}
            )
            pq.write_table(table, tmp_path / f"train-{shard}.parquet")
        images = open_images(tmp_path)
        assert images.labels.tolist() == [0, 0, 1, 1]
        assert images.names == ["0", "1", "2", "3"]
        one = open_images(tmp_path / "train-1.parquet")
        assert torch.equal(images.tensor()[2:], one.tensor())

    def test_files_that_are_none(self, tmp_path):
        (tmp_path / "a.parquet").write_bytes(b"PAR1 not")
        with pytest.raises(InputError, match=r"Parquet: expected a whole file, got .*a\.parquet"):
            open_images(tmp_path / "a.parquet")
        pq.write_table(pa.table({"x": [1]}), tmp_path / "b.parquet")
        with pytest.raises(InputError, match=r"none in b\.parquet"):
            open_images(tmp_path / "b.parquet")


class TestArraysAndDatasets:
    def test_arrays(self):
        array = np.random.default_rng(0).integers(0, 256, (3, 3, 4, 5), dtype=np.uint8)
        images = open_images(array)
        assert torch.equal(images.tensor(), torch.from_numpy(array))
        assert images.fingerprint == open_images(torch.from_numpy(array)).fingerprint
        other = array.copy()
        other[1, 0, 0, 0] ^= 1
        assert open_images(other).fingerprint != images.fingerprint
        assert open_images(array.reshape(3, 3, 5, 4)).fingerprint != images.fingerprint

    @pytest.mark.parametrize(
        ("array", "message"),
        [
            (np.zeros((2, 8, 8, 3), np.uint8), r"permute\(0, 3, 1, 2\)"),
            (np.zeros((2, 8, 8), np.uint8), "4 axes"),
            (np.zeros((2, 3, 8, 8), np.float32), "expected uint8, got torch.float32"),
        ],
    )
    def test_arrays_of_another_layout(self, array, message):
        with pytest.raises(InputError, match=message):
            open_images(array)

    @pytest.mark.parametrize("kind", ["pillow", "uint8", "float", "array"])
    def test_torch_datasets(self, kind):
        pixels = np.random.default_rng(0).integers(0, 256, (5, 6, 7, 3), dtype=np.uint8)
        nchw = torch.from_numpy(pixels).permute(0, 3, 1, 2)
        items = {
            "pillow": [Image.fromarray(image) for image in pixels],
            "uint8": list(nchw),
            "float": list(nchw / 255),
            "array": list(pixels),
        }[kind]

        class Items(torch.utils.data.Dataset):
            targets = (4, 3, 2, 1, 0)

            def __len__(self):
                return 5

            def __getitem__(self, index):
                return items[index], self.targets[index]

        images = open_images(Items())
        assert torch.equal(images.tensor(), nchw)
        assert images.labels.tolist() == [4, 3, 2, 1, 0]
        assert images.fingerprint == open_images(Items()).fingerprint
        assert open_images(nchw[:, :1].contiguous()).fingerprint != images.fingerprint

    def test_torchvision_image_folder(self, tmp_path, encode):
        from torchvision.datasets import ImageFolder

        for name in ("cat", "dog"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "1.png").write_bytes(encode(len(name)))
        images = open_images(ImageFolder(tmp_path))
        assert images.names == ["cat/1.png", "dog/1.png"]
        assert images.labels.tolist() == [0, 1]
        assert torch.equal(images.tensor(), open_images(tmp_path).tensor())

    def test_items_that_are_no_images_are_failures(self):
        items = [torch.zeros(3, 2, 2), torch.full((3, 2, 2), -0.5), "text", torch.zeros(2, 2)]
        images = open_images(items)
        assert len(images.readable()) == 1
        reasons = list(images.failures["reason"])
        assert "outside [0, 1]" in reasons[0]
        assert "not an image but str" in reasons[1]
        assert "shape (2, 2)" in reasons[2]


@pytest.mark.parametrize(
    ("name", "message"),
    [("none", "not there"), ("a.png", "folder that holds it"), ("a", "suffix")],
)
def test_paths_that_are_no_source(tmp_path, name, message):
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "a").write_bytes(b"x")
    with pytest.raises(InputError, match=message):
        open_images(tmp_path / name)


def test_objects_that_are_no_source():
    with pytest.raises(InputError, match="got int"):
        open_images(3)


def test_table_is_added_to_the_sources_own(tmp_path, encode):
    write_parquet(tmp_path / "a.parquet", [encode(), encode()], label=[0, 1])
    extra = pd.DataFrame({"label": [7, 8], "votes": [1, 2]}, index=[5, 6])
    table = open_images(tmp_path / "a.parquet", table=extra).table
    assert table.to_dict("list") == {"label": [7, 8], "votes": [1, 2]}
