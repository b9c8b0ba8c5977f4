"""The report's networks against independent counts and layers, and training against several discriminators."""

import dataclasses
import math

import pytest
import torch
from torch import nn

from giqa_lib.checks import InputError
from giqa_lib.data import open_images
from giqa_lib.gan import (
    Architecture,
    Ensemble,
    GMANDiscriminator,
    GMANGenerator,
    GMANSettings,
    LearnedSoftMean,
    MaxOfValues,
    MeanOfProbabilities,
    MeanOfValues,
    SeparateEnsemble,
    SnapshotSettings,
    SoftMean,
    TrainSettings,
    Variant,
    dropout_rates,
    fetch_snapshots,
    images_at_random,
    load_checkpoint,
    new_state,
    read_losses,
    save_checkpoint,
    train,
)
from giqa_lib.gan.models.construction import built
from giqa_lib.gan.objectives import SOFT_LABELS
from giqa_lib.store import Store

SMALL = GMANSettings(image_size=28, width=4, latent=8)
RUN = TrainSettings(steps=4, batch_size=6)
AGGREGATIONS = [
    MeanOfProbabilities(),
    MeanOfValues(),
    MaxOfValues(),
    SoftMean(mean="geometric"),
    LearnedSoftMean(),
]


def images(count=32, size=28):
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 255, (count, 1, size, size), dtype=torch.uint8, generator=random)


def fresh(made, run=RUN, seed=0):
    random = torch.Generator().manual_seed(seed)
    players = made.networks(random)
    state = new_state(*players, run, latent=made.latent, random=random)
    return state, made.variant(players[1])


def trained(made, run=RUN):
    state, variant = fresh(made, run)
    list(train(state, images_at_random(images()), run, at=[], variant=variant))
    return state


def parameters(network):
    return sum(p.numel() for p in network.parameters())


class TestTheReportsLayers:
    @pytest.mark.parametrize(
        ("layers", "size", "channels", "generator", "discriminator"),
        [
            ("convolutional", 32, 3, 370_851, 168_033),
            ("convolutional", 28, 1, 369_825, 167_009),
            ("dense", 32, 3, 376_611, 43_057),
        ],
    )
    def test_parameters_are_as_many_as_in_the_authors_files(
        self, layers, size, channels, generator, discriminator
    ):
        made = GMANSettings(layers=layers, image_size=size, channels=channels)
        players = made.networks(torch.Generator())
        assert (parameters(players[0]), parameters(players[1])) == (generator, discriminator)

    @pytest.mark.parametrize("layers", ["dense", "convolutional"])
    @pytest.mark.parametrize("size", [28, 32])
    @pytest.mark.parametrize("channels", [1, 3])
    def test_images_have_the_size_and_are_judged_once(self, layers, size, channels):
        made = GMANSettings(layers=layers, image_size=size, channels=channels, width=4)
        assert isinstance(made, Architecture)
        generator, discriminator = made.networks(torch.Generator().manual_seed(0))
        found = generator(torch.randn(3, 100))
        assert found.shape == (3, channels, size, size)
        assert float(found.detach().abs().max()) <= 1
        assert discriminator(found)[0].shape == (3,)

    def test_the_dense_layers_are_dense_layers(self):
        made = dataclasses.replace(SMALL, layers="dense")
        judge = GMANDiscriminator(made).eval()
        x = torch.randn(2, 1, 28, 28)
        by_hand = judge.layers(x).flatten(1) @ judge.last.weight.flatten(1).T + judge.last.bias
        assert torch.allclose(judge(x), by_hand.flatten(), atol=1e-6)
        torch.manual_seed(0)
        linear, convolution = nn.Linear(1024, 1), nn.Conv2d(64, 1, 4)
        assert linear.weight.detach().std().item() == pytest.approx(
            convolution.weight.detach().std().item(), rel=0.1
        )

    def test_initial_weights_are_the_reports(self):
        convolutional = GMANDiscriminator(GMANSettings(channels=3))
        assert convolutional.last.weight.detach().std().item() == pytest.approx(0.02, rel=0.1)
        dense = GMANDiscriminator(GMANSettings(channels=3, layers="dense"))
        assert dense.last.weight.detach().std().item() == pytest.approx(
            1 / math.sqrt(3 * 1024), rel=0.1
        )
        assert dense.layers[0].weight.detach().std().item() == pytest.approx(0.02, rel=0.1)


class TestOneDiscriminator:
    """Trained against one, each F is the plain GAN, to the last bit."""

    @pytest.mark.parametrize("aggregation", AGGREGATIONS, ids=lambda each: each.name)
    def test_is_the_plain_gan(self, aggregation):
        made = dataclasses.replace(SMALL, aggregation=aggregation)
        found = trained(made)
        random = torch.Generator().manual_seed(0)
        pair = built(random, lambda: (GMANGenerator(SMALL), GMANDiscriminator(SMALL)))
        plain = new_state(*pair, RUN, latent=SMALL.latent, random=random)
        list(train(plain, images_at_random(images()), RUN, at=[], variant=Variant()))
        assert found.losses == plain.losses
        for key, value in plain.generator.state_dict().items():
            assert torch.equal(found.generator.state_dict()[key], value)
        for key, value in plain.discriminator.state_dict().items():
            assert torch.equal(found.discriminator.state_dict()[f"judges.0.{key}"], value)

    def test_is_so_with_a_separate_part_that_is_the_whole(self):
        whole = trained(dataclasses.replace(SMALL, aggregation=MeanOfValues()))
        part = trained(dataclasses.replace(SMALL, aggregation=MeanOfValues(), separate=True))
        assert whole.losses == part.losses

    def test_soft_labels_are_another_game(self):
        assert trained(SMALL).losses != trained(dataclasses.replace(SMALL, soft_labels=True)).losses


class TestSeveral:
    MADE = dataclasses.replace(SMALL, discriminators=3)

    def test_each_ones_loss_is_recorded_and_they_add_up(self):
        for row in trained(self.MADE).losses:
            assert len(row) == 3 + 3
            assert sum(row[3:]) == pytest.approx(row[1], rel=1e-5)
            assert len(set(row[3:])) == 3

    def test_each_learns_from_its_own_loss_alone(self):
        state, variant = fresh(self.MADE)
        others = [p.clone() for p in state.discriminator.judges[1].parameters()]
        lonely, _ = fresh(SMALL)
        lonely.generator.load_state_dict(state.generator.state_dict())
        lonely.discriminator.judges[0].load_state_dict(state.discriminator.judges[0].state_dict())
        feed = images_at_random(images())
        one = TrainSettings(steps=1, batch_size=6)
        lonely.random.set_state(state.random.get_state())
        list(train(state, feed, one, at=[], variant=variant))
        list(train(lonely, feed, one, at=[]))
        for a, b in zip(
            state.discriminator.judges[0].parameters(),
            lonely.discriminator.judges[0].parameters(),
            strict=True,
        ):
            assert torch.allclose(a, b, atol=1e-7)
        moved = zip(others, state.discriminator.judges[1].parameters(), strict=True)
        assert any(not torch.equal(a, b) for a, b in moved)

    def test_identical_ones_differ_by_their_initial_weights_only(self):
        _, discriminator = self.MADE.networks(torch.Generator().manual_seed(0))
        first, second, _ = discriminator.judges
        assert str(first) == str(second)
        assert not torch.equal(first.last.weight, second.last.weight)

    def test_dropout_is_each_ones_own_and_rests_in_evaluation(self):
        made = dataclasses.replace(self.MADE, dropout=dropout_rates(3))
        _, discriminator = made.networks(torch.Generator().manual_seed(0))
        rates = [
            [m.p for m in j.modules() if isinstance(m, nn.Dropout)] for j in discriminator.judges
        ]
        assert rates == [[rate] * 2 for rate in dropout_rates(3)]
        discriminator.eval()
        x = torch.randn(4, 1, 28, 28)
        assert torch.equal(discriminator(x)[0], discriminator(x)[0])

    def test_separate_ones_see_consecutive_parts(self):
        made = dataclasses.replace(self.MADE, separate=True, aggregation=MeanOfValues())
        _, discriminator = made.networks(torch.Generator().manual_seed(0))
        assert isinstance(discriminator, SeparateEnsemble)
        discriminator.eval()
        x = torch.randn(6, 1, 28, 28)
        found = discriminator(x)
        assert [len(part) for part in found] == [2, 2, 2]
        assert torch.allclose(found[2], discriminator.judges[2](x[4:]), atol=1e-6)
        with pytest.raises(InputError, match="a multiple of 3 images, got 7"):
            discriminator(torch.randn(7, 1, 28, 28))

    def test_separate_ones_train(self):
        made = dataclasses.replace(self.MADE, separate=True, aggregation=MeanOfValues())
        for row in trained(made).losses:
            assert sum(row[3:]) == pytest.approx(row[1], rel=1e-5)

    def test_a_learned_lambda_moves_with_the_generator_and_not_with_the_discriminators(self):
        made = dataclasses.replace(self.MADE, aggregation=LearnedSoftMean(start=1.0))
        state, variant = fresh(made)
        rule = state.generator.aggregate
        assert variant.aggregate is rule
        assert not any(p is rule.raw for p in state.discriminator.parameters())
        list(train(state, images_at_random(images()), RUN, at=[], variant=variant))
        # Untrained discriminators agree, so the reward decides: lambda rises.
        assert float(rule.softness.detach()) > 1.0


@pytest.mark.parametrize(
    "change",
    [
        {"aggregation": LearnedSoftMean()},
        {"dropout": dropout_rates(3), "separate": True, "aggregation": MeanOfValues()},
        {"soft_labels": True},
    ],
    ids=["learned", "dropout and parts", "soft labels"],
)
def test_training_resumes_bitwise(change, tmp_path):
    made, feed = dataclasses.replace(SMALL, discriminators=3, **change), images_at_random(images())
    straight = trained(made)
    stopped, variant = fresh(made)
    for reached in train(stopped, feed, RUN, at=[2], variant=variant):
        save_checkpoint(tmp_path, reached, {})
        break
    resumed, variant = fresh(made)
    assert load_checkpoint(tmp_path, resumed, {})
    list(train(resumed, feed, RUN, at=[], variant=variant))
    assert resumed.losses == straight.losses
    for player in ("generator", "discriminator"):
        one, two = (getattr(state, player).state_dict() for state in (straight, resumed))
        assert all(torch.equal(one[key], two[key]) for key in one)


def test_snapshots_keep_both_players_and_all_losses(tmp_path):
    made = dataclasses.replace(SMALL, discriminators=2)
    settings = SnapshotSettings(architecture=made, train=RUN, steps=(2, 4), both=True)
    store = Store(tmp_path)
    found = fetch_snapshots(store, open_images(images()), settings, seed=0)
    straight = trained(made)
    judges = found.discriminator(4).state_dict()
    assert all(torch.equal(v, judges[k]) for k, v in straight.discriminator.state_dict().items())
    assert list(read_losses(found.folder)) == [
        "step", "discriminator", "generator", "discriminator 1", "discriminator 2"
    ]  # fmt: skip
    plain = SnapshotSettings(architecture=made, train=RUN, steps=(2, 4))
    assert "both" not in plain.describe()
    with pytest.raises(InputError, match=r"SnapshotSettings\(both=True\)"):
        fetch_snapshots(store, open_images(images()), plain, seed=0).discriminator(4)


def test_what_decides_an_artefact_tells_aggregations_apart():
    described = {
        str(SnapshotSettings(architecture=each, train=RUN, steps=(4,)).describe())
        for each in (dataclasses.replace(SMALL, aggregation=a) for a in AGGREGATIONS)
    }
    assert len(described) == len(AGGREGATIONS)


class TestSoftLabels:
    def test_labels_lie_where_the_report_has_them(self):
        torch.manual_seed(0)
        # Where the logit is large, cross-entropy to label t is about (1 - t) times it.
        large = torch.full((20_000,), 1000.0)
        real = 1 - SOFT_LABELS.real_loss(large) / 1000
        assert float(real.max()) <= 1
        assert float((real > 0.999999).float().mean()) == pytest.approx(0.5, abs=0.02)
        assert float(real.mean()) == pytest.approx(1 - 0.3989 / 15, abs=2e-3)
        fake = 1 - SOFT_LABELS.fake_loss(large) / 1000
        assert float(fake.min()) >= -1e-6
        assert float(fake.max()) <= 1 / 3 + 1e-6
        assert float(fake.mean()) == pytest.approx(1 / 6, abs=5e-3)


class TestInputsOfTheWrongSize:
    GENERATOR, DISCRIMINATOR = SMALL.networks(torch.Generator().manual_seed(0))

    @pytest.mark.parametrize("shape", [(2, 1, 27, 28), (2, 3, 28, 28)])
    def test_a_discriminator_names_the_size_it_was_made_for(self, shape):
        with pytest.raises(InputError, match=r"images: expected \(n, 1, 28, 28\).*resize or pad"):
            self.DISCRIMINATOR(torch.zeros(shape))

    def test_larger_images_have_a_logit_a_part(self):
        assert self.DISCRIMINATOR.judges[0](torch.zeros(2, 1, 32, 32)).shape == (8,)

    def test_a_generator_names_the_length_of_its_latents(self):
        with pytest.raises(InputError, match=r"latents: expected \(n, 8\), got shape \(2, 9\)"):
            self.GENERATOR(torch.zeros(2, 9))

    def test_training_on_images_of_another_size_is_refused(self):
        state, variant = fresh(SMALL)
        with pytest.raises(InputError, match=r"real images: expected \(n, 1, 28, 28\)"):
            list(train(state, images_at_random(images(size=32)), RUN, at=[], variant=variant))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_size": 30}, "image_size"),
        ({"width": 5}, "an even number"),
        ({"discriminators": 0}, "discriminators"),
        ({"discriminators": 2, "dropout": (0.5,)}, "2 rates"),
        ({"separate": True}, "separate images"),
        ({"layers": "linear"}, "layers"),
    ],
)
def test_settings_that_cannot_be_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        GMANSettings(**change)


def test_the_variant_wants_its_own_discriminators():
    with pytest.raises(InputError, match="networks"):
        SMALL.variant(nn.Flatten())
    assert isinstance(SMALL.networks(torch.Generator())[1], Ensemble)
