from dataclasses import replace

import pytest
import torch

from giqa_lib.checks import InputError
from giqa_lib.gan import (
    Architecture,
    Pix2PixHDSettings,
    Pix2PixSettings,
    SPADESettings,
    Translator,
    TranslatorSettings,
    fetch_translator,
    new_state,
    pairs_at_random,
    runs,
    train,
    translate,
    translators,
)
from giqa_lib.store import Store

SMALL = {
    "pix2pix": Pix2PixSettings(
        image_size=16, classes=2, width=4, discriminator_width=4, halvings=1
    ),
    "pix2pixhd": Pix2PixHDSettings(
        image_size=16, classes=2, width=4, global_blocks=1, local_blocks=1, discriminator_width=4
    ),
    "spade": SPADESettings(
        image_size=16, classes=2, latent=3, width=4, doublings=2, hidden=4, discriminator_width=4
    ),
}
PAPER = {
    "pix2pix": Pix2PixSettings(
        image_size=256, classes=34, width=64, discriminator_width=64, halvings=3
    ),
    "pix2pixhd": Pix2PixHDSettings(
        image_size=256, classes=34, width=32, halvings=4, global_blocks=9, local_blocks=3,
        discriminator_width=64, judge_halvings=3, scales=3,
    ),
    "spade": SPADESettings(
        image_size=256, classes=34, width=64, doublings=5, hidden=128, discriminator_width=64,
        halvings=3,
    ),
}  # fmt: skip
every_family = pytest.mark.parametrize("name", SMALL)


def pairs(count=12, size=16):
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 255, (count, 3, size, size), dtype=torch.uint8, generator=random)
    maps = torch.randint(0, 2, (count, size, size), dtype=torch.uint8, generator=random)
    return images, maps


def settings(name, steps=6):
    made = SMALL[name]
    return TranslatorSettings(translator=made, train=made.training(steps, batch_size=2), flip=True)


@every_family
def test_the_settings_are_a_translators(name):
    assert isinstance(SMALL[name], Translator)
    assert isinstance(SMALL[name], Architecture)
    assert SMALL[name].family == name


@every_family
def test_initial_weights_come_from_the_given_generator_alone(name):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one = SMALL[name].networks(torch.Generator().manual_seed(1))
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(6)
    two = SMALL[name].networks(torch.Generator().manual_seed(1))
    for a, b in zip(one, two, strict=True):
        states = a.state_dict(), b.state_dict()
        assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


class Killed(Exception):
    pass


@every_family
def test_a_killed_training_goes_on_and_ends_the_same_bitwise(name, tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "CHECKPOINT_EVERY", 2)
    straight = fetch_translator(Store(tmp_path / "a"), *pairs(), settings(name), seed=0)
    feed, draws = translators.pairs_at_random, []

    def failing(*args, **kwargs):
        inner = feed(*args, **kwargs)

        def draw(size, random):
            draws.append(size)
            if len(draws) == 5:
                raise Killed
            return inner(size, random)

        return draw

    with monkeypatch.context() as patch:
        patch.setattr(translators, "pairs_at_random", failing)
        with pytest.raises(Killed):
            fetch_translator(Store(tmp_path / "b"), *pairs(), settings(name), seed=0)
    patched = monkeypatch
    seen = []

    def counting(*args, **kwargs):
        inner = feed(*args, **kwargs)
        return lambda size, random: seen.append(size) or inner(size, random)

    patched.setattr(translators, "pairs_at_random", counting)
    resumed = fetch_translator(Store(tmp_path / "b"), *pairs(), settings(name), seed=0)
    assert len(seen) == 2  # steps 5 and 6: the checkpoint after step 4 was found
    states = straight.generator.state_dict(), resumed.generator.state_dict()
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert straight.losses.equals(resumed.losses)


@every_family
def test_what_is_kept_is_found_again_and_everything_decides_it(name, tmp_path):
    images, maps = pairs()
    first = fetch_translator(Store(tmp_path), images, maps, settings(name), seed=0)
    again = fetch_translator(Store(tmp_path), images, maps, settings(name), seed=0)
    assert first.folder == again.folder
    others = [
        fetch_translator(Store(tmp_path), images, maps, settings(name), seed=1),
        fetch_translator(Store(tmp_path), images, 1 - maps, settings(name), seed=0),
        fetch_translator(Store(tmp_path), 255 - images, maps, settings(name), seed=0),
        fetch_translator(Store(tmp_path), images, maps, settings(name, steps=5), seed=0),
        fetch_translator(
            Store(tmp_path), images, maps, replace(settings(name), flip=False), seed=0
        ),
    ]
    assert len({first.folder, *(other.folder for other in others)}) == 6


@every_family
def test_a_translation_repeats_and_does_not_depend_on_the_batch_size(name, tmp_path):
    made = fetch_translator(Store(tmp_path), *pairs(), settings(name), seed=0)
    maps = pairs()[1]
    whole = made.translate(maps, seed=4)
    assert whole.shape == (12, 3, 16, 16)
    assert whole.dtype == torch.uint8
    assert torch.equal(whole, made.translate(maps, seed=4))
    generator = made.generator.train()
    latent = SMALL[name].latent
    parts = translate(generator, maps, classes=2, latent=latent, seed=4, batch_size=5)
    # a pixel may round the other way: convolutions sum in another order for another batch
    assert (whole.int() - parts.int()).abs().max() <= 1
    assert generator.training


def test_a_latent_varies_a_translation(tmp_path):
    made = fetch_translator(Store(tmp_path), *pairs(), settings("spade"), seed=0)
    maps = pairs()[1]
    assert not torch.equal(made.translate(maps, seed=0), made.translate(maps, seed=1))


def test_a_translator_learns_the_colour_of_a_class(tmp_path):
    maps = pairs(32)[1]
    maps[:] = maps[:, :1, :1]  # one class a map
    images = torch.where(maps[:, None] == 1, 220, 30).byte().expand(-1, 3, -1, -1).contiguous()
    made = replace(SMALL["pix2pix"], width=8)
    how = TranslatorSettings(translator=made, train=made.training(150, batch_size=4))
    light, dark = (
        torch.ones(1, 16, 16, dtype=torch.uint8),
        torch.zeros(1, 16, 16, dtype=torch.uint8),
    )
    trained = fetch_translator(Store(tmp_path), images, maps, how, seed=0)
    difference = trained.translate(light).float().mean() - trained.translate(dark).float().mean()
    assert float(difference) > 60


@every_family
def test_bad_pairs_are_refused_in_one_clear_line(name, tmp_path):
    images, maps = pairs()

    def attempt(images, maps):
        fetch_translator(Store(tmp_path), images, maps, settings(name), seed=0)

    with pytest.raises(
        InputError, match=r"maps: expected the images' size \(16, 16\), got \(8, 8\)"
    ):
        attempt(images, maps[:, :8, :8])
    with pytest.raises(
        InputError, match=r"maps: expected classes 0\.\.1, got class 7; raise classes"
    ):
        attempt(images, maps + 6)
    with pytest.raises(InputError, match="pairs: expected a batch of 2 or more, got 1; give more"):
        attempt(images[:1], maps[:1])
    with pytest.raises(InputError, match="images 12, maps 11; row i of each"):
        attempt(images, maps[:11])
    with pytest.raises(
        InputError, match=r"images: expected \(n, 3, 16, 16\), got shape \(12, 3, 8, 8\)"
    ):
        attempt(images[:, :, :8, :8], maps[:, :8, :8])
    trained = fetch_translator(Store(tmp_path), images, maps, settings(name), seed=0)
    with pytest.raises(InputError, match="got class 2"):
        trained.translate(maps + 1)
    with pytest.raises(InputError, match=r"got \(8, 8\); resize the maps"):
        trained.translate(maps[:, :8, :8])


@pytest.mark.slow
@pytest.mark.parametrize("name", PAPER)
def test_one_step_at_the_papers_size(name):
    made = PAPER[name]
    random = torch.Generator().manual_seed(0)
    networks = made.networks(random)
    how = made.training(1, batch_size=2)
    state = new_state(*networks, how, latent=made.latent, random=random)
    feed = pairs_at_random(*pairs(2, size=256), classes=34)
    before = [p.clone() for p in list(networks[0].parameters())[:1]]
    (reached,) = train(state, feed, how, at=[1], variant=made.variant(networks[1]))
    assert reached.step == 1
    assert not torch.equal(before[0], next(networks[0].parameters()))
