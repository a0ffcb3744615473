"""How functions become machine code: what one calls is a part of its code, optimised as a whole.

Numba optimises a function and all that it calls each time that another one calls it. Here a *part*
is translated once; whoever Python calls is optimised once, together with its parts.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any, ClassVar, Final

from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import LoweringPass, PassManager, register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import (
    IRLegalization,
    NativeLowering,
    NoPythonBackend,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.untyped_passes import (
    FixupArgs,
    GenericRewrites,
    IRProcessing,
    ReconstructSSA,
    TranslateByteCode,
)

from sendcap.model.kernel.pointer import Table

OPTIONS: Final[dict[str, Any]] = {
    "nopython": True,
    "nogil": True,
    "_nrt": False,
    "no_cfunc_wrapper": True,
}
"""Nothing is allocated in compiled code, so no references are counted: that would take most of
the time. Python calls no compiled function by a C pointer."""


_PASSES: Final = (
    TranslateByteCode,
    FixupArgs,
    IRProcessing,
    GenericRewrites,
    ReconstructSSA,
    NopythonTypeInference,
    PreLowerStripPhis,
    IRLegalization,
    NativeLowering,
    NoPythonBackend,
)
"""Others look for closures, generators, expressions of whole arrays and the like."""


class _Whole(JITCodeLibrary):
    """The code of a function and of its parts."""

    loaders: list[Any]  # of what it calls besides

    def add_linking_library(self, library: Any) -> None:
        """Add a part with its own parts; what is compiled separately is only called."""
        separate = getattr(library, "loader", None)
        if separate is not None:
            self.loaders.append(separate)
            return
        # The linker leaves out what nothing that is linked before it calls.
        parts: tuple[Any, ...] = ()
        if isinstance(library, _Part):
            parts = tuple(library._linking_libraries)  # noqa: SLF001
            self.loaders += [each for each in library.loaders if each not in self.loaders]
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


class _Typing:
    """Numba's knowledge of types; how an operator takes some types is looked up once.

    Numba asks all that it knows of an operator each time, as if it could be for strings or sets.
    """

    found: ClassVar[dict[Any, Any]] = {}

    def __init__(self, context: Any) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        """Return what Numba knows."""
        return getattr(self._context, name)

    def resolve_function_type(self, function: Any, kinds: Any, named: Any) -> Any:
        """Return how a function takes arguments of these types."""
        is_operator = isinstance(function, types.Function) or not isinstance(function, types.Type)
        key = function, tuple(kinds)
        if named or not is_operator:
            return self._context.resolve_function_type(function, kinds, named)
        if self.found.get(key) is None:
            self.found[key] = self._context.resolve_function_type(function, kinds, named)
        return self.found[key]


class _WholeCompiler(Compiler):
    library: type[_Whole] = _Whole

    def define_pipelines(self) -> list[Any]:
        """Take the passes that the functions here need, a third of Numba's."""
        state: Any = self.state
        state.typingctx = _Typing(state.typingctx)
        state.library = self.library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        state.library.loaders = state.reload_init
        pipeline = PassManager(state.func_id.func_qualname)
        for each in _PASSES:
            pipeline.add_pass(each, each.__name__)
        pipeline.finalize()
        return [pipeline]


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


class _Called(CPUDispatcher):
    """A function that Python may call."""

    def typeof_pyval(self, value: Any) -> Any:
        """Return the type of an argument; numba takes 20 µs to find that of a table."""
        return value.type if isinstance(value, Table) else super().typeof_pyval(value)


class Dispatcher(_Called):
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


class SeparateDispatcher(_Called):
    """A function that Python may call, and compiled code in the same way."""

    def __init__(self, py_func: Any) -> None:
        super().__init__(py_func, targetoptions=OPTIONS, pipeline_class=_WholeCompiler)

    def add_overload(self, result: Any) -> None:
        """Keep the code for a signature; who calls it finds it in another process, too."""
        function, kinds = self.py_func, result.signature.args
        result.library.loader = partial(
            _load, function.__module__, function.__name__, kinds, result.fndesc.llvm_func_name
        )
        super().add_overload(result)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Return how the function is called with arguments of these types."""
        return super().get_call_template([_widest(kind) for kind in args], kws)


def _load(module: str, function: str, kinds: tuple[Any, ...], name: str) -> None:
    """Load what code from the disk calls by a name, which it has no more if it is compiled anew."""
    dispatcher = getattr(import_module(module), function)
    dispatcher.compile(kinds)
    if dispatcher.overloads[kinds].fndesc.llvm_func_name != name:
        raise LookupError(f"{module}.{function} has been compiled anew")


def _widest(kind: Any) -> Any:
    """Return the type of an argument; code for whole numbers of 64 bits takes shorter ones, too."""
    kind = types.unliteral(kind)
    return types.int64 if kind in types.signed_domain else kind
