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
    n = len(first)
    if isinstance(k, bool) or k != int(k) or not 1 <= k <= n - 1:
        raise DataError(f"Mutual nearest neighbours take k from 1 to N - 1 = {n - 1}, got {k}.")
    units = [_units(rows) for rows in (first, second)]
    found = np.empty(n)
    for start in range(0, n, BLOCK):
        near = [_nearest(rows, start, int(k)) for rows in units]
        found[start : start + BLOCK] = (near[0] & near[1]).sum(axis=1) / k
    return found


def _units(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1)
    if not lengths.all():
        raise DataError(f"Nearest neighbours by cosine need a direction; row {int(lengths.argmin())} is zero.")
    return rows / lengths[:, None]


def _nearest(units: np.ndarray, start: int, k: int) -> np.ndarray:
    """(r, N) bool: the k nearest of each row of a block."""
    cosines = units[start : start + BLOCK] @ units.T
    rows = np.arange(len(cosines))
    cosines[rows, start + rows] = -np.inf
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    near = np.zeros(cosines.shape, dtype=bool)
    np.put_along_axis(near, order, True, axis=1)
    return near


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
