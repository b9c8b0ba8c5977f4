"""Streaming extraction: order, failures, resume, and real kills."""

import json
import random
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from giqa_lib.checks import GiqaError, InputError
from giqa_lib.data import open_images
from giqa_lib.features import ModuleExtractor, extract, extractor
from giqa_lib.store import Store

#: Each call is logged and slow, so that a kill meets it in the middle of a batch.
SLOW_RUN = """
import pathlib, sys, time
import torch
from giqa_lib.features import extract
from giqa_lib.store import Store

root = pathlib.Path(sys.argv[1])

class Slow:
    name, version, width = "slow", "1", 3

    def __call__(self, images):
        time.sleep(float(sys.argv[2]))
        with (root / "log").open("a") as log:
            log.write("".join(f"{value}\\n" for value in images[:, 0, 0, 0].tolist()))
        first = images[:, 0, 0, 0].float()
        return torch.stack([first, 2 * first + 1, -first], 1)

images = torch.arange(200, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 2, 2).contiguous()
extract(images, Slow(), batch_size=7, store=Store(root / "store"))
"""


class Counting:
    """Mean and first pixel; remembers how many images it was shown."""

    name, version, width = "counting", "1", 2
    input_size, channels = (4, 4), 1

    def __init__(self):
        self.seen = []

    def __call__(self, images):
        self.seen.append(len(images))
        values = images.float()
        return torch.stack([values.mean((1, 2, 3)), values[:, 0, 0, 0]], 1)


def numbered(n=20, size=4):
    return (
        torch.arange(n, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, size, size).contiguous()
    )


@pytest.fixture
def folder(tmp_path):
    """Twelve images of mixed sizes and channels, two of them broken."""
    path = tmp_path / "images"
    path.mkdir()
    for number in range(12):
        size, mode = (6 + number % 3, 5 + number % 2), ("L", "RGB")[number % 2]
        Image.new(mode, size, 20 * number if mode == "L" else (20 * number,) * 3).save(
            path / f"{number:02d}.png"
        )
    (path / "03.png").write_bytes(b"")
    (path / "08.png").write_bytes((path / "08.png").read_bytes()[:30])
    return path


@pytest.mark.parametrize("batch_size", [1, 3, 20, 64])
@pytest.mark.parametrize("stored", [False, True])
def test_every_image_has_its_row_whatever_the_batch(batch_size, stored, tmp_path):
    counting = Counting()
    store = Store(tmp_path) if stored else None
    features = extract(numbered(), counting, batch_size=batch_size, store=store)
    np.testing.assert_array_equal(features.values, np.repeat(np.arange(20.0), 2).reshape(20, 2))
    np.testing.assert_array_equal(features.indices, np.arange(20))
    assert features.names == tuple(map(str, range(20)))
    assert features.values.dtype == np.float32
    assert sum(counting.seen) == 20
    assert len(features) == 20
    assert features.failures.empty


def test_indices_choose_and_order(tmp_path):
    for store in (None, Store(tmp_path)):
        features = extract(numbered(), Counting(), indices=[7, 2, 11], batch_size=2, store=store)
        np.testing.assert_array_equal(features.values[:, 0], [7, 2, 11])
        assert features.names == ("7", "2", "11")
    assert extract(numbered(), Counting(), indices=[]).values.shape == (0, 2)


@pytest.mark.parametrize("stored", [False, True])
def test_unreadable_images_are_reported_and_the_rest_goes_on(folder, stored, tmp_path):
    store = Store(tmp_path / "store") if stored else None
    pixels = extractor("pixels@4")
    for batch_size in (1, 4):  # with the store, the second time is read back
        features = extract(open_images(folder), pixels, batch_size=batch_size, store=store)
        kept = [0, 1, 2, 4, 5, 6, 7, 9, 10, 11]
        np.testing.assert_array_equal(features.indices, kept)
        np.testing.assert_allclose(features.values[:, 0] * 255, [20 * k for k in kept], atol=1e-3)
        assert list(features.failures["name"]) == ["03.png", "08.png"]
        assert features.failures["reason"].str.len().min() > 0


def test_a_resumed_run_keeps_the_failures_and_repeats_no_row(folder, tmp_path):
    class Stops(Counting):
        def __call__(self, images):
            if len(self.seen) == 2:
                raise KeyboardInterrupt
            return super().__call__(images)

    store = Store(tmp_path / "store")
    with pytest.raises(KeyboardInterrupt):
        extract(open_images(folder), Stops(), batch_size=5, store=store)
    rest = Counting()
    features = extract(open_images(folder), rest, batch_size=5, store=store)
    np.testing.assert_array_equal(features.indices, [0, 1, 2, 4, 5, 6, 7, 9, 10, 11])
    np.testing.assert_array_equal(features.values[:, 1], 20 * features.indices)
    assert list(features.failures["name"]) == ["03.png", "08.png"]
    assert sum(rest.seen) == 2


def test_only_failures_among_those_asked_for_are_reported(folder):
    images = open_images(folder)
    extract(images, extractor("pixels@4"))
    features = extract(images, extractor("pixels@4"), indices=[3, 4])
    assert list(features.failures["name"]) == ["03.png"]
    assert extract(images, extractor("pixels@4"), indices=[3]).values.shape == (0, 48)


def test_reading_can_be_told_to_stop_at_an_unreadable_image(folder):
    with pytest.raises(GiqaError, match=r"03\.png: empty file"):
        extract(open_images(folder, on_error="raise"), extractor("pixels@4"))


def test_files_and_a_tensor_of_the_same_pixels_have_the_same_features(folder):
    images = open_images(folder).subset([0, 6])
    module = ModuleExtractor(nn.Flatten(), name="flat", input_size=9)
    from_files = extract(images, module)
    from_tensor = extract(images.tensor(), module)
    np.testing.assert_array_equal(from_files.values, from_tensor.values)


def test_a_store_computes_once_and_again_for_another_key(tmp_path):
    store, counting = Store(tmp_path), Counting()
    for _ in range(2):
        features = extract(numbered(), counting, store=store)
    assert sum(counting.seen) == 20
    assert isinstance(features.values, np.memmap)
    extract(numbered(), counting, store=store, indices=[1, 2])
    extract(numbered() + 1, counting, store=store)
    extract(numbered(), counting, store=store, precision="bfloat16")
    counting.version = "2"
    extract(numbered(), counting, store=store)
    assert sum(counting.seen) == 20 + 2 + 20 + 20 + 20
    assert len(list(tmp_path.glob("features/*/values.npy"))) == 5


@pytest.mark.parametrize("stored", [False, True])
def test_features_that_are_not_finite_name_the_image(stored, tmp_path):
    class Faulty(Counting):
        def __call__(self, images):
            values = super().__call__(images)
            values[values[:, 1] == 13] = float("nan")
            return values

    store = Store(tmp_path) if stored else None
    with pytest.raises(
        GiqaError,
        match="features of counting: expected finite numbers, got NaN or infinity for 13;",
    ):
        extract(numbered(), Faulty(), batch_size=5, store=store)
    assert not list(tmp_path.glob("features/*/config.json"))
    if stored:  # the good batches before it are kept
        rest = Counting()
        extract(numbered(), rest, batch_size=5, store=store)
        assert sum(rest.seen) == 10


def test_an_extractor_that_lies_about_its_width_is_caught():
    class Wide(Counting):
        width = 3

    with pytest.raises(InputError, match=r"expected shape \(20, 3\), got \(20, 2\)"):
        extract(numbered(), Wide())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size: expected a number > 0"),
        ({"indices": [0, 20]}, "indices: expected 0 to 19, got 0 to 20"),
        ({"indices": [-1]}, "indices: expected 0 to 19"),
        ({"indices": [1, 1]}, "indices: expected each once, got 1 repeated"),
        ({"indices": [0.5]}, "indices: expected whole numbers"),
        ({"indices": [True, False]}, "indices: expected whole numbers.*np.flatnonzero"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        extract(numbered(), Counting(), **arguments)


def test_bfloat16_is_close_and_says_what_it_is():
    body = nn.Sequential(nn.Flatten(), nn.Linear(48, 8))
    module = ModuleExtractor(body, name="linear", input_size=4)
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (30, 3, 4, 4), dtype=torch.uint8, generator=generator)
    exact, rough = (extract(images, module, precision=p) for p in ("float32", "bfloat16"))
    error = np.linalg.norm(rough.values - exact.values) / np.linalg.norm(exact.values)
    assert 1e-4 < error < 2e-2
    assert rough.precision == "bfloat16"
    assert rough.values.dtype == np.float32


def test_progress_is_shown_when_asked(capsys):
    extract(numbered(), Counting(), progress=True)
    assert "counting" in capsys.readouterr().err
    extract(numbered(), Counting())
    assert capsys.readouterr().err == ""


def test_killed_runs_lose_at_most_a_batch_and_no_row_is_wrong_or_twice(tmp_path, monkeypatch):
    """Two kills -9 at random moments, then a run to the end."""
    waits = random.Random(0)
    kills = 0
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", SLOW_RUN, str(tmp_path), "0.01"])
        before = len(read_log(tmp_path))
        end = time.monotonic() + 60
        while len(read_log(tmp_path)) < before + 14 and process.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.002)
        time.sleep(waits.uniform(0, 0.03))
        kills += process.poll() is None
        process.kill()
        process.wait()
        assert not list(tmp_path.glob("store/features/*/config.json"))
    assert kills == 2
    journal = json.loads(next(tmp_path.glob("store/features/*.partial/journal.json")).read_text())
    assert 14 <= journal["rows"] == journal["done"] < 200
    monkeypatch.setattr(sys, "argv", ["", str(tmp_path), "0"])
    exec(SLOW_RUN, {})
    folder = next(tmp_path.glob("store/features/*/values.npy")).parent
    numbers = np.arange(200, dtype=np.float32)
    np.testing.assert_array_equal(np.load(folder / "indices.npy"), np.arange(200))
    np.testing.assert_array_equal(
        np.load(folder / "values.npy"), np.stack([numbers, 2 * numbers + 1, -numbers], 1)
    )
    assert set(read_log(tmp_path)) == set(range(200))
    assert len(read_log(tmp_path)) <= 200 + 7 * kills


def read_log(root):
    log = root / "log"
    return [int(line) for line in log.read_text().split()] if log.exists() else []
