"""Memory that a process no longer needs, given back to the system."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress


def give_back() -> None:
    """Return freed memory, of which glibc keeps a hundred megabytes between pieces in use."""
    gc.collect()
    # Elsewhere there is no such function, or no library by the name of None.
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
