"""A few files of every hostile kind; ``make robust`` counts hundreds."""

import pytest
from hostile_images import KINDS, SPECIAL, try_kind


@pytest.mark.parametrize("kind", [*KINDS, *SPECIAL])
def test_nothing_is_lost_and_nothing_is_wrong(kind, tmp_path):
    found = try_kind(kind, tmp_path / "images", count=8, seed=0)
    assert found.wrong == 0
    assert found.read + found.listed == found.files


def test_the_count_would_see_a_file_that_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr("giqa_lib.data.folder.is_image_name", lambda name: "00003" not in name)
    assert try_kind("alpha", tmp_path / "images", count=8, seed=0).wrong == 1


def test_the_count_would_see_a_wrong_shape(tmp_path, monkeypatch):
    monkeypatch.setattr("giqa_lib.data.decode.ImageOps.exif_transpose", lambda image: image)
    assert try_kind("EXIF-rotated", tmp_path / "images", count=8, seed=0).wrong == 8
