"""A server that runs for days gives back what it no longer uses."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
MAPPED_BYTES, TRIMMED_BYTES = 64 << 10, 128 << 10


def return_memory() -> bool:
    """Has every buffer of `MAPPED_BYTES` and more go back to the system once it is freed; whether this C library can.

    glibc does so to begin with, from 128 KiB on, and raises that limit up to 32 MiB as such buffers are freed. Then
    frames of all sizes come and go among what stays, and leave holes: a process that followed a race of 2,000 points
    kept 6 kB for every pair of frames, and keeps 3.3 this way (3.8 with a limit of 256 KiB, 4.1 with 1 MiB). Pages that
    are asked for anew cost time: a frame of 2,000 points is encoded as fast as before, one of 20,000 in 1.7 ms instead
    of .8, one of 200,000 in 16 instead of 10.

    Example:
        >>> return_memory() in (True, False)
        True
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, which has its own ways
        return False
    return bool(set_option(_MMAP_THRESHOLD, MAPPED_BYTES) and set_option(_TRIM_THRESHOLD, TRIMMED_BYTES))
