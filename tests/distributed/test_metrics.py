import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from folder_images import smooth

pytest.importorskip("torchmetrics")

from giqa_lib.applications.folders import ScorerSettings, fit_scorer
from giqa_lib.checks import InputError
from giqa_lib.distributed.metrics import DiversityScore, ImageScores, QualityScore
from giqa_lib.evaluation import diversity_score
from giqa_lib.features import PixelExtractor
from giqa_lib.scores import RankCalibration, SingleGaussian

SCRIPT = """\
import json, sys
import torch
import torch.distributed as distributed
from folder_images import smooth
from giqa_lib.applications.folders import ScorerSettings, fit_scorer
from giqa_lib.distributed.metrics import DiversityScore, ImageScores, QualityScore
from giqa_lib.features import PixelExtractor
from giqa_lib.scores import SingleGaussian

distributed.init_process_group("gloo")
rank = distributed.get_rank()
tensor = lambda images: torch.from_numpy(images)[:, None]
settings = ScorerSettings(extractor="pixels@4", density="sgm", variance=1.0, max_dimensions=8)
score = fit_scorer(tensor(smooth(120, seed=0)), settings).score
generated, real = tensor(smooth(61, seed=1, noise=20)), tensor(smooth(50, seed=2))
metrics = [ImageScores(score), QualityScore(score),
           DiversityScore(PixelExtractor(input_size=2), density=SingleGaussian())]
share = slice(0, 40) if rank == 0 else slice(40, 61)   # shares of unequal size
for batch in generated[share].split(8):
    metrics[0].update(batch); metrics[1].update(batch); metrics[2].update(batch, real=False)
metrics[2].update(real[rank::2], real=True)
found = [metric.compute() for metric in metrics]
with open(f"{sys.argv[1]}/{rank}.json", "w") as file:
    json.dump([found[0].tolist(), found[1].item(), found[2].item()], file)
distributed.destroy_process_group()
"""

# torchmetrics warns where compute() comes before update()
EARLY = pytest.mark.filterwarnings("ignore:The ``compute`` method")
SETTINGS = ScorerSettings(extractor="pixels@4", density="sgm", variance=1.0, max_dimensions=8)


def tensor(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images)[:, None]


@pytest.fixture(scope="module")
def score():
    return fit_scorer(tensor(smooth(120, seed=0)), SETTINGS).score


@pytest.fixture(scope="module")
def generated():
    return tensor(smooth(61, seed=1, noise=20))


@pytest.fixture(scope="module")
def real():
    return tensor(smooth(50, seed=2))


def updated(metric, images, *, batch, **options):
    for part in images.split(batch):
        metric.update(part, **options)
    return metric


@EARLY
def test_scores_are_the_scores(score, generated):
    for batch in (1, 8, 61):
        found = updated(ImageScores(score), generated, batch=batch).compute()
        assert found.tolist() == score(generated).tolist()
    assert len(ImageScores(score).compute()) == 0


def test_qs_is_their_mean(score, generated):
    metric = updated(QualityScore(score), generated, batch=8)
    assert metric.compute().item() == pytest.approx(score(generated).mean(), abs=1e-15)
    metric.reset()
    assert updated(metric, generated[:5], batch=2).compute().item() == pytest.approx(
        score(generated[:5]).mean(), abs=1e-15
    )


def test_ds_is_the_librarys_whatever_the_order(generated, real):
    network = PixelExtractor(input_size=2)

    def ds(order, batch):
        metric = DiversityScore(network, density=SingleGaussian())
        updated(metric, generated[order], batch=batch, real=False)
        return updated(metric, real, batch=batch, real=True).compute().item()

    order = torch.randperm(61, generator=torch.Generator().manual_seed(0))
    assert ds(torch.arange(61), 8) == ds(order, 61)
    rows = [network(images).numpy() for images in (generated, real)]
    rows = [array[np.lexsort(array.T)] for array in rows]
    expected = diversity_score(
        SingleGaussian(), generated=rows[0], real=rows[1],
        calibration=RankCalibration(), random_state=0,
    )  # fmt: skip
    assert ds(order, 8) == expected.value


@EARLY
def test_real_features_may_stay(generated, real):
    metric = DiversityScore(
        PixelExtractor(input_size=2), density=SingleGaussian(), reset_real_features=False
    )
    metric.update(real, real=True)
    metric.update(generated, real=False)
    first = metric.compute().item()
    metric.reset()
    with pytest.raises(InputError, match="generated images: expected some, got none"):
        metric.compute()
    metric.update(generated, real=False)
    assert metric.compute().item() == first


@EARLY
def test_what_gives_no_score_is_refused(generated):
    with pytest.raises(InputError, match="expected images, got none"):
        QualityScore(lambda images: np.zeros(len(images))).compute()
    with pytest.raises(InputError, match=r"score: expected shape \(61,\)"):
        ImageScores(lambda images: np.zeros((len(images), 2))).update(generated)


@pytest.mark.slow
def test_two_processes_give_what_one_gives(score, generated, real, root, tmp_path):
    script = tmp_path / "worker.py"
    script.write_text(SCRIPT)
    launch = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--standalone",
    ]
    path = f"{root}:{root / 'tests'}:{os.environ.get('PYTHONPATH', '')}"
    done = subprocess.run(
        [*launch, str(script), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1)]
    assert results[0] == results[1]
    scores, quality, diversity = results[0]
    assert scores == score(generated).tolist()
    assert quality == pytest.approx(score(generated).mean(), abs=1e-15)
    metric = DiversityScore(PixelExtractor(input_size=2), density=SingleGaussian())
    metric.update(generated, real=False)
    metric.update(real, real=True)
    assert diversity == metric.compute().item()
