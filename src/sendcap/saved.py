"""Saved runs: the files of a run's directory, written and read.

The files depend neither on the clock nor on the machine: the same run gives the same bytes.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from sendcap.errors import RunError, ScenarioError, SendcapWarning
from sendcap.files.checksums import SUMMARY, require_unchanged
from sendcap.files.directory import Contents
from sendcap.files.figures import DECIMALS, write_json
from sendcap.files.parquet import reading, write_tables
from sendcap.files.single import write_text
from sendcap.files.tables import neutral
from sendcap.ledger import Ledger
from sendcap.readings.kpis import Figures, Readings, deliveries_and_all
from sendcap.readings.modes import Denominator, Mode
from sendcap.scenario import Scenario, dumps, load
from sendcap.scenario.files import SCENARIO
from sendcap.text.quoting import shown, visible
from sendcap.version import MODEL_VERSION, __version__

if TYPE_CHECKING:
    from sendcap.run import Run

LEDGER: Final = "ledger.parquet"
KPIS: Final = "kpis.csv"
CHART: Final = "delivered.png"
SENDING_LOG: Final = "sending-log.parquet"

RUN: Final = Contents(
    "a saved run",
    frozenset({LEDGER, SUMMARY}),
    frozenset({SCENARIO, LEDGER, KPIS, SUMMARY, CHART, SENDING_LOG}),
)

FORMAT: Final = 1
"""Version of the files; it rises when an older sendcap can no longer read them."""

_KEY: Final = b"sendcap"
_MOST_BINS: Final = 100_000_000
"""A year in bins of a third of a second."""


def write_run(run: Run, folder: Path) -> None:
    """Write a run's files into an existing directory."""
    # Here, since it loads matplotlib, and most simulations are not saved.
    from sendcap.charts.style import save_png

    reporting = run.scenario.reporting
    write_text(folder / SCENARIO, dumps(run.scenario))
    write_ledger(folder / LEDGER, run.ledger)
    write_kpis(folder / KPIS, run.readings, reporting.modes, reporting.denominator)
    write_json(folder / SUMMARY, run.summary())
    save_png(run.plot("delivered"), folder / CHART)


def read_run(directory: Path) -> tuple[Scenario, Ledger]:
    """Return the scenario and the ledger of a saved run; see `sendcap.open_run`."""
    if not directory.exists():
        raise RunError(f"{directory}: no such directory")
    if not directory.is_dir():
        raise RunError(f"{directory}: is a file; give the directory of a saved run")
    for name in (LEDGER, SCENARIO):
        if not (directory / name).is_file():
            raise RunError(f"{directory}: is not a saved run: it has no {name}")
    ledger = read_ledger(directory / LEDGER)
    require_unchanged(directory / SCENARIO)
    try:
        with warnings.catch_warnings():
            # They were shown when the scenario was simulated.
            warnings.simplefilter("ignore", SendcapWarning)
            scenario = load(directory / SCENARIO)
    except ScenarioError as error:
        raise RunError(f"{directory}: is damaged: {str(error).splitlines()[0]}") from error
    for what, one, other in (
        ("messages to deliver", scenario.to_deliver(), dict(ledger.to_deliver)),
        ("widths of a bin", scenario.time.bin, ledger.bin_s),
    ):
        if one != other:
            raise RunError(
                f"{directory}: {SCENARIO} is not the scenario of {LEDGER}: their {what} differ"
            )
    return scenario, ledger


def write_ledger(path: Path, ledger: Ledger) -> None:
    """Write a ledger as Parquet.

    Columns: delivery, provider, event, reason, clock, bin_start_s, count. The rest of the ledger
    is JSON in the schema's metadata, under ``sendcap``.
    """
    about = {
        "format": FORMAT,
        "version": __version__,
        "model": MODEL_VERSION,
        "bin_s": ledger.bin_s,
        "bins": ledger.bins,
        "to_deliver": [[*names, count] for names, count in ledger.to_deliver.items()],
    }
    write_tables(path, ledger.tables(), {_KEY: json.dumps(about).encode()})


def read_ledger(path: Path) -> Ledger:
    """Return a ledger written by `write_ledger`; a `RunError` says what is wrong with the file."""
    # As an open file: by name, pyarrow reports a missing file as a damaged one.
    with reading(path), path.open("rb") as file:
        table = pq.read_table(file, page_checksum_verification=True)
        metadata = table.schema.metadata or {}
        if _KEY not in metadata:
            raise RunError(f"{path}: is not a ledger of sendcap")
        about = json.loads(metadata[_KEY])
        if about["format"] > FORMAT:
            raise RunError(
                f"{path}: was saved by sendcap {visible(str(about['version']))}, in a format newer "
                f"than sendcap {__version__} reads; upgrade sendcap"
            )
        bin_s, bins = _grid(about)
        to_deliver = _to_deliver(about)
        return Ledger.from_arrow(table, bin_s=bin_s, bins=bins, to_deliver=to_deliver)


def _grid(about: Mapping[str, Any]) -> tuple[float, int]:
    """Return the width and the number of bins of a ledger's metadata."""
    bin_s, bins = about["bin_s"], about["bins"]
    if not (type(bin_s) in (int, float) and 0 < bin_s < math.inf):
        raise ValueError(f"bin_s: {shown(bin_s)} is not a time above 0")
    if not (type(bins) is int and 0 <= bins <= _MOST_BINS):
        raise ValueError(f"bins: {shown(bins)} is not a number from 0 to {_MOST_BINS:,}")
    return float(bin_s), bins


def _to_deliver(about: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    """Return the messages to deliver of a ledger's metadata."""
    messages: dict[tuple[str, str], int] = {}
    for delivery, provider, count in about["to_deliver"]:
        names = (str(delivery), str(provider))
        if type(count) is not int or count < 0 or names in messages:
            raise ValueError(f"to_deliver: {shown([delivery, provider, count])} is not possible")
        messages[names] = count
    return messages


def write_kpis(
    path: Path,
    source: Ledger | Readings,
    modes: Iterable[Mode],
    denominator: Denominator = "default",
) -> None:
    """Write the KPIs of each mode and delivery as CSV; a percentage of nothing is blank.

    The columns are those of `sendcap.Run.kpis`.
    """
    readings = Readings.of(source)
    names = deliveries_and_all(readings.ledger)
    # Quotes only where a name needs them: most readers of the file are one-line scripts.
    quote = any(not set(name).isdisjoint(',"\r\n') for name in names)
    options = pyarrow.csv.WriteOptions(
        include_header=False, quoting_style="needed" if quote else "none"
    )
    with path.open("wb") as file:
        file.write(",".join(("mode", "delivery", *Figures._fields)).encode() + b"\n")
        for mode in modes:
            # One table at a time: together they would take many times the ledger's memory.
            for delivery in names:
                columns = readings.figures(mode, delivery, denominator)
                pyarrow.csv.write_csv(_rounded(mode, delivery, columns), file, options)


def _rounded(mode: Mode, delivery: str, columns: Figures) -> pa.Table:
    rows = len(columns.time_s)
    table: dict[str, Any] = {
        "mode": pa.repeat(mode, rows),
        "delivery": pa.repeat(neutral(delivery), rows),
    }
    for name, values in columns._asdict().items():
        if values.dtype == np.float64:
            values = np.round(values, DECIMALS)
        table[name] = pa.array(values, from_pandas=True)
    return pa.table(table)
