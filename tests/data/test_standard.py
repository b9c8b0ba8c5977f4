import gzip
import pickle
import struct

import numpy as np
import pytest

from giqa_lib.checks import InputError
from giqa_lib.data.standard import read_cifar, read_digits, read_idx, read_idx_split


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)


@pytest.mark.parametrize("packed", [False, True])
def test_idx(tmp_path, images, packed):
    labels = np.arange(5, dtype=np.uint8)
    for what, array in (("images-idx3", images), ("labels-idx1", labels)):
        path = tmp_path / f"t10k-{what}-ubyte{'.gz' * packed}"
        path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    source = read_idx_split(tmp_path, "test")
    np.testing.assert_array_equal(source.pixels[:, 0].numpy(), images)
    assert source.table.to_dict("list") == {"label": [0, 1, 2, 3, 4], "split": ["test"] * 5}
    with pytest.raises(InputError, match=r"no pair of train-\*-ubyte"):
        read_idx_split(tmp_path, "train")


def test_broken_idx(tmp_path, images):
    whole = idx(images)
    for name, data in {
        "short": whole[:-1],
        "long": whole + b"x",
        "header": whole[:6],
        "type": whole[:2] + b"\x0d" + whole[3:],
        "half.gz": gzip.compress(whole)[:-20],
    }.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=f"{name}: expected a whole file"):
            read_idx(tmp_path / name)


def test_labels_of_another_length(tmp_path, images):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(images))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(4, np.uint8)))
    with pytest.raises(InputError, match=r"images \(5, 4, 3\) with labels \(4,\)"):
        read_idx_split(tmp_path, "train")


def test_cifar10(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (12, 3072), dtype=np.uint8)
    files = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    for i, name in enumerate(files):
        part = {b"data": pixels[2 * i : 2 * i + 2], b"labels": [i, i + 1]}
        (tmp_path / name).write_bytes(pickle.dumps(part))
    train, test = read_cifar(tmp_path, "train"), read_cifar(tmp_path, "test")
    np.testing.assert_array_equal(train.pixels.flatten(1).numpy(), pixels[:10])
    np.testing.assert_array_equal(test.pixels.flatten(1).numpy(), pixels[10:])
    assert train.table["label"].tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    # rows of a pickled row are the planes red, green, blue
    assert test.pixels[0, 1, 0, 0] == pixels[10, 1024]


def test_cifar100(tmp_path):
    part = {
        b"data": np.zeros((2, 3072), np.uint8),
        b"fine_labels": [99, 3],
        b"coarse_labels": [7, 0],
    }
    for name in ("train", "test"):
        (tmp_path / name).write_bytes(pickle.dumps(part, protocol=2))
    table = read_cifar(tmp_path, "test").table
    assert table["label"].tolist() == [99, 3]
    assert table["coarse_label"].tolist() == [7, 0]


def test_a_pickle_may_not_run_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (exec, (f"open({str(tmp_path / 'ran')!r}, 'w')",))

    (tmp_path / "test_batch").write_bytes(pickle.dumps({b"data": Evil()}))
    with pytest.raises(InputError, match=r"builtins.exec is not allowed"):
        read_cifar(tmp_path, "test")
    assert not (tmp_path / "ran").exists()


def test_digits_are_split_for_good():
    train, test = read_digits("train"), read_digits("test")
    assert len(train) + len(test) == 1797
    assert int(train.pixels.max()) == 255
    assert len(np.unique(train.pixels)) <= 17
    counts = np.bincount(train.table["label"]), np.bincount(test.table["label"])
    assert all(counts[1] == (counts[0] + counts[1]) // 5)
