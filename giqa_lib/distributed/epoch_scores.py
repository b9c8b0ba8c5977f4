"""Quality and diversity score at the end of each epoch, for any training loop that calls something then."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

__all__ = ["EpochScores"]


@runtime_checkable
class _Metric(Protocol):
    def reset(self) -> None: ...
    def update(self, *args: Any, **kwargs: Any) -> None: ...
    def compute(self) -> Tensor: ...


class EpochScores:
    """Logs QS and DS of what a generator makes; ``rows`` has one row an epoch.

    ``quality`` and ``diversity`` are :class:`giqa_lib.distributed.metrics.QualityScore` and ``DiversityScore``; the latter has
    been shown real images and keeps them over resets. ``sample`` gives uint8 images (n, c, h, w) of the present generator,
    from the same latents each time. ``log`` gets each row, as a logger's ``log_dict`` does.

    It is a function of the epoch, for Ignite's ``add_event_handler`` or a loop of one's own, and has the hook
    ``on_train_epoch_end`` that Lightning's Fabric calls.

    >>> import torch
    >>> from giqa_lib.distributed.metrics import DiversityScore, QualityScore
    >>> from giqa_lib.scores import SingleGaussian
    >>> images = torch.randint(0, 255, (60, 1, 2, 2), dtype=torch.uint8)
    >>> diversity = DiversityScore(lambda images: images.flatten(1).double(),
    ...                            density=SingleGaussian(), reset_real_features=False)
    >>> diversity.update(images[:30], real=True)
    >>> quality = QualityScore(lambda images: images.double().mean((1, 2, 3)) / 255)
    >>> scores = EpochScores(quality, diversity, sample=lambda: images[30:])
    >>> sorted(scores(1))
    ['DS', 'QS', 'epoch']
    """

    def __init__(
        self,
        quality: _Metric,
        diversity: _Metric,
        *,
        sample: Callable[[], Tensor],
        log: Callable[[dict[str, float]], object] = lambda row: None,
    ) -> None:
        self.quality, self.diversity, self.sample, self.log = quality, diversity, sample, log
        self.rows: list[dict[str, float]] = []

    def __call__(self, epoch: int) -> dict[str, float]:
        """Measure now; returns the new row."""
        images = self.sample()
        self.quality.reset()
        self.diversity.reset()
        self.quality.update(images)
        self.diversity.update(images, real=False)
        scores = {"QS": self.quality.compute().item(), "DS": self.diversity.compute().item()}
        row = {"epoch": epoch, **scores}
        self.rows.append(row)
        self.log(row)
        return row

    def on_train_epoch_end(self, epoch: int) -> None:
        """Lightning Fabric's hook: ``Fabric(callbacks=[scores])``, then ``fabric.call("on_train_epoch_end", epoch=epoch)``."""
        self(epoch)
