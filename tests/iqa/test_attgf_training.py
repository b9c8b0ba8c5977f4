"""Training of AttGF-IQA on a database that is made up: what it learns, determinism, resumption, what is refused."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from giqa_lib.checks import InputError
from giqa_lib.data import QualityDatabase
from giqa_lib.iqa import (
    AttGFFit,
    AttGFSettings,
    DescentSettings,
    InnerStep,
    ObjectiveWeights,
    PairFeed,
    centre_loss,
    fetch_attgf,
    fit_attgf,
    focal_rank_loss,
    score_regression_loss,
)
from giqa_lib.store import Store

SIZES = AttGFSettings(classes=2, widths=(4, 4, 8, 8), stride=2)
SHORT = AttGFFit(descent=DescentSettings(steps=6, check_every=2), pairs=4)
SOURCES = ("x", "y")


def database(count=24, domains=3):
    """Grey images whose quality is their brightness, another noise in each domain."""
    random = torch.Generator().manual_seed(0)
    total = count * domains
    quality = torch.rand(total, generator=random, dtype=torch.float64)
    noise = torch.randint(-20, 20, (total, 3, 32, 32), generator=random)
    images = (40 + 170 * quality[:, None, None, None] + noise).clamp(0, 255).to(torch.uint8)
    maps = torch.randint(0, 2, (total, 32, 32), generator=random, dtype=torch.uint8)
    domain = torch.arange(total) // count
    pairs = []
    for place in range(domains):
        rows = (domain == place).nonzero()[:, 0]
        order = rows[quality[rows].argsort(descending=True)]
        pairs += [torch.stack([order[: count // 2], order[count // 2 :]], 1)]
    return QualityDatabase(
        images=images, maps=maps, parts=("a", "b"), domains=tuple("xyz"[:domains]),
        domain=domain, pseudo=quality, mos=quality, pairs=torch.cat(pairs))  # fmt: skip


DATA = database()


def scores(fit=SHORT, sources=SOURCES, seed=0, **options):
    return fit_attgf(DATA, sources, SIZES, fit, seed=seed, **options)(DATA.images, DATA.maps)


@pytest.mark.parametrize("inner", [None, InnerStep()], ids=["plain", "meta"])
def test_it_learns_an_order_that_the_unseen_domain_shares(inner):
    descent = DescentSettings(steps=60, rate=3e-3)
    found = scores(AttGFFit(descent=descent, pairs=8, inner=inner))
    unseen = (DATA.domain == 2).numpy()
    assert spearmanr(found[unseen], DATA.mos.numpy()[unseen]).statistic > 0.6


def test_the_seed_decides_and_the_global_state_is_left():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first, same, other = (scores(seed=seed) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_an_inner_rate_of_nought_is_plain_training_bit_for_bit():
    plain = scores(replace(SHORT, inner=None))
    for order in ("first", "second"):
        assert np.array_equal(plain, scores(replace(SHORT, inner=InnerStep(rate=0.0, order=order))))
    assert not np.array_equal(plain, scores(SHORT))


def test_one_source_is_trained_without_meta_learning():
    plain = scores(replace(SHORT, inner=None), sources=("x",))
    assert np.array_equal(plain, scores(SHORT, sources=("x",)))


def test_the_unseen_domain_is_not_looked_at():
    changed = replace(DATA, images=DATA.images.clone(), pseudo=DATA.pseudo.clone())
    unseen = DATA.domain == 2
    changed.images[unseen] = 255 - changed.images[unseen]
    changed.pseudo[unseen] = 0
    first, second = (fit_attgf(data, SOURCES, SIZES, SHORT, seed=0) for data in (DATA, changed))
    assert np.array_equal(first(DATA.images, DATA.maps), second(DATA.images, DATA.maps))


def test_the_regression_loss_brings_scores_to_the_pseudo_labels():
    weights = ObjectiveWeights(rank=0.0, test_rank=0.0, regression=1.0)
    descent = DescentSettings(steps=60, rate=3e-3)
    fit = AttGFFit(descent=descent, pairs=8, inner=None, weights=weights, regressed=("x",))
    seen = (DATA.domain == 0).numpy()
    gaps = [
        np.abs(scores(one, sources=("x",)) - DATA.pseudo.numpy())[seen].mean()
        for one in (fit, replace(fit, regressed=()))
    ]
    assert gaps[0] < 0.5 * gaps[1]


def test_equations_18_and_19_weigh_the_losses_of_each_domain():
    from giqa_lib.iqa import attgf_training, new_attgf_network

    weights = ObjectiveWeights(rank=10, centre=0.5, regression=3, test_rank=7, test_centre=0.25)
    fit = replace(SHORT, weights=weights, regressed=("x",))
    random = torch.Generator().manual_seed(0)
    learner = attgf_training._Learner(new_attgf_network(SIZES, random)).eval()
    torch.nn.init.ones_(learner.centres)
    feed = PairFeed(DATA, SOURCES)
    batches = {name: feed.draw(name, 4, random) for name in SOURCES}
    losses = attgf_training._losses(learner, batches, fit)
    for testing, (by_rank, by_centre) in ((False, (10, 0.5)), (True, (7, 0.25))):
        found = losses(dict(learner.named_parameters()), testing)
        for name, batch in batches.items():
            y, q = learner.network(batch.images, batch.maps)
            (one, other), (first, second) = y.chunk(2), q.chunk(2)
            wanted = by_rank * focal_rank_loss(one, other, batch.higher, focus=fit.focus)
            wanted += by_centre * centre_loss(first, second, batch.higher, learner.centres)
            if name == "x":  # the domain whose pseudo-label is a similarity
                wanted += 3 * score_regression_loss(y, batch.pseudo)
            torch.testing.assert_close(found[name], wanted)


def test_both_orders_of_a_pair_come():
    batch = PairFeed(DATA, SOURCES).draw("x", 64, torch.Generator().manual_seed(0))
    first, second = batch.pseudo.chunk(2)
    assert ((first > second) == batch.higher).all()
    assert 16 < int(batch.higher.sum()) < 48


def test_a_stopped_run_goes_on_bit_for_bit(tmp_path):
    whole = scores()
    with pytest.raises(KeyboardInterrupt):
        stopped_after(5, tmp_path)
    assert (tmp_path / "checkpoint.safetensors").exists()
    assert np.array_equal(scores(folder=tmp_path), whole)
    assert not list(tmp_path.glob("checkpoint*"))


def stopped_after(steps, folder):
    """The same run, interrupted in its next step."""
    from giqa_lib.iqa import attgf_training

    drawn = []
    feed_draw = attgf_training.PairFeed.draw

    def draw(self, *given):
        drawn.append(1)
        if len(drawn) > steps * len(SOURCES):
            raise KeyboardInterrupt
        return feed_draw(self, *given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attgf_training.PairFeed, "draw", draw)
        scores(folder=folder)


CHILD = """
import sys
sys.path.insert(0, {here!r})
import test_attgf_training as t
long = t.replace(t.SHORT, descent=t.DescentSettings(steps=60, check_every=3))
t.fetch_attgf(t.Store({folder!r}), t.DATA, t.SOURCES, t.SIZES, long, seed=0)
"""


def test_kill_9_changes_nothing(tmp_path):
    long = replace(SHORT, descent=DescentSettings(steps=60, check_every=3))
    folder = str(tmp_path / "killed")
    code = CHILD.format(here=os.path.dirname(__file__), folder=folder)
    child = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 90
    while not list((tmp_path / "killed").rglob("checkpoint.safetensors")):
        assert time.monotonic() < deadline, "no checkpoint appeared"
        assert child.poll() is None, "it ended before it was killed"
        time.sleep(0.005)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    resumed = fetch_attgf(Store(folder), DATA, SOURCES, SIZES, long, seed=0)
    assert np.array_equal(resumed(DATA.images, DATA.maps), scores(long))


def test_the_store_keeps_it_by_what_decides_it(tmp_path, monkeypatch):
    store = Store(tmp_path)
    first = fetch_attgf(store, DATA, SOURCES, SIZES, SHORT, seed=0)(DATA.images, DATA.maps)
    monkeypatch.setattr("giqa_lib.iqa.attgf_training.fit_attgf", None)
    changed = replace(DATA, mos=torch.zeros_like(DATA.mos))  # opinion decides nothing
    again = fetch_attgf(store, changed, SOURCES, SIZES, SHORT, seed=0)(DATA.images, DATA.maps)
    assert np.array_equal(first, again)
    for other in (replace(SHORT, inner=None), replace(SHORT, focus=1.0)):
        with pytest.raises(TypeError):
            fetch_attgf(store, DATA, SOURCES, SIZES, other, seed=0)
    with pytest.raises(TypeError):
        fetch_attgf(store, replace(DATA, maps=1 - DATA.maps), SOURCES, SIZES, SHORT, seed=0)


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    from giqa_lib.checkpoints import write_checkpoint

    write_checkpoint(tmp_path, {"w": torch.zeros(1)}, step=1, config={"seed": 1})
    with pytest.raises(InputError, match="checkpoint: expected the same configuration"):
        scores(folder=tmp_path, config={"seed": 0})


def test_a_domain_with_one_image_or_without_pairs_is_refused():
    rows = torch.cat([torch.arange(24), torch.tensor([24])])
    one = QualityDatabase(
        images=DATA.images[rows], maps=DATA.maps[rows], parts=DATA.parts, domains=("x", "y"),
        domain=DATA.domain[rows], pseudo=DATA.pseudo[rows], mos=DATA.mos[rows], pairs=DATA.pairs[:12])  # fmt: skip
    with pytest.raises(
        InputError, match="domain y: expected two images or more, and a pair, got 1"
    ):
        fit_attgf(one, SOURCES, SIZES, SHORT, seed=0)
    with pytest.raises(InputError, match="source: expected one of x, y, z"):
        scores(sources=("x", "w"))


@pytest.mark.parametrize("sources", [(), ("x", "x")])
def test_sources_are_named_and_each_once(sources):
    with pytest.raises(InputError, match="sources: expected one domain or more, each once, got"):
        scores(sources=sources)


def test_maps_of_another_size_or_class_are_refused_before_training():
    for maps, words in (
        (DATA.maps[:, :16], "maps: expected the images' size"),
        (DATA.maps + 5, "maps: expected classes 0..1, got class 6"),
    ):
        bad = replace(DATA)
        object.__setattr__(bad, "maps", maps)  # what nothing checks outside of tests
        with pytest.raises(InputError, match=words):
            fit_attgf(bad, SOURCES, SIZES, SHORT, seed=0)
