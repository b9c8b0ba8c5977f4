import pytest
import torch

from giqa_lib.gan import (
    PENNetSettings,
    SnapshotSettings,
    StarGANSettings,
    attributes_at_random,
    fetch_fed_snapshots,
    holed_at_random,
    runs,
)
from giqa_lib.store import Store

IMAGES = torch.randint(0, 256, (10, 3, 16, 16), generator=torch.Generator().manual_seed(0)).byte()
ATTRIBUTES = (torch.arange(20) % 3 == 0).float().view(10, 2)
PENNET = PENNetSettings(image_size=16, width=4, levels=2, discriminator_width=4)
STARGAN = StarGANSettings(
    image_size=16, attributes=2, width=4, blocks=1, discriminator_width=4, halvings=2
)
FEEDS = {
    "pennet": holed_at_random(IMAGES, sides=(0.25, 0.5)),
    "stargan": attributes_at_random(IMAGES, ATTRIBUTES),
}
both = pytest.mark.parametrize("made", [PENNET, STARGAN], ids=["pennet", "stargan"])


def fetch(store, made, *, feed=None, data=None, seed=0):
    settings = SnapshotSettings(
        architecture=made, train=made.training(6, batch_size=4), steps=(3, 6)
    )
    data = {"images": "some"} if data is None else data
    feed = FEEDS[made.family] if feed is None else feed
    return fetch_fed_snapshots(store, feed, settings, data=data, seed=seed)


def tensors(snapshots, step=6):
    return torch.cat([v.flatten() for v in snapshots.generator(step).state_dict().values()])


@both
def test_what_was_stopped_goes_on_to_the_same_bits(tmp_path, monkeypatch, made):
    monkeypatch.setattr(runs, "CHECKPOINT_EVERY", 2)
    whole = tensors(fetch(Store(tmp_path / "whole"), made))
    drawn = []

    def stops(size, random):
        drawn.append(size)
        if len(drawn) == 5 * made.training(6).discriminator_steps:
            raise KeyboardInterrupt
        return FEEDS[made.family](size, random)

    store = Store(tmp_path / "stopped")
    with pytest.raises(KeyboardInterrupt):
        fetch(store, made, feed=stops)
    assert list((tmp_path / "stopped" / "snapshots").glob("*.partial"))
    assert torch.equal(tensors(fetch(store, made)), whole)


@both
def test_what_is_there_is_not_trained_again_and_other_data_are_other_artefacts(tmp_path, made):
    store = Store(tmp_path)
    first = fetch(store, made)
    again = fetch(store, made, feed=lambda size, random: pytest.fail("trained again"))
    assert again.folder == first.folder
    assert not torch.equal(tensors(first, 3), tensors(first, 6))
    assert fetch(store, made, data={"images": "others"}).folder != first.folder
    assert fetch(store, made, seed=1).folder != first.folder
    assert list(first.losses.columns[:3]) == ["step", "discriminator", "generator"]
