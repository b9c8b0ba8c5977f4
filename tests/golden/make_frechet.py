"""Make ``frechet.json``: Frechet distances to 40 digits by mpmath, from the definition.

    python tests/golden/make_frechet.py

The trace of the root is the sum of the roots of the eigenvalues of F S2 F^T with F the centred
features of the first set (n < d) or its upper Cholesky factor. Inputs are stored as written
decimals, so that every reader has the same float64 numbers.
"""

import json
from pathlib import Path

import mpmath as mp
import numpy as np

mp.mp.dps = 60


def moments(rows: mp.matrix) -> tuple[mp.matrix, mp.matrix]:
    mean = mp.matrix([[mp.fsum(rows[:, j]) / rows.rows for j in range(rows.cols)]])
    return mean, mp.matrix(
        [[rows[i, j] - mean[0, j] for j in range(rows.cols)] for i in range(rows.rows)]
    )


def distance(first: np.ndarray, second: np.ndarray) -> str:
    (mean_1, one), (mean_2, two) = (moments(mp.matrix(rows.tolist())) for rows in (first, second))
    one /= mp.sqrt(one.rows - 1)
    two /= mp.sqrt(two.rows - 1)
    factor = one if one.rows < one.cols else mp.cholesky(one.T * one).T
    product = factor * two.T
    eigenvalues = mp.eigsy(product * product.T, eigvals_only=True)
    root = mp.fsum(mp.sqrt(value) if value > 0 else 0 for value in eigenvalues)
    traces = mp.fsum(x * x for x in one) + mp.fsum(x * x for x in two)
    apart = mp.fsum(x * x for x in (mean_1 - mean_2))
    return mp.nstr(apart + traces - 2 * root, 40)


def main() -> None:
    generator = np.random.default_rng(0)
    cases = []
    for name, n, m, d in [
        ("fewer images than dimensions", 9, 7, 20),
        ("one side fewer", 40, 8, 14),
        ("more images than dimensions", 40, 35, 8),
    ]:
        spectrum = np.arange(1, d + 1) ** -1.0
        first = np.round(generator.standard_normal((n, d)) * spectrum, 6)
        second = np.round(generator.standard_normal((m, d)) * spectrum * 1.2 + 0.1, 6)
        case = {"name": name, "real": first.tolist(), "generated": second.tolist()}
        cases.append({**case, "distance": distance(first, second)})
    path = Path(__file__).with_name("frechet.json")
    path.write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    main()
