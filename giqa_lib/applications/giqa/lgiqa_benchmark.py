"""The pair benchmark on LGIQA itself, where a user has it and the real images it is about.

GIQA's own settings (Section 5): 7 components for cats and streets, 70 for faces; 3500 neighbours for
cats, one for faces and streets. Learned scores need snapshots of a generator of the same subject and
are not among the methods here. Known departure: features of the extractor named by the caller, by default
EfficientNet-Lite0, since Inception's weights are not in a package.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from giqa_lib.applications.giqa.natural_study import NaturalPreset, natural_scores
from giqa_lib.applications.pairs import PairFolder
from giqa_lib.data import ImageSet, find, load
from giqa_lib.features import PCA, extract, extractor
from giqa_lib.scores import GaussianMixture, KNearestNeighbours, SingleGaussian
from giqa_lib.store import Store

__all__ = ["LGIQA_SETTINGS", "LgiqaSettings", "lgiqa_reference", "lgiqa_values"]


@dataclass(frozen=True, kw_only=True)
class LgiqaSettings:
    """The real images that a set is about, and the paper's M and K for them."""

    reference: str
    components: int
    neighbours: int


LGIQA_SETTINGS = {
    "ffhq": LgiqaSettings(reference="ffhq", components=70, neighbours=1),
    "cat": LgiqaSettings(reference="lsun-cat", components=7, neighbours=3500),
    "cityscapes": LgiqaSettings(reference="cityscapes", components=7, neighbours=1),
}


def lgiqa_reference(name: str) -> ImageSet | None:
    """The real images of one of LGIQA's sets, or None where they are not on this machine."""
    reference = LGIQA_SETTINGS[name].reference
    return None if find(reference) is None else load(reference)


def lgiqa_values(
    folder: PairFolder,
    real: ImageSet,
    settings: LgiqaSettings,
    store: Store,
    *,
    natural: NaturalPreset,
    feature: str = "efficientnet_lite0",
    side: int = 256,
    variance: float = 0.95,
    max_components: int = 512,
    seed: int,
    device: str = "cpu",
    progress: bool = False,
) -> dict[str, NDArray[np.float64]]:
    """Scores (n,) of the folder's images by each method, higher is better; images are resized to ``side``.

    Features are reduced by PCA fitted on the real images' (``variance``, at most ``max_components``).
    """
    images = folder.images.tensor(size=side, channels=3)
    network = extractor(feature, device=device)
    raw = extract(real, network, store=store, progress=progress).values
    reduction = PCA(variance=variance, max_components=max_components).fit(raw)
    reference = reduction.transform(raw)
    pool = reduction.transform(extract(images, network, store=store, progress=progress).values)
    densities = {
        "SGM-GIQA": SingleGaussian(),
        "GMM-GIQA": GaussianMixture(settings.components, random_state=seed),
        "KNN-GIQA": KNearestNeighbours(min(settings.neighbours, len(reference))),
    }
    rows = np.random.default_rng(seed).permutation(len(real))[: natural.real]
    pictures = real.subset(rows).tensor(size=side, channels=3)
    calls = natural_scores(store, pictures, natural, seed=seed, device=device)
    found = {name: call(images) for name, call in calls.items()}
    for name, density in densities.items():
        found[name] = density.fit(reference).score_samples(pool)
    return found
