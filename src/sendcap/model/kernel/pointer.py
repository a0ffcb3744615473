"""Named tuples of arrays, passed to compiled code as one pointer.

Numba passes each array of a tuple as seven numbers, to each function anew. With tens of arrays
that takes most of the time to compile. Here compiled code gets the address of a table with the
address and the shape of each array, and reads them when an item is used. An index is never
negative: Numba would look at each, and count those from the end.
"""

from __future__ import annotations

import operator
from functools import cache
from hashlib import sha256
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_global, signature
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_builtin,
    lower_getattr_generic,
    models,
    register_model,
    typeof_impl,
    unbox,
)

from sendcap.model.kernel.row import RowType, load, store

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


class ColumnType(types.Type):
    """The type of an array of a table."""

    def __init__(self, array: types.Array) -> None:
        self.array = array
        item: Any = array.dtype
        self.item = RowType(item) if isinstance(item, types.Record) else item
        super().__init__(f"column_{self.item}_{array.ndim}")


class Table:
    """A named tuple with the table that compiled code reads; it has the same fields."""

    def __init__(self, arrays: Any, kind: TableType, words: list[int]) -> None:
        self._arrays = arrays
        self.type = kind
        self._words = np.array(words, np.int64)
        self.address = self._words.ctypes.data
        vars(self).update(arrays._asdict())

    def _replace(self, **arrays: Any) -> Table:
        words = self._words.tolist()
        for name, array in arrays.items():
            first, _ = self.type.field(name)
            fresh = _words((array,))
            words[first : first + len(fresh)] = fresh
        return Table(self._arrays._replace(**arrays), self.type, words)


def by_pointer(arrays: _Tuple) -> _Tuple:
    """Return a named tuple of arrays, or of such tuples, that compiled code takes as a pointer."""
    return cast("_Tuple", Table(arrays, _type(_layout(arrays)), _words(arrays)))


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
            array = numba.typeof(np.zeros((1,) * dimensions, dtype))
            fields.append((name, first, ColumnType(array)))
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
@register_model(ColumnType)
class _Pointer(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: types.Type) -> None:
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
def _field(_: Any, builder: Any, table: TableType, pointer: Any, name: str) -> Any:
    first, _kind = table.field(name)
    return builder.gep(pointer, [_WORD(first)])


@infer_global(len)
class _Length(AbstractTemplate):
    def generic(self, arguments: Any, _: Any) -> Any:
        """Return the types of `len(column)`."""
        (column,) = arguments
        return signature(types.intp, column) if isinstance(column, ColumnType) else None


@infer_global(operator.getitem)
class _Item(AbstractTemplate):
    def generic(self, arguments: Any, _: Any) -> Any:
        """Return the types of `column[index]`: an item, or of a slice the array."""
        column, index = arguments
        if not isinstance(column, ColumnType):
            return None
        if isinstance(index, types.SliceType):
            return signature(column.array, column, index)
        return signature(column.item, column, _index(column))


@infer_global(operator.setitem)
class _Set(AbstractTemplate):
    def generic(self, arguments: Any, _: Any) -> Any:
        """Return the types of `column[index] = value`."""
        column, *_ = arguments
        if not isinstance(column, ColumnType):
            return None
        return signature(types.none, column, _index(column), column.item)


def _index(column: ColumnType) -> Any:
    """Return the type of an index, or of one for each axis."""
    axes = column.array.ndim
    return types.intp if axes == 1 else types.UniTuple(types.intp, axes)


@lower_builtin(len, ColumnType)
def _length(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    return _word(builder, arguments[0], 1)


@lower_builtin(operator.getitem, ColumnType, types.Any)
def _get_item(context: Any, builder: Any, kinds: Any, arguments: Any) -> Any:
    column, index = kinds.args
    if isinstance(index, types.SliceType):
        array = _array(context, builder, column.array, arguments[0])
        kinds = signature(column.array, column.array, index)
        return context.get_function(operator.getitem, kinds)(builder, (array, arguments[1]))
    place = _place(context, builder, column.array, *arguments)
    if isinstance(column.item, RowType):
        return context.unpack_value(builder, column.item, place)
    return load(context, builder, column.item, place, column.name)


@lower_builtin(operator.setitem, ColumnType, types.Any, types.Any)
def _set_item(context: Any, builder: Any, kinds: Any, arguments: Any) -> None:
    column = kinds.args[0]
    place = _place(context, builder, column.array, *arguments[:2])
    if isinstance(column.item, RowType):
        context.pack_value(builder, column.item, arguments[2], place)
    else:
        store(context, builder, column.item, arguments[2], place, column.name)


def _place(context: Any, builder: Any, array: types.Array, pointer: Any, index: Any) -> Any:
    """Return the address of an item."""
    place = index if array.ndim == 1 else builder.extract_value(index, 0)
    for axis in range(1, array.ndim):
        place = builder.mul(place, _word(builder, pointer, 1 + axis))
        place = builder.add(place, builder.extract_value(index, axis))
    first = context.get_data_type(array.dtype).as_pointer()
    return builder.gep(builder.inttoptr(_word(builder, pointer, 0), first), [place])


def _word(builder: Any, pointer: Any, number: int) -> Any:
    """Return the address of an array (0), or the length of an axis (from 1 on)."""
    word = builder.load(builder.gep(pointer, [_WORD(number)]), align=8)
    # No array moves while compiled code runs, so that a word is read once.
    word.set_metadata("invariant.load", builder.module.add_metadata([]))
    return word


def _array(context: Any, builder: Any, kind: types.Array, pointer: Any) -> Any:
    """Return Numba's own form of an array."""
    array = context.make_array(kind)(context, builder)
    shape = [_word(builder, pointer, 1 + axis) for axis in range(kind.ndim)]
    itemsize = _WORD(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    items: Any = _WORD(1)
    strides: list[Any] = []
    for length in reversed(shape):
        strides.insert(0, builder.mul(items, itemsize))
        items = builder.mul(items, length)
    array.meminfo, array.parent = array.meminfo.type(None), array.parent.type(None)
    array.nitems, array.itemsize = items, itemsize
    array.data = builder.inttoptr(_word(builder, pointer, 0), array.data.type)
    array.shape = _together(builder, shape)
    array.strides = _together(builder, strides)
    return array._getvalue()  # noqa: SLF001


def _together(builder: Any, words: list[Any]) -> Any:
    array = ir.Constant(ir.ArrayType(_WORD, len(words)), ir.Undefined)
    for place, number in enumerate(words):
        array = builder.insert_value(array, number, place)
    return array
