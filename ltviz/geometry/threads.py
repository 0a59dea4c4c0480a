"""Keeping the linear algebra library from fighting with a trainer for the cores."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from threadpoolctl import ThreadpoolController


@contextmanager
def one_blas_thread() -> Iterator[int]:
    """Runs matrix products on the thread that asks for them; yields how many threads the library was allowed before.

    The library's own threads wait for one another by spinning: while a trainer holds a core, many small products take
    up to fifty times as long with two of them as with one. The limit belongs to the process; where several threads come
    here at once, the worst that can happen is that one of them works with the library's own number.
    """
    controller, threads = _library()
    with controller.limit(limits=1):
        yield threads


_here = threading.local()


@contextmanager
def without_helpers() -> Iterator[None]:
    """What is computed on this thread starts no others: it goes on beside a training already, which wants the cores,
    and it may outlast the moment from which an interpreter that ends starts none."""
    before, _here.alone = may_start_threads(), True
    try:
        yield
    finally:
        _here.alone = not before


def may_start_threads() -> bool:
    """Whether what is computed on this thread may share its work with others."""
    return not getattr(_here, "alone", False)


@lru_cache(maxsize=1)
def _library() -> tuple[ThreadpoolController, int]:
    controller = ThreadpoolController().select(user_api="blas")
    return controller, max((library["num_threads"] for library in controller.info()), default=1)
