r"""KNN-GIQA: how close the nearest real images are.

.. math:: s(x) = \frac1K \sum_{k=1}^{K} \frac1{d(x, x_k)}

(GIQA, Eq. 8, a Parzen-like density up to a constant.) The paper prints a Euclidean distance,
readable as squared; the official script sums inverse L1 distances, with PyTorch's 1e-6 added
to each coordinate. For one K, sum and mean rank alike; the metrics do not. K = 1 for FFHQ
and Cityscapes, 3500 for LSUN.
"""

from collections.abc import Sequence
from typing import Any, no_type_check

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from giqa_lib.checks import InputError, check_choice, check_positive, error_line
from giqa_lib.scores.blocks import row_blocks, to_torch
from giqa_lib.scores.density import Density
from giqa_lib.scores.neighbour_search import References, nearest

__all__ = ["AGGREGATIONS", "METRICS", "KNearestNeighbours"]

METRICS = ("l2", "sqeuclidean", "l1")
AGGREGATIONS = ("mean_inverse", "sum_inverse")


class KNearestNeighbours(Density):
    """Mean inverse distance to the K nearest real images (KNN-GIQA).

    ``score_samples`` is Eq. 8 itself, in (0, 1 / epsilon], not its logarithm; ``log_prob`` is
    the logarithm, an unnormalised log-density. Both rank alike.

    Parameters: ``n_neighbors`` K <= n; ``metric`` l2, sqeuclidean or l1; ``aggregation``
    mean_inverse or sum_inverse; ``epsilon``, the floor of a distance: a query that equals a
    reference adds 1 / epsilon; ``coordinate_epsilon``, added to each coordinate of the
    difference query - reference (PyTorch's ``pairwise_distance`` has 1e-6);
    ``memory_limit``, bytes for temporaries beside the references' one float32 copy;
    ``block_rows``, queries in one product: every product has this many rows, the missing ones
    zeros, so that no score depends on its batch, which makes one image cost as much as
    ``block_rows`` (lower it for images that come singly); ``device``; ``dtype`` of the bulk
    distances.

    Error of a score: with K <= 64 float64 rounding, 1e-12. With more the 16 nearest are
    float64, the bulk float32: some 1e-6 relative, 1e-4 at worst for close clusters;
    ``dtype="float64"`` gives 1e-9 at half the speed.

    The references are kept as given, not copied: do not change them in place.

    Learned: ``references_`` (n, d).

    >>> import numpy as np
    >>> score = KNearestNeighbours(2).fit(np.array([[0.0], [2.0], [9.0]]))
    >>> score.score_samples([[1.0], [4.0]])
    array([1.   , 0.375])
    """

    n_neighbors: int
    metric: str
    aggregation: str
    epsilon: float
    coordinate_epsilon: float
    memory_limit: int
    block_rows: int

    @no_type_check  # scikit-learn sets wrong values first and has fit() refuse them
    def __init__(
        self,
        n_neighbors: int = 1,
        *,
        metric: str = "l2",
        aggregation: str = "mean_inverse",
        epsilon: float = 1e-6,
        coordinate_epsilon: float = 0.0,
        memory_limit: int = 2**28,
        block_rows: int = 256,
        device: str | torch.device = "cpu",
        dtype: str = "float32",
    ) -> None:
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.aggregation = aggregation
        self.epsilon = epsilon
        self.coordinate_epsilon = coordinate_epsilon
        self.memory_limit = memory_limit
        self.block_rows = block_rows
        self.device = device
        self.dtype = dtype

    @classmethod
    def official(cls, n_neighbors: int = 1) -> "KNearestNeighbours":
        """The official script's score: sum of inverse L1 distances, 1e-6 a coordinate.

        >>> KNearestNeighbours.official(3500).metric
        'l1'
        """
        return cls(
            n_neighbors,
            metric="l1",
            aggregation="sum_inverse",
            epsilon=1e-12,
            coordinate_epsilon=1e-6,
        )

    def fit(self, X: Any, y: Any = None) -> "KNearestNeighbours":
        """Keep ``X`` (n, d), n >= n_neighbors, as the references; ``y`` is ignored."""
        features = self._check(X, reset=True)
        check_choice(self.metric, METRICS, name="metric")
        check_choice(self.aggregation, AGGREGATIONS, name="aggregation")
        check_positive(self.epsilon, name="epsilon")
        check_positive(self.coordinate_epsilon, name="coordinate_epsilon", zero=True)
        check_positive(self.memory_limit, name="memory_limit")
        check_positive(self.block_rows, name="block_rows")
        check_positive(self.n_neighbors, name="n_neighbors")
        if self.n_neighbors > len(features):
            raise InputError(
                error_line(
                    "n_neighbors",
                    expected=f"at most n_samples = {len(features)}",
                    got=str(self.n_neighbors),
                    hint="give more references or a smaller K (the paper's K scales with n)",
                )
            )
        self.references_: NDArray[np.floating] = features
        self._prepare()
        return self

    def log_prob(self, features: Tensor) -> Tensor:
        """Differentiable log of the score, (n,): the neighbours are found, then held fixed.

        The gradient is zero where all K distances lie under ``epsilon``. Memory is K x d
        numbers a query.
        """
        points = self._check_log_prob_input(features).double()
        device = self._index.points.device
        scores = []
        for piece in row_blocks(len(points), self.block_rows):
            queries = points[piece].detach().to(device) + self.coordinate_epsilon
            found = nearest(queries, self._index, self.n_neighbors).indices
            chosen = self._index.points[found].to(points)
            difference = points[piece][:, None, :] + self.coordinate_epsilon - chosen
            if self.metric == "l1":
                distances = difference.abs().sum(2)
            else:
                distances = difference.square().sum(2)
            scores.append(self._aggregate(distances))
        return torch.cat(scores).log().to(features.dtype)

    def score_samples_for(self, X: Any, neighbours: Sequence[int]) -> NDArray[np.float64]:
        """The scores that each K in ``neighbours`` would give, (n, len(neighbours)), by one search.

        A sweep over K costs one search for the largest, sorted once, instead of one a K. Errors
        are those of the largest K (see the class).

        >>> import numpy as np
        >>> score = KNearestNeighbours(2).fit(np.array([[0.0], [2.0], [9.0]]))
        >>> score.score_samples_for([[1.0]], [1, 2])
        array([[1., 1.]])
        """
        check_is_fitted(self)
        points = to_torch(self._check(X, reset=False), torch.device("cpu"))
        for count in neighbours:
            check_positive(count, name="neighbours")
        largest = max(neighbours)
        if largest > len(self.references_):
            expected = f"at most {len(self.references_)}"
            hint = "give more references or a smaller K"
            raise InputError(
                error_line("neighbours", expected=expected, got=str(largest), hint=hint)
            )
        places = torch.as_tensor(neighbours) - 1
        scores, buffer = np.empty((len(points), len(places))), self._index.buffer()
        for piece in row_blocks(len(points), self.block_rows):
            queries = points[piece].to(self._index.points.device).double()
            queries = queries + self.coordinate_epsilon
            found = nearest(queries, self._index, largest, buffer=buffer)
            sums = self._inverse(found.values.sort(dim=1).values).cumsum(1)[:, places].cpu()
            if self.aggregation == "mean_inverse":
                sums = sums / (places + 1)
            scores[piece] = sums.numpy()
        return scores

    def _score(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        points = to_torch(features, torch.device("cpu"))
        scores, buffer = np.empty(len(points)), self._index.buffer()
        for piece in row_blocks(len(points), self.block_rows):
            queries = points[piece].to(self._index.points.device).double()
            queries = queries + self.coordinate_epsilon
            found = nearest(queries, self._index, self.n_neighbors, buffer=buffer)
            scores[piece] = self._aggregate(found.values).cpu().numpy()
        return scores

    def _aggregate(self, distances: Tensor) -> Tensor:
        inverse = self._inverse(distances)
        return inverse.mean(1) if self.aggregation == "mean_inverse" else inverse.sum(1)

    def _inverse(self, distances: Tensor) -> Tensor:
        """Inverse distances from those that ``nearest`` gives: squared but for L1."""
        if self.metric == "l2":
            distances = distances.clamp(min=self.epsilon**2).sqrt()
        else:
            distances = distances.clamp(min=self.epsilon)
        return distances.reciprocal()

    def _prepare(self) -> None:
        self._index = References(
            to_torch(self.references_, self._torch_device()),
            metric=self.metric,
            dtype=self._torch_dtype(),
            rows=self.block_rows,
            memory_limit=self.memory_limit,
        )
