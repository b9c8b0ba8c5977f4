import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from giqa_lib.checks import GiqaError, InputError
from giqa_lib.learning import FitSettings, fit

RUN = FitSettings(steps=12, batch_size=4, check_every=3, learning_rate=0.05, patience=9)


def data():
    random = torch.Generator().manual_seed(0)
    x = torch.randn(64, 3, generator=random)
    return x, x @ torch.tensor([[1.0], [-2.0], [0.5]])


def draw(random, count=4):
    x, y = data()
    rows = torch.randint(64, (count,), generator=random)
    return x[rows], y[rows]


def validate(network):
    x, y = data()
    return -float((network(x) - y).square().mean())


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))


def run(settings=RUN, *, folder=None, config=None, seed=1, draw=draw, validate=validate):
    random = torch.Generator().manual_seed(seed)
    return fit(
        network(), draw, mse_loss, validate, settings, random=random, folder=folder, config=config
    )


def same(one, two):
    pairs = zip(one.network.state_dict().values(), two.network.state_dict().values(), strict=True)
    return one.history.equals(two.history) and all(torch.equal(a, b) for a, b in pairs)


def test_it_learns():
    found = run(replace(RUN, steps=300, check_every=50), draw=lambda random: draw(random, 32))
    assert found.best_value > -0.1  # the mean squared target is 5.3
    assert found.history["loss"].iloc[-1] < 0.2 * found.history["loss"].iloc[0]


def test_the_seed_decides():
    assert same(run(), run())
    assert not same(run(), run(seed=2))


def dropping():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))


def test_dropout_follows_the_seed_and_resumes(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "network", dropping)
    torch.manual_seed(1)
    one = run()
    torch.manual_seed(2)
    before = torch.get_rng_state()
    assert same(one, run())
    assert torch.equal(torch.get_rng_state(), before)
    with pytest.raises(Stop):
        run(folder=tmp_path, config={}, draw=stopping(7))
    assert same(one, run(folder=tmp_path, config={}))


class Stop(Exception):
    """Stands in for a kill."""


def stopping(after):
    calls = []

    def drawn(random):
        calls.append(1)
        if len(calls) > after:
            raise Stop
        return draw(random)

    return drawn


@pytest.mark.parametrize("after", [1, 3, 7, 11])
def test_a_stopped_run_ends_as_if_it_had_not_been(tmp_path, after):
    with pytest.raises(Stop):
        run(folder=tmp_path, config={"a": 1}, draw=stopping(after))
    assert same(run(folder=tmp_path, config={"a": 1}), run())
    assert list(tmp_path.iterdir()) == []  # no checkpoint is left behind a finished run


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    with pytest.raises(Stop):
        run(folder=tmp_path, config={"rate": 1}, draw=stopping(7))
    with pytest.raises(InputError, match="rate: 1 then, 2 now"):
        run(folder=tmp_path, config={"rate": 2})


def test_the_best_weights_are_kept_not_the_last():
    values = iter([0.1, 0.9, 0.3, 0.2])
    kept = []

    def judged(network):
        kept.append({key: value.clone() for key, value in network.state_dict().items()})
        return next(values)

    found = run(validate=judged)
    assert (found.best_step, found.best_value) == (6, 0.9)
    assert all(torch.equal(v, kept[1][k]) for k, v in found.network.state_dict().items())
    assert not torch.equal(kept[1]["0.weight"], kept[3]["0.weight"])
    assert not found.network.training


def test_it_stops_when_nothing_gets_better():
    values = iter([0.5, 0.4, 0.4, 0.9])
    found = run(replace(RUN, patience=2), validate=lambda network: next(values))
    assert found.history["step"].tolist() == [3, 6, 9]
    assert found.best_step == 3


def test_the_rate_falls_by_a_half_cosine(monkeypatch):
    rates = []
    plain = torch.optim.AdamW.step

    def watched(self, *arguments, **keywords):
        rates.append(self.param_groups[0]["lr"])
        return plain(self, *arguments, **keywords)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    run()
    expected = [0.05 * (1 + math.cos(math.pi * step / 12)) / 2 for step in range(12)]
    assert rates == pytest.approx(expected)


def test_a_loss_that_is_not_finite_names_its_step():
    def poisoned(random):
        x, y = draw(random)
        return x * float("nan"), y

    with pytest.raises(GiqaError, match="got nan at step 1; lower the learning rate"):
        run(draw=poisoned)


@pytest.mark.parametrize(
    "name", ["steps", "batch_size", "learning_rate", "check_every", "patience"]
)
def test_settings_must_be_positive(name):
    with pytest.raises(InputError, match=name):
        FitSettings(**({"steps": 1} | {name: 0}))


CHILD = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_fitting as t
real = t.draw
def slow(random):
    time.sleep(0.05)
    return real(random)
t.run(t.replace(t.RUN, steps=200, check_every=2), folder=Path({folder!r}), config={{"a": 1}}, draw=slow)
"""


def test_kill_9_loses_nothing_but_time(tmp_path):
    tests = os.path.dirname(__file__)
    code = CHILD.format(tests=tests, folder=str(tmp_path))
    child = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 60
    while not (tmp_path / "checkpoint-previous.safetensors").exists():
        assert time.monotonic() < deadline, "no checkpoint appeared"
        assert child.poll() is None
        time.sleep(0.02)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    longer = replace(RUN, steps=200, check_every=2)
    assert same(run(longer, folder=tmp_path, config={"a": 1}), run(longer))
