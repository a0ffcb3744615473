"""A row of a table, and what compiled code knows of memory: different fields are different memory.

Whatever is written might otherwise be anything that has been read before, which is read again then.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    infer_getattr,
    lower_getattr_generic,
    lower_setattr_generic,
    models,
    register_model,
)

_WORD: Final = ir.IntType(64)


class RowType(types.Type):
    """The type of a row, of the same fields as a record and with a short name."""

    def __init__(self, record: types.Record) -> None:
        self.record, self.size, self.members = record, record.size, record.members
        super().__init__(f"row_{sha256(record.name.encode()).hexdigest()[:16]}")


register_model(RowType)(models.RecordModel)


@infer_getattr
class _Fields(AttributeTemplate):
    key = RowType

    def generic_resolve(self, row: Any, name: Any) -> Any:  # type: ignore[override]
        """Return the type of a field."""
        return row.record.typeof(name)


@lower_getattr_generic(RowType)
def _get(context: Any, builder: Any, row: RowType, pointer: Any, name: str) -> Any:
    """Read a field."""
    kind, place = row.record.typeof(name), _place(context, builder, row, pointer, name)
    return load(context, builder, kind, place, f"{row.name} {name}", row.record.aligned)


@lower_setattr_generic(RowType)
def _set(context: Any, builder: Any, kinds: Any, arguments: Any, name: str) -> None:
    """Write a field."""
    row, given = kinds.args
    pointer, value = arguments
    kind, place = row.record.typeof(name), _place(context, builder, row, pointer, name)
    value = context.cast(builder, value, given, kind)
    store(context, builder, kind, value, place, f"{row.name} {name}", row.record.aligned)


def _place(context: Any, builder: Any, row: RowType, pointer: Any, name: str) -> Any:
    kind = context.get_data_type(row.record.typeof(name))
    return cgutils.get_record_member(builder, pointer, row.record.offset(name), kind)


def load(
    context: Any, builder: Any, kind: Any, place: Any, memory: str, aligned: bool = True
) -> Any:
    """Read a value from memory of a name: no memory of another one is there."""
    word = builder.load(place, align=None if aligned else 1)
    word.set_metadata("tbaa", _tag(builder, memory))
    return context.data_model_manager[kind].from_data(builder, word)


def store(
    context: Any,
    builder: Any,
    kind: Any,
    value: Any,
    place: Any,
    memory: str,
    aligned: bool = True,
) -> None:
    """Write a value to memory of a name."""
    data = context.data_model_manager[kind].as_data(builder, value)
    word = builder.store(data, place, align=None if aligned else 1)
    word.set_metadata("tbaa", _tag(builder, memory))


def _tag(builder: Any, memory: str) -> Any:
    """Return the mark of some memory: a type of its own, in the language of the compiler."""
    module = builder.module
    kind = module.add_metadata([memory, module.add_metadata(["memory"]), _WORD(0)])
    return module.add_metadata([kind, kind, _WORD(0)])
