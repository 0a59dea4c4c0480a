"""Has slow projections fitted in another process, so that this one neither waits nor imports what they need."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import IO, Any

from ltviz.errors import LtvizError
from ltviz.projection.background import FitJob, FitResult, read_result, write_job

COMMAND = (sys.executable, "-m", "ltviz.projection.background")
IDLE_SECONDS = 60.0
LIMIT_SECONDS = 180.0
"""For one fit, the import and compilation of umap included."""
MOST_WAITING = 10_000

log = logging.getLogger("ltviz")

Prepare = Callable[[], FitJob | None]
Done = Callable[[FitResult], None]


class BackgroundFitter:
    """One process for all runs: it starts with the first job and ends when idle, on `close`, and with its parent.

    The newest job is served first, as it is what somebody looks at now; of those that wait the oldest are forgotten
    beyond 10,000. Any thread may ask.

    Args:
        command: the process; for tests.
        idle_seconds: how long it stays without work.
        limit_seconds: a fit that takes longer is given up and its process ended.
    """

    def __init__(
        self,
        *,
        command: Sequence[str] = COMMAND,
        idle_seconds: float = IDLE_SECONDS,
        limit_seconds: float = LIMIT_SECONDS,
    ) -> None:
        self._command, self._idle, self._limit = tuple(command), idle_seconds, limit_seconds
        self._news = threading.Condition()
        self._waiting: OrderedDict[Hashable, tuple[Prepare, Done]] = OrderedDict()
        self._current: Hashable = None
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._closed = False

    def ask(self, key: Hashable, prepare: Prepare, done: Done) -> None:
        """Has something fitted, next of all.

        Args:
            key: what it is; asking again for what waits moves it to the front.
            prepare: called in the fitter's thread when it is its turn; None means that nobody wants it any more.
            done: called in the fitter's thread with the result; its error is one sentence.
        """
        with self._news:
            if self._closed or key == self._current:
                return
            self._waiting.pop(key, None)
            self._waiting[key] = (prepare, done)
            while len(self._waiting) > MOST_WAITING:
                self._waiting.popitem(last=False)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="ltviz-fitter", daemon=True)
                self._thread.start()
            self._news.notify_all()

    def close(self) -> None:
        """Ends the process and forgets what waits."""
        with self._news:
            self._closed = True
            self._waiting.clear()
            self._news.notify_all()
            thread, process = self._thread, self._process
        if process is not None:
            with contextlib.suppress(OSError):
                process.kill()
        if thread is not None and thread is not threading.current_thread():
            thread.join(5)

    @property
    def pid(self) -> int | None:
        """The process, None while there is none."""
        process = self._process
        return None if process is None else process.pid

    def _work(self) -> None:
        while True:
            with self._news:
                self._current = None
                if not self._waiting and not self._closed:
                    self._news.wait(self._idle)
                if self._closed or not self._waiting:
                    self._end()
                    self._thread = None
                    return
                self._current, (prepare, done) = self._waiting.popitem()
            try:
                job = prepare()
                if job is not None:
                    done(self._fit(job))
            except Exception:
                # One job must not end the service for the others.
                log.exception("A projection could not be fitted in the background")

    def _fit(self, job: FitJob) -> FitResult:
        process = self._begin()
        assert process.stdin is not None and process.stdout is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self._limit, give_up)
        timer.start()
        result: Any = None
        try:
            write_job(process.stdin, job)  # type: ignore[arg-type]
            result = read_result(process.stdout)  # type: ignore[arg-type]
        except (OSError, ValueError, KeyError, LtvizError) as error:
            log.warning("The projection process gave no sound result: %s", error)
        finally:
            timer.cancel()
        if result is not None:
            return result
        self._end()
        if late.is_set():
            return FitResult({}, {}, f"The view {job.name} took more than {self._limit:.0f} s and was given up.")
        return FitResult({}, {}, f"The process that computes the view {job.name} ended; the app's log may say why.")

    def _begin(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._output = tempfile.TemporaryFile()  # noqa: SIM115  closed in _end
            one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._output,
                start_new_session=True,  # an interrupt in the terminal is the app's to handle; this ends with its input
                env={**os.environ, **one, "NUMBA_NUM_THREADS": "1"},
            )
            with self._news:
                self._process = process
                if self._closed:
                    process.kill()
        assert self._process is not None
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._output is not None:
            self._output.seek(0)
            if process.returncode and not self._closed and (said := self._output.read()[-2000:].strip()):
                log.warning(
                    "The projection process ended with %s: %s", process.returncode, said.decode(errors="replace")
                )
            self._output.close()
            self._output = None
