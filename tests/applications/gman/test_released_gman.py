"""The published weights: without them the message says what to do, with them the notebooks' numbers come out."""

import os

import pytest
import torch

from giqa_lib.applications.gman import (
    REPORT_PAIRS,
    find_released,
    released_images,
    released_players,
)
from giqa_lib.checks import DataUnavailable, InputError
from giqa_lib.data import find, load
from giqa_lib.evaluation import gam, meet

needs_files = pytest.mark.skipif(
    find_released() is None or find("mnist") is None or find("cifar10") is None,
    reason="the published weights and their test images are not here",
)


def test_without_the_files_it_says_what_to_do(tmp_path, monkeypatch):
    for name, folder in (("GIQA_DATA", "given"), ("XDG_CACHE_HOME", "cache"), ("HOME", "home")):
        (tmp_path / folder).mkdir()
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.delenv("TORCH_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert find_released() is None
    with pytest.raises(DataUnavailable, match=r"gman_released in \$GIQA_DATA"):
        released_players(REPORT_PAIRS[0], seed=0)
    with pytest.raises(InputError, match="statistics"):
        released_players(REPORT_PAIRS[0], seed=0, statistics="none")


# r_test and r_sample that the report prints; its second and third row stand where the other's should.
PRINTED = {
    ("mnist", "GAN vs GMAN"): (1.21, 1.02),
    ("cifar10", "GAN vs GMAN"): (0.95, 1.10),
    ("mnist", "DCGAN vs DCGMAN"): (None, 12.7),  # its r_test is of images of 32 pixels
    ("cifar10", "DCGAN vs DCGMAN"): (0.96, 1.37),
}


@needs_files
@pytest.mark.skipif("GIQA_DATA" not in os.environ, reason="$GIQA_DATA is not set")
@pytest.mark.parametrize("pair", REPORT_PAIRS, ids=lambda p: f"{p.dataset} {p.name}")
def test_the_notebooks_formula_gives_the_printed_numbers(pair):
    order = torch.randperm(10_000, generator=torch.Generator().manual_seed(0))[:2000]
    test = released_images(load(pair.dataset, "test").tensor()[order], pair)
    found = gam(
        meet(*released_players(pair, seed=0), test=test, samples=2000),
        formula="notebooks",
        resamples=50,
        random_state=0,
    )
    r_test, r_sample = PRINTED[pair.dataset, pair.name]
    assert found.r_sample.value == pytest.approx(r_sample, rel=0.04)
    if r_test is not None:
        assert found.r_test.value == pytest.approx(r_test, rel=0.08)
