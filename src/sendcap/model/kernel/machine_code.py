"""How functions become machine code: what one calls is a part of its code, optimised as a whole.

Numba optimises a function and all that it calls each time that another one calls it. Here a *part*
is translated once; whoever Python calls is optimised once, together with its parts.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any, Final

from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import NativeLowering

OPTIONS: Final[dict[str, Any]] = {
    "nopython": True,
    "nogil": True,
    "_nrt": False,
    "no_cfunc_wrapper": True,
}
"""Nothing is allocated in compiled code, so no references are counted: that would take most of
the time. Python calls no compiled function by a C pointer."""


class _Whole(JITCodeLibrary):
    """The code of a function and of its parts."""

    def add_linking_library(self, library: Any) -> None:
        """Add a part with its own parts; what is compiled separately is only called."""
        if getattr(library, "is_separate", False):
            self._reload_init.update(library._reload_init)  # noqa: SLF001
            return
        # The linker leaves out what nothing that is linked before it calls.
        parts = library._linking_libraries if isinstance(library, _Part) else ()  # noqa: SLF001
        for each in (library, *parts):
            if each in self._linking_libraries:
                self._linking_libraries.remove(each)
            super().add_linking_library(each)

    def _optimize_functions(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout  # noqa: SLF001

    def _optimize_final_module(self) -> None:
        # Numba's way for code that counts references takes twice as long.
        passes, builder = self._codegen._module_pass_manager(opt=2)  # noqa: SLF001
        passes.run(self._final_module, builder)


class _Part(_Whole):
    """Code that is optimised as a part of other code only."""

    def finalize(self) -> None:
        """Leave the code as it is."""
        self._finalized = True


class _WholeCompiler(Compiler):
    library: type[_Whole] = _Whole

    def define_pipelines(self) -> list[Any]:
        """Let the code be of its own kind."""
        state: Any = self.state
        state.library = self.library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return super().define_pipelines()


class _PartCompiler(_WholeCompiler):
    library = _Part

    def define_pipelines(self) -> list[Any]:
        """Let the code be called, but not by Python."""
        self.state.flags.no_cpython_wrapper = self.state.flags.no_compile = True
        (pipeline,) = super().define_pipelines()
        pipeline.add_pass_after(_MayBeCalled, NativeLowering)
        pipeline.finalize()
        return [pipeline]


@register_pass(mutates_CFG=False, analysis_only=False)
class _MayBeCalled(LoweringPass):
    """Let other code call a part, as `NativeLowering` does with what Python may call."""

    _name = "may_be_called"

    def __init__(self) -> None:
        LoweringPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        """Tell of the part, under a key of its own."""
        key = object()
        state.targetctx.insert_user_function(key, state.cr.fndesc, [state.library])
        state["cr"] = state.cr._replace(cfunc=key)
        return True


class PartDispatcher(CPUDispatcher):
    """A function as a part of those that call it."""

    def __init__(self, py_func: Any, forceinline: bool) -> None:
        options = {**OPTIONS, "forceinline": forceinline}
        super().__init__(py_func, targetoptions=options, pipeline_class=_PartCompiler)

    def add_overload(self, result: Any) -> None:
        """Keep the code for a signature; it is not for Python."""
        self.overloads[tuple(result.signature.args)] = result

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Return how the function is called with arguments of these types."""
        return super().get_call_template([_widest(kind) for kind in args], kws)


class Dispatcher(CPUDispatcher):
    """A function that Python may call; it is a part of the compiled functions that call it."""

    def __init__(self, py_func: Any, forceinline: bool = False) -> None:
        super().__init__(py_func, targetoptions=OPTIONS, pipeline_class=_WholeCompiler)
        self.part = PartDispatcher(py_func, forceinline)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Return how compiled code calls the function with arguments of these types."""
        return self.part.get_call_template(args, kws)

    def get_overload(self, signature: Any) -> Any:
        """Return the key of the code that compiled code calls."""
        return self.part.get_overload(signature)


class SeparateDispatcher(CPUDispatcher):
    """A function that Python may call, and compiled code in the same way."""

    def __init__(self, py_func: Any) -> None:
        super().__init__(py_func, targetoptions=OPTIONS, pipeline_class=_WholeCompiler)

    def add_overload(self, result: Any) -> None:
        """Keep the code for a signature; who calls it finds it in another process, too."""
        function, library = self.py_func, result.library
        library.is_separate = True
        library._reload_init.add(  # noqa: SLF001
            partial(_load, function.__module__, function.__name__, result.signature.args)
        )
        super().add_overload(result)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Return how the function is called with arguments of these types."""
        return super().get_call_template([_widest(kind) for kind in args], kws)


def _load(module: str, function: str, kinds: tuple[Any, ...]) -> None:
    getattr(import_module(module), function).compile(kinds)


def _widest(kind: Any) -> Any:
    """Return the type of an argument; code for whole numbers of 64 bits takes shorter ones, too."""
    kind = types.unliteral(kind)
    return types.int64 if kind in types.signed_domain else kind
