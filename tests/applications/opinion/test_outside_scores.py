"""Tables of scores by programs that are not here."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from giqa_lib.applications.opinion import outside_scores
from giqa_lib.checks import InputError


@pytest.fixture
def images(generator):
    return torch.randint(0, 256, (3, 3, 8, 8), dtype=torch.uint8, generator=generator)


def write(folder, **columns):
    pd.DataFrame(columns).to_csv(folder / "FRIQUEE.csv", index=False)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_written_as_they_are(tmp_path, images, channels):
    images = images[:, :channels]
    assert outside_scores("FRIQUEE", images, tmp_path / "new") is None
    for number, image in enumerate(images):
        read = np.asarray(Image.open(tmp_path / "new" / f"{number:05d}.png"))
        assert (read.reshape(8, 8, channels) == image.permute(1, 2, 0).numpy()).all()


def test_scores_are_put_in_the_images_order(tmp_path, images):
    names = ["00002.png", "00000.png", "00001.png"]
    write(tmp_path, image=names, score=[2.0, 0.5, 1.0], note="x")
    assert outside_scores("FRIQUEE", images, tmp_path).tolist() == [0.5, 1.0, 2.0]
    assert not list(tmp_path.glob("*.png"))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image": ["00000.png"], "value": [1.0]}, "expected the columns image and score, got ima"),
        ({"image": ["00000.png"], "score": [1.0]}, "each of 3 images once, got 1 rows, and 00001"),
        ({"image": ["00000.png"] * 3, "score": [1.0] * 3}, "got 3 rows, and 00001.png in one"),
        (
            {"image": ["00000.png", "00001.png", "00002.png"], "score": [1.0, "x", 2.0]},
            "expected finite numbers, got none for 00001.png",
        ),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path, images, columns, message):
    write(tmp_path, **columns)
    with pytest.raises(InputError, match=message):
        outside_scores("FRIQUEE", images, tmp_path)


def test_an_empty_file_is_no_table(tmp_path, images):
    (tmp_path / "FRIQUEE.csv").touch()
    with pytest.raises(InputError, match="expected a CSV table, got No columns"):
        outside_scores("FRIQUEE", images, tmp_path)
