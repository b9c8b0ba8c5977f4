"""``ModuleExtractor``: any ``torch.nn.Module`` that maps images to vectors.

The CPU path, chosen by measurement on two x86 cores (``tests/benchmarks/bench_features.py``):
channels_last, and few images a pass, so that the activations between two layers stay in
the cache; 60,000 images in one pass or in pieces give the same features within float rounding.
"""

import copy
import hashlib
import warnings
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from giqa_lib.checks import InputError, check_images, check_positive, error_line
from giqa_lib.data import resize, set_channels
from giqa_lib.features.folding import fold_same_padding

__all__ = ["ModuleExtractor", "state_digest"]

Size = int | tuple[int, int]
Resize = Callable[[Tensor, tuple[int, int]], Tensor]

#: Pixels in one pass on a CPU: 32 images of 64 px, 14 of 96, 4 of 224 were the fastest.
_PIXELS_A_PASS = 2**17


def state_digest(network: nn.Module) -> str:
    """SHA-256 of all parameters and buffers, 8 hex digits: a network's version.

    >>> state_digest(nn.ReLU())
    'e3b0c442'
    """
    total = hashlib.sha256()
    for name, value in network.state_dict().items():
        total.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        total.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()[:8]


class ModuleExtractor:
    """Features of uint8 images from a network that returns (n, d).

    The network is copied, so training it further does not change the extractor; the copy is in
    evaluation mode. Images are resized, brought to ``channels`` and mapped to
    ``(pixel / 255 - mean) / std`` first.

    Parameters
    ----------
    network : returns (n, d), or (n, d, 1, 1), for float32 images (n, channels, height, width).
    name : what the features are called; freezes network, layer, input size and resize filter.
    input_size : side of a square or (height, width) that the network is shown.
    channels : 1 or 3; grey is repeated, colour becomes luma.
    mean, std : of pixels in [0, 1], one number or one a channel; 0.5 maps them to [-1, 1].
    version : changes when the features change; by default a hash of the weights.
    layer : name of a submodule whose output is the feature, instead of the network's.
    resize_native : a resize filter of the network's own. ``input_size`` is then None, since
        nothing before the extractor may resize.

    Raises :class:`giqa_lib.checks.InputError` if the output has another shape.

    >>> flat = ModuleExtractor(nn.Flatten(), name="flat", input_size=4, channels=1)
    >>> flat.width, flat(torch.full((2, 1, 8, 8), 255, dtype=torch.uint8)).max().item()
    (16, 1.0)
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        name: str,
        input_size: Size,
        channels: int = 3,
        mean: float | Sequence[float] = 0.5,
        std: float | Sequence[float] = 0.5,
        version: str | None = None,
        layer: str | None = None,
        resize_native: Resize | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        if channels not in (1, 3):
            hint = "1 is grey, 3 is RGB"
            raise InputError(
                error_line("channels", expected="1 or 3", got=repr(channels), hint=hint)
            )
        self.name = name
        self.channels = channels
        self.version = version if version is not None else state_digest(network)
        self.device = torch.device(device)
        height, width = (input_size, input_size) if isinstance(input_size, int) else input_size
        self.network_size = (
            int(check_positive(height, name="input_size")),
            int(check_positive(width, name="input_size")),
        )
        self.input_size = self.network_size if resize_native is None else None
        self._resize: Resize = resize if resize_native is None else resize_native
        scale = torch.ones(channels) / torch.as_tensor(std, dtype=torch.float32)
        self._scale = (scale / 255).view(1, -1, 1, 1).to(self.device)
        shift = -torch.as_tensor(mean, dtype=torch.float32) * scale
        self._shift = shift.view(1, -1, 1, 1).to(self.device)
        self.network = copy.deepcopy(network).eval().requires_grad_(False).to(self.device)
        if self.device.type == "cpu":
            folded = fold_same_padding(self.network)
            self.network = folded.to(memory_format=torch.channels_last)
        self._tap = _Tap(self.network, layer) if layer is not None else None
        self._run: Callable[[Tensor], Tensor] = self.network
        self._pads = False
        self.width = int(self._try_one().shape[1])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, version {self.version}, width {self.width})"

    @property
    def images_a_pass(self) -> int | None:
        """How many images go through the network at once on a CPU; None: all of them."""
        if self.device.type != "cpu":
            return None
        height, width = self.network_size
        return max(4, min(64, _PIXELS_A_PASS // (height * width)))

    def __call__(self, images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """Features float32 (n, d) on the extractor's device, one row an image."""
        check_images(images)
        if images.dtype != torch.uint8:
            hint = "map them to 0..255, round and cast"
            raise InputError(
                error_line("images", expected="uint8", got=str(images.dtype), hint=hint)
            )
        if len(images) == 0:
            return torch.empty((0, self.width), device=self.device)
        with torch.inference_mode():
            step = self.images_a_pass or len(images)
            return torch.cat([self._features(part, step) for part in images.split(step)])

    def prepare(self, images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n c2 h2 w2"]:
        """What the network is shown: resized, with its channels, normalised."""
        images = images.to(self.device)
        grey = images.shape[1] == 1
        if not grey:
            images = set_channels(images, self.channels)
        # repeating a grey image after the resize gives the same pixels for a third of the work
        images = self._resize(images, self.network_size)
        values = images.to(torch.float32)
        if grey and self.channels == 3:
            values = values.expand(-1, 3, -1, -1)
        values = values * self._scale + self._shift
        return values.contiguous(memory_format=torch.channels_last)

    def compile(self) -> None:
        """Compile the network with ``torch.compile``; without a compiler warn and go on.

        Half a minute once a process, 1.1 to 1.4 times the images per second on a CPU
        afterwards, features equal within float rounding: worth it from some 50,000 images.
        """
        plain = self.network
        compiled = torch.compile(plain, dynamic=False)
        self._run, self._pads = compiled, True
        try:
            self._try_one()
        except Exception as error:  # dynamo, inductor and the C++ compiler each have their own
            self._run, self._pads = plain, False
            message = f"torch.compile failed, features are computed without it: {error!s:.200}"
            warnings.warn(message, RuntimeWarning, stacklevel=2)

    def _try_one(self) -> Tensor:
        with torch.inference_mode():
            blank = torch.zeros((1, self.channels, *self.network_size), dtype=torch.uint8)
            return self._features(blank, self.images_a_pass or 1)

    def _features(self, images: Tensor, step: int) -> Tensor:
        count = len(images)
        if self._pads and count < step:
            # a compiled network is compiled again for another number of images
            images = torch.cat([images, images[:1].expand(step - count, -1, -1, -1)])
        output = self._run(self.prepare(images))
        if self._tap is not None:
            output = self._tap.take()
        if isinstance(output, Tensor) and output.ndim == 4 and output.shape[2:] == (1, 1):
            output = output.flatten(1)
        if not isinstance(output, Tensor) or output.ndim != 2 or len(output) < count:
            got = (
                f"shape {tuple(output.shape)}"
                if isinstance(output, Tensor)
                else type(output).__name__
            )
            hint = "wrap the module, or name another layer"
            raise InputError(
                error_line(f"output of {self.name}", expected="(n, d)", got=got, hint=hint)
            )
        return output[:count].to(torch.float32)


class _Tap:
    """Keeps the last output of one submodule."""

    def __init__(self, network: nn.Module, layer: str) -> None:
        names = dict(network.named_modules())
        if layer not in names:
            got = f"{layer!r} among {len(names)} submodules"
            hint = "list them with network.named_modules()"
            raise InputError(error_line("layer", expected="a submodule's name", got=got, hint=hint))
        self._output: Tensor | None = None
        names[layer].register_forward_hook(self._keep)

    def _keep(self, module: nn.Module, arguments: object, output: Tensor) -> None:
        self._output = output.flatten(1) if isinstance(output, Tensor) else output

    def take(self) -> Tensor:
        output, self._output = self._output, None
        if output is None:
            hint = "name a layer that forward() runs"
            raise InputError(error_line("layer", expected="an output", got="none", hint=hint))
        return output
