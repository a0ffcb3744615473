"""The decorator of compiled functions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _forget_stale() -> None:
    """Remove what was compiled before any source of this package changed.

    Numba looks at the source of the compiled function only, not at those of the functions that
    are compiled into it.
    """
    here = Path(__file__).parent
    changed = max(source.stat().st_mtime for source in here.glob("*.py"))
    for index in (here / "__pycache__").glob("*.nbi"):
        if index.stat().st_mtime < changed:
            index.unlink(missing_ok=True)


with suppress(OSError):
    _forget_stale()


def compiled(function: _Function) -> _Function:
    """Compile a function, once for all processes where a folder can be written to."""
    try:
        return cast("_Function", numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # no such folder: compile anew in each process
        return cast("_Function", numba.njit(nogil=True)(function))
