"""Saved runs: the files of a run's directory, written and read.

The files depend neither on the clock nor on the machine: the same run gives the same bytes.
"""

from __future__ import annotations

import json
import math
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow.parquet as pq

from sendcap.errors import RunError, ScenarioError, SendcapWarning
from sendcap.files.checksums import SUMMARY, recorded, require_unchanged
from sendcap.files.directory import Contents
from sendcap.files.figures import write_json
from sendcap.files.parquet import TableWriter, opened, reading
from sendcap.files.single import write_text
from sendcap.ledger import Delays, Ledger
from sendcap.readings.kpi_files import write_kpis
from sendcap.readings.people_file import read_people, write_people
from sendcap.scenario import Scenario, dumps, load
from sendcap.scenario.files import SCENARIO
from sendcap.text.quoting import shown, visible
from sendcap.version import MODEL_VERSION, __version__

if TYPE_CHECKING:
    from sendcap.run import Run

LEDGER: Final = "ledger.parquet"
DELAYS: Final = "delays.parquet"
PEOPLE: Final = "people.json"
KPIS: Final = "kpis.csv"
KPI_CHANGES: Final = "kpis.parquet"
CHART: Final = "delivered.png"
SENDING_LOG: Final = "sending-log.parquet"
WORKBOOK: Final = "run.xlsx"

RUN: Final = Contents(
    "a saved run",
    frozenset({LEDGER, SUMMARY}),
    frozenset(
        {SCENARIO, LEDGER, DELAYS, PEOPLE, KPIS, KPI_CHANGES, SUMMARY, CHART, SENDING_LOG, WORKBOOK}
    ),
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
    if run.ledger.delays is not None:
        write_delays(folder / DELAYS, run.ledger.delays)
    if run.ledger.people is not None:
        write_people(folder / PEOPLE, run.ledger.people)
    write_kpis(
        folder / KPIS,
        folder / KPI_CHANGES,
        run.readings,
        reporting.modes,
        reporting.denominator,
        run.scenario.start,
    )
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
    if (directory / DELAYS).is_file():
        ledger = replace(ledger, delays=read_delays(directory / DELAYS, ledger))
    elif DELAYS in recorded(directory)[1]:
        raise RunError(f"{directory / DELAYS}: is missing")
    require_unchanged(directory / SCENARIO)
    try:
        with warnings.catch_warnings():
            # They were shown when the scenario was simulated.
            warnings.simplefilter("ignore", SendcapWarning)
            scenario = load(directory / SCENARIO)
    except ScenarioError as error:
        raise RunError(f"{directory}: is damaged: {str(error).splitlines()[0]}") from error
    ledger = replace(ledger, parents=scenario.parents())
    expected = scenario.to_deliver()
    if scenario.population is not None:
        require_unchanged(directory / PEOPLE)
        people = read_people(directory / PEOPLE, _of_sendings(scenario, ledger))
        ledger = replace(ledger, people=people)
        # Preparation decides how many are to deliver.
        expected = {names: ledger.to_deliver.get(names, 0) for names in expected}
    for what, one, other in (
        ("messages to deliver", expected, dict(ledger.to_deliver)),
        ("widths of a bin", scenario.time.bin, ledger.bin_s),
    ):
        if one != other:
            raise RunError(
                f"{directory}: {SCENARIO} is not the scenario of {LEDGER}: their {what} differ"
            )
    return scenario, ledger


def _of_sendings(scenario: Scenario, ledger: Ledger) -> dict[str, int]:
    """Return the messages of each sending of a population that has any."""
    messages: Counter[str] = Counter()
    for each in scenario.deliveries:
        messages[each.sending[0]] += ledger.messages(delivery=each.name)
    # What a horizon cuts off has not been prepared.
    return {name: count for name, count in messages.items() if count}


def write_ledger(path: Path, ledger: Ledger) -> None:
    """Write a ledger as Parquet.

    Columns: delivery, provider, event, reason, clock, bin_start_s, count. The rest of the ledger
    is JSON in the schema's metadata, under ``sendcap``.
    """
    about = {
        "bin_s": ledger.bin_s,
        "bins": ledger.bins,
        "to_deliver": [[*names, count] for names, count in ledger.to_deliver.items()],
    }
    with TableWriter(path, _metadata(about)) as file:
        for table in ledger.tables():
            file.write(table)


def write_delays(path: Path, delays: Delays) -> None:
    """Write delays as Parquet; the columns are those of `sendcap.ledger.Delays.arrow`."""
    with TableWriter(path, _metadata({})) as file:
        file.write(delays.arrow())


def _metadata(about: Mapping[str, Any]) -> dict[bytes, bytes]:
    versions = {"format": FORMAT, "version": __version__, "model": MODEL_VERSION}
    return {_KEY: json.dumps({**versions, **about}).encode()}


def read_ledger(path: Path) -> Ledger:
    """Return a ledger written by `write_ledger`; a `RunError` says what is wrong with the file."""
    with reading(path), opened(path) as groups:
        about = _about(path, groups, "a ledger")
        bin_s, bins = _grid(about)
        to_deliver = _to_deliver(about)
        tables = (groups.read_row_group(number) for number in range(groups.num_row_groups))
        return Ledger.from_tables(tables, bin_s=bin_s, bins=bins, to_deliver=to_deliver)


def read_delays(path: Path, ledger: Ledger) -> Delays:
    """Return the delays that `write_delays` wrote, which must be those of the ledger's messages."""
    with reading(path), opened(path) as groups:
        _about(path, groups, "a table of delays")
        delays = Delays.from_arrow(groups.read())
        for names in ledger.to_deliver.keys() | delays.counts.keys():
            delivery, provider = names
            accepted = ledger.total(
                "accepted", clock="happened", delivery=delivery, provider=provider
            )
            if delays.total(*names) != accepted:
                raise ValueError(
                    f"{delays.total(*names):,} delays of {delivery!r} to {provider!r}, where "
                    f"{accepted:,} messages were accepted"
                )
        return delays


def _about(path: Path, groups: pq.ParquetFile, what: str) -> dict[str, Any]:
    """Return the metadata of a file, refused if it is of another kind or a newer format."""
    metadata = groups.schema_arrow.metadata or {}
    if _KEY not in metadata:
        raise RunError(f"{path}: is not {what} of sendcap")
    about: dict[str, Any] = json.loads(metadata[_KEY])
    if about["format"] > FORMAT:
        raise RunError(
            f"{path}: was saved by sendcap {visible(str(about['version']))}, in a format newer "
            f"than sendcap {__version__} reads; upgrade sendcap"
        )
    return about


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
