"""The face parser: its measure by hand, that it learns, what is kept and refused."""

from dataclasses import replace

import pytest
import torch

from giqa_lib.checks import InputError
from giqa_lib.data import LabelledPairs
from giqa_lib.iqa import (
    FaceParserSettings,
    UNetFaceParser,
    class_overlaps,
    fetch_face_parser,
    fit_face_parser,
    mean_overlap,
)
from giqa_lib.learning import FitSettings
from giqa_lib.store import Store

SETTINGS = FaceParserSettings(
    fit=FitSettings(steps=60, batch_size=8, check_every=20, learning_rate=1e-2), width=4, held_out=6
)
SHORT = replace(SETTINGS, fit=replace(SETTINGS.fit, steps=3))


def squares(count, seed=0):
    """A bright square somewhere on a dark ground, and its map."""
    random = torch.Generator().manual_seed(seed)
    maps = torch.zeros(count, 16, 16, dtype=torch.uint8)
    for row, (top, left) in enumerate(torch.randint(8, (count, 2), generator=random).tolist()):
        maps[row, top : top + 7, left : left + 7] = 1
    noise = torch.randint(0, 60, (count, 3, 16, 16), generator=random)
    images = (maps[:, None] * 150 + noise).byte()
    return LabelledPairs(images=images, maps=maps, classes=("ground", "square", "nothing"))


def test_overlaps_by_hand():
    predicted = torch.tensor([[[0, 0, 1, 1], [1, 1, 1, 2]]], dtype=torch.uint8)
    truth = torch.tensor([[[0, 1, 1, 1], [1, 1, 0, 0]]], dtype=torch.uint8)
    found = class_overlaps(predicted, truth, classes=4)
    assert found[:2].tolist() == pytest.approx([1 / 4, 4 / 6])
    assert found[2:].isnan().all()  # what the truth does not have counts nowhere
    assert mean_overlap(predicted, truth, classes=4) == pytest.approx((1 / 4 + 4 / 6) / 2)


def test_it_finds_squares():
    parser = fit_face_parser(squares(40), SETTINGS, seed=0)
    fresh = squares(20, seed=9)
    assert mean_overlap(parser(fresh.images), fresh.maps, classes=3) > 0.9


def test_laws(tmp_path):
    faces = squares(12)
    parser = fit_face_parser(faces, SHORT, seed=0)
    found = parser(faces.images)
    assert torch.equal(parser(faces.images[:2]), found[:2])
    assert torch.equal(UNetFaceParser.load(parser.save(tmp_path))(faces.images), found)
    assert torch.equal(fit_face_parser(faces, SHORT, seed=0)(faces.images), found)


def test_the_store_keeps_it(tmp_path, monkeypatch):
    faces, store = squares(12), Store(tmp_path)
    first = fetch_face_parser(store, faces, SHORT, seed=0)(faces.images)
    monkeypatch.setattr("giqa_lib.iqa.face_parser.fit_face_parser", None)
    assert torch.equal(fetch_face_parser(store, faces, SHORT, seed=0)(faces.images), first)
    with pytest.raises(TypeError):
        fetch_face_parser(store, faces, SHORT, seed=1)


def test_what_does_not_fit_is_refused():
    parser = fit_face_parser(squares(8), SHORT, seed=0)
    with pytest.raises(InputError, match="images: expected sides that are multiples of 8, got 12"):
        parser(torch.zeros(1, 3, 12, 16, dtype=torch.uint8))
    with pytest.raises(InputError, match="3 channels"):
        parser(torch.zeros(1, 1, 16, 16, dtype=torch.uint8))
    with pytest.raises(InputError, match="faces that are not held out"):
        fit_face_parser(squares(6), SHORT, seed=0)
    with pytest.raises(InputError, match="predicted: expected the truth's shape"):
        class_overlaps(torch.zeros(1, 2, 2).byte(), torch.zeros(1, 4, 4).byte(), classes=2)
