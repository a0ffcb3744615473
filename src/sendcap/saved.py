"""The files of a saved run: how each is written, and how the ledger is read back.

Nothing in them depends on the clock on the wall or on the machine: the same run gives the same
bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sendcap.errors import RunError
from sendcap.readings.kpis import Figures, deliveries_and_all, figures

if TYPE_CHECKING:
    from sendcap.ledger import Ledger
    from sendcap.readings.modes import Denominator, Mode

FORMAT: Final = 1
"""Version of the files. It rises when an older sendcap could not read them any more."""

_KEY: Final = b"sendcap"
_DECIMALS: Final = 6
"""Decimals of percentages and times in the CSV: one message in a hundred million shows."""


def write_text(path: Path, text: str) -> None:
    """Write a text file, with the same bytes on every system."""
    path.write_text(text, encoding="utf-8", newline="\n")


def write_summary(path: Path, summary: Mapping[str, Any]) -> None:
    """Write a summary as JSON."""
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def write_ledger(path: Path, ledger: Ledger) -> None:
    """Write a ledger as Parquet.

    Columns: delivery, provider, event, reason, clock, bin_start_s, count. The rest of the ledger
    is in the schema's metadata under ``sendcap``, as JSON.
    """
    import pyarrow.parquet as pq

    from sendcap import __version__

    about = {
        "format": FORMAT,
        "version": __version__,
        "bin_s": ledger.bin_s,
        "bins": ledger.bins,
        "to_deliver": [[*names, count] for names, count in ledger.to_deliver.items()],
    }
    table = ledger.arrow().replace_schema_metadata({_KEY: json.dumps(about).encode()})
    pq.write_table(table, path, compression="zstd")


def read_ledger(path: Path) -> Ledger:
    """Return the ledger that `write_ledger` wrote.

    Raises
    ------
    RunError
        If the file is missing, damaged, not a ledger or of a newer version.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from sendcap import __version__
    from sendcap.ledger import Ledger

    try:
        # Not by its name: a file that is not there would read as one that is damaged.
        with path.open("rb") as file:
            table = pq.read_table(file)
        metadata = table.schema.metadata or {}
        if _KEY not in metadata:
            raise RunError(f"{path}: is not a ledger of sendcap")
        about = json.loads(metadata[_KEY])
        if about["format"] > FORMAT:
            raise RunError(
                f"{path}: was saved by sendcap {about['version']}, in a format that is newer than "
                f"what sendcap {__version__} reads; upgrade sendcap"
            )
        to_deliver = {
            (str(delivery), str(provider)): int(count)
            for delivery, provider, count in about["to_deliver"]
        }
        return Ledger.from_arrow(
            table,
            bin_s=float(about["bin_s"]),
            bins=int(about["bins"]),
            to_deliver=to_deliver,
        )
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunError(f"{path}: cannot be read, it may be damaged: {reason}") from error


def write_kpis(
    path: Path, ledger: Ledger, modes: Iterable[Mode], denominator: Denominator = "default"
) -> None:
    """Write the KPIs of each mode and delivery as CSV; a percentage of nothing is blank.

    The columns are those of `sendcap.readings.kpis.kpis`. Times and percentages are rounded to
    six decimals.
    """
    import pyarrow.csv

    names = deliveries_and_all(ledger)
    # Quotes only where a name asks for them: most readers of the file are one-line scripts.
    quote = any(not set(name).isdisjoint(',"\r\n') for name in names)
    options = pyarrow.csv.WriteOptions(
        include_header=False, quoting_style="needed" if quote else "none"
    )
    with path.open("wb") as file:
        file.write(",".join(("mode", "delivery", *Figures._fields)).encode() + b"\n")
        for mode in modes:
            # One table at a time: together they would take many times the ledger's memory.
            for delivery in names:
                its = figures(ledger, mode, delivery, denominator)
                pyarrow.csv.write_csv(_rounded(mode, delivery, its), file, options)


def _rounded(mode: Mode, delivery: str, its: Figures) -> Any:
    import numpy as np
    import pyarrow as pa

    rows = len(its.time_s)
    columns: dict[str, Any] = {
        "mode": pa.repeat(mode, rows),
        "delivery": pa.repeat(delivery, rows),
    }
    for name, values in its._asdict().items():
        if values.dtype == np.float64:
            values = np.round(values, _DECIMALS)
        columns[name] = pa.array(values, from_pandas=True)
    return pa.table(columns)
