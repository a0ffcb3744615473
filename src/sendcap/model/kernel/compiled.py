"""The decorators of compiled functions, and the machine code kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from importlib import resources
from typing import Any, Final, TypeVar

from numba.core.caching import FunctionCache

from sendcap.model.kernel.machine_code import Dispatcher, SeparateDispatcher

before_compiling: Final[list[Callable[[], None]]] = []
"""Called where there is no machine code yet: all of it takes some 15 seconds, once."""

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _digest() -> bytes:
    """Return a hash of all sources of this package."""
    files = sorted(resources.files(__package__).iterdir(), key=lambda file: file.name)
    sources = [file.read_bytes() for file in files if file.name.endswith(".py")]
    return sha256(b"\0".join(sources)).digest()


_SOURCES: Final = _digest()


class _KernelCache(FunctionCache):
    """Numba's cache, for these sources only; a cache that cannot be used is no failure.

    Numba looks at the source of the compiled function alone, not at those of the functions that
    are compiled into it.
    """

    def _index_key(self, *arguments: Any) -> tuple[Any, ...]:
        return *super()._index_key(*arguments), _SOURCES

    def load_overload(self, *arguments: Any) -> Any:
        """Return the machine code for a signature, or None."""
        found = None
        try:
            # Numba would first prepare itself to compile, which takes as long as all the rest.
            found = super()._load_overload(*arguments)
        except Exception:  # what a damaged file makes of unpickling
            with suppress(OSError):
                self.flush()
        if found is None:
            for call in before_compiling:
                call()
        return found

    def save_overload(self, *arguments: Any) -> None:
        """Keep the machine code for a signature, if the disk takes it."""
        with suppress(OSError):
            super().save_overload(*arguments)


def compiled(function: _Function) -> _Function:
    """Compile a function, once for all processes where a folder can be written to."""
    return _kept(Dispatcher(function))


def inlined(function: _Function) -> _Function:
    """Compile a function into those that call it: a call would take as long as its work."""
    return _kept(Dispatcher(function, forceinline=True))


def separate(function: _Function) -> _Function:
    """Compile a large function once, for compiled functions that call it, too."""
    return _kept(SeparateDispatcher(function))


def _kept(dispatcher: Any) -> Any:
    """Keep the machine code of a function on disk, if there is a folder for it."""
    with suppress(RuntimeError):  # no such folder: compile anew in each process
        dispatcher._cache = _KernelCache(dispatcher.py_func)  # noqa: SLF001
    return dispatcher
