"""Tables and figures in files: CSV and JSON, with one rounding rule.

Times, percentages, points and other fractions have six decimals: one message in a hundred million
shows. The same values give the same bytes on every system.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Final

import pandas as pd

from sendcap.files.single import write_text

DECIMALS: Final = 6


def csv_text(table: pd.DataFrame, *, exact: bool = False) -> str:
    """Return a table as CSV, without an index; ``exact`` for tables that are also input."""
    rounded = table if exact else table.round(DECIMALS)
    return str(rounded.to_csv(index=False, lineterminator="\n"))


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, into a directory being made."""
    write_text(path, csv_text(table))


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: rounded, and None for NaN and infinity."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return round(value, DECIMALS) if math.isfinite(value) else None
    return value


def write_json(path: Path, value: Any) -> None:
    """Write figures as JSON, into a directory being made."""
    text = json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, f"{text}\n")
