"""Changes that break a scenario of plain data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Break = Callable[[dict[str, Any]], Any]


def put(*path: str | int, value: Any) -> Break:
    def change(data: dict[str, Any]) -> None:
        table: Any = data
        for key in path[:-1]:
            table = table.setdefault(key, {}) if isinstance(table, dict) else table[key]
        table[path[-1]] = value

    return change


def drop(*path: str | int) -> Break:
    def change(data: dict[str, Any]) -> None:
        table: Any = data
        for key in path[:-1]:
            table = table[key]
        del table[path[-1]]

    return change


FIRST = ("deliveries", 0)
GMAIL = ("providers", "gmail")
FAULT = ("providers", "other", "faults", 0)
