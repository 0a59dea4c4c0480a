"""How alike two spaces are in which the same samples lie: numbers of rows (N, Da) and (N, Db), row i of both from one
sample. None of them cares how a space is turned."""

from __future__ import annotations

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.rows import finite_rows

BLOCK = 512


def cka(a: np.ndarray, b: np.ndarray, *, unbiased: bool = True) -> float:
    """Centred kernel alignment with linear kernels. Higher is more alike.

    Args:
        a: (N, Da), N >= 4 (2 where biased).
        b: (N, Db), row i of both from sample i.
        unbiased: with the unbiased HSIC of Song et al.: its expectation is 0 for unrelated spaces, and may be below in
            one sample; the biased one is high for few samples in many dimensions. The ratio keeps a bias of its own.

    Returns:
        1 for spaces that differ by a turn and a scale.

    Raises:
        DataError: other numbers of rows, too few, not finite, or a space without any spread.

    Source: Kornblith et al. 2019; Song et al. 2012, eq. (5); code platonic-rep dcd76ba, without the 1e-6 it adds to
    the denominator. Sums over pairs are taken through the Da x Db products: O(N Da Db), and no N x N matrix.

    Example:
        >>> import numpy as np
        >>> rows = np.random.default_rng(0).standard_normal((50, 3))
        >>> round(cka(rows, 2 * rows[:, [1, 2, 0]]), 6)
        1.0
    """
    first, second = _pair("CKA", a, b, 4 if unbiased else 2)
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    hsic = _unbiased_hsic if unbiased else _biased_hsic
    of_each = hsic(first, first), hsic(second, second)
    if min(of_each) <= 0:
        raise DataError("CKA takes spaces in which samples differ; all points of one lie in one place, or nearly.")
    return float(hsic(first, second) / np.sqrt(of_each[0] * of_each[1]))


def _biased_hsic(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.square(a.T @ b).sum())


def _unbiased_hsic(a: np.ndarray, b: np.ndarray) -> float:
    """Song et al.'s estimator up to the factor 1 / (N (N - 3)), of centred rows: kernels without their diagonals."""
    n = len(a)
    own_a, own_b = np.einsum("nd,nd->n", a, a), np.einsum("nd,nd->n", b, b)
    # of centred rows each kernel's rows sum to zero, and so to minus their diagonal without it
    of_pairs = float(np.square(a.T @ b).sum() - own_a @ own_b)
    return of_pairs + float(own_a.sum() * own_b.sum()) / ((n - 1) * (n - 2)) - 2 / (n - 2) * float(own_a @ own_b)


def mutual_knn(a: np.ndarray, b: np.ndarray, *, k: int = 10) -> float:
    """Share of the k nearest neighbours, by cosine, that a sample has in both spaces. Higher is more alike.

    Args:
        a: (N, Da), N >= 2, no zero row.
        b: (N, Db), row i of both from sample i.
        k: 1 to N - 1. Of neighbours equally near the one of the lower index counts.

    Returns:
        0 to 1; k / (N - 1) by chance.

    Raises:
        DataError: other numbers of rows, too few, not finite, zero rows, or k out of range.

    Source: Huh et al. 2024; code platonic-rep dcd76ba, which at k >= N counts the sample itself.

    Example:
        >>> import numpy as np
        >>> rows = np.random.default_rng(0).standard_normal((50, 3))
        >>> mutual_knn(rows, rows @ np.diag([1, 1, 1]), k=5)
        1.0
    """
    return float(shared_neighbours(a, b, k=k).mean())


def shared_neighbours(a: np.ndarray, b: np.ndarray, *, k: int = 10) -> np.ndarray:
    """(N,) share of each sample's k nearest neighbours that are the same in both spaces; arguments as of `mutual_knn`.

    The lower, the more the sample's neighbourhood has changed.

    Raises:
        DataError: as `mutual_knn`.

    Example:
        >>> import numpy as np
        >>> a, b = np.eye(3), np.array([[1.0, 0.1, 0], [1, 0, 0], [0, 0, 1]])
        >>> shared_neighbours(a, b, k=2)
        array([1., 1., 1.])
    """
    first, second = _pair("Mutual nearest neighbours", a, b, 2)
    return shared_of(nearest_rows(first, k=k), nearest_rows(second, k=k))


def nearest_rows(rows: np.ndarray, *, k: int = 10) -> np.ndarray:
    """(N, k) int64: the k nearest other rows of each row, by cosine, the nearest first; of equals the lower index.

    Args:
        rows: (N, D), N >= 2, no zero row.
        k: 1 to N - 1.

    Raises:
        DataError: as `mutual_knn`.

    Example:
        >>> import numpy as np
        >>> nearest_rows(np.array([[1.0, 0], [0, 1], [1, 0.1]]), k=1).ravel()
        array([2, 2, 0])
    """
    given = finite_rows("Mutual nearest neighbours", rows, least=2)
    n = len(given)
    if isinstance(k, bool) or k != int(k) or not 1 <= k <= n - 1:
        raise DataError(f"Mutual nearest neighbours take k from 1 to N - 1 = {n - 1}, got {k}.")
    lengths = np.linalg.norm(given, axis=1)
    if not lengths.all():
        raise DataError(f"Nearest neighbours by cosine need a direction; row {int(lengths.argmin())} is zero.")
    units, found = given / lengths[:, None], np.empty((n, int(k)), dtype=np.int64)
    for start in range(0, n, BLOCK):
        cosines = units[start : start + BLOCK] @ units.T
        itself = np.arange(len(cosines))
        cosines[itself, start + itself] = -np.inf
        found[start : start + BLOCK] = np.argsort(-cosines, axis=1, kind="stable")[:, : int(k)]
    return found


def shared_of(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N,) share of the neighbours (N, k) of each row, as of `nearest_rows`, that are the same in both.

    Example:
        >>> import numpy as np
        >>> shared_of(np.array([[1, 2]]), np.array([[2, 3]]))
        array([0.5])
    """
    both = np.sort(np.concatenate([first, second], axis=1), axis=1)
    return (both[:, 1:] == both[:, :-1]).sum(axis=1) / first.shape[1]


def procrustes_distance(a: np.ndarray, b: np.ndarray) -> float:
    r"""Distance of two spaces, centred and of length 1, after the best turn or mirror image. Lower is more alike.

    .. math:: \sqrt{2 - 2 \|a^\top b\|_*}

    Args:
        a: (N, Da), N >= 2.
        b: (N, Db), row i of both from sample i; Da and Db may differ.

    Returns:
        0 to sqrt(2). Near 0 right to 1e-7 only: it is the root of a difference.

    Raises:
        DataError: other numbers of rows, too few, not finite, or all points of one space in one place.

    Source: Williams et al. 2021; code resi 24ab9e5, `orthogonal_procrustes_centered_and_normalized`.

    Example:
        >>> import numpy as np
        >>> rows = np.random.default_rng(0).standard_normal((50, 3))
        >>> procrustes_distance(rows, 2 * rows[:, [1, 2, 0]]) < 1e-6
        True
    """
    scaled = []
    for rows in _pair("The Procrustes distance", a, b, 2):
        centred = rows - rows.mean(axis=0)
        length = np.linalg.norm(centred)
        if not length > 1e-12 * np.abs(rows).max():
            raise DataError("The Procrustes distance takes spaces in which samples differ; all points coincide in one.")
        scaled.append(centred / length)
    nuclear = np.linalg.svd(scaled[0].T @ scaled[1], compute_uv=False).sum()
    return float(np.sqrt(max(2 - 2 * nuclear, 0.0)))


def _pair(what: str, a: np.ndarray, b: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray]:
    first, second = finite_rows(what, a, least=least), finite_rows(what, b, least=least)
    if len(first) != len(second):
        raise DataError(
            f"{what} takes two spaces of the same samples, row by row, got {len(first)} and {len(second)} rows."
        )
    return first, second
