"""A scorer: everything that gives a folder's images their scores, fitted once and saved.

Real images go in; extractor, PCA, density and calibration come out as one folder of safetensors
and JSON. Part of the real images, drawn by the seed, is held out from the fit and calibrates:
a calibrated score is the share of them that score lower. Every batch is filled up to one size,
so that an image has the same score to the last bit alone, in any company, in any order.

A scorer may come from someone else: nothing in it is unpickled, every file is checked against
its SHA-256, parameters must be those that the settings imply, and whatever does not fit is
refused in one line.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from giqa_lib import __version__
from giqa_lib.applications.folders.scorer_files import (
    FILES,
    FORMAT,
    check_hash,
    damaged,
    file_hash,
    read_json,
)
from giqa_lib.applications.folders.scorer_settings import DENSITIES, ScorerSettings
from giqa_lib.checks import (
    GiqaError,
    InputError,
    error_line,
)
from giqa_lib.data import ImageSet
from giqa_lib.features import PCA, Extractor, Features, extract, extractor
from giqa_lib.learning import in_batches
from giqa_lib.scores import (
    ImageScore,
    fit_image_score,
)
from giqa_lib.store import Store

__all__ = ["ScoredImages", "Scorer", "fit_scorer", "load_scorer"]

FEWEST = 10  # images to fit on, and to calibrate with
ROWS = 65_536  # features scored at once


@dataclass(frozen=True, kw_only=True)
class ScoredImages:
    """Scores of a set of images, best first.

    ``table`` has ``name``, ``rank`` (1 is the best), ``calibrated`` in [0, 1] with its
    ``standard_error``, ``raw``, and ``index``, the image's place in the set. ``failures`` has the
    ``name`` and ``reason`` of images that could not be read; ``rule`` says what the numbers are.
    """

    table: pd.DataFrame
    failures: pd.DataFrame
    rule: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """A fitted scorer: ``fit_scorer`` or ``load_scorer`` make one.

    ``real`` says what it was fitted on: the number of images ``fitted``, ``held_out`` and
    ``unreadable``, and the ``fingerprint`` of the set.
    """

    score: ImageScore
    settings: ScorerSettings
    real: dict[str, Any]
    version: str = field(repr=False)

    def extract(
        self, images: ImageSet | Tensor, *, store: Store | None = None, progress: bool = False
    ) -> Features:
        """Features of any images in the scorer's space; unreadable ones are in ``failures``."""
        return extract(
            images, self.extractor, batch_size=self.batch_size, store=store, progress=progress
        )

    @property
    def extractor(self) -> Extractor:
        """The network, in full batches."""
        network: Any = self.score.extractor
        return network

    @property
    def batch_size(self) -> int:
        """Images that are read at once: a few of the network's batches."""
        return 8 * self.settings.batch_size

    def score_images(
        self, images: ImageSet, *, store: Store | None = None, progress: bool = False
    ) -> ScoredImages:
        """Raw and calibrated score of every image that can be read, best first.

        Raises :class:`giqa_lib.checks.GiqaError` where none can be read or features are not
        finite. With a store, features are kept there and a killed run goes on where it was.
        """
        found = self.extract(images, store=store, progress=progress)
        if len(found) == 0:
            got = f"{len(found.failures)} unreadable, the first: " + _first(found.failures)
            hint = "look at the files"
            raise InputError(error_line("images", expected="readable ones", got=got, hint=hint))
        table = self.score_features(found.values)
        # object: a file's name need not be UTF-8, which pandas' own strings must be
        names = pd.Series([found.names[row] for row in table["index"]], dtype=object)
        table.insert(0, "name", names)
        table["index"] = found.indices[table["index"].to_numpy()]
        return ScoredImages(table=table, failures=found.failures, rule=self.describe())

    def score_features(self, features: NDArray[Any]) -> pd.DataFrame:
        """``rank``, ``calibrated``, ``standard_error``, ``raw`` and ``index`` of rows (n, d), best first.

        In blocks of rows: beside the features memory holds a few numbers an image.
        """
        parts = [
            self.score.scores_from_features(features[start : start + ROWS])
            for start in range(0, len(features), ROWS)
        ]
        columns = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("calibrated", "standard_error", "raw")
        }
        # equal ranks among the held-out images are told apart by the raw score, then by place
        order = np.lexsort((-columns["raw"], -columns["calibrated"]))
        table = pd.DataFrame({"rank": np.arange(1, len(order) + 1)})
        for name, values in columns.items():
            table[name] = values[order]
        return table.assign(index=order)

    def describe(self) -> dict[str, Any]:
        """Feature space, density, calibration and the real images behind them; JSON."""
        return {**self.score.describe(), "version": self.version, "real": dict(self.real)}

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the scorer into ``folder`` (made if need be); returns it."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.score.save(folder)
        state = {
            "format": FORMAT,
            "giqa_lib": __version__,
            "settings": asdict(self.settings),
            "version": self.version,
            "real": self.real,
            "files": {name: file_hash(folder / name) for name in FILES},
        }
        (folder / "scorer.json").write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
        return folder


class _FullBatches:
    """An extractor whose every batch has ``size`` images: rounding then knows no neighbours."""

    def __init__(self, extractor: Extractor, *, size: int) -> None:
        self.extractor, self.size = extractor, size
        self.name = extractor.name
        self.version = f"{extractor.version}-full{size}"
        self.width = extractor.width
        self.input_size = getattr(extractor, "input_size", None)
        self.channels = getattr(extractor, "channels", None)

    def __call__(self, images: Tensor) -> Tensor:
        return torch.from_numpy(in_batches(self.extractor, images, self.size))


def fit_scorer(
    images: ImageSet | Tensor,
    settings: ScorerSettings | None = None,
    *,
    weights: str | os.PathLike[str] | None = None,
    device: str = "cpu",
    store: Store | None = None,
    progress: bool = False,
) -> Scorer:
    """Fit a scorer to real images, an image set or uint8 (n, c, h, w).

    ``weights`` go to :func:`giqa_lib.features.extractor` (the folder of a saved classifier, or
    a weight file). Raises ``InputError`` for too few images.

    >>> import tempfile
    >>> real = torch.randint(0, 256, (60, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    >>> settings = ScorerSettings(extractor="pixels@4", density="sgm")
    >>> scorer = fit_scorer(real.to(torch.uint8), settings)
    >>> again = load_scorer(scorer.save(tempfile.mkdtemp()))
    >>> again.score(real[:2].byte()).tolist() == scorer.score(real[:2].byte()).tolist()
    True
    """
    settings = ScorerSettings() if settings is None else settings
    network = _extractor(settings, weights, device)
    found = extract(images, network, batch_size=network.size * 8, store=store, progress=progress)
    held_out = round(len(found) * settings.held_out)
    fitted = len(found) - held_out
    needed = {"gmm": settings.components, "knn": settings.neighbours, "sgm": 1}[settings.density]
    if held_out < FEWEST or fitted < max(FEWEST, needed):
        expected = f"{max(FEWEST, needed)} readable ones to fit on and {FEWEST} to calibrate with"
        got = f"{fitted} and {held_out}" + (
            f", {len(found.failures)} unreadable (the first: {_first(found.failures)})"
            if len(found.failures)
            else ""
        )
        hint = "give more real images, some hundreds at least"
        raise InputError(error_line("real images", expected=expected, got=got, hint=hint))
    order = np.random.default_rng(settings.seed).permutation(len(found))
    return Scorer(
        score=_fit(settings, network, *np.split(found.values[order], [fitted])),
        settings=settings,
        real={
            "fitted": fitted,
            "held_out": held_out,
            "unreadable": len(found.failures),
            "fingerprint": images.fingerprint if isinstance(images, ImageSet) else "tensor",
        },
        version=network.version,
    )


def _fit(
    settings: ScorerSettings,
    network: _FullBatches,
    fitted: NDArray[np.float32],
    held_out: NDArray[np.float32],
) -> ImageScore:
    return fit_image_score(
        extractor=network,
        transform=PCA(variance=settings.variance, max_components=settings.max_dimensions),
        density=DENSITIES[settings.density](settings),
        real_features=fitted,
        held_out_features=held_out,
        modes="component" if settings.within_component else None,
        batch_size=settings.batch_size,
    )


def load_scorer(
    folder: str | os.PathLike[str],
    *,
    weights: str | os.PathLike[str] | None = None,
    device: str = "cpu",
) -> Scorer:
    """The scorer that ``save`` wrote, whoever wrote it.

    Raises ``InputError`` for a scorer that is damaged, of another format, or not what its
    settings say, and where the extractor's weights are not those it was fitted with.

    >>> load_scorer("/nowhere")
    Traceback (most recent call last):
    giqa_lib.checks.InputError: scorer: expected a saved scorer, got no /nowhere/scorer.json; ...
    """
    folder = Path(folder)
    try:
        state = read_json(folder)
        for name in FILES:
            check_hash(folder / name, state["files"].get(name))
        settings = ScorerSettings(**state["settings"])
        network = _extractor(settings, weights, device)
        if network.version != state["version"]:
            expected = f"the weights that the scorer was fitted with ({state['version']})"
            hint = "give those with weights=, or fit a scorer again"
            raise InputError(
                error_line("extractor", expected=expected, got=network.version, hint=hint)
            )
        score = ImageScore.load(folder, extractor=network, device=device)
        _check_score(score, settings, device)
        real = {name: value for name, value in state["real"].items() if value is not None}
        return Scorer(score=score, settings=settings, real=real, version=network.version)
    except (GiqaError, PermissionError):
        raise
    except Exception as error:  # wrong types, missing keys, shapes that do not fit
        got = f"{type(error).__name__} ({str(error).splitlines()[0] if str(error) else 'no words'})"
        raise damaged(folder, got) from error


def _extractor(
    settings: ScorerSettings, weights: str | os.PathLike[str] | None, device: str
) -> _FullBatches:
    network = extractor(settings.extractor, weights=weights, device=device)
    return _FullBatches(network, size=settings.batch_size)


def _check_score(score: ImageScore, settings: ScorerSettings, device: str) -> None:
    """The parts must be those that the settings make, and give a number."""
    expected = DENSITIES[settings.density](settings).set_params(device=device)
    loaded = score.density
    if type(loaded) is not type(expected) or loaded.get_params() != expected.get_params():
        raise damaged(Path("density"), "another density than the settings name")
    modes = "component" if settings.within_component else None
    if (score.modes, score.batch_size) != (modes, settings.batch_size):
        raise damaged(Path("image_score.json"), "other modes or batches than the settings name")
    if not isinstance(score.transform, PCA):
        raise damaged(Path("transform"), "no PCA")
    width = getattr(score.extractor, "width", 0)
    if not np.isfinite(score.from_features(np.zeros((1, width)))).all():
        raise damaged(Path("density"), "a score that is not finite")


def _first(failures: pd.DataFrame) -> str:
    return f"{failures['name'].iloc[0]}: {failures['reason'].iloc[0]}" if len(failures) else "none"
