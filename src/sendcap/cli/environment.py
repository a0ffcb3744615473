"""What a command's environment must not do to it: too little memory, and stray settings."""

import gc
import logging
import os
import sys
import warnings
from typing import Final

from sendcap.errors import SendcapError

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

NEEDED_BYTES: Final = 1_200_000_000
"""Address space that each command gets by with; measured, with `_FRUGAL`."""

_UNUSED: Final = ("MPLBACKEND", "SOURCE_DATE_EPOCH")
"""Settings of matplotlib's that no chart depends on; bad values end in a traceback."""

_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1"}
"""The same sums on every machine; and a thread costs 40 MB of address space, used or not."""

_FRUGAL: Final = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"}
"""Keep Arrow from reserving address space by the gigabyte and by processor."""

_SELDOM: Final = (50_000, 20, 20)
"""How often to look for garbage: libraries make hundreds of thousands of objects that stay, and to
look through these again and again takes a tenth of a short command."""


_DUMB: Final = frozenset({"dumb", "unknown"})
"""Values of TERM for a terminal that shows escape codes as letters; rich has the same ones."""


def has_escape_codes() -> bool:
    """Tell whether a terminal understands escape codes, by TERM.

    NO_COLOR does not matter: it is about colour (https://no-color.org), and bold is none. The bar
    of progress, which has colours, follows it.
    """
    return os.environ.get("TERM", "").lower() not in _DUMB


def settle() -> None:
    """Keep the environment's settings and the messages of libraries out of a command.

    Worker processes inherit the environment. Whatever libraries log or warn about, they raise an
    exception where it matters.
    """
    for name in _UNUSED:
        os.environ.pop(name, None)
    os.environ.update(_ONE_THREAD | (_FRUGAL if _limits() else {}) | os.environ)
    logging.disable()
    gc.set_threshold(*_SELDOM)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def require_memory() -> None:
    """Refuse a limit below `NEEDED_BYTES`: libraries would end in a traceback, abort or hang."""
    for option, allowed in _limits().items():
        if allowed < NEEDED_BYTES:
            raise SendcapError(
                f"not enough memory: {option} {allowed // 1024} allows {allowed // 10**6} MB; "
                f"sendcap needs about {NEEDED_BYTES / 1e9:.1f} GB"
            )


def _limits() -> dict[str, int]:
    """Return the limits on this process's memory in bytes, by the shell's command."""
    if resource is None:
        return {}
    limits = {
        "ulimit -v": resource.getrlimit(resource.RLIMIT_AS)[0],
        "ulimit -d": resource.getrlimit(resource.RLIMIT_DATA)[0],
    }
    return {option: limit for option, limit in limits.items() if limit != resource.RLIM_INFINITY}
