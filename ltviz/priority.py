"""Work that makes room for whoever looks at it."""

from __future__ import annotations

import os
import time
from pathlib import Path

_GROUP = Path("/proc/self/autogroup")
"""Where Linux shares the processor between sessions first: there the niceness of a process counts only against others
of its own session, and that of the session, which begins at 0, against everybody else."""
_TRIES, _PAUSE_SECONDS = 20, 0.1
"""The kernel takes one such change in a tenth of a second, of all programs together."""


def lower_priority(by: int = 0) -> int:
    """Lets this process, and its session where it leads one of its own, run when others leave the processor to it.

    A session that others share, such as a terminal's, stays as it is.

    Args:
        by: niceness to add, 0 to 19; 0: a child of a calm process passes the calm on to the session it was given.

    Returns:
        the niceness of this process, as far as the platform has one.

    Example:
        >>> lower_priority() >= -20
        True
    """
    try:
        niceness = os.nice(by)
        leads = os.getsid(0) == os.getpid()
    except (AttributeError, OSError):  # not on every platform
        return 0
    if leads and niceness > 0:
        _calm_session(niceness)
    return niceness


def _calm_session(niceness: int) -> None:
    for _ in range(_TRIES):
        try:
            _GROUP.write_text(str(niceness))
        except BlockingIOError:
            time.sleep(_PAUSE_SECONDS)
            continue
        except OSError:  # no such kernel, or not allowed: niceness alone has to do
            return
        return
