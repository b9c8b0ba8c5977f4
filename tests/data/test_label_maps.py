import numpy as np
import pytest
import torch
from PIL import Image

from giqa_lib.checks import DataUnavailable, InputError
from giqa_lib.data import LabelledPairs, check_maps, find, load, load_pairs, resize_maps, toy_faces


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


@pytest.fixture
def cityscapes(tmp_path, monkeypatch):
    """Cityscapes' layout: three photographs, one of them without a map, and other label files."""
    monkeypatch.setenv("GIQA_DATA", str(tmp_path))
    root, random = tmp_path / "cityscapes", np.random.default_rng(0)
    for split, name in (
        ("train", "aachen_000000"),
        ("train", "aachen_000001"),
        ("val", "ulm_000002"),
    ):
        city = name.split("_")[0]
        photograph = random.integers(0, 256, (16, 32, 3), dtype=np.uint8)
        save(root / "leftImg8bit" / split / city / f"{name}_leftImg8bit.png", photograph)
        if name != "aachen_000001":
            labels = np.full((16, 32), 7, np.uint8)
            labels[:, 16:] = 26
            save(root / "gtFine" / split / city / f"{name}_gtFine_labelIds.png", labels)
            save(root / "gtFine" / split / city / f"{name}_gtFine_color.png", photograph)
    return root


def test_cityscapes_photographs_are_paired_with_their_maps(cityscapes):
    pairs = load_pairs("cityscapes", size=8)
    assert pairs.images.shape == (2, 3, 8, 8)
    assert (pairs.maps[:, :, :4] == pairs.classes.index("road")).all()
    assert (pairs.maps[:, :, 4:] == pairs.classes.index("car")).all()
    assert len(pairs.classes) == 34


def test_cityscapes_without_maps_says_what_to_download(cityscapes):
    for labels in cityscapes.rglob("*_labelIds.png"):
        labels.unlink()
    with pytest.raises(
        DataUnavailable, match=r"no photograph .*; download gtFine_trainvaltest\.zip"
    ):
        load_pairs("cityscapes", size=8)


def test_pairs_of_toy_faces_are_the_drawn_ones():
    pairs = load_pairs("toy-faces", size=64, count=3)
    images, masks = toy_faces(3, size=64, seed=0)
    assert torch.equal(pairs.images, images)
    assert torch.equal(pairs.maps, masks)


@pytest.mark.skipif(find("celebamask") is None, reason="celebamask is not here")
def test_left_and_right_parts_of_celebamask_become_one():
    pairs = load_pairs("celebamask", size=256, count=4)
    assert len(pairs.classes) == 16
    assert not any("left" in name or "right" in name for name in pairs.classes)
    raw = torch.cat(
        [
            batch.images[:, 0]
            for batch in load("celebamask").column("mask").batches(4, indices=range(4))
        ]
    )
    both = (raw == 4) | (raw == 5)
    assert torch.equal(pairs.maps == pairs.classes.index("eye"), both)
    assert torch.equal(pairs.maps == pairs.classes.index("hair"), raw == 13)


def test_resized_maps_have_the_pixel_in_the_middle():
    maps = torch.arange(36, dtype=torch.uint8).reshape(1, 6, 6)
    assert resize_maps(maps, 2)[0].tolist() == [[7, 10], [25, 28]]
    assert torch.equal(resize_maps(maps, 6), maps)
    assert torch.equal(resize_maps(resize_maps(maps, (12, 12)), (6, 6)), maps)


def test_errors_are_one_clear_line():
    maps = torch.ones(2, 4, 4, dtype=torch.uint8)
    with pytest.raises(
        InputError, match=r"maps: expected classes 0\.\.0, got class 1; raise classes"
    ):
        check_maps(maps, classes=1)
    with pytest.raises(InputError, match=r"uint8 \(n, h, w\), got torch.float32"):
        check_maps(maps.float(), classes=2)
    images = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    with pytest.raises(
        InputError, match=r"the images' size \(8, 8\), got \(4, 4\); resize the maps"
    ):
        LabelledPairs(images=images, maps=maps, classes=("a", "b"))
    with pytest.raises(InputError, match="images 2, maps 1"):
        LabelledPairs(images=images, maps=maps[:1], classes=("a", "b"))
    with pytest.raises(InputError, match="one of celebamask, cityscapes, toy-faces, got 'mnist'"):
        load_pairs("mnist", size=8)
