"""The page of the report: its template filled with what is told of the runs."""

from __future__ import annotations

import base64
import hashlib
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sendcap.charts.timeaxis import time_axis
from sendcap.errors import SendcapError
from sendcap.plotting import plot
from sendcap.report.answers import Answers, compared
from sendcap.report.font import font_faces
from sendcap.report.inline_svg import Picture, picture
from sendcap.report.moments import JUMPS_S, dashboards, slider, spoken
from sendcap.report.settings import ASSUMPTIONS, tables

if TYPE_CHECKING:
    from sendcap.run import Run

_HERE: Final = Path(__file__).parent
_TITLES: Final = {
    "delivered": "Delivered % and Bounces + errors %",
    "statuses": "Sent, pending and failed",
    "funnel": "How far the messages come, by provider",
    "time-to-accept": "Time to accept, by provider",
    "backlog": "Messages waiting",
    "throughput": "Throughput of each stage",
    "bounce-reasons": "Bounce reasons",
    "retries": "Retries",
    "attempts": "Attempts per message",
    "reading-error": "How far off the dashboard is",
}
"""The charts of the report, in its order."""
_SYMLOG: Final = ("delivered", "statuses", "time-to-accept", "retries")
_OF_STAGES: Final = ("backlog", "throughput")
_TILES: Final = {
    "to_deliver": "To deliver",
    "sent": "Sent",
    "delivered_pct": "Delivered",
    "bounces_errors_pct": "Bounces + errors",
    "open_rate_pct": "Open rate",
    "click_through_pct": "Click-through rate",
}
_TRUTH: Final = {
    "delivered": "Accepted by the recipients' servers",
    "backing_off": "Bounced softly, will be tried again",
    "untried": "In the MTA, not tried yet",
    "not_relayed": "Not relayed yet",
    "failed": "Failed for good",
}
_MOST_RUNS: Final = 8


def write_report(
    runs: Run | Sequence[Run] | Mapping[str, Run],
    path: str | os.PathLike[str],
    sending_logs: Mapping[str, str | os.PathLike[str]] | None = None,
) -> Path:
    """Write a report about one run, or about several that are compared, as one HTML file.

    Parameters
    ----------
    runs
        A run, several, or several by what the report calls them. Otherwise it is the scenario's
        title that a run is called by.
    path
        The file. What is there is replaced.
    sending_logs
        By the name of their run: for the chart of the attempts per message.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SendcapError
        If there is no run, or more than eight.
    OSError
        If the file cannot be written.
    """
    logs = sending_logs or {}
    told = [
        Answers(name, run, Path(logs[name]) if name in logs else None)
        for name, run in named(runs).items()
    ]
    target = Path(path)
    target.write_text(page(told), encoding="utf-8", newline="\n")
    return target


def named(runs: Run | Sequence[Run] | Mapping[str, Run]) -> dict[str, Run]:
    """Return runs by what they are called, each otherwise than the others."""
    if isinstance(runs, Mapping):
        return dict(runs)
    several = list(runs) if isinstance(runs, Iterable) else [runs]
    named: dict[str, Run] = {}
    for number, run in enumerate(several, start=1):
        title = run.scenario.title or f"Run {number}"
        named[title if title not in named else f"{title} ({number})"] = run
    return named


def page(runs: Sequence[Answers]) -> str:
    """Return the page about some runs; the same runs give the same page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from sendcap.version import __version__

    if not 1 <= len(runs) <= _MOST_RUNS:
        raise SendcapError(f"a report is about 1 to {_MOST_RUNS} runs, not {len(runs)}")
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        # Whatever a scenario calls itself stays text.
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda value: "–" if math.isnan(value) else f"{value:.2f} %"
    together = list(_together(runs))
    pictures = [list(_pictures(number, its)) for number, its in enumerate(runs)]
    letters = frozenset().union(*(it.letters for its in [together, *pictures] for it in its))
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    starts = {its.run.scenario.start for its in runs}
    start = starts.pop() if len(starts) == 1 else None
    text: str = environment.get_template("page.html.j2").render(
        title=_title(runs),
        runs=[_run(its, shown) for its, shown in zip(runs, pictures, strict=True)],
        together=together,
        compared=compared(runs) if len(runs) > 1 else [],
        assumptions=ASSUMPTIONS,
        tiles=_TILES,
        truth=_TRUTH,
        data={"slider": slider(start), "runs": [dashboards(its.run) for its in runs]},
        jumps=[spoken(jump) for jump in JUMPS_S],
        version=__version__,
        style=f"{font_faces(letters)}\n{(_HERE / 'page.css').read_text(encoding='utf-8')}",
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    return text


def _title(runs: Sequence[Answers]) -> str:
    if len(runs) == 1:
        return runs[0].run.scenario.title or runs[0].name
    return f"{', '.join(its.name for its in runs[:-1])} and {runs[-1].name}"


def _run(its: Answers, pictures: list[Picture]) -> dict[str, Any]:
    from sendcap.scenario import dumps

    reporting = its.run.scenario.reporting
    return {
        "name": its.name,
        "title": its.run.scenario.title,
        "seed": its.run.scenario.seed,
        "facts": its.facts(),
        "sentences": its.run.sentences(its.modes),
        "pictures": pictures,
        "tables": tables(its.run.scenario),
        "scenario": dumps(its.run.scenario),
        "refresh": spoken(reporting.refresh),
        "readings": [
            (spoken(jump), [its.run.dashboard(jump, mode) for mode in its.modes])
            for jump in JUMPS_S
        ],
    }


def _pictures(number: int, its: Answers) -> Iterator[Picture]:
    for name, title in _TITLES.items():
        options: dict[str, Any] = {}
        if name in _SYMLOG:
            ends_s = [it.at + it.honoured_validity for it in its.run.scenario.deliveries]
            suits = time_axis(its.run.scenario, (0.0, max(ends_s)), usual="symlog").scale
            # That one counts from each delivery's own start.
            options["scale"] = "symlog" if name == "time-to-accept" else suits
        if name == "attempts":
            if its.sending_log is None:
                continue
            options["sending_log"] = its.sending_log
        drawn = plot(its.limits if name in _OF_STAGES else its.run, name, **options)
        yield picture(f"run{number}-{name}", title, drawn)


def _together(runs: Sequence[Answers]) -> Iterator[Picture]:
    if len(runs) > 1:
        from sendcap.charts.together import delivered_together

        drawn = delivered_together({its.name: its.run for its in runs})
        yield picture("together", "Delivered % of all of them", drawn)
