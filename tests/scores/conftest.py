"""Data for the scores: clusters with a power-law spectrum, as real features have."""

import numpy as np
import pytest


def clusters(count, width, modes, *, seed=0):
    """Rows, and the cluster of each; the clusters are the same for every seed."""
    spectrum = np.arange(1, width + 1) ** -0.5
    centres = np.random.default_rng(99).standard_normal((modes, width)) * spectrum * 2
    generator = np.random.default_rng(seed)
    labels = generator.integers(modes, size=count)
    return centres[labels] + generator.standard_normal((count, width)) * spectrum, labels


@pytest.fixture
def make_clusters():
    return clusters
