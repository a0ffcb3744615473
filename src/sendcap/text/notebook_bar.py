"""A progress bar in a notebook, for who does not follow the progress otherwise."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, Final, TypeVar

_Progress = TypeVar("_Progress")
_Follow = Callable[[_Progress], None]

_QUICK_S: Final = 1.0
"""What is done sooner shows no bar."""
_REDRAW_S: Final = 0.2


@contextmanager
def notebook_bar(
    progress: _Follow[_Progress] | None, told: Callable[[_Progress], tuple[float | None, str]]
) -> Iterator[_Follow[_Progress] | None]:
    """Yield what takes the progress: as given, or else in a notebook a bar, and elsewhere None.

    ``told`` returns the share that is done, None where nobody knows it, and the words beside it.
    The bar is gone in the end.
    """
    display = None if progress is not None else _display()
    if display is None:
        yield progress
        return
    bar = _Bar(display)
    try:
        yield lambda now: bar.show(*told(now))
    finally:
        bar.clear()


def _display() -> Any:
    """Return the part of IPython that shows things, None outside a notebook."""
    # Who has not imported it is in no notebook.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if not hasattr(shell, "kernel"):
        return None
    return sys.modules.get("IPython.display")


class _Bar:
    def __init__(self, display: Any) -> None:
        self._display, self._handle = display, None
        self._next_s = time.monotonic() + _QUICK_S

    def show(self, share: float | None, words: str) -> None:
        """Show the bar anew, unless that was a moment ago."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + _REDRAW_S
        value = "" if share is None else f" value='{share:.3f}'"
        page = self._display.HTML(f"<progress{value}></progress> {escape(words)}")
        if self._handle is None:
            self._handle = self._display.display(page, display_id=True)
        else:
            self._handle.update(page)

    def clear(self) -> None:
        """Leave nothing behind."""
        if self._handle is not None:
            self._handle.update(self._display.HTML(""))
