"""The JSON schema of scenario files, for editors."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import SchemaError, SchemaSerializer, core_schema

from sendcap.scenario.scenario import Scenario


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


def schema() -> dict[str, Any]:
    """Return the JSON schema of scenario files."""
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        **Scenario.model_json_schema(schema_generator=_AsWritten),
        "title": "sendcap scenario",
    }
