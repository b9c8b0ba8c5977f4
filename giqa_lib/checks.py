"""One vocabulary of errors: what was given, what was expected, what to do.

Every public function of ``giqa_lib`` checks its input through this module, so that a bad
array fails at the border with one line that names it, and nothing is repaired silently.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "DataUnavailable",
    "GiqaError",
    "InputError",
    "check_choice",
    "check_features",
    "check_images",
    "check_positive",
    "check_probability",
    "check_same_length",
    "check_scores",
    "error_line",
]


class GiqaError(Exception):
    """Base of every error that giqa_lib raises on purpose."""


class InputError(GiqaError, ValueError):
    """An argument is not what the function can take; the message says what to do."""


class DataUnavailable(GiqaError, FileNotFoundError):  # noqa: N818
    """A named data set or weight file is not on this machine; the message says how to get it."""


def error_line(name: str, *, expected: str, got: str, hint: str) -> str:
    """One line that names the thing, what was expected, what came, and what to try.

    >>> error_line("features", expected="2-D (n, d)", got="shape (3,)", hint="add an axis")
    'features: expected 2-D (n, d), got shape (3,); add an axis'
    """
    return f"{name}: expected {expected}, got {got}; {hint}"


def _reject(name: str, expected: str, got: str, hint: str) -> InputError:
    return InputError(error_line(name, expected=expected, got=got, hint=hint))


def check_images(images: torch.Tensor, *, name: str = "images") -> torch.Tensor:
    """Return ``images`` if they are NCHW with 1 or 3 channels, uint8 or finite float.

    uint8 pixels lie in 0..255. Float pixels may have any range the receiver states.

    >>> check_images(torch.zeros(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """
    if not isinstance(images, torch.Tensor):
        raise _reject(
            name, "a torch.Tensor", type(images).__name__, "convert it with torch.as_tensor"
        )
    if images.ndim != 4:
        raise _reject(
            name,
            "4 axes (n, channels, height, width)",
            f"shape {tuple(images.shape)}",
            "stack single images first",
        )
    if images.shape[1] not in (1, 3):
        hint = "move the channel axis to place 1 with images.permute(0, 3, 1, 2)"
        raise _reject(name, "1 or 3 channels at axis 1", f"shape {tuple(images.shape)}", hint)
    if images.dtype == torch.uint8:
        return images
    if not images.is_floating_point():
        raise _reject(
            name,
            "uint8 or a float type",
            str(images.dtype),
            "cast it to uint8 if its range is 0..255",
        )
    bad = ~torch.isfinite(images).flatten(1).all(1)
    if bool(bad.any()):
        first = int(bad.nonzero()[0, 0])
        raise _reject(
            name,
            "finite pixels",
            f"{int(bad.sum())} image(s) with NaN or infinity, first at index {first}",
            "look at that image's source",
        )
    return images


def check_features(
    features: ArrayLike | torch.Tensor,
    *,
    name: str = "features",
    width: int | None = None,
    at_least: int = 1,
) -> NDArray[np.float64]:
    """Return ``features`` as a finite float64 array of shape (n, d), n >= ``at_least``.

    >>> check_features([[1, 2], [3, 4]]).dtype
    dtype('float64')
    """
    if isinstance(features, torch.Tensor):
        features = features.detach().cpu().numpy()
    array = np.asarray(features)
    if array.ndim != 2:
        raise _reject(name, "2 axes (n, d)", f"shape {array.shape}", "one row is one image")
    if not (np.issubdtype(array.dtype, np.number) and not np.iscomplexobj(array)):
        raise _reject(name, "real numbers", f"dtype {array.dtype}", "convert them to float64")
    if width is not None and array.shape[1] != width:
        raise _reject(
            name,
            f"{width} columns",
            f"{array.shape[1]}",
            "use the extractor that the score was fitted with",
        )
    if array.shape[0] < at_least:
        raise _reject(name, f"at least {at_least} row(s)", f"{array.shape[0]}", "give more images")
    array = array.astype(np.float64, copy=False)
    bad = ~np.isfinite(array).all(axis=1)
    if bad.any():
        got = f"{int(bad.sum())} row(s) with NaN or infinity, first at index {int(bad.argmax())}"
        raise _reject(name, "finite values", got, "look at that image, or extract again in float32")
    return array


def check_scores(
    scores: ArrayLike | torch.Tensor,
    *,
    name: str = "scores",
    count: int | None = None,
    at_least: int = 1,
) -> NDArray[np.float64]:
    """Return ``scores`` as a finite float64 array of shape (n,), n >= ``at_least``.

    >>> check_scores([1, 2, 3]).shape
    (3,)
    """
    if isinstance(scores, torch.Tensor):
        scores = scores.detach().cpu().numpy()
    array = np.asarray(scores)
    if array.ndim != 1:
        raise _reject(
            name, "1 axis (n,)", f"shape {array.shape}", "one number is one image's score"
        )
    if not (np.issubdtype(array.dtype, np.number) or array.dtype == bool) or np.iscomplexobj(array):
        raise _reject(name, "real numbers", f"dtype {array.dtype}", "convert them to float64")
    if count is not None and len(array) != count:
        raise _reject(name, f"{count} values", f"{len(array)}", "give one score for each image")
    if len(array) < at_least:
        raise _reject(name, f"at least {at_least} value(s)", f"{len(array)}", "give more images")
    array = array.astype(np.float64, copy=False)
    bad = ~np.isfinite(array)
    if bad.any():
        got = f"{int(bad.sum())} NaN or infinite, first at index {int(bad.argmax())}"
        raise _reject(name, "finite values", got, "look at that image's features")
    return array


def check_same_length(**arrays: Any) -> None:
    """Raise unless all the named arrays have the same number of rows.

    >>> check_same_length(scores=[1, 2], opinions=[3, 4])
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        got = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise _reject(
            " and ".join(lengths), "one length", got, "row i of each must be the same image"
        )


def check_choice(value: str, choices: Collection[str], *, name: str) -> str:
    """Return ``value`` if it is one of ``choices``.

    >>> check_choice("l2", ("l1", "l2"), name="metric")
    'l2'
    """
    if value not in choices:
        raise _reject(
            name, f"one of {', '.join(sorted(choices))}", repr(value), "check the spelling"
        )
    return value


def check_positive(value: float, *, name: str, zero: bool = False) -> float:
    """Return ``value`` if it is a number > 0 (>= 0 with ``zero``).

    >>> check_positive(3, name="components")
    3
    """
    if not (value >= 0 if zero else value > 0):
        raise _reject(name, "a number >= 0" if zero else "a number > 0", repr(value), "raise it")
    return value


def check_probability(value: float, *, name: str, open_ends: bool = False) -> float:
    """Return ``value`` if it lies in [0, 1], or in (0, 1) with ``open_ends``.

    >>> check_probability(0.95, name="variance")
    0.95
    """
    if not (0 < value < 1 if open_ends else 0 <= value <= 1):
        interval = "(0, 1)" if open_ends else "[0, 1]"
        raise _reject(
            name, f"a number in {interval}", repr(value), "give a share, not a percentage"
        )
    return value
