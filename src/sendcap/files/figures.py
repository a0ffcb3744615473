"""Figures in files: JSON, with one rounding rule.

Times, percentages, points and other fractions have six decimals: one message in a hundred million
shows. The same values give the same bytes on every system.
"""

import json
import math
from pathlib import Path
from typing import Any, Final

from sendcap.files.single import write_text

DECIMALS: Final = 6


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: rounded, and None for NaN and infinity."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return round(value, DECIMALS) if math.isfinite(value) else None
    return value


def json_text(value: Any) -> str:
    """Return figures as JSON."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, value: Any) -> None:
    """Write figures as JSON, into a directory being made."""
    write_text(path, json_text(value))
