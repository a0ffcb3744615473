"""Signals: Ctrl-C, SIGTERM and a closed terminal end the program at once, with one line.

They raise no exception: the code running at that moment (an import, a pydantic schema, a callback
from C) might swallow it, wrap it or hang. Instead the handler cleans up and ends the process, so
this module imports nothing slow.
"""

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
    # Some systems lack some of them.
    if hasattr(signal, name)
}

# A state of the process, as the signal handlers are.
_stopped_by: list[int] = []


def listen() -> None:
    """Let signals end this process, except those that are ignored, as under nohup."""
    for number, word in _SIGNALS.items():
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _ending(word))


def ignore() -> None:
    """Ignore signals at the end of the program, when the exit code is settled.

    Python removes its handlers before it ends; a later signal would change the exit code.
    """
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _ending(word: str) -> Callable[[int, Any], None]:
    def end(number: int, _frame: Any) -> None:
        if _stopped_by:
            # The first signal is still being handled, further down the stack.
            return
        _stopped_by.append(number)
        try:
            clean_up()
            with suppress(OSError):
                os.write(2, f"error: {word}\n".encode())
        finally:
            os._exit(128 + number)

    return end
