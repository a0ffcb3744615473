"""The end of every command: exit codes, errors and warnings in one line each, no traceback.

For signals see `sendcap.cli.stops`.
"""

import errno
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import click

from sendcap.errors import ExistsError, SendcapError, SendcapWarning
from sendcap.files.single import plain_words
from sendcap.text.quoting import printable

BAD_INPUT: Final = 2
INTERRUPTED: Final = 130

_WHEN_WRITING: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EAGAIN}
)
_NAMELESS: Final = {
    **dict.fromkeys(_WHEN_WRITING, "standard output: "),
    errno.ENOENT: "the working directory: ",
}
"""What an error is about that names no file."""

_LONGEST: Final = 1500
"""Characters of a line; the longest path that a system opens is not much longer."""


class PipeClosedError(Exception):
    """The reader of the output has gone."""


def tell(kind: str, text: str) -> None:
    """Write each line of an error or a warning to stderr."""
    # The reader may have gone.
    with suppress(OSError):
        for line in text.splitlines() or [""]:
            click.echo(f"{kind}: {printable(_cut(line))}", err=True)


def _cut(line: str) -> str:
    """Return a line without the middle if it is very long: it quotes what the user has given."""
    if len(line) <= _LONGEST:
        return line
    return f"{line[: _LONGEST * 2 // 3]} … {line[-_LONGEST // 3 :]}"


def conduct(command: Callable[[], object]) -> int:
    """Run a command and return the exit code: 0 for success, 2 for bad input.

    A reader that closes the pipe, as ``head`` does, is no failure.
    """
    _escape_unknown_characters()
    with _warnings_once():
        try:
            code = command()
            # While a failure of writing can still be reported.
            if sys.stdout is not None:
                sys.stdout.flush()
        except ExistsError as error:
            tell("error", error.written("--force"))
            code = BAD_INPUT
        except SendcapError as error:
            tell("error", str(error))
            code = BAD_INPUT
        except click.ClickException as error:
            context = getattr(error, "ctx", None)
            hint = "" if context is None else f" (try '{context.command_path} --help')"
            tell("error", error.format_message() + hint)
            code = error.exit_code
        except MemoryError:
            tell("error", "not enough memory")
            code = BAD_INPUT
        except (KeyboardInterrupt, click.Abort):
            # In a program that runs a command without `stops`.
            tell("error", "interrupted")
            code = INTERRUPTED
        except (PipeClosedError, BrokenPipeError):
            _abandon_stdout()
            code = 0
        except OSError as error:
            _abandon_stdout()
            place = _NAMELESS.get(error.errno or 0, "")
            place = place if error.filename is None else f"{error.filename}: "
            tell("error", place + plain_words(error))
            code = BAD_INPUT
    return code if isinstance(code, int) else 0


def _abandon_stdout() -> None:
    """Discard the buffer: at exit Python would fail again to write it."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _escape_unknown_characters() -> None:
    """Escape characters missing in the terminal's encoding; a title must not stop a run."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


@contextmanager
def _warnings_once() -> Iterator[None]:
    """Show each warning of sendcap once."""
    seen: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *more: Any, **where: Any) -> None:
        if not issubclass(category, SendcapWarning):
            ordinary(message, category, *more, **where)
        elif str(message) not in seen:
            seen.add(str(message))
            tell("warning", str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("always", SendcapWarning)
        ordinary, warnings.showwarning = warnings.showwarning, show
        yield
