"""Clean-ups of a process that is stopped: whatever is unfinished registers its own removal.

A signal handler ends the process without an exception (`sendcap.cli.stops`), so ``finally`` does
not run. It calls `clean_up` instead.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Cleanup = Callable[[], object]
"""May be called at any moment, and more than once."""

# These belong to the process, as its signal handlers do.
_cleanups: list[Cleanup] = []


def register(cleanup: Cleanup) -> None:
    """Call ``cleanup`` if the process is stopped."""
    _cleanups.append(cleanup)


def unregister(cleanup: Cleanup) -> None:
    """Forget a clean-up, if it is registered."""
    with suppress(ValueError):
        _cleanups.remove(cleanup)


@contextmanager
def cleaned_by(cleanup: Cleanup) -> Iterator[None]:
    """Call ``cleanup`` if the process is stopped inside the block."""
    register(cleanup)
    try:
        yield
    finally:
        unregister(cleanup)


def clean_up() -> None:
    """Call what is registered, the latest first; for a process that is about to end."""
    for cleanup in reversed(_cleanups):
        with suppress(Exception):
            cleanup()
