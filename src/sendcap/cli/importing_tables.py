"""What an import looks like in the terminal: the limits, and what became of each setting."""

from __future__ import annotations

import textwrap
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from sendcap.cli.conduct import printable
from sendcap.cli.tables import console, heading, new_table

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from sendcap.importers import Imported

_COLUMNS: Final = {
    "connections_per_ip": "Connections",
    "messages_per_connection": "Messages each",
    "idle_timeout": "Idle",
    "rate": "Rate",
    "suspend": "After throttled answers",
}
_WIDTH: Final = 100
_NAMED: Final = 6
_LONGEST: Final = 60


def show_import(made: Imported, *, whole: bool) -> None:
    """Print the limits, and what became of the settings.

    Parameters
    ----------
    made
        The import.
    whole
        Whether the whole report is saved anyway.
    """
    from sendcap.importers.imported import BASE, DEFAULT, STATUSES, UNUSED, USED, WARNING

    screen = console()
    report = made.report
    of = {status: report[report["status"] == status] for status in STATUSES}
    _limits(screen, made)
    _warnings(screen, of[WARNING])
    for status in (USED, DEFAULT):
        # The values are in the table.
        places = [text.partition(" = ")[0] for text in of[status]["scenario"]]
        of[status] = of[status].assign(scenario=places)
    used, defaults = of[USED], of[DEFAULT]
    _reasons(screen, "How the configuration was read", used[used["why"] != ""], "scenario")
    _reasons(screen, "Not in the configuration: the MTA's defaults", defaults, "scenario")
    _reasons(screen, "In no such configuration", of[BASE], "scenario")
    _reasons(screen, "In the configuration, but not in the scenario", of[UNUSED], "setting")
    if not whole:
        screen.print("--report DIR saves every setting with its value, file and line.")
        screen.print()


def _limits(screen: Console, made: Imported) -> None:
    from sendcap.scenario import to_dict

    scenario = to_dict(made.scenario)
    table = new_table("Provider", list(_COLUMNS.values()))
    for name, provider in scenario["providers"].items():
        cells = []
        for key in _COLUMNS:
            value = provider[key]
            cells.append(_written(scenario["mta"]["suspend"] if value == "mta" else value))
        table.add_row(printable(name), *map(printable, cells))
    addresses = "1 source address" if scenario["mta"]["ips"] == 1 else "each source address"
    heading(screen, f"Limits, for {addresses}")
    screen.print(table)
    retry = {key: value for key, value in scenario["mta"]["retry"].items() if key != "policy"}
    told = ", ".join(f"{key} {_plain(value)}" for key, value in retry.items())
    _wrapped(screen, f"Source addresses: {scenario['mta']['ips']}", bullet="")
    _wrapped(screen, f"Retries: {scenario['mta']['retry']['policy']}, {told}", bullet="")
    screen.print()


def _written(value: Any) -> str:
    if not isinstance(value, dict):
        return f"{value:,}" if isinstance(value, int) else str(value)
    if "after" in value:
        paused = "pause" if value["rate"] == "closed" else value["rate"]
        return f"{value['after']} in {value['within']}: {paused} for {value['lasts']}"
    if value.get("kind") == "fixed-window":
        return f"{value['limit']:,} in {value['window']}"
    return f"pause {value['pause']}" if value.get("kind") == "gap" else str(value.get("kind"))


def _plain(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _warnings(screen: Console, rows: pd.DataFrame) -> None:
    if rows.empty:
        return
    heading(screen, "Warnings")
    for row in rows.to_dict("records"):
        where = f"{PurePath(row['where']).name}: " if row["where"] else ""
        value = f" {row['value']}" if row["value"] else ""
        _wrapped(screen, f"{where}{row['setting']}{value}: {row['why']}")
    screen.print()


def _reasons(screen: Console, title: str, rows: pd.DataFrame, column: str) -> None:
    """Print each reason once, with the names that it holds for."""
    if rows.empty:
        return
    heading(screen, title)
    for why in dict.fromkeys(rows["why"]):
        names = _names(rows.loc[rows["why"] == why, column])
        _wrapped(screen, f"{names}: {why}" if why else names)
    screen.print()


def _names(names: pd.Series[str]) -> str:
    each = list(dict.fromkeys(map(_short, names)))
    more = f" and {len(each) - _NAMED} more" if len(each) > _NAMED else ""
    return ", ".join(each[:_NAMED]) + more


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _wrapped(screen: Console, text: str, bullet: str = "- ") -> None:
    for line in textwrap.wrap(
        printable(text),
        _WIDTH,
        initial_indent=bullet,
        subsequent_indent="  ",
        break_on_hyphens=False,
        break_long_words=False,
    ):
        screen.print(line)
