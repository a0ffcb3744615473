"""Where the figures of a scenario are from: what the comments of a preset say of them."""

from __future__ import annotations

from functools import cache

from sendcap.scenario import preset_text, presets
from sendcap.scenario.toml import table_of


@cache
def _titles() -> dict[str, str]:
    return {table_of(preset_text(name))["title"]: name for name in presets()}


def preset_titled(title: str) -> str | None:
    """Return the name of the preset that has a title."""
    return _titles().get(title)
