"""Named tuples of arrays, passed to compiled code as one pointer.

Numba passes each array of a tuple as seven numbers, to each function anew. With tens of arrays
that takes most of the time to compile. Here compiled code gets the address of a table with the
address and the shape of each array, and reads a field from it when it is used.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_getattr_generic,
    models,
    register_model,
    typeof_impl,
    unbox,
)

_Tuple = TypeVar("_Tuple", bound=tuple[Any, ...])
_WORD: Final = ir.IntType(64)


class TableType(types.Type):
    """The type of a table: the name, the first word and the type of each field."""

    def __init__(self, name: str, fields: tuple[tuple[str, int, Any], ...], words: int) -> None:
        self.fields, self.words = fields, words
        # Names go into the names of functions: long ones take long to compile.
        layout = sha256(repr(fields).encode()).hexdigest()[:16]
        super().__init__(f"{name}_{layout}")

    def field(self, name: str) -> tuple[int, Any]:
        """Return where a field is, and what."""
        return next((first, kind) for field, first, kind in self.fields if field == name)


class Table:
    """A named tuple with the table that compiled code reads; it has the same fields."""

    def __init__(self, arrays: Any, kind: TableType) -> None:
        self._arrays = arrays
        self.type = kind
        self._words = np.array(_words(arrays), np.int64)
        self.address = self._words.ctypes.data
        vars(self).update(arrays._asdict())

    def _replace(self, **arrays: Any) -> Table:
        return Table(self._arrays._replace(**arrays), self.type)


def by_pointer(arrays: _Tuple) -> _Tuple:
    """Return a named tuple of arrays, or of such tuples, that compiled code takes as a pointer."""
    return cast("_Tuple", Table(arrays, _type(_layout(arrays))))


def _words(arrays: Any) -> list[int]:
    """Return the table of a tuple: the address and the shape of each array."""
    words: list[int] = []
    for value in arrays:
        if isinstance(value, np.ndarray):
            assert value.flags.c_contiguous
            words += (value.ctypes.data, *value.shape)
        else:
            words += _words(value)
    return words


def _layout(arrays: Any) -> Any:
    """Return all that the type of a tuple's table depends on."""
    return type(arrays), *(
        (value.dtype, value.ndim) if isinstance(value, np.ndarray) else _layout(value)
        for value in arrays
    )


@cache
def _type(layout: Any) -> TableType:
    """Return the type of a table."""
    arrays, *values = layout
    fields: list[tuple[str, int, Any]] = []
    first = 0
    for name, value in zip(arrays._fields, values, strict=True):
        if isinstance(value[0], np.dtype):
            dtype, dimensions = value
            fields.append((name, first, numba.typeof(np.zeros((1,) * dimensions, dtype))))
            first += 1 + dimensions
        else:
            table = _type(value)
            fields.append((name, first, table))
            first += table.words
    return TableType(arrays.__name__, tuple(fields), first)


@typeof_impl.register(Table)
def _type_of(table: Table, _: Any) -> TableType:
    return table.type


@register_model(TableType)
class _Pointer(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: TableType) -> None:
        super().__init__(manager, kind, _WORD.as_pointer())


@unbox(TableType)
def _unboxed(_: TableType, table: Any, context: Any) -> NativeValue:
    number = context.pyapi.object_getattr_string(table, "address")
    address = context.pyapi.long_as_longlong(number)
    context.pyapi.decref(number)
    return NativeValue(context.builder.inttoptr(address, _WORD.as_pointer()))


@infer_getattr
class _Fields(AttributeTemplate):
    key = TableType

    def generic_resolve(self, table: Any, name: Any) -> Any:  # type: ignore[override]
        """Return the type of a field."""
        return table.field(name)[1]


@lower_getattr_generic(TableType)
def _field(context: Any, builder: Any, table: TableType, pointer: Any, name: str) -> Any:
    first, kind = table.field(name)
    if isinstance(kind, TableType):
        return builder.gep(pointer, [_WORD(first)])
    # No array moves while compiled code runs, so that a word is read once.
    unchanging = builder.module.add_metadata([])

    def word(number: int) -> Any:
        read = builder.load(builder.gep(pointer, [_WORD(first + number)]), align=8)
        read.set_metadata("invariant.load", unchanging)
        return read

    array = context.make_array(kind)(context, builder)
    shape = [word(1 + axis) for axis in range(kind.ndim)]
    itemsize = _WORD(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    items: Any = _WORD(1)
    strides: list[Any] = []
    for length in reversed(shape):
        strides.insert(0, builder.mul(items, itemsize))
        items = builder.mul(items, length)
    array.meminfo, array.parent = array.meminfo.type(None), array.parent.type(None)
    array.nitems, array.itemsize = items, itemsize
    array.data = builder.inttoptr(word(0), array.data.type)
    array.shape = _together(builder, shape)
    array.strides = _together(builder, strides)
    return array._getvalue()  # noqa: SLF001


def _together(builder: Any, words: list[Any]) -> Any:
    array = ir.Constant(ir.ArrayType(_WORD, len(words)), ir.Undefined)
    for place, number in enumerate(words):
        array = builder.insert_value(array, number, place)
    return array
