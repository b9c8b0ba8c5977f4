import numpy as np
import pytest


@pytest.fixture
def make_features():
    """Gaussian rows with a falling spectrum, the generated ones wider and moved."""

    def make(n, m, width, seed=0, power=-0.5):
        generator = np.random.default_rng(seed)
        spectrum = np.arange(1, width + 1) ** power
        real = generator.standard_normal((n, width)) * spectrum
        generated = generator.standard_normal((m, width)) * spectrum * 1.2 + 0.05
        return real, generated

    return make
