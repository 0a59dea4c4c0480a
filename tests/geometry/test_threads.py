from __future__ import annotations

import pytest
from threadpoolctl import ThreadpoolController

from ltviz.geometry.threads import _library, one_blas_thread


def blas_threads() -> list[int]:
    """Of the libraries that numpy's products use; those loaded later are none of them."""
    return [library["num_threads"] for library in _library()[0].info()]


def test_one_thread_inside_and_as_many_as_before_after() -> None:
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        before = blas_threads()
        assert before and set(before) == {2}
        with one_blas_thread() as allowed:
            assert set(blas_threads()) == {1} and allowed >= 1
            with one_blas_thread():
                assert set(blas_threads()) == {1}
            assert set(blas_threads()) == {1}  # the inner one must not lift the limit of the outer one
        assert blas_threads() == before


def test_the_limit_is_lifted_after_an_error() -> None:
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        with pytest.raises(ZeroDivisionError), one_blas_thread():
            raise ZeroDivisionError
        assert set(blas_threads()) == {2}
