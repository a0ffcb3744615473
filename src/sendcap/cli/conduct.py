"""How every command ends: exit codes, errors and warnings in one line each, no traceback."""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TextIO

import click

from sendcap.errors import SendcapError, SendcapWarning

BAD_INPUT: Final = 2


class Stopped(BaseException):
    """A command that was stopped from outside; not an `Exception`, so that nothing keeps it.

    Parameters
    ----------
    code
        The exit code.
    message
        What to tell, if anybody still listens.
    """

    def __init__(self, code: int, message: str = "") -> None:
        # Both are its arguments: SimPy raises what ends a process once more, as a copy.
        super().__init__(code, message)
        self.code = code
        self.message = message


def printable(text: str) -> str:
    """Return a text without characters that would move the cursor or colour the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def tell(kind: str, text: str) -> None:
    """Write each line of an error or a warning to stderr."""
    # There may be nobody left to read it.
    with suppress(OSError):
        for line in text.splitlines() or [""]:
            click.echo(f"{kind}: {printable(line)}", err=True)


def conduct(command: Callable[[], object]) -> int:
    """Run a command and return its exit code.

    That is 0 for success, 2 for bad input, 130 after Ctrl-C and 143 after SIGTERM. A reader that
    closes the pipe, as ``head`` does, is no failure.
    """
    with _every_character(), _told_warnings(), _stopped_by_signals():
        try:
            code = command()
            _flush()
        except Stopped as stopped:
            code = stopped.code
            if stopped.message:
                tell("error", stopped.message)
            else:
                _abandon_stdout()
        except SendcapError as error:
            tell("error", str(error))
            code = BAD_INPUT
        except click.ClickException as error:
            tell("error", error.format_message() + _hint(error))
            code = error.exit_code
        except MemoryError:
            tell("error", "not enough memory; take a smaller scenario or a larger time.bin")
            code = BAD_INPUT
        except BrokenPipeError:
            _abandon_stdout()
            code = 0
        except OSError as error:
            _abandon_stdout()
            where = "" if error.filename is None else f"{error.filename}: "
            tell("error", f"{where}{error.strerror or error}")
            code = BAD_INPUT
    return code if isinstance(code, int) else 0


def _hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return "" if context is None else f" (try '{context.command_path} --help')"


def _flush() -> None:
    """Write what is still buffered now, when a failure can still be told."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _abandon_stdout() -> None:
    """Let what is buffered go nowhere: Python would fail again to write it at exit."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@contextmanager
def _every_character() -> Iterator[None]:
    """Escape characters that the terminal's encoding lacks; a title must not stop a run."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    yield


@contextmanager
def _told_warnings() -> Iterator[None]:
    """Tell each of sendcap's warnings once."""
    told: set[str] = set()

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if not issubclass(category, SendcapWarning):
            ordinary(message, category, filename, lineno, file, line)
        elif str(message) not in told:
            told.add(str(message))
            tell("warning", str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("always", SendcapWarning)
        ordinary, warnings.showwarning = warnings.showwarning, show
        yield


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Make SIGTERM, and SIGHUP when the terminal is closed, clean up as Ctrl-C does."""

    def stop(number: int, _frame: Any) -> None:
        raise Stopped(128 + number, "terminated")

    before: dict[int, Any] = {}
    # Python lets only the main thread of a process set handlers.
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # What nohup has told to be ignored stays ignored.
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
