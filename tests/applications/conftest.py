"""A study of scikit-learn's digits, which are always there, with a GAN of a few steps."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from image_textures import textures
from PIL import Image

from giqa_lib.applications.snapshots import Study, StudySettings
from giqa_lib.features import ClassifierSettings
from giqa_lib.store import Store

SETTINGS = StudySettings(
    classifier_images=600,
    reference=600,
    held_out=150,
    real=150,
    per_snapshot=20,
    steps=(2, 8, 16),
    labelled=8,
    width=4,
    classifier=ClassifierSettings(epochs=4, channels=8, width=16),
)


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    return Study(SETTINGS, dataset="digits", seed=0, store=store, progress=False)


@pytest.fixture(scope="session")
def space(study):
    return study.features(variance=0.95, max_components=8)


def _write(path, pictures, **columns):
    cells = []
    for number, picture in enumerate(pictures):
        buffer = io.BytesIO()
        Image.fromarray(picture.expand(3, -1, -1).permute(1, 2, 0).numpy()).save(buffer, "PNG")
        cells.append({"bytes": buffer.getvalue(), "path": f"{number}.png"})
    pq.write_table(pa.table({"image": cells, **columns}), path)


@pytest.fixture
def face_files(tmp_path, monkeypatch):
    """Textures in the files of faces64-human (40 unjudged, 10 judged, 20 of WGAN-GP) and of CelebAMask (12).

    The sets themselves are not everywhere.
    """
    generator = ["real"] * 50 + ["wgan-gp"] * 20
    votes = [0] * 40 + [10] * 30
    real = [0] * 40 + [9] * 10 + list(np.arange(20) // 4)
    _write(
        tmp_path / "faces64_human.parquet",
        textures(70, side=64),
        generator=generator,
        votes_real=real,
        votes_total=votes,
    )
    _write(tmp_path / "celebamask.parquet", textures(12, seed=1, side=256))
    monkeypatch.setenv("GIQA_DATA", str(tmp_path))
    return tmp_path
