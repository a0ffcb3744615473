"""The JSON schema of scenario files, with what the models' sources say of their fields."""

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import SchemaError, SchemaSerializer, core_schema

from sendcap.scenario.scenario import Scenario
from sendcap.scenario.section import Section


class _AsWritten(GenerateJsonSchema):
    """Shows defaults as a file has them: ``"20m"``, where Python has 1200.0."""

    def get_default_value(self, schema: core_schema.WithDefaultSchema) -> Any:
        default = super().get_default_value(schema)
        if "default" not in schema:
            return default
        try:
            return SchemaSerializer(schema["schema"]).to_python(default)
        except SchemaError:  # a table, which writes itself
            return default

    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        """Describe the fields, too.

        Pydantic could read their docstrings itself, but at each start and for a tenth of a second.
        """
        about = super().model_schema(schema)
        for model in reversed(schema["cls"].__mro__):
            if issubclass(model, Section):
                for name, text in _meanings(model):
                    about["properties"][name]["description"] = text
        return about


def _meanings(model: type[Section]) -> Iterator[tuple[str, str]]:
    """Yield the names of a model's own fields with their docstrings."""
    body = _classes(model.__module__)[model.__name__].body
    for field, text in pairwise(body):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(doc))),
            ) if name in model.model_fields:
                yield name, inspect.cleandoc(doc)


@cache
def _classes(module: str) -> dict[str, ast.ClassDef]:
    """Return the classes of a module by name."""
    statements = ast.parse(inspect.getsource(sys.modules[module])).body
    return {each.name: each for each in statements if isinstance(each, ast.ClassDef)}


def schema() -> dict[str, Any]:
    """Return the JSON schema of scenario files."""
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        **_with_bounds(Scenario.model_json_schema(schema_generator=_AsWritten)),
        "anyOf": [{"required": ["deliveries"]}, {"required": ["backlog"]}],
        "title": "sendcap scenario",
    }


_BOUNDS: Final = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
}


def _with_bounds(about: Any) -> Any:
    """Rename the bounds of numbers: behind a validator, pydantic leaves them its own names."""
    if isinstance(about, dict):
        return {_BOUNDS.get(key, key): _with_bounds(value) for key, value in about.items()}
    return [_with_bounds(item) for item in about] if isinstance(about, list) else about
