"""A run as a workbook for people who go on with a spreadsheet."""

import io
import math
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any, Final

import numpy as np
from xlsxwriter import Workbook

from sendcap.charts.listed import RUN_CHARTS, chart_called
from sendcap.charts.style import save_png
from sendcap.files.single import whole_file
from sendcap.readings.dashboard import FIGURES
from sendcap.readings.modes import ALL_DELIVERIES, MODE_LABELS, known
from sendcap.readings.people import require_messages
from sendcap.readings.truth import fates
from sendcap.report.sheets import Column, Kind, Sheets
from sendcap.run import Run
from sendcap.scenario.in_brief import headline
from sendcap.scenario.start import since_midnight_s
from sendcap.study.calendar.calendar import calendar_of
from sendcap.text.clock import after
from sendcap.text.measures import is_percentage, is_time
from sendcap.text.tables import heading
from sendcap.version import __version__

_STEP_S: Final = 900.0
_MOST_ROWS: Final = 200_000
"""A spreadsheet holds a million, and is slow long before."""
_CHARTS: Final = ("delivered", "statuses", "time-to-accept", "backlog", "calendar")
_FIGURES: Final = ("sent", "failed", "pending", "delivered_pct", "bounces_errors_pct")
_RATES: Final = ("open_rate_pct", "click_through_pct")
_FATES: Final = {
    "delivered": "Really delivered",
    "failed": "Really failed",
    "backing_off": "Backing off",
    "untried": "Not tried yet",
    "not_relayed": "Not relayed yet",
}
_MEANINGS: Final = {
    "Elapsed": "time since t = 0, the start of the simulation",
    "Clock time": "the same by the clock of the scenario's start",
    "Relayed": "messages handed over to the MTA so far",
    "Sent, Failed, Pending": "what Campaign's log says at that moment, in the reporting mode named",
    "Delivered %, Bounces + errors %": "what the dashboard shows then, after Compute stats",
    "Open rate %, Click-through rate %": "opens and clicks, of the messages Sent",
    "Really delivered": "accepted by the recipients' servers, and not returned",
    "Really failed": "bounced hard, expired, returned, or failed at the relay",
    "Backing off": "bounced softly, to be tried again",
    "Not tried yet": "relayed, and the first attempt has not ended",
    "Not relayed yet": "waiting for the relay",
    "50, 90, 99 % accepted": "when this share of a delivery's messages that could be accepted was, "
    "with those that expire before their turn",
    "Settled": "Delivered % in the first mode stays within 0.1 points of its end from then on",
    "Accepted 50, 90, 99 %": "time until this share of all that is ever accepted was accepted",
    "Delay": "from ready for the relay to accepted, with all waits and retries; p95: 95 % take no "
    "longer",
}
_PROVIDERS: Final = (
    *("to_deliver", "relay_failed", "accepted", "hard", "soft", "expired", "async_bounced"),
    *("accepted_50_pct_s", "accepted_90_pct_s", "accepted_99_pct_s"),
    *("delay_mean_s", "delay_p50_s", "delay_p95_s", "delay_p99_s", "delay_longest_s"),
)


def _kind(name: str) -> Kind:
    return "percent" if is_percentage(name) else "duration" if is_time(name) else "count"


_OF_PROVIDERS: Final = (
    Column("Provider", "text", itemgetter("provider")),
    *(Column(heading(name), _kind(name), itemgetter(name)) for name in _PROVIDERS),
)
_OF_MEANINGS: Final = (
    Column("Column", "text", itemgetter(0)),
    Column("Meaning", "words", itemgetter(1)),
)


def write_workbook(run: Run, path: str | os.PathLike[str]) -> Path:
    """Write a run as an Excel workbook.

    Its sheets are the answers in sentences, the KPIs every 15 minutes in each mode beside the
    truth, the deliveries, the providers, charts as images, and what the columns mean. Moments are
    cells of Excel by the clock of the scenario's start, and percentages are percentages.

    Parameters
    ----------
    run
        The run.
    path
        The file; an existing one is replaced once the new one is complete. The same run gives the
        same bytes.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SendcapError
        If the run has no messages, or the file cannot be written.
    """
    with whole_file(Path(path)) as temporary:
        temporary.write_bytes(workbook(run))
    return Path(path)


def workbook(run: Run) -> bytes:
    """Return a run as the bytes of a workbook."""
    require_messages(run.ledger, "workbook")
    content = io.BytesIO()
    with Workbook(content, {"in_memory": True, "strings_to_formulas": False}) as book:
        title = run.scenario.title or "sendcap run"
        # Otherwise the day of today.
        book.set_properties({"title": title, "created": datetime(2000, 1, 1)})
        sheets = Sheets(book)
        about = f"{headline(run.scenario)}. Computed by sendcap {__version__}."
        sheets.texts("Summary", title, [*run.sentences(), about])
        sheets.table("KPIs", _kpi_columns(run), _kpi_rows(run))
        if len(run.scenario.deliveries) > 1:
            sheets.table("Deliveries", _delivery_columns(run), calendar_of(run).slots)
        sheets.table("Providers", _OF_PROVIDERS, _provider_rows(run))
        sheets.pictures("Charts", _pictures(run))
        sheets.table("What columns mean", _OF_MEANINGS, _MEANINGS.items())
    return content.getvalue()


def _kpi_columns(run: Run) -> list[Column]:
    figures = (*_FIGURES, *(_RATES if run.readings.engagement else ()))
    columns = [
        Column("Delivery", "text", itemgetter("delivery")),
        Column("Elapsed", "duration", itemgetter("time_s")),
        *_clock("Clock time", run, itemgetter("time_s")),
        Column("Relayed", "count", itemgetter("relayed")),
    ]
    for mode in run.scenario.reporting.modes:
        columns += [
            Column(f"{FIGURES[name]}, {MODE_LABELS[mode]}", _kind(name), itemgetter((mode, name)))
            for name in figures
        ]
    return columns + [Column(label, "count", itemgetter(name)) for name, label in _FATES.items()]


def _clock(label: str, run: Run, of: Callable[[Any], float]) -> list[Column]:
    """Return a column of moments by the clock, where there is one."""
    start = run.scenario.start
    if start is None:
        return []

    def moment(row: Any) -> datetime | None:
        seconds = of(row)
        return after(start, round(seconds)) if math.isfinite(seconds) else None

    return [Column(label, "moment", moment)]


def _kpi_rows(run: Run) -> Iterator[dict[Any, Any]]:
    """Yield the rows of all deliveries together and, if there is room, of each one.

    A figure of a mode has the mode and its name for its key, one of the truth its name.
    """
    ledger, start = run.ledger, run.scenario.start
    first_s = 0.0 if start is None else -since_midnight_s(start) % _STEP_S
    times_s = np.append(np.arange(first_s, ledger.end_s, _STEP_S), ledger.end_s)
    edges = np.unique(ledger.last_edges(times_s))
    written = ledger.written if len(ledger.written) > 1 else ()
    several = written if len(edges) * len(written) < _MOST_ROWS else ()
    modes, denominator = run.scenario.reporting.modes, run.scenario.reporting.denominator
    for delivery in (ALL_DELIVERIES, *several):
        shown = run.readings.figures_at(edges, modes, delivery, denominator)
        happened = known(ledger, delivery, clock="happened", edges=edges)
        columns: dict[Any, Any] = {"relayed": happened.relayed, **fates(happened)}
        for mode, figures in shown.items():
            columns |= {(mode, name): getattr(figures, name) for name in (*_FIGURES, *_RATES)}
        for number, edge in enumerate(edges.tolist()):
            yield {
                "delivery": "all" if delivery == ALL_DELIVERIES else delivery,
                "time_s": edge * ledger.bin_s,
                **{name: float(column[number]) for name, column in columns.items()},
            }


def _delivery_columns(run: Run) -> list[Column]:
    columns = [
        Column("Delivery", "text", attrgetter("delivery")),
        Column("Messages", "count", attrgetter("messages")),
    ]
    for label, name in (
        ("Starts", "starts_s"),
        ("Relayed", "relayed_s"),
        ("50 % accepted", "accepted_50_pct_s"),
        ("90 % accepted", "accepted_90_pct_s"),
        ("99 % accepted", "accepted_s"),
        ("Settled", "settled_s"),
    ):
        of = attrgetter(name)
        columns += _clock(label, run, of) or [Column(label, "duration", of)]
    return [
        *columns,
        Column("Delivered %", "percent", attrgetter("delivered_pct")),
        Column("Held up by", "text", attrgetter("held_up_by")),
        Column("Longest wait there", "duration", attrgetter("held_up_s")),
    ]


def _provider_rows(run: Run) -> Iterator[dict[str, Any]]:
    summary = run.summary()
    for name, totals in (*summary["providers"].items(), ("all", summary["total"])):
        yield {"provider": name, **totals}


def _pictures(run: Run) -> Iterator[tuple[io.BytesIO, float, str]]:
    for name in _CHARTS:
        if name == "calendar" and len(run.scenario.deliveries) == 1:
            continue
        figure = chart_called(name, RUN_CHARTS, "a run").draw(run)
        stream = io.BytesIO()
        save_png(figure, stream)
        yield stream, figure.get_figheight() * figure.dpi, name
