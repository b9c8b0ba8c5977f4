import dataclasses

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from giqa_lib.checks import InputError
from giqa_lib.gan import (
    GMANDiscriminator,
    GMANGenerator,
    GMANSettings,
    MeanOfValues,
    load_report_player,
    probability_of_real,
    with_batch_statistics,
)

SMALL = GMANSettings(image_size=28, width=4, discriminators=3)


def discriminator(**change):
    made = dataclasses.replace(SMALL, **change)
    network = made.networks(torch.Generator().manual_seed(0))[1]
    network.train()
    for _ in range(3):  # running statistics of their own
        network(torch.randn(12, 1, 28, 28))
    return network


class TestProbabilities:
    def test_an_ensembles_is_its_judges_mean_whatever_the_batch(self):
        network, x = discriminator(), torch.randn(11, 1, 28, 28)
        found = probability_of_real(network, batch_size=4)(x)
        network.eval()
        with torch.no_grad():
            by_hand = torch.stack([judge(x).double().sigmoid() for judge in network.judges])
        assert torch.allclose(found, by_hand.mean(0), atol=1e-6)
        assert float(by_hand.std(0).max()) > 1e-3

    def test_judges_trained_on_separate_images_judge_all(self):
        network = discriminator(separate=True, aggregation=MeanOfValues())
        assert probability_of_real(network)(torch.randn(7, 1, 28, 28)).shape == (7,)

    def test_the_networks_mode_is_put_back(self):
        network = discriminator()
        probability_of_real(network)(torch.randn(2, 1, 28, 28))
        assert network.training
        assert all(judge.training for judge in network.judges)


class TestBatchStatistics:
    def test_are_those_of_training_without_a_trace(self):
        network, x = discriminator(), torch.randn(9, 1, 28, 28)
        before = {key: value.clone() for key, value in network.state_dict().items()}
        found = probability_of_real(with_batch_statistics(network))(x)
        after = network.state_dict()
        assert all(torch.equal(before[key], after[key]) for key in before)
        with torch.no_grad():
            in_training = torch.stack([j(x).double().sigmoid() for j in network.judges]).mean(0)
        assert torch.allclose(found, in_training, atol=1e-6)
        assert not torch.allclose(found, probability_of_real(network)(x), atol=1e-3)

    def test_dropout_rests(self):
        network = with_batch_statistics(discriminator(dropout=(0.5, 0.5, 0.5)))
        x = torch.randn(6, 1, 28, 28)
        assert torch.equal(probability_of_real(network)(x), probability_of_real(network)(x))


class TestReportFiles:
    """Stub files with the published names and shapes; their values are ours, the layers written out again."""

    @staticmethod
    def norm(x, tensors, name):
        shape = (1, -1, 1, 1) if x.ndim == 4 else (1, -1)
        mean, var, weight, bias = (
            tensors[f"{name}.{part}"].view(shape)
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + 1e-5).sqrt() * weight + bias

    @staticmethod
    def tensors(shapes):
        random = torch.Generator().manual_seed(0)
        return {
            name: 0.1 * torch.rand(shape, generator=random) + 0.05 for name, shape in shapes.items()
        }

    def bn(self, name, width):
        return {f"{name}.{p}": (width,) for p in ("weight", "bias", "running_mean", "running_var")}

    def test_convolutional_discriminator(self, tmp_path):
        widths = [1, 32, 64, 128, 1]
        shapes = {}
        for n in range(4):
            shapes[f"conv{n + 1}.weight"] = (widths[n + 1], widths[n], 4, 4)
            shapes[f"conv{n + 1}.bias"] = (widths[n + 1],)
        shapes |= self.bn("conv2_bn", 64) | self.bn("conv3_bn", 128)
        t = self.tensors(shapes)
        path = tmp_path / "DC1_MNIST_netD4.safetensors"
        save_file(t, path)
        x = torch.rand(2, 1, 28, 28)
        f = nn.functional
        h = f.leaky_relu(f.conv2d(x, t["conv1.weight"], t["conv1.bias"], 2, 1), 0.2)
        h = self.norm(f.conv2d(h, t["conv2.weight"], t["conv2.bias"], 2, 1), t, "conv2_bn")
        h = f.leaky_relu(h, 0.2)
        h = self.norm(f.conv2d(h, t["conv3.weight"], t["conv3.bias"], 1, 0), t, "conv3_bn")
        h = f.conv2d(f.leaky_relu(h, 0.2), t["conv4.weight"], t["conv4.bias"])
        found = load_report_player(path)
        assert isinstance(found, GMANDiscriminator)
        assert torch.allclose(found(x), h.flatten(), rtol=1e-4)

    def test_dense_generator(self, tmp_path):
        shapes = {"fc.0.weight": (2048, 100), "fc.0.bias": (2048,)} | self.bn("fc.1", 2048)
        for n, (before, after) in zip((0, 3, 6), ((128, 64), (64, 32), (32, 3)), strict=True):
            shapes[f"main.{n}.weight"] = (before, after, 4, 4)
            shapes[f"main.{n}.bias"] = (after,)
        shapes |= self.bn("main.1", 64) | self.bn("main.4", 32)
        t = self.tensors(shapes)
        t["main.6.weight"] = 1e-3 * t["main.6.weight"]  # keeps tanh away from its ends
        path = tmp_path / "DC2_CIFAR_MnetG.safetensors"
        save_file(t, path)
        z, f = torch.randn(2, 100), nn.functional
        h = f.relu(self.norm(z @ t["fc.0.weight"].T + t["fc.0.bias"], t, "fc.1"))
        h = h.view(2, 128, 4, 4)
        for n in (0, 3):
            h = f.conv_transpose2d(h, t[f"main.{n}.weight"], t[f"main.{n}.bias"], 2, 1)
            h = f.relu(self.norm(h, t, f"main.{n + 1}"))
        h = f.conv_transpose2d(h, t["main.6.weight"], t["main.6.bias"], 2, 1).tanh()
        found = load_report_player(path)
        assert isinstance(found, GMANGenerator)
        assert torch.allclose(found(z), h, rtol=1e-3, atol=1e-5)

    def test_a_wrong_file_is_refused(self, tmp_path):
        with pytest.raises(InputError, match="DC<1 or 2>"):
            load_report_player(tmp_path / "netD.safetensors")
        path = tmp_path / "DC2_MNIST_netD.safetensors"
        save_file({"fc.0.weight": torch.zeros(1, 1024)}, path)
        with pytest.raises(InputError, match=r"its tensors, got without \['last.bias'"):
            load_report_player(path)
        save_file({"fc.9.weight": torch.zeros(1, 1024)}, path)
        with pytest.raises(InputError, match=r"expected layers fc.0, main.0.*got fc.9"):
            load_report_player(path)
