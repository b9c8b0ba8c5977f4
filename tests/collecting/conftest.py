import pytest
import torch
from PIL import Image

from giqa_lib.collecting import StudyPlan
from giqa_lib.data import open_images


@pytest.fixture
def folder(tmp_path):
    """Eight small pictures, one of them with a name that is markup."""
    place = tmp_path / "images"
    place.mkdir()
    names = [f"{i}.png" for i in range(7)] + ["<img src=x onerror=alert(1)>.png"]
    for shade, name in enumerate(names):
        Image.fromarray(torch.full((12, 12), 30 * shade, dtype=torch.uint8).numpy()).save(
            place / name
        )
    return place


@pytest.fixture
def images(folder):
    return open_images(folder)


@pytest.fixture
def rating(images):
    items = tuple((name,) for name in images.names)
    return StudyPlan(kind="rating", items=items, sessions=2, training=2, seed=0)


@pytest.fixture
def choice(images):
    names = images.names
    items = tuple((names[i], names[i + 1]) for i in range(5))
    return StudyPlan(kind="choice", items=items, seed=0)
