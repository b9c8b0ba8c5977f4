"""What a scorer is made of, and the densities it may have."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from giqa_lib.checks import InputError, check_choice, check_positive, check_probability, error_line
from giqa_lib.features import extractor_names
from giqa_lib.scores import Density, GaussianMixture, KNearestNeighbours, SingleGaussian

__all__ = ["DENSITIES", "ScorerSettings"]

LARGEST_INPUT = 2048  # a scorer from elsewhere must not ask for images that fill the memory


@dataclass(frozen=True, kw_only=True)
class ScorerSettings:
    """What a scorer is made of.

    ``density`` is gmm, knn or sgm; ``components`` Gaussians serve the first, ``neighbours`` the
    second. Covariances are shrunk (OAS): folders are small. PCA keeps ``variance``, and at most
    ``max_dimensions``. ``held_out`` is the share of real images that calibrates;
    ``within_component`` ranks each image among those of its own Gaussian.

    >>> ScorerSettings(density="knn").neighbours
    5
    """

    extractor: str = "efficientnet_lite0"
    density: str = "gmm"
    components: int = 7
    neighbours: int = 5
    variance: float = 0.95
    max_dimensions: int = 64
    held_out: float = 0.2
    within_component: bool = False
    seed: int = 0
    batch_size: int = 32

    def __post_init__(self) -> None:
        name, _, size = self.extractor.partition("@")
        check_choice(name, extractor_names(), name="extractor")
        if size and not (size.isdigit() and 1 <= int(size) <= LARGEST_INPUT):
            expected, hint = f"name@pixels, at most {LARGEST_INPUT}", "write efficientnet_lite0@64"
            raise InputError(
                error_line("extractor", expected=expected, got=repr(self.extractor), hint=hint)
            )
        check_choice(self.density, DENSITIES, name="density")
        for whole in ("components", "neighbours", "max_dimensions", "batch_size"):
            check_positive(getattr(self, whole), name=whole)
        if self.batch_size > 4096:
            got, hint = str(self.batch_size), "32 is usual"
            raise InputError(error_line("batch_size", expected="at most 4096", got=got, hint=hint))
        check_probability(self.variance, name="variance")
        check_probability(self.held_out, name="held_out", open_ends=True)
        if self.within_component and self.density != "gmm":
            hint = 'use density="gmm"'
            raise InputError(
                error_line("within_component", expected="a mixture", got=self.density, hint=hint)
            )


#: Unfitted densities by the name that settings give.
DENSITIES: Mapping[str, Callable[[ScorerSettings], Density]] = {
    "gmm": lambda s: GaussianMixture(s.components, shrinkage="oas", random_state=s.seed),
    "knn": lambda s: KNearestNeighbours(s.neighbours),
    "sgm": lambda s: SingleGaussian(shrinkage="oas"),
}
