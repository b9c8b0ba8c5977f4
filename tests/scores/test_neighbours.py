import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from giqa_lib.checks import InputError
from giqa_lib.scores import KNearestNeighbours


def naive(queries, references, neighbours, metric, floor=1e-6):
    scores = []
    for query in queries:
        difference = references - query
        distances = np.abs(difference).sum(1) if metric == "l1" else (difference**2).sum(1)
        distances = np.sqrt(distances) if metric == "l2" else distances
        nearest = np.sort(distances)[:neighbours]
        scores.append(np.mean(1.0 / np.maximum(nearest, floor)))
    return np.array(scores)


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(0)
    references = generator.standard_normal((1500, 40))
    queries = np.concatenate(
        [
            generator.standard_normal((30, 40)),
            references[:5],  # equal
            references[5:20]
            + generator.standard_normal((15, 40)) * 10.0 ** -np.arange(1, 16)[:, None],
            references[20:25] + 50.0,
        ]
    )
    return references, queries


@pytest.mark.parametrize("metric", ["l2", "sqeuclidean", "l1"])
@pytest.mark.parametrize("neighbours", [1, 64, 65, 1500])
@pytest.mark.parametrize("memory_limit", [2**28, 2**12])
def test_equals_a_naive_loop(data, metric, neighbours, memory_limit):
    references, queries = data
    expected = naive(queries, references, neighbours, metric)
    for dtype, tolerance in (("float32", 3e-6), ("float64", 1e-9)):
        score = KNearestNeighbours(
            neighbours, metric=metric, memory_limit=memory_limit, dtype=dtype
        ).fit(references)
        exact = 1e-12 if neighbours <= 64 else tolerance
        assert score.score_samples(queries) == pytest.approx(expected, rel=exact)


def test_equals_scikit_learn(data):
    references, queries = data
    index = NearestNeighbors(n_neighbors=200, algorithm="kd_tree").fit(references)
    expected = (1.0 / np.maximum(index.kneighbors(queries)[0], 1e-6)).mean(1)
    assert KNearestNeighbours(200).fit(references).score_samples(queries) == pytest.approx(
        expected, rel=1e-6
    )


def test_equals_the_official_script(data):
    references, queries = data
    queries = queries[:8]
    expected = []
    for query in torch.from_numpy(queries):
        repeated = query.repeat(len(references), 1)
        distances = torch.nn.functional.pairwise_distance(
            repeated, torch.from_numpy(references), p=1
        )
        expected.append(sum(1.0 / d for d in sorted(distances.tolist())[:9]))
    score = KNearestNeighbours.official(9).fit(references)
    assert score.score_samples(queries) == pytest.approx(np.array(expected), rel=1e-10)


def test_duplicates_have_the_documented_value(data):
    references, _ = data
    assert KNearestNeighbours(1, epsilon=1e-3).fit(references).score_samples(
        references[:3]
    ) == pytest.approx(1000.0, rel=1e-12)
    official = KNearestNeighbours.official(1).fit(references)
    assert official.score_samples(references[:3]) == pytest.approx(1e6 / 40, rel=1e-6)


@pytest.mark.parametrize("spread", [1e-4, 0.3])
def test_a_tight_cluster_far_from_the_mean_is_exact(spread):
    """Where float32 cancels, completely or in part: 500 near-copies of one point, far out."""
    generator = np.random.default_rng(0)
    cluster = 100.0 + spread * generator.standard_normal((500, 32))
    references = np.concatenate([cluster, generator.standard_normal((500, 32))])
    queries = cluster[:20] + 0.1 * spread
    for neighbours in (1, 10, 300):
        score = KNearestNeighbours(neighbours).fit(references).score_samples(queries)
        assert score == pytest.approx(naive(queries, references, neighbours, "l2"), rel=1e-9)


def test_float32_features_and_wide_ranges(data):
    references, queries = (part.astype(np.float32) for part in data)
    expected = naive(queries[:30].astype(float), references.astype(float), 5, "l2")
    for scale in (1e-25, 1.0, 1e25):
        score = KNearestNeighbours(5, epsilon=1e-30).fit(references.astype(float) * scale)
        found = score.score_samples(queries[:30].astype(float) * scale)
        assert found * scale == pytest.approx(expected, rel=1e-9)


def test_more_neighbours_than_references():
    with pytest.raises(InputError, match="n_neighbors: expected at most n_samples = 3, got 4"):
        KNearestNeighbours(4).fit(np.eye(3))


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"metric": "cosine"}, "metric"),
        ({"aggregation": "max"}, "aggregation"),
        ({"epsilon": 0}, "epsilon"),
    ],
)
def test_mistakes_are_explained(options, name):
    with pytest.raises(InputError, match=f"{name}: expected"):
        KNearestNeighbours(1, **options).fit(np.eye(3))


def test_identical_references_are_fine():
    score = KNearestNeighbours(3).fit(np.ones((5, 2)))
    assert score.score_samples([[1.0, 1.0], [1.0, 3.0]]) == pytest.approx([1e6, 0.5])


@pytest.mark.parametrize("aggregation", ["mean_inverse", "sum_inverse"])
def test_one_search_gives_the_scores_of_every_k(aggregation):
    random = np.random.default_rng(0)
    references, queries = random.normal(size=(300, 5)), random.normal(size=(40, 5))
    neighbours = [1, 7, 64, 200, 300]
    score = KNearestNeighbours(aggregation=aggregation).fit(references)
    found = score.score_samples_for(queries, neighbours)
    for column, count in zip(found.T, neighbours, strict=True):
        alone = KNearestNeighbours(count, aggregation=aggregation).fit(references)
        np.testing.assert_allclose(column, alone.score_samples(queries), rtol=1e-5)
    with pytest.raises(InputError, match="neighbours: expected at most 300, got 301"):
        score.score_samples_for(queries, [1, 301])
