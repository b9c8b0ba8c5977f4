import pytest
import torch

from giqa_lib.checks import InputError
from giqa_lib.data import open_images
from giqa_lib.gan import (
    DCGANSettings,
    SnapshotSettings,
    TrainSettings,
    fetch_snapshots,
    latents,
    log_spaced_steps,
    new_dcgan,
    sample,
)
from giqa_lib.store import Store

SETTINGS = SnapshotSettings(
    architecture=DCGANSettings(image_size=16, width=4, latent=8),
    train=TrainSettings(steps=8, batch_size=4),
    steps=(2, 8),
)


@pytest.fixture
def made(tmp_path):
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 255, (40, 1, 12, 14), dtype=torch.uint8, generator=random)
    return fetch_snapshots(Store(tmp_path), open_images(images), SETTINGS, seed=0)


def test_snapshots_have_the_data_sets_own_size(made):
    assert made.images(2, 5, seed=0).shape == (5, 1, 12, 14)


def test_snapshots_differ_by_step_and_repeat_by_seed(made):
    assert torch.equal(made.images(8, 5, seed=0), made.images(8, 5, seed=0))
    assert not torch.equal(made.images(8, 5, seed=0), made.images(2, 5, seed=0))


def test_losses_of_every_step_are_kept(made):
    assert made.losses["step"].tolist() == list(range(1, 9))


def test_an_unknown_step_names_those_there_are(made):
    with pytest.raises(InputError, match="one of 2, 8, got 3"):
        made.images(3, 1, seed=0)


def test_images_larger_than_the_network_are_refused(tmp_path):
    large = open_images(torch.zeros(4, 1, 20, 20, dtype=torch.uint8))
    with pytest.raises(InputError, match="raise image_size"):
        fetch_snapshots(Store(tmp_path), large, SETTINGS, seed=0)


def test_steps_must_rise_within_the_training():
    with pytest.raises(InputError, match=r"rising steps within 1\.\.8"):
        SnapshotSettings(architecture=SETTINGS.architecture, train=SETTINGS.train, steps=(2, 9))


def test_log_spacing():
    assert log_spaced_steps(100, 8000, 20)[:2] == (100, 126)
    assert log_spaced_steps(1, 3, 10) == (1, 2, 3)


def test_a_sample_does_not_depend_on_the_batch_size():
    generator, _ = new_dcgan(SETTINGS.architecture, torch.Generator().manual_seed(0))
    generator.train()
    whole = sample(generator, 9, latent=8, seed=3)
    parts = sample(generator, 9, latent=8, seed=3, batch_size=2)
    # a pixel may round the other way: convolutions sum in another order for another batch
    assert (whole.int() - parts.int()).abs().max() <= 1
    assert generator.training


def test_truncation_zero_gives_one_image():
    generator, _ = new_dcgan(SETTINGS.architecture, torch.Generator().manual_seed(0))
    same = sample(generator, 3, latent=8, seed=0, truncation=0.0)
    assert torch.equal(same[0], same[1])


def test_more_latents_begin_with_the_same_ones():
    assert torch.equal(latents(3, 8, seed=1), latents(30, 8, seed=1)[:3])


def test_a_sample_can_be_changed_in_place():
    generator, _ = new_dcgan(SETTINGS.architecture, torch.Generator().manual_seed(0))
    made = sample(generator, 2, latent=8, seed=0)
    made[0] = 0
    assert not made[0].any()
