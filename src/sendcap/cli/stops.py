"""Being stopped: Ctrl-C, SIGTERM and a closed terminal end the program at once, with one line.

No exception is raised for it. It could come up anywhere, and what is running there may swallow it,
wrap it or hang on it: an import, a schema of pydantic, a callback from C. Instead, the handler
itself cleans up and ends the process; so it imports nothing that is slow.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from sendcap.files.cleaning import clean_up

_SIGNALS: Final = {
    getattr(signal, name): word
    for name, word in (
        ("SIGINT", "interrupted"),
        ("SIGTERM", "terminated"),
        ("SIGHUP", "terminated"),
    )
    # Not every system has all.
    if hasattr(signal, name)
}

# It belongs to the process, as its signal handlers do.
_stopped_by: list[int] = []


def listen() -> None:
    """Let signals end this process; those that nohup has told to be ignored stay ignored."""
    for number, word in _SIGNALS.items():
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _ending(word))


def ignore() -> None:
    """Let signals pass: all is done, and the exit code is decided.

    Python takes its handlers away before it ends, and a signal would then decide otherwise.
    """
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _ending(word: str) -> Callable[[int, Any], None]:
    def end(number: int, _frame: Any) -> None:
        if _stopped_by:
            # The first signal is being obeyed already, below on the stack.
            return
        _stopped_by.append(number)
        try:
            clean_up()
            with suppress(OSError):
                os.write(2, f"error: {word}\n".encode())
        finally:
            os._exit(128 + number)

    return end
