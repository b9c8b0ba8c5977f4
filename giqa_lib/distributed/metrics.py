"""Scores as torchmetrics: per-image scores, quality score and diversity score in a training loop.

Each takes uint8 images batch by batch and synchronises over processes as any torchmetrics
``Metric`` does. The result does not depend on the number of processes, nor on the order of the
images. Take care of the sampler: PyTorch's ``DistributedSampler`` repeats images to make the
shares equal, and they are counted twice here too.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import clone
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from giqa_lib.checks import InputError, check_images, error_line
from giqa_lib.evaluation import diversity_score
from giqa_lib.scores import Density, GaussianMixture, RankCalibration

__all__ = ["DiversityScore", "ImageScores", "QualityScore"]

Score = Callable[[Tensor], ArrayLike]


class ImageScores(Metric):
    """The score of every image since the last ``reset``, (n,) float64, in the order of the ranks.

    ``score`` is a fitted :class:`giqa_lib.scores.ImageScore` or any ``images -> (n,)``.

    >>> metric = ImageScores(lambda images: images.double().mean((1, 2, 3)))
    >>> metric.update(torch.full((2, 1, 4, 4), 3, dtype=torch.uint8))
    >>> metric.compute().tolist()
    [3.0, 3.0]
    """

    higher_is_better = True
    is_differentiable = False
    full_state_update = False
    scores: list[Tensor]

    def __init__(self, score: Score, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.score = score
        self.add_state("scores", default=[], dist_reduce_fx="cat")

    def update(self, images: Tensor) -> None:
        """Score a batch of images (n, c, h, w)."""
        self.scores.append(_scored(self.score, images).to(self.device))

    def compute(self) -> Tensor:
        """All scores (n,)."""
        if isinstance(self.scores, list) and not self.scores:  # a tensor once synchronised
            return torch.empty(0, dtype=torch.float64, device=self.device)
        return dim_zero_cat(self.scores)


class QualityScore(Metric):
    """QS (GIQA, Eq. 10): the mean score of the generated images since the last ``reset``.

    With a calibrated :class:`giqa_lib.scores.ImageScore`, in [0, 1]; a perfect generator has 1/2.

    >>> metric = QualityScore(lambda images: images.double().mean((1, 2, 3)) / 255)
    >>> metric.update(torch.zeros(2, 1, 4, 4, dtype=torch.uint8))
    >>> metric.compute().item()
    0.0
    """

    higher_is_better = True
    is_differentiable = False
    full_state_update = False
    plot_lower_bound = 0.0
    total: Tensor
    count: Tensor

    def __init__(self, score: Score, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.score = score
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, images: Tensor) -> None:
        """Score a batch of generated images (n, c, h, w)."""
        scores = _scored(self.score, images)
        self.total += scores.sum().to(self.device)
        self.count += len(scores)

    def compute(self) -> Tensor:
        """The mean, float64; raises ``InputError`` before any image."""
        if not self.count:
            raise InputError(
                error_line("QualityScore", expected="images", got="none", hint="call update first")
            )
        return self.total / self.count


class DiversityScore(Metric):
    """DS (GIQA, Eq. 11): the mean score of real images under a density of the generated ones.

    ``extractor`` gives features of images; ``transform`` is a fitted one (a PCA of *other* real
    images) or None; ``density`` is unfitted. A part of the generated images, ``held_out_share``,
    drawn by ``seed``, calibrates. With ``reset_real_features=False`` real images stay over resets.

    >>> features = lambda images: images.flatten(1).double()
    >>> metric = DiversityScore(features, density=GaussianMixture(1))
    >>> images = torch.randint(0, 255, (60, 1, 2, 2), dtype=torch.uint8)
    >>> metric.update(images[:30], real=True); metric.update(images[30:], real=False)
    >>> 0 <= metric.compute().item() <= 1
    True
    """

    higher_is_better = True
    is_differentiable = False
    full_state_update = False
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0
    real_features: list[Tensor]
    generated_features: list[Tensor]

    def __init__(
        self,
        extractor: Callable[[Tensor], Any],
        *,
        density: Density | None = None,
        transform: Any = None,
        held_out_share: float = 0.2,
        seed: int = 0,
        reset_real_features: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.extractor, self.transform = extractor, transform
        self.density = GaussianMixture() if density is None else density
        self.held_out_share, self.seed = held_out_share, seed
        self.reset_real_features = reset_real_features
        self.add_state("real_features", default=[], dist_reduce_fx="cat")
        self.add_state("generated_features", default=[], dist_reduce_fx="cat")

    def update(self, images: Tensor, real: bool) -> None:
        """Keep the features of a batch of real or of generated images (n, c, h, w)."""
        features = torch.as_tensor(self.extractor(check_images(images))).to(self.device)
        (self.real_features if real else self.generated_features).append(features)

    def compute(self) -> Tensor:
        """DS in [0, 1], float64."""
        found = diversity_score(
            clone(self.density),
            generated=self._rows(self.generated_features, "generated"),
            real=self._rows(self.real_features, "real"),
            calibration=RankCalibration(),
            held_out_share=self.held_out_share,
            random_state=self.seed,
            resamples=2,
        )
        return torch.tensor(found.value, dtype=torch.float64, device=self.device)

    def reset(self) -> None:
        """Forget the generated images, and the real ones unless they are to stay."""
        kept = list(self.real_features)  # the list itself is emptied
        super().reset()
        if not self.reset_real_features:
            self.real_features = kept

    def _rows(self, parts: list[Tensor], name: str) -> np.ndarray:
        """The features in an order of their own: that of the processes must not matter."""
        if isinstance(parts, list) and not parts:
            hint = f"call update(images, real={name == 'real'})"
            raise InputError(error_line(f"{name} images", expected="some", got="none", hint=hint))
        rows = dim_zero_cat(parts).detach().cpu().numpy()
        rows = rows[np.lexsort(rows.T)]
        return rows if self.transform is None else np.asarray(self.transform.transform(rows))


def _scored(score: Score, images: Tensor) -> Tensor:
    values = torch.as_tensor(np.asarray(score(check_images(images)), dtype=np.float64))
    if values.shape != (len(images),):
        got, hint = f"shape {tuple(values.shape)}", "give one number an image"
        raise InputError(
            error_line("score", expected=f"shape ({len(images)},)", got=got, hint=hint)
        )
    return values
