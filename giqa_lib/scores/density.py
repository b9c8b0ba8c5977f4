"""What every density score shares: scikit-learn's contract around torch.

A density score is fitted on the features of real images and gives each image one number,
higher is better (GIQA, section 3.2). Subclasses compute; this base validates, moves arrays
to the device and back, and saves.
"""

import os
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from giqa_lib.checks import InputError, check_choice, error_line
from giqa_lib.scores.persistence import check_learned, read_state, write_state

__all__ = ["Density", "load_score"]

DensityT = TypeVar("DensityT", bound="Density")
_CLASSES: dict[str, type["Density"]] = {}


class Density(DensityMixin, BaseEstimator):
    """Base of the density scores; see :class:`GaussianMixture` for a score to use.

    A subclass has ``fit``, ``_score`` (array of checked features to scores), ``log_prob`` and
    ``_prepare``, which rebuilds what is derived from the learned attributes after ``load``.

    >>> import numpy as np
    >>> from giqa_lib.scores import SingleGaussian, load_score
    >>> isinstance(SingleGaussian().fit(np.eye(3)), Density)
    True
    """

    device: str | torch.device
    dtype: str

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _CLASSES[cls.__name__] = cls

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """One score a row, (n,), higher is better; the same whatever else is in ``X``.

        Raises ``NotFittedError`` before ``fit`` and ``ValueError`` on NaN or a wrong width.
        """
        check_is_fitted(self)
        return self._score(self._check(X, reset=False))

    def score(self, X: Any, y: Any = None) -> float:
        """Mean of ``score_samples``: for a Gaussian or a mixture the (held-out) log-likelihood.

        This is what ``GridSearchCV`` maximises: choose the number of components by it.
        """
        return float(self.score_samples(X).mean())

    def log_prob(self, features: Tensor) -> Tensor:
        """Differentiable log-density of (n, d) features, (n,), on the features' device."""
        raise NotImplementedError

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the fitted score as safetensors and JSON; returns the folder."""
        check_is_fitted(self)
        attributes = {
            name: value
            for name, value in vars(self).items()
            if name.endswith("_") and not name.startswith("_")
        }
        parameters = self.get_params(deep=False)
        parameters["device"] = str(parameters["device"])
        for name, value in parameters.items():
            if isinstance(value, list | tuple):
                parameters[name] = np.asarray(value)
        return write_state(
            folder, kind=type(self).__name__, parameters=parameters, attributes=attributes
        )

    @classmethod
    def load(
        cls: type[DensityT], folder: str | os.PathLike[str], *, device: str | None = None
    ) -> DensityT:
        """The score that ``save`` wrote, on ``device`` if given."""
        parameters, attributes, _ = read_state(folder, kind=cls.__name__)
        check_learned(parameters, attributes, known=cls._get_param_names())
        if device is not None:
            parameters["device"] = device
        loaded = cls(**parameters)
        for name, value in attributes.items():
            if name == "feature_names_in_":
                value = np.asarray(value, dtype=object)
            setattr(loaded, name, value)
        loaded._prepare()
        return loaded

    def _score(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        raise NotImplementedError

    def _prepare(self) -> None:
        raise NotImplementedError

    def _check(self, X: Any, *, reset: bool, at_least: int = 1) -> NDArray[np.floating]:
        if isinstance(X, Tensor):
            X = X.detach().cpu().numpy()
        checked: NDArray[np.floating] = validate_data(
            self,
            X,
            reset=reset,
            dtype=[np.float64, np.float32],
            ensure_min_samples=at_least,
        )
        return checked

    def _check_log_prob_input(self, features: Tensor) -> Tensor:
        check_is_fitted(self)
        if features.ndim != 2 or features.shape[1] != self.n_features_in_:
            expected = f"shape (n, {self.n_features_in_})"
            got = f"shape {tuple(features.shape)}"
            hint = "use the extractor that the score was fitted with"
            raise InputError(error_line("features", expected=expected, got=got, hint=hint))
        if not bool(torch.isfinite(features).all()):
            hint = "look at the images that gave them"
            raise InputError(
                error_line("features", expected="finite values", got="NaN or infinity", hint=hint)
            )
        return features

    def _torch_dtype(self) -> torch.dtype:
        check_choice(self.dtype, ("float32", "float64"), name="dtype")
        return torch.float64 if self.dtype == "float64" else torch.float32

    def _torch_device(self) -> torch.device:
        return torch.device(self.device)


def load_score(folder: str | os.PathLike[str], *, device: str | None = None) -> Density:
    """The density score that was saved in ``folder``, whatever its class.

    >>> import tempfile, numpy as np
    >>> from giqa_lib.scores import SingleGaussian
    >>> folder = SingleGaussian().fit(np.eye(3)).save(tempfile.mkdtemp())
    >>> load_score(folder)
    SingleGaussian()
    """
    kind = read_state(folder)[2]
    check_choice(kind, tuple(_CLASSES), name="kind")
    return _CLASSES[kind].load(folder, device=device)
