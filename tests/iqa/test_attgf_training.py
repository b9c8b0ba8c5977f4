"""Training of AttGF-IQA on a database that is made up: determinism, resumption, what it can learn, what is refused."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from giqa_lib.checks import InputError
from giqa_lib.data import QualityDatabase
from giqa_lib.iqa import AttGFSettings, AttGFTraining, attgf_scores, fit_attgf

SIZES = AttGFSettings(parts=2, width=4, most=8)
SHORT = AttGFTraining(steps=6, pairs=4, check_every=3)


def database(count=24, domains=2):
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
        domain=domain, pseudo=quality, mos=quality, pairs=torch.cat(pairs),
    )  # fmt: skip


def weights(network):
    return list(network.state_dict().values())


@pytest.mark.parametrize("meta", ["none", "first", "second"])
def test_equal_seeds_give_equal_bits(meta):
    training = dataclasses.replace(SHORT, meta=meta, regressed="x")
    one, two = (fit_attgf(database(), SIZES, training, seed=3) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(weights(one), weights(two), strict=True))
    other = fit_attgf(database(), SIZES, training, seed=4)
    assert not torch.equal(one.head.weight, other.head.weight)


def test_a_run_that_was_stopped_ends_the_same_bitwise(tmp_path, monkeypatch):
    straight = fit_attgf(database(), SIZES, SHORT, seed=0)
    from giqa_lib.iqa import attgf_training

    calls = []
    step = attgf_training._step

    def stops(*given):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return step(*given)

    monkeypatch.setattr(attgf_training, "_step", stops)
    with pytest.raises(KeyboardInterrupt):
        fit_attgf(database(), SIZES, SHORT, seed=0, folder=tmp_path)
    monkeypatch.setattr(attgf_training, "_step", step)
    assert list(tmp_path.glob("checkpoint*"))
    resumed = fit_attgf(database(), SIZES, SHORT, seed=0, folder=tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(weights(straight), weights(resumed), strict=True))
    assert not list(tmp_path.glob("checkpoint*"))


def test_it_learns_an_order_and_carries_it_to_a_domain_it_has_not_seen():
    data = database(domains=3)
    seen = data.domain < 2
    rows = seen.nonzero()[:, 0]
    inside = seen[data.pairs[:, 0]]
    two = dataclasses.replace(
        data, images=data.images[rows], maps=data.maps[rows], domains=("x", "y"),
        domain=data.domain[rows], pseudo=data.pseudo[rows], mos=data.mos[rows], pairs=data.pairs[inside],
    )  # fmt: skip
    network = fit_attgf(two, SIZES, AttGFTraining(steps=40, pairs=6, learning_rate=5e-3), seed=0)
    unseen = (~seen).numpy()
    found = attgf_scores(network, data)[unseen]
    assert spearmanr(found, data.mos.numpy()[unseen]).statistic > 0.8


def test_scores_do_not_depend_on_the_batch():
    network = fit_attgf(database(), SIZES, SHORT, seed=0)
    np.testing.assert_allclose(
        attgf_scores(network, database(), batch=5), attgf_scores(network, database()), atol=1e-5
    )


def test_a_domain_without_pairs_is_refused():
    data = database()
    only = data.pairs[data.domain[data.pairs[:, 0]] == 0]
    with pytest.raises(
        InputError, match=r"domain y: expected 2 images and a pair, got 24 images, 0"
    ):
        fit_attgf(dataclasses.replace(data, pairs=only), SIZES, SHORT, seed=0)


def test_bad_settings_are_refused():
    with pytest.raises(InputError, match="meta: expected one of first, none, second"):
        AttGFTraining(steps=1, meta="third")
