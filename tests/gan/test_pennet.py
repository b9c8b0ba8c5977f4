import pytest
import torch
from torch import nn

from giqa_lib.checks import InputError
from giqa_lib.gan import (
    Architecture,
    Batch,
    PENNetSettings,
    draw_holes,
    holed_at_random,
    inpaint,
    new_state,
    train,
)

SMALL = PENNetSettings(image_size=32, width=4, levels=3, discriminator_width=4)


def faces(count=12, size=32):
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, size, size), generator=random).to(torch.uint8)


def generator(settings=SMALL, seed=0):
    return settings.networks(torch.Generator().manual_seed(seed))[0]


def test_only_the_hole_is_made_anew_to_the_bit():
    images = faces()
    holes = draw_holes(12, 32, torch.Generator().manual_seed(1))
    made = inpaint(generator(), images, holes)
    inside = (holes > 0).expand_as(images)
    assert torch.equal(made[~inside], images[~inside])
    assert not torch.equal(made[inside], images[inside])


def test_a_filling_depends_on_what_is_known_and_on_nothing_else():
    images, holes = faces(), draw_holes(12, 32, torch.Generator().manual_seed(1))
    inside = (holes > 0).expand_as(images)
    other = torch.where(inside, 255 - images, images)
    assert torch.equal(inpaint(generator(), images, holes), inpaint(generator(), other, holes))
    alone = torch.cat([inpaint(generator(), images[i : i + 1], holes[i : i + 1]) for i in range(3)])
    gap = (alone.int() - inpaint(generator(), images, holes)[:3].int()).abs().max()
    assert gap <= 1  # rounding


def test_every_level_of_the_pyramid_reaches_the_image():
    made, holes = generator(), draw_holes(2, 32, torch.Generator().manual_seed(1))
    images = faces(2).float() / 127.5 - 1
    parts = [*made.down, *made.up, *made.context]
    for part in parts:
        kept = {name: value.clone() for name, value in part.state_dict().items()}
        with torch.no_grad():
            before = made(torch.zeros(2, 0), images, holes)
            for value in part.parameters():
                value.zero_()
            assert not torch.equal(before, made(torch.zeros(2, 0), images, holes))
        part.load_state_dict(kept)


def test_holes_have_their_sides_and_lie_anywhere_inside():
    holes = draw_holes(4000, 20, torch.Generator().manual_seed(0), sides=(0.25, 0.5))
    rows, columns = holes.amax((1, 3)), holes.amax((1, 2))
    assert torch.equal(holes, (rows[:, None, :, None] * columns[:, None, None, :]))
    for sides in (rows.sum(1), columns.sum(1)):
        assert (sides.min(), sides.max()) == (5, 10)
        assert sides.mean() == pytest.approx(7.5, abs=0.1)
    assert holes[..., 0, :].any()
    assert holes[..., -1, :].any()
    middle = holes.mean(0)[0]
    assert torch.allclose(middle, middle.flip(0), atol=0.04)


def test_the_feed_keeps_images_and_holes_in_step():
    images = faces()
    batch = holed_at_random(images, sides=(0.25, 0.5))(8, torch.Generator().manual_seed(0))
    holed, holes = batch.condition
    assert torch.equal(holed, batch.images * (1 - holes))


def test_l1_is_the_mean_over_three_scales():
    extra = SMALL.variant(nn.Identity()).generator_extra
    fake, real = torch.zeros(2, 3, 8, 8), torch.full((2, 3, 8, 8), 0.5)
    assert float(extra(fake, Batch(images=real))) == pytest.approx(SMALL.l1 * 0.5)
    stripes = torch.ones(2, 3, 8, 8)
    stripes[..., ::2] = -1  # averaged away at the coarser scales
    assert float(extra(fake, Batch(images=stripes))) == pytest.approx(SMALL.l1 / 3)


def test_training_fills_a_plain_image():
    images = torch.full((8, 3, 16, 16), 200, dtype=torch.uint8)
    images[::2] = 60
    settings = PENNetSettings(image_size=16, width=8, levels=2, discriminator_width=4)
    random = torch.Generator().manual_seed(0)
    made, judge = settings.networks(random)
    assert isinstance(settings, Architecture)
    run = settings.training(150, batch_size=8)
    state = new_state(made, judge, run, latent=0, random=random)
    feed = holed_at_random(images, sides=(0.25, 0.5))
    for _ in train(state, feed, run, at=[150], variant=settings.variant(judge)):
        pass
    holes = draw_holes(8, 16, torch.Generator().manual_seed(5))
    gap = (inpaint(made, images, holes).float() - images).abs()
    assert float(gap.sum() / holes.sum() / 3) < 15


def test_the_papers_size_can_be_built():
    paper = PENNetSettings(image_size=256, width=64, levels=6)
    assert paper.widths == (64, 128, 256, 512, 512, 512)
    made, judge = paper.networks(torch.Generator().manual_seed(0))
    holed, holes = torch.zeros(1, 3, 256, 256), draw_holes(1, 256, torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert made(torch.zeros(1, 0), holed, holes).shape == (1, 3, 256, 256)
        assert judge(holed, holed, holes).shape[1] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_size": 48}, "image_size: expected 16, 32, 64"),
        ({"levels": 4}, "levels: expected 2 to 3, got 4"),
        ({"levels": 1}, "levels"),
        ({"width": 0}, "width"),
        ({"channels": 2}, "channels"),
    ],
)
def test_settings_that_cannot_be_built_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        PENNetSettings(**change)


def test_bad_holes_are_refused():
    with pytest.raises(InputError, match="sides: expected least, most"):
        draw_holes(2, 8, torch.Generator(), sides=(0.5, 0.25))
    with pytest.raises(InputError, match="sides"):
        draw_holes(2, 8, torch.Generator(), sides=(0.0, 0.5))
