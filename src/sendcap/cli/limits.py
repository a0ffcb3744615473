"""``sendcap limits``: where a delivery is held up, and how far it can go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sendcap.cli.options import SOURCE, WholeNumber, directory, not_empty

if TYPE_CHECKING:
    from sendcap.study.capacity.limits import Limits

_DEFAULT: Final = "quickstart"
_HOME: Final = Path("runs")


@click.command()
@click.argument("source", metavar=f"[{SOURCE}]", callback=not_empty, default=_DEFAULT)
@click.option(
    "--out",
    callback=directory,
    metavar="DIR",
    help="Where to save the limits; by default a new directory under runs/.",
)
@click.option("--force", is_flag=True, help="Replace the saved limits in DIR.")
@click.option(
    "--seed", type=WholeNumber(min=0), metavar="N", help="Take this seed and not the scenario's."
)
@click.option(
    "--within",
    metavar="D",
    help="Also find the largest delivery of which --share is accepted within D, such as 4h.",
)
@click.option(
    "--share", metavar="P", help="Share of the messages for --within and --levers; by default 99%."
)
@click.option(
    "--sustained",
    is_flag=True,
    help="Also find the highest steady rate at which no backlog grows without end.",
)
@click.option(
    "--levers",
    is_flag=True,
    help="Also tell how much sooner it is done with one more IP, +10 % connections, and so on.",
)
@click.option(
    "--confidence", metavar="P", help="Of the intervals that these three have; by default 95%."
)
@click.option(
    "--workers",
    type=WholeNumber(min=1),
    metavar="N",
    help="Processes for these three; by default one for each processor.",
)
def limits(
    source: str,
    out: Path | None,
    force: bool,
    seed: int | None,
    within: str | None,
    share: str | None,
    sustained: bool,
    levers: bool,
    confidence: str | None,
    workers: int | None,
) -> None:
    """Tell where a scenario's deliveries are held up, and how far they can go.

    SCENARIO is a TOML file, PRESET one of `sendcap scenario list`; without either, it is the
    preset quickstart. For each stage (the relay, the MTA's ingress, each provider) a table tells
    what it can carry at most, and what came of it in a simulation. DIR gets the tables, the stages
    over time, a summary, the scenario and charts.

    --within, --sustained and --levers take many simulations, each with other draws.
    """
    from sendcap import limits as limits_of
    from sendcap.cli import limits_studies
    from sendcap.cli.limits_tables import show_limits
    from sendcap.cli.progress import progress_bar
    from sendcap.cli.tables import console
    from sendcap.files.directory import Staging
    from sendcap.scenario import load
    from sendcap.study.capacity.files import LIMITS_OF_A_SCENARIO

    questions = limits_studies.asked(within, share, sustained, levers, confidence, workers)
    scenario = load(source)
    if seed is not None:
        scenario = scenario.with_seed(seed)
    if out is None:
        home = _HOME / f"{Path(source).stem if Path(source).is_file() else source}-limits"
        staging = Staging(home, LIMITS_OF_A_SCENARIO, numbered=True)
    else:
        staging = Staging(out, LIMITS_OF_A_SCENARIO, force=force)
    with staging as folder:
        with progress_bar() as progress:
            found = limits_of(scenario, progress=progress)
        answers = limits_studies.answers(questions, scenario) if questions.anything else None
        _write(found, folder)
        if answers is not None:
            limits_studies.write(answers, scenario.title, folder)
        files = sorted(entry.name for entry in folder.iterdir())
    screen = console()
    show_limits(screen, found)
    if answers is not None:
        limits_studies.show(screen, answers, scenario)
    click.echo(f"Saved in {staging.directory}: {', '.join(files)}")


def _write(found: Limits, folder: Path) -> None:
    """Write the limits' files into a directory that exists."""
    from sendcap.charts.style import save_png
    from sendcap.files.single import write_text
    from sendcap.files.tables import write_csv, write_json
    from sendcap.saved import SUMMARY
    from sendcap.scenario import dumps
    from sendcap.scenario.files import SCENARIO
    from sendcap.study.capacity.charts.backlog import backlog
    from sendcap.study.capacity.charts.queue_age import queue_age
    from sendcap.study.capacity.charts.throughput import throughput
    from sendcap.study.capacity.charts.utilisation import utilisation
    from sendcap.study.capacity.files import LIMITS, OVER_TIME

    write_text(folder / SCENARIO, dumps(found.scenario))
    write_json(folder / SUMMARY, found.summary())
    write_csv(folder / LIMITS, found.table())
    write_csv(folder / OVER_TIME, found.over_time())
    for name, chart in (
        ("backlog", backlog),
        ("queue-age", queue_age),
        ("throughput", throughput),
        ("utilisation", utilisation),
    ):
        save_png(chart(found), folder / f"{name}.png")
