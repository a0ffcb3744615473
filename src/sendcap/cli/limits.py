"""``sendcap limits``: bottlenecks and capacity."""

from __future__ import annotations

from pathlib import Path

import click

from sendcap.cli import options


@click.command()
@options.scenario_or_quickstart
@options.out_directory
@options.overrides
@click.option(
    "--within",
    metavar="D",
    help="Also search the largest delivery of which --share is accepted within D, e.g. 4h.",
)
@click.option(
    "--share", metavar="P", help="Share of the messages for --within and --levers (default: 99%)."
)
@click.option(
    "--sustained",
    is_flag=True,
    help="Also search the highest steady rate without a growing backlog.",
)
@click.option(
    "--levers",
    is_flag=True,
    help="Also rank the levers: time saved by one more IP, 10 % more connections, and so on.",
)
@options.confidence(preset=False)
@options.processes
def limits(
    source: str,
    out: Path | None,
    force: bool,
    settings: tuple[str, ...],
    seed: int | None,
    within: str | None,
    share: str | None,
    sustained: bool,
    levers: bool,
    confidence: str | None,
    workers: int | None,
    address: str | None,
) -> None:
    """Show the bottleneck of a scenario, and the capacity of each stage.

    SCENARIO is a TOML file, PRESET a name from `sendcap scenario list` (default: quickstart). A
    table gives the capacity of each stage (the relay, the MTA's ingress, each provider), another
    one the load in a simulation. DIR gets the tables, the stages over time, a summary, the
    scenario and charts.

    --within, --sustained and --levers run many simulations with different draws; --confidence,
    --workers and --dask apply to them.
    """
    from sendcap import limits as limits_of
    from sendcap.cli import limits_studies
    from sendcap.cli.edits import chosen
    from sendcap.cli.limits_tables import show_limits
    from sendcap.cli.progress import progress_bar
    from sendcap.cli.saving import Results
    from sendcap.cli.tables import console
    from sendcap.study.capacity.files import LIMITS_OF_A_SCENARIO, write_limits

    questions = limits_studies.asked(within, share, sustained, levers, confidence, workers, address)
    scenario = chosen(source, settings, seed)
    results = Results(LIMITS_OF_A_SCENARIO, out, source, "limits", force=force)
    with results as folder:
        with progress_bar() as progress:
            found = limits_of(scenario, progress=progress)
        answers = limits_studies.answers(questions, scenario) if questions.anything else None
        write_limits(found, folder)
        if answers is not None:
            limits_studies.write(answers, scenario.title, folder)
    screen = console()
    show_limits(screen, found)
    if answers is not None:
        limits_studies.show(screen, answers)
    results.announce()
