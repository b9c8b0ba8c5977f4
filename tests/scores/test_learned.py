import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from store_keys import key_asked_for
from torch.nn.functional import binary_cross_entropy

from giqa_lib.checks import InputError
from giqa_lib.data import UnreadableImage
from giqa_lib.learning import FitSettings, NetworkSettings
from giqa_lib.scores import (
    BC,
    IR,
    LabelledImages,
    LearnedScore,
    LearnedSettings,
    even_thresholds,
    fetch_learned_score,
    mbc,
    noisy_labels,
    official_thresholds,
    read_label_file,
    read_labelled_images,
    train_learned_score,
)
from giqa_lib.scores.learned_methods import (
    cross_entropy_loss,
    mean_cross_entropy_loss,
    regression_loss,
)
from giqa_lib.scores.learned_training import PAPER
from giqa_lib.store import Store

SETTINGS = LearnedSettings(
    network=NetworkSettings(patch=9, width=4),
    fit=FitSettings(steps=60, batch_size=32, check_every=20, patience=9),
)
METHODS = {"MBC": mbc(even_thresholds(4)), "BC": BC, "IR": IR}


def stripes(count=200, seed=0):
    """Images of stripes under noise that falls as the label rises: quality is there to be seen."""
    random = np.random.default_rng(seed)
    labels = random.choice([0.1, 0.3, 0.5, 0.7, 0.9, 1.0], count)
    clean = np.where(np.arange(12) % 4 < 2, 60, 200)[None, None, :, None]
    noise = random.normal(0, 1, (count, 1, 12, 12)) * (1.02 - labels)[:, None, None, None] * 90
    images = torch.as_tensor(np.clip(clean + noise, 0, 255), dtype=torch.uint8)
    return LabelledImages(images=images, labels=labels)


@pytest.fixture(scope="module")
def train():
    return stripes(400, seed=0)


@pytest.fixture(scope="module")
def held_out():
    return stripes(100, seed=1)


def test_equation_3_is_the_cross_entropy():
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 3, generator=random)
    targets = (torch.rand(5, 3, generator=random) > 0.5).float()
    by_hand = binary_cross_entropy(logits.sigmoid(), targets, reduction="none")
    assert torch.allclose(cross_entropy_loss(logits, targets), by_hand.sum(1).mean())
    assert torch.allclose(mean_cross_entropy_loss(logits, targets), by_hand.mean())
    squares = (logits[:, :1].sigmoid() - targets[:, :1]).square().mean()
    assert torch.allclose(regression_loss(logits[:, :1], targets[:, :1]), squares)


def test_a_far_wrong_logit_gives_a_finite_loss():
    loss = mean_cross_entropy_loss(torch.tensor([[-200.0]]), torch.ones(1, 1))
    assert float(loss) == pytest.approx(200)


def test_bc_is_mbc_with_one_threshold_bitwise(train, held_out):
    one = train_learned_score(train, held_out, BC, SETTINGS, seed=0)
    other = train_learned_score(train, held_out, mbc(even_thresholds(1)), SETTINGS, seed=0)
    assert np.array_equal(one(held_out.images), other(held_out.images))


@pytest.mark.parametrize("method", list(METHODS))
def test_it_learns_what_is_there_to_be_seen(train, held_out, method):
    score = train_learned_score(train, held_out, METHODS[method], SETTINGS, seed=0)
    fresh = stripes(100, seed=2)
    found = score(fresh.images)
    assert ((found >= 0) & (found <= 1)).all()
    assert np.corrcoef(found, fresh.labels)[0, 1] > (0.4 if method == "BC" else 0.7)


def test_equation_4_averages_classifiers_and_crops(train, held_out):
    score = train_learned_score(train, held_out, METHODS["MBC"], SETTINGS, seed=0)
    images = held_out.images[:64]
    by_hand = np.zeros((64, 4))
    for above, left in score.places:
        top, start = round(above * 3), round(left * 3)
        crops = images[:, :, top : top + 9, start : start + 9]
        with torch.no_grad():
            by_hand += score.network(crops).double().sigmoid().numpy() / 3
    assert len(score.places) == 3
    assert score.probabilities(images) == pytest.approx(by_hand, abs=1e-6)
    assert score(images) == pytest.approx(by_hand.mean(1), abs=1e-6)


def test_no_crops_means_one_in_the_centre(train, held_out):
    score = train_learned_score(train, held_out, IR, replace(SETTINGS, crops=0), seed=0)
    assert score.places == ((0.5, 0.5),)


def test_the_seed_decides(train, held_out):
    one, two, other = (
        train_learned_score(train, held_out, IR, SETTINGS, seed=s)(held_out.images)
        for s in (0, 0, 1)
    )
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_the_store_keeps_it_and_every_part_of_the_question_counts(train, held_out, tmp_path):
    store = Store(tmp_path)
    short = replace(SETTINGS, fit=replace(SETTINGS.fit, steps=4, check_every=2))

    def fetch(train=train, held_out=held_out, method=IR, settings=short, seed=0):
        return fetch_learned_score(store, train, held_out, method, settings, seed=seed)

    first = fetch()(held_out.images)
    before = {p.name for p in (tmp_path / "learned_score").iterdir()}
    assert np.array_equal(fetch()(held_out.images), first)
    assert {p.name for p in (tmp_path / "learned_score").iterdir()} == before
    others = [
        fetch(method=BC),
        fetch(seed=1),
        fetch(settings=replace(short, crops=0)),
        fetch(train=LabelledImages(images=train.images, labels=train.labels[::-1].copy())),
        fetch(held_out=stripes(100, seed=5)),
        fetch(method=mbc((1.0,), loss=cross_entropy_loss)),
    ]
    folders = [p for p in (tmp_path / "learned_score").iterdir() if p.is_dir()]
    assert len(folders) == len(others) + 1


@pytest.mark.parametrize(
    ("method", "key"), [(mbc((0.5, 1.0)), "272e4e75a26fa362"), (IR, "95d9c431b2f93f20")]
)
def test_scores_that_were_trained_earlier_are_still_found(method, key, monkeypatch):
    """Trainings of hours lie under these keys: to change one, raise REVISION and say so."""
    images = torch.arange(384).remainder(251).to(torch.uint8).view(8, 3, 4, 4)
    data = LabelledImages(images=images, labels=np.linspace(0, 1, 8))
    settings = LearnedSettings(network=NetworkSettings(patch=3, width=4), fit=FitSettings(steps=2))
    found = key_asked_for(
        monkeypatch,
        lambda store: fetch_learned_score(store, data, data, method, settings, seed=3),
    )
    assert found == ("learned_score", key)


CHILD = """
import sys
sys.path[:0] = [{tests!r}, {above!r}]
import test_learned as t
long = t.replace(t.SETTINGS, fit=t.replace(t.SETTINGS.fit, steps=600, check_every=10, patience=99))
t.fetch_learned_score(t.Store({folder!r}), t.stripes(400, 0), t.stripes(100, 1), t.IR, long, seed=0)
"""


def test_training_resumes_bitwise_after_kill_9(train, held_out, tmp_path):
    long = replace(SETTINGS, fit=replace(SETTINGS.fit, steps=600, check_every=10, patience=99))
    folder = str(tmp_path / "killed")
    here = os.path.dirname(__file__)
    code = CHILD.format(tests=here, above=os.path.dirname(here), folder=folder)
    child = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 60
    while not list((tmp_path / "killed").rglob("checkpoint-previous.safetensors")):
        assert time.monotonic() < deadline, "no checkpoint appeared"
        assert child.poll() is None, "it ended before it was killed"
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    resumed = fetch_learned_score(Store(folder), train, held_out, IR, long, seed=0)
    whole = train_learned_score(train, held_out, IR, long, seed=0)
    assert np.array_equal(resumed(held_out.images), whole(held_out.images))


def test_an_image_smaller_than_the_patch_is_refused(train, held_out):
    score = train_learned_score(
        train, held_out, IR, replace(SETTINGS, fit=replace(SETTINGS.fit, steps=1)), seed=0
    )
    with pytest.raises(
        InputError, match="at least the patch's 9 x 9 pixels, got 8 x 12; take a smaller"
    ):
        score(torch.zeros(2, 1, 8, 12, dtype=torch.uint8))
    with pytest.raises(InputError, match="1 channels, as it was trained on, got 3 channels"):
        score(torch.zeros(2, 3, 12, 12, dtype=torch.uint8))
    large = replace(SETTINGS, network=replace(SETTINGS.network, patch=13))
    with pytest.raises(InputError, match="at least the patch's 13 x 13"):
        train_learned_score(train, held_out, IR, large, seed=0)


@pytest.mark.parametrize("labels", [np.full(4, 0.5), np.array([0.1, np.nan, 0.2, 0.3])])
def test_labels_without_an_order_are_refused(labels):
    images = torch.zeros(4, 1, 12, 12, dtype=torch.uint8)
    with pytest.raises(InputError, match="give images of several iterations"):
        LabelledImages(images=images, labels=labels)


def test_noise_shuffles_the_share_it_says():
    labels = np.concatenate([np.linspace(0.0, 0.9, 1000), np.ones(200)])
    noisy = noisy_labels(labels, 0.5, 0)
    assert np.array_equal(noisy[1000:], labels[1000:])  # real images stay real
    assert np.array_equal(np.sort(noisy), np.sort(labels))
    changed = (noisy != labels).sum()
    assert 480 <= changed <= 500  # of 500 drawn, one in 500 stays where it was
    assert np.array_equal(noisy_labels(labels, 0.0, 0), labels)


def test_the_papers_size_takes_a_step():
    """VGG-19 with batch normalisation on patches of 192 of 256: forward, backward, one update."""
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 255, (2, 3, 256, 256), dtype=torch.uint8, generator=random)
    data = LabelledImages(images=images, labels=np.array([0.2, 1.0]))
    one_step = replace(PAPER, fit=replace(PAPER.fit, steps=1, batch_size=2), crops=0, batch_size=2)
    score = train_learned_score(data, data, mbc(even_thresholds(8)), one_step, seed=0)
    assert score.probabilities(images).shape == (2, 8)


def test_saved_and_loaded_it_is_the_same(train, held_out, tmp_path):
    score = train_learned_score(train, held_out, METHODS["MBC"], SETTINGS, seed=0)
    again = LearnedScore.load(score.save(tmp_path / "score"))
    assert np.array_equal(again(held_out.images), score(held_out.images))
    assert again.describe() == score.describe()


def written(folder, count, side, seed=0):
    """Images of iterations 0, 100, ... and two real ones as files, with their list."""
    random = np.random.default_rng(seed)
    lines = ["image,iteration"]
    for number in range(count):
        pixels = random.integers(0, 256, (side, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed}-{number}.png")
        lines.append(f"{seed}-{number}.png,{'real' if number < 2 else 100 * number}")
    (folder / f"{seed}.csv").write_text("\n".join(lines) + "\n")
    return read_label_file(folder / f"{seed}.csv")


def test_listed_files_become_labelled_images(tmp_path):
    found = read_labelled_images(written(tmp_path, 5, 12), size=8, last_iteration=800)
    assert found.images.shape == (5, 3, 8, 8)
    assert found.labels == pytest.approx([1, 1, 0.225, 0.3375, 0.45])
    grey = read_labelled_images(written(tmp_path, 5, 12), size=12, channels=1)
    assert grey.images.shape == (5, 1, 12, 12)
    assert grey.labels[-1] == 0.9


def test_a_listed_file_that_is_not_there_is_named(tmp_path):
    files = written(tmp_path, 4, 8)
    files.paths[3].unlink()
    with pytest.raises(UnreadableImage, match=r"0-3\.png"):
        read_labelled_images(files, size=8)


@pytest.mark.slow
def test_the_papers_settings_go_from_files_to_scores(tmp_path):
    """VGG-19 on patches of 192 of 256 pixels, official thresholds, three crops, through the store and back: one step."""
    train = read_labelled_images(written(tmp_path, 6, 256), size=256)
    held_out = read_labelled_images(written(tmp_path, 5, 256, seed=1), size=256, last_iteration=500)
    short = replace(PAPER, fit=replace(PAPER.fit, steps=1, batch_size=2), batch_size=2)
    method = mbc(official_thresholds())
    store = Store(tmp_path / "store")
    score = fetch_learned_score(store, train, held_out, method, short, seed=0)
    again = fetch_learned_score(store, train, held_out, method, short, seed=0)
    assert (score.settings.name, score.settings.patch, len(score.places)) == ("vgg19_bn", 192, 3)
    found = score(held_out.images)
    assert found.shape == (5,)
    assert ((found > 0) & (found < 1)).all()
    assert np.array_equal(again(held_out.images), found)
