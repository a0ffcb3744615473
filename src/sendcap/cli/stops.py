"""Signals: Ctrl-C, SIGTERM and a closed terminal end the program at once, with one line.

For most commands that is an error. A command that goes on until Ctrl-C says so (`ended_by_ctrl_c`).

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
_ours: list[Callable[[int, Any], None]] = []


def listen() -> None:
    """Let signals end this process, except those that are ignored, as under nohup."""
    for number, word in _SIGNALS.items():
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _ending(f"error: {word}", 2, 128 + number))


def ended_by_ctrl_c(text: str) -> None:
    """Let Ctrl-C from now on be the proper end of this command, with a text and exit code 0.

    So end other servers, such as ``python -m http.server``. Where Ctrl-C is ignored, or a program
    runs the command without `listen`, nothing changes.
    """
    number = signal.SIGINT
    if signal.getsignal(number) in _ours:
        signal.signal(number, _ending(text, 1, 0))


def ignore() -> None:
    """Ignore signals at the end of the program, when the exit code is settled.

    Python removes its handlers before it ends; a later signal would change the exit code.
    """
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _ending(text: str, file: int, code: int) -> Callable[[int, Any], None]:
    """Return a handler that ends the process with a line, written to a file by number."""

    def end(number: int, _frame: Any) -> None:
        if _stopped_by:
            # The first signal is still being handled, further down the stack.
            return
        _stopped_by.append(number)
        try:
            clean_up()
            with suppress(OSError):
                os.write(file, f"{text}\n".encode())
        finally:
            os._exit(code)

    _ours.append(end)
    return end
