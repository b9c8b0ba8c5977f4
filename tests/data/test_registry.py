import functools
import gzip
import hashlib
import os
import struct
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import torchvision.datasets

from giqa_lib.checks import DataUnavailable, InputError
from giqa_lib.data import dataset_card, dataset_names, fetch, find, load, open_images, status
from giqa_lib.data import places as places_module
from giqa_lib.data.places import fetch_folder

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
GIVEN = os.environ.get("GIQA_DATA")


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine with no data set but scikit-learn's; returns its $GIQA_DATA."""
    data = tmp_path / "given"
    data.mkdir()
    monkeypatch.setenv("GIQA_DATA", str(data))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TORCH_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(places_module, "_SYSTEM", {})
    return data


def write_idx(folder, counts=(6, 4)):
    folder.mkdir(parents=True, exist_ok=True)
    for stem, count in zip(("train", "t10k"), counts, strict=True):
        images = struct.pack(">HBB3I", 0, 8, 3, count, 2, 2) + bytes(4 * count)
        labels = struct.pack(">HBBI", 0, 8, 1, count) + bytes(range(count))
        (folder / f"{stem}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (folder / f"{stem}-labels-idx1-ubyte").write_bytes(labels)


def write_rows(path, encoded, **columns):
    image = [{"bytes": data, "path": str(i)} for i, data in enumerate(encoded)]
    pq.write_table(pa.table({"image": image, **columns}), path)


class TestLookUp:
    def test_nothing_is_there_but_what_comes_with_packages(self, bare):
        table = status().set_index("name")
        assert list(table.index) == list(dataset_names())
        assert set(table.index[table["found"] != ""]) == {"digits", "toy-faces"}
        assert find("fashion-mnist") is None

    @pytest.mark.parametrize("name", ["ffhq", "celebamask", "agiqa-3k", "cityscapes"])
    def test_what_cannot_be_fetched_says_what_to_do(self, bare, name):
        with pytest.raises(DataUnavailable) as caught:
            load(name)
        message = str(caught.value)
        card = dataset_card(name)
        assert message.startswith(f"{name}: not found here")
        assert card.access in message
        assert card.homepage in message
        assert "$GIQA_DATA" in message

    def test_order_of_places(self, bare, tmp_path):
        layout = "MNIST/raw"
        roots = [tmp_path / "home/data", tmp_path / "data", tmp_path / "cache/giqa_lib/data", bare]
        for root in roots:
            write_idx(root / layout)
            assert find("mnist").resolve() == (root / layout).resolve()

    def test_half_a_set_is_not_found(self, bare):
        write_idx(bare / "MNIST/raw")
        (bare / "MNIST/raw/t10k-labels-idx1-ubyte").unlink()
        assert find("mnist") is None

    def test_a_misspelt_folder_does_not_go_unseen(self, bare, monkeypatch):
        monkeypatch.setenv("GIQA_DATA", str(bare / "none"))
        with pytest.raises(InputError, match=r"\$GIQA_DATA: expected a folder, got .*none"):
            find("mnist")

    def test_unknown_names_and_splits(self):
        with pytest.raises(InputError, match=r"dataset: expected one of .*, got 'minst'"):
            load("minst")
        with pytest.raises(InputError, match="split of digits: expected one of all, test, train"):
            load("digits", "val")
        with pytest.raises(InputError, match="split of ffhq: expected one of all, got 'train'"):
            load("ffhq", "train")


class TestFetch:
    def test_downloads_get_their_name_when_whole(self, bare, monkeypatch):
        def download(root, *, download):
            write_idx(root / "FashionMNIST/raw")
            assert find("fashion-mnist") is None

        monkeypatch.setattr(torchvision.datasets, "FashionMNIST", download)
        assert fetch("fashion-mnist") == bare / "FashionMNIST/raw"
        assert len(load("fashion-mnist")) == 6
        left = {path.name for path in bare.iterdir()} - {".FashionMNIST.lock"}
        assert left == {"FashionMNIST"}

    @pytest.mark.skipif(not DEBIAN.exists(), reason="Fashion-MNIST's files are not here")
    def test_the_real_files_over_http(self, bare, monkeypatch):
        kind = torchvision.datasets.FashionMNIST
        # Debian packed the same files anew: other sums
        sums = [(n, hashlib.md5((DEBIAN / n).read_bytes()).hexdigest()) for n, _ in kind.resources]
        served = functools.partial(SimpleHTTPRequestHandler, directory=str(DEBIAN))
        with ThreadingHTTPServer(("127.0.0.1", 0), served) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            mirror = f"http://127.0.0.1:{server.server_port}/"
            monkeypatch.setattr(kind, "mirrors", [mirror])
            with pytest.raises(DataUnavailable, match="failed"):  # the sums are looked at
                fetch("fashion-mnist")
            monkeypatch.setattr(kind, "resources", sums)
            assert fetch("fashion-mnist") == bare / "FashionMNIST/raw"
            server.shutdown()
        images = load("fashion-mnist")
        assert len(images) == 60_000
        assert np.bincount(images.labels).tolist() == [6000] * 10

    def test_failed_downloads_say_what_to_do(self, bare, monkeypatch):
        def download(root, *, download):
            raise RuntimeError("Error downloading train-images\nmore lines")

        monkeypatch.setattr(torchvision.datasets, "FashionMNIST", download)
        with pytest.raises(
            DataUnavailable, match=r"failed \(Error downloading train-images\).*apt"
        ):
            load("fashion-mnist")

    def test_an_unusable_folder_is_not_overwritten(self, bare):
        (bare / "MNIST").mkdir()
        with pytest.raises(InputError, match=r"unusable .*MNIST; remove it"):
            fetch("mnist")

    def test_goes_to_the_cache_if_the_given_folder_is_read_only(self, bare, tmp_path, monkeypatch):
        assert fetch_folder() == bare
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        assert fetch_folder() == tmp_path / "cache/giqa_lib/data"
        monkeypatch.delenv("GIQA_DATA")
        assert fetch_folder() == tmp_path / "cache/giqa_lib/data"


class TestLoad:
    def test_idx_splits(self, bare):
        write_idx(bare / "fashion-mnist")
        assert load("fashion-mnist").labels.tolist() == [0, 1, 2, 3, 4, 5]
        assert load("fashion-mnist", "test").labels.tolist() == [0, 1, 2, 3]
        both = load("fashion-mnist", "all")
        assert both.table["split"].tolist() == ["train"] * 6 + ["test"] * 4
        assert both.tensor().shape == (10, 1, 2, 2)

    def test_parquet_splits(self, bare, encode):
        encoded = [encode(i, size=(32, 32)) for i in range(4)]
        write_rows(
            bare / "cifar10.parquet",
            encoded,
            split=["train", "train", "train", "test"],
            label=[3, 1, 2, 0],
        )
        assert load("cifar10").labels.tolist() == [3, 1, 2]
        assert load("cifar10", "test").names == ["3"]
        assert load("cifar10", "all").labels.tolist() == [3, 1, 2, 0]

    @pytest.mark.parametrize("name", ["faces64-human", "gan-ladder"])
    def test_mixed_encodings_become_one(self, bare, encode, name):
        stem = {"faces64-human": "faces64_human", "gan-ladder": "gan_ladder_cifar10_dev"}[name]
        write_rows(bare / f"{stem}.parquet", [encode(1, size=(32, 32))], generator=["real"])
        loaded, raw = load(name), open_images(bare / f"{stem}.parquet")
        assert not torch.equal(loaded.tensor(), raw.tensor())
        assert loaded.table["generator"].tolist() == ["real"]

    @pytest.mark.parametrize("name", ["ffhq", "lsun-cat", "lsun-car", "lsun-bedroom", "celeba-hq"])
    @pytest.mark.parametrize("form", ["folder", "zip", "parquet", "shards"])
    def test_large_sets_from_a_stub(self, bare, encode, name, form):
        import zipfile

        if form == "folder":
            (bare / name / "00000").mkdir(parents=True)
            (bare / name / "00000" / "00000.png").write_bytes(encode())
        elif form == "zip":
            with zipfile.ZipFile(bare / f"{name}.zip", "w") as archive:
                archive.writestr("00000/00000.png", encode())
        elif form == "parquet":
            write_rows(bare / f"{name.replace('-', '_')}.parquet", [encode()])
        else:
            (bare / name / "data").mkdir(parents=True)
            write_rows(bare / name / "data" / "train-00000.parquet", [encode()])
        assert load(name).tensor().shape == (1, 3, 6, 8)

    def test_cityscapes_from_a_stub(self, bare, encode):
        for part, what in (("leftImg8bit", "leftImg8bit"), ("gtFine", "gtFine_color")):
            for split, city in (("train", "aachen"), ("train", "ulm"), ("val", "lindau")):
                folder = bare / "cityscapes" / part / split / city
                folder.mkdir(parents=True)
                (folder / f"{city}_000000_000019_{what}.png").write_bytes(encode())
        train = load("cityscapes")
        assert [name.split("/")[:2] for name in train.names] == [
            ["train", "aachen"],
            ["train", "ulm"],
        ]
        assert len(load("cityscapes", "val")) == 1
        assert len(load("cityscapes", "all")) == 3

    def test_a_folder_without_splits_says_so(self, bare, encode):
        (bare / "cityscapes").mkdir()
        (bare / "cityscapes" / "a.png").write_bytes(encode())
        with pytest.raises(InputError, match=r"cityscapes in splits train, val, test.*split='all'"):
            load("cityscapes")
        assert len(load("cityscapes", "all")) == 1


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_debians_fashion_mnist(bare, monkeypatch):
    monkeypatch.undo()
    monkeypatch.delenv("GIQA_DATA", raising=False)
    test = load("fashion-mnist", "test")
    pixels = test.tensor()
    assert pixels.shape == (10_000, 1, 28, 28)
    assert np.bincount(test.labels).tolist() == [1000] * 10
    # mean and deviation of the test set, often quoted for normalisation
    assert float(pixels.float().mean() / 255) == pytest.approx(0.2868, abs=2e-4)
    assert float(pixels.float().std() / 255) == pytest.approx(0.3524, abs=2e-4)


@pytest.mark.skipif(not GIVEN, reason="$GIQA_DATA is not set")
class TestRealFiles:
    def need(self, name):
        if find(name) is None or Path(GIVEN) not in find(name).parents:
            pytest.skip(f"{name} is not in $GIQA_DATA")

    @pytest.mark.parametrize(
        "name",
        ["cifar10", "cifake", "mnist", "celebamask", "faces64-human", "agiqa-3k", "gan-ladder"],
    )
    def test_is_what_its_card_says(self, name):
        self.need(name)
        card, images = dataset_card(name), load(name, "all")
        assert len(images) == card.images
        height, width, channels = card.shape
        some = np.linspace(0, len(images) - 1, 20).astype(int)
        batch = next(images.batches(20, indices=some))
        assert batch.images.shape == (20, channels, height, width)
        assert images.failures.empty
        assert len(set(images.names)) == len(images)
        if "label" in images.table:
            assert set(images.labels) == set(range(len(card.classes)))

    def test_masks(self):
        self.need("celebamask")
        images = load("celebamask")
        masks = images.column("mask")
        batch = next(masks.batches(16))
        assert batch.images.shape == (16, 1, 256, 256)
        assert int(batch.images.max()) < len(dataset_card("celebamask").classes)

    def test_ladder_has_the_encoding_of_cifar10(self):
        self.need("gan-ladder")
        self.need("cifar10")
        from giqa_lib.data import jpeg_round_trip

        for name in ("gan-ladder", "cifar10"):
            images = next(load(name, "all").batches(64)).images
            again = torch.stack([jpeg_round_trip(image, quality=75) for image in images])
            # a second coding at the same quality is nearly the identity, on fresh pixels it is not
            assert float((again.float() - images.float()).abs().mean()) < 1.0, name
        fresh = next(open_images(find("gan-ladder")).batches(64)).images
        again = torch.stack([jpeg_round_trip(image, quality=75) for image in fresh])
        assert float((again.float() - fresh.float()).abs().mean()) > 2.0
