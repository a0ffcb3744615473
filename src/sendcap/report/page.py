"""The page of the report: its template filled with the answers of the runs."""

import base64
import hashlib
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sendcap.charts.delivered import delivered_together
from sendcap.charts.figures import cut, unbroken
from sendcap.charts.listed import RUN_CHARTS, chart_called
from sendcap.charts.style import figure_of
from sendcap.charts.timeaxis import usual_scale
from sendcap.errors import SendcapError
from sendcap.files.single import whole_file, write_text
from sendcap.readings.dashboard import EARLY_OPENS
from sendcap.readings.delays import DELAY_FIGURES
from sendcap.readings.people import require_messages
from sendcap.report.answers import Answers, compared
from sendcap.report.flow import FAILURES, LAYOUTS, OUTCOMES, stills
from sendcap.report.inline_svg import Picture, font_faces, picture
from sendcap.report.moments import (
    dashboards,
    first_s,
    in_full,
    jumps_s,
    last_s,
    moments,
    opens_s,
    slider,
    spoken,
    steps_s,
)
from sendcap.report.origins import (
    Commented,
    commented_file,
    origin_table,
    origin_words,
    origins,
    preset_titled,
)
from sendcap.report.settings import ASSUMPTIONS, tables
from sendcap.run import Run
from sendcap.scenario import Scenario, dumps
from sendcap.study.drain.drain import drain_of
from sendcap.text.clock import dated
from sendcap.text.quantities import listed
from sendcap.version import __version__

_HERE: Final = Path(__file__).parent
CHARTS: Final = {
    "calendar": "When each delivery is sent and accepted",
    "people": "The list, and whom deliveries went to",
    "delivered": "Delivered % and Bounces + errors %",
    "statuses": "Sent, pending and failed",
    "funnel": "How far the messages come, by provider",
    "time-to-accept": "Time to accept, by provider",
    "delay": "Delay from ready to accepted, by provider",
    "backlog": "Messages waiting for the first attempt",
    "throughput": "Throughput of each stage",
    "bounce-reasons": "Bounce reasons",
    "retries": "Retries",
    "attempts": "Attempts per message",
    "reading-error": "How far off the dashboard is",
}
"""The charts of the report, in this order, and their titles."""
_KNOWN: Final = {"limits_from_ledger": "limits", "calendar_of": "calendar"}
"""What the answers have already that a chart would compute, by the function that it asks."""
_LEFT: Final = "What is left of the queue"
"""The first chart, where there is a backlog."""
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
    title: str | None = None,
    comments: str | os.PathLike[str] | None = None,
) -> Path:
    """Write a report about one run, or about several that are compared, as one HTML file.

    Parameters
    ----------
    runs
        A run, several, or several by display name (default: the scenario's title).
    path
        The file; an existing one is replaced once the new one is complete.
    sending_logs
        By the name of their run, for the chart of the attempts per message.
    title
        What the report is called (default: as the run is).
    comments
        The scenario file that was simulated. Its comments say where figures are from, those of a
        preset by themselves.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SendcapError
        If there is no run, or more than eight, or a file cannot be read or written.
    """
    logs = sending_logs or {}
    answers = [
        Answers(name, run, Path(logs[name]) if name in logs else None)
        for name, run in named(runs).items()
    ]
    file = None if comments is None else commented_file(Path(comments))
    with whole_file(Path(path)) as temporary:
        write_text(temporary, page(answers, title, file))
    return Path(path)


def named(runs: Run | Sequence[Run] | Mapping[str, Run]) -> dict[str, Run]:
    """Give each run a unique display name."""
    if isinstance(runs, Mapping):
        return dict(runs)
    several = list(runs) if isinstance(runs, Iterable) else [runs]
    named: dict[str, Run] = {}
    for number, run in enumerate(several, start=1):
        title = run.scenario.title or f"Run {number}"
        named[title if title not in named else f"{title} ({number})"] = run
    return named


def page(runs: Sequence[Answers], title: str | None = None, file: Commented | None = None) -> str:
    """Return the page about some runs; the same runs give the same page."""
    if not 1 <= len(runs) <= _MOST_RUNS:
        raise SendcapError(f"a report is about 1 to {_MOST_RUNS} runs, not {len(runs)}")
    for answers in runs:
        require_messages(answers.run.ledger, answers.name)
    together = list(_together(runs))
    pictures = [list(_pictures(number, answers)) for number, answers in enumerate(runs)]
    letters = frozenset().union(*(each.letters for some in [together, *pictures] for each in some))
    script = "".join(_text(file) for file in ("flow.js", "page.js"))
    starts = {answers.run.scenario.start for answers in runs}
    start = starts.pop() if len(starts) == 1 else None
    simulated = [answers.run for answers in runs]
    steps = steps_s(last_s(simulated), first_s(simulated))
    shown = slider(start, steps, opens_s(simulated, steps))
    title = title or _title(runs)
    names = [title] if len(runs) == 1 else [answers.name for answers in runs]
    data = [
        dashboards(answers.run, answers.modes, steps, name)
        for answers, name in zip(runs, names, strict=True)
    ]
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            title=title,
            started="" if start is None else f", {dated(start)}",
            runs=[
                _run(answers, charts, jumps_s(steps))
                | {"stills": stills(figures["flow"], figures["now"], moments(shown))}
                | _origins(answers.run.scenario, file)
                for answers, charts, figures in zip(runs, pictures, data, strict=True)
            ],
            together=together,
            compared=compared(runs) if len(runs) > 1 else [],
            assumptions=ASSUMPTIONS,
            tiles=_TILES,
            delay_labels=list(DELAY_FIGURES.values()),
            truth=_TRUTH,
            outcomes=OUTCOMES,
            failures=FAILURES,
            data={
                "slider": shown,
                "runs": data,
                "layouts": {name: each._asdict() for name, each in LAYOUTS.items()},
                "earlyOpens": EARLY_OPENS,
            },
            jumps=[spoken(jump) for jump in jumps_s(steps)],
            version=__version__,
            style=f"{font_faces(letters)}\n{_text('page.css')}",
            script=script,
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


def _text(file: str) -> str:
    return (_HERE / file).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        # Whatever a scenario calls itself stays text.
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shortened"] = cut
    environment.filters["percent"] = lambda value: "–" if math.isnan(value) else f"{value:.2f} %"
    return environment


def _title(runs: Sequence[Answers]) -> str:
    """Return the title that a user gave; a preset's own says less than the name of a run of it."""
    if len(runs) > 1:
        return listed([answers.name for answers in runs])
    title = runs[0].run.scenario.title
    return title if title and preset_titled(title) in (None, runs[0].name) else runs[0].name


def _run(answers: Answers, pictures: list[Picture], jumps: Sequence[float]) -> dict[str, Any]:
    run, modes = answers.run, answers.modes
    return {
        "name": answers.name,
        "title": run.scenario.title,
        "seed": run.scenario.seed,
        "facts": answers.facts(),
        "sentences": [unbroken(sentence) for sentence in run.sentences(modes)],
        "deliveries": answers.deliveries(),
        "about_deliveries": answers.about_deliveries(),
        "delays": answers.delays(),
        "pictures": pictures,
        "tables": tables(run.scenario),
        "scenario": dumps(run.scenario),
        "readings": [
            (in_full(jump, run.scenario.start), [run.dashboard(jump, mode) for mode in modes])
            for jump in jumps
        ],
    }


def _origins(scenario: Scenario, file: Commented | None) -> dict[str, Any]:
    found = origins(scenario, file)
    return {"origins": origin_table(found), "about_origins": origin_words(found)}


def _pictures(number: int, answers: Answers) -> Iterator[Picture]:
    scenario = answers.run.as_sent
    end_s = max(
        delivery.at + scenario.honoured_validity(delivery) for delivery in scenario.deliveries
    )
    scale = usual_scale(scenario, end_s, "symlog")
    options: dict[str, dict[str, Any]] = {
        **{name: {"scale": scale} for name in ("delivered", "statuses", "retries")},
        "attempts": {"sending_log": answers.sending_log},
    }
    absent = {
        *(["calendar"] if len(scenario.deliveries) == 1 else []),
        *(["people"] if scenario.population is None else []),
        *(["attempts"] if answers.sending_log is None else []),
        *(["delay"] if answers.run.ledger.delays is None else []),
    }
    if scenario.backlog:
        yield picture(f"run{number}-left", _LEFT, drain_of(answers.run).plot)
    for name, title in CHARTS.items():
        if name not in absent:
            # Drawn twice, wide and narrow; what takes long is done before.
            chart = chart_called(name, RUN_CHARTS, answers.name)
            asked = options.get(name, {})
            if scenario.common_start is not None and chart.takes("start"):
                asked = asked | {"start": "scenario"}
                asked |= {"scale": "linear"} if chart.takes("scale") else {}
            drawn: Any = answers.run
            if known := _KNOWN.get(chart.source.rpartition(":")[2]):
                chart, drawn = chart._replace(source=""), getattr(answers, known)
            yield picture(f"run{number}-{name}", title, chart.prepared(drawn, **asked))


def _together(runs: Sequence[Answers]) -> Iterator[Picture]:
    if len(runs) > 1:
        named = {answers.name: answers.run for answers in runs}
        yield picture(
            "together",
            "Delivered % of all of them",
            lambda: figure_of(delivered_together(named)),
        )
