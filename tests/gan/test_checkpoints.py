import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch

from giqa_lib.checkpoints import CheckpointError
from giqa_lib.checks import GiqaError, InputError
from giqa_lib.gan import (
    NON_SATURATING,
    DCGANSettings,
    TrainSettings,
    Variant,
    images_at_random,
    load_checkpoint,
    new_dcgan,
    new_state,
    save_checkpoint,
    train,
)

SIZES = DCGANSettings(image_size=16, width=4, latent=8)
RUN = TrainSettings(steps=6, batch_size=4)
CONFIG = {"width": 4, "seed": 0}


def images():
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 255, (64, 1, 16, 16), dtype=torch.uint8, generator=random)


def fresh(seed=0):
    random = torch.Generator().manual_seed(seed)
    return new_state(*new_dcgan(SIZES, random), RUN, latent=SIZES.latent, random=random)


def at_step(folder, stop):
    state = fresh()
    for reached in train(state, images_at_random(images()), RUN, at=[stop]):
        save_checkpoint(folder, reached, CONFIG)
        break
    return state


def everything(state):
    found = [state.random.get_state()]
    for name in ("generator", "discriminator"):
        found += getattr(state, name).state_dict().values()
        moments = getattr(state, f"{name}_optimizer").state_dict()["state"]
        for index in sorted(moments):
            found += [torch.as_tensor(moments[index][field]) for field in sorted(moments[index])]
    return found


def test_a_resumed_run_is_the_run_that_never_stopped_bitwise(tmp_path):
    straight = fresh()
    list(train(straight, images_at_random(images()), RUN, at=[6]))
    at_step(tmp_path, 3)
    resumed = fresh(seed=99)  # everything of it is replaced
    assert load_checkpoint(tmp_path, resumed, CONFIG)
    assert resumed.step == 3
    list(train(resumed, images_at_random(images()), RUN, at=[6]))
    assert all(
        torch.equal(a, b) for a, b in zip(everything(straight), everything(resumed), strict=True)
    )
    assert straight.losses == resumed.losses


def test_without_a_checkpoint_nothing_is_loaded(tmp_path):
    assert not load_checkpoint(tmp_path, fresh(), CONFIG)


def test_another_configuration_is_refused_with_each_difference(tmp_path):
    at_step(tmp_path, 2)
    with pytest.raises(InputError, match=r"seed: 0 then, 1 now; width: 4 then, 8 now"):
        load_checkpoint(tmp_path, fresh(), {"width": 8, "seed": 1})


@pytest.mark.parametrize("damage", ["truncated", "flipped"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before_it(tmp_path, damage):
    state = fresh()
    for reached in train(state, images_at_random(images()), RUN, at=[2, 4]):
        save_checkpoint(tmp_path, reached, CONFIG)
    current = tmp_path / "checkpoint.safetensors"
    content = bytearray(current.read_bytes())
    if damage == "truncated":
        content = content[: len(content) // 2]
    else:
        content[-5] ^= 0xFF
    current.write_bytes(content)
    again = fresh()
    with pytest.warns(UserWarning, match="the one before it is used"):
        assert load_checkpoint(tmp_path, again, CONFIG)
    assert again.step == 2
    assert not current.exists()  # or the next save would put it over the good one
    (tmp_path / "checkpoint-previous.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="delete the folder"):
        load_checkpoint(tmp_path, again, CONFIG)


def test_a_loss_that_is_not_finite_keeps_the_last_good_checkpoint(tmp_path):
    def breaks_at_five(logits):
        return NON_SATURATING.generator_loss(logits) / (state.step != 4)

    state = fresh()
    variant = Variant(objective=replace(NON_SATURATING, generator_loss=breaks_at_five))
    steps = train(state, images_at_random(images()), RUN, at=range(1, 7), variant=variant)
    saved = (save_checkpoint(tmp_path, reached, CONFIG) for reached in steps)
    with pytest.raises(GiqaError, match=r"generator loss.*at step 5"):
        list(saved)
    again = fresh()
    assert load_checkpoint(tmp_path, again, CONFIG)
    assert again.step == 4
    straight = fresh()
    list(train(straight, images_at_random(images()), RUN, at=[6]))
    list(train(again, images_at_random(images()), RUN, at=[6]))
    assert all(
        torch.equal(a, b) for a, b in zip(everything(straight), everything(again), strict=True)
    )


TRAINING = """
import sys, torch
from pathlib import Path
from giqa_lib.gan import (DCGANSettings, SnapshotSettings, TrainSettings, fetch_snapshots, runs)
from giqa_lib.data import open_images
from giqa_lib.store import Store
runs.CHECKPOINT_EVERY = 5
random = torch.Generator().manual_seed(0)
images = open_images(torch.randint(0, 255, (64, 1, 16, 16), dtype=torch.uint8, generator=random))
settings = SnapshotSettings(architecture=DCGANSettings(image_size=16, width=4, latent=8),
                            train=TrainSettings(steps=150, batch_size=8), steps=(50, 150))
made = fetch_snapshots(Store(sys.argv[1]), images, settings, seed=0)
print(made.images(150, 4, seed=1).sum().item(), made.losses["generator"].sum())
"""


def test_a_killed_training_goes_on_and_ends_the_same(tmp_path):
    def start(folder):
        command = [sys.executable, "-c", TRAINING, str(tmp_path / folder)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    killed = start("killed")
    while not list((tmp_path / "killed").rglob("checkpoint-previous.safetensors")):
        assert killed.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert not list((tmp_path / "killed").rglob("config.json"))
    ends = [start(folder).communicate()[0] for folder in ("killed", "straight")]
    assert ends[0]
    assert ends[0] == ends[1]
