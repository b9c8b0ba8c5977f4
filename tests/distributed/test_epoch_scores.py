import pytest
import torch
from folder_images import smooth

pytest.importorskip("torchmetrics")

from giqa_lib.distributed.epoch_scores import EpochScores
from giqa_lib.distributed.metrics import DiversityScore, QualityScore
from giqa_lib.features import PixelExtractor
from giqa_lib.scores import SingleGaussian


@pytest.fixture
def images():
    return torch.from_numpy(smooth(150, seed=0))[:, None]


def scores_of(images, sample, **options):
    diversity = DiversityScore(
        PixelExtractor(input_size=2), density=SingleGaussian(), reset_real_features=False
    )
    diversity.update(images[:50], real=True)
    quality = QualityScore(lambda images: images.double().mean((1, 2, 3)) / 255)
    return EpochScores(quality, diversity, sample=sample, **options)


def test_a_row_depends_on_its_own_epoch_alone(images):
    """Neither metric may carry images over, and real ones must stay."""
    parts, logged = iter([images[50:100], images[100:], images[50:100]]), []
    scores = scores_of(images, lambda: next(parts), log=logged.append)
    rows = [scores(epoch) for epoch in (1, 2, 3)]
    assert logged == scores.rows == rows
    assert rows[0]["QS"] == pytest.approx(float(images[50:100].double().mean()) / 255, abs=1e-12)
    assert rows[0] | {"epoch": 3} == rows[2]
    assert rows[1]["QS"] != rows[0]["QS"]
    alone = scores_of(images, lambda: images[100:])
    assert alone(2) == rows[1]


def test_fabrics_hook_and_ignites_handler_log_what_a_call_does(images):
    direct = scores_of(images, lambda: images[50:])(1)
    hooked = scores_of(images, lambda: images[50:])
    hooked.on_train_epoch_end(epoch=1)
    assert hooked.rows == [direct]


@pytest.mark.slow
def test_lightning_fabric_calls_it(images):
    fabric_module = pytest.importorskip("lightning_fabric")
    scores = scores_of(images, lambda: images[50:])
    fabric = fabric_module.Fabric(accelerator="cpu", devices=1, callbacks=[scores])
    fabric.call("on_train_epoch_end", epoch=4)
    assert [row["epoch"] for row in scores.rows] == [4]
