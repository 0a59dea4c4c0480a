"""Keeping the linear algebra library from fighting with a trainer for the cores."""

from __future__ import annotations

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


@lru_cache(maxsize=1)
def _library() -> tuple[ThreadpoolController, int]:
    controller = ThreadpoolController().select(user_api="blas")
    return controller, max((library["num_threads"] for library in controller.info()), default=1)
