"""``sendcap compare``: what a change does, with the same draws in both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from sendcap.cli import options

if TYPE_CHECKING:
    from sendcap.study.convergence.compare import Side


@click.command()
@click.argument("a", metavar="A", callback=options.not_empty)
@click.argument("b", metavar="[B]", required=False, callback=options.not_empty)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="PATH=VALUE",
    help="Instead of B: A with this change, such as mta.retry.first=10m; may be repeated.",
)
@options.tolerance_option
@options.confidence_option
@click.option(
    "--replications",
    type=options.WholeNumber(min=1),
    metavar="N",
    help="Pairs of simulations, with other draws in each pair; 20 by default.",
)
@options.mode_option("Read in this mode and not in A's; may be repeated.")
@click.option(
    "--seed", type=options.WholeNumber(min=0), metavar="N", help="Take this seed and not A's."
)
@options.workers_option
@click.option(
    "--out",
    callback=options.directory,
    metavar="DIR",
    help="Where to save tables and chart; by default a new directory under runs/.",
)
@click.option("--force", is_flag=True, help="Replace the saved comparison in DIR.")
def compare(
    a: str,
    b: str | None,
    settings: tuple[str, ...],
    tolerances: tuple[str, ...],
    confidence: str,
    replications: int | None,
    modes: tuple[str, ...],
    seed: int | None,
    workers: int | None,
    out: Path | None,
    force: bool,
) -> None:
    """Compare A with B, or A with a changed A.

    A and B are scenarios, presets or the directories of saved runs. Scenarios are simulated in
    pairs: both with the same draws, so that what differs comes of the change and not of chance. A
    saved run is a single simulation; then there is one pair, and no interval.
    """
    from sendcap.charts.study_files import COMPARISON, write_comparison
    from sendcap.cli.comparison import show_comparison
    from sendcap.cli.progress import simulations_bar
    from sendcap.files.cleaning import cleaned_by
    from sendcap.files.directory import Staging
    from sendcap.readings.modes import Mode
    from sendcap.study.convergence import compare as study
    from sendcap.study.convergence.converge import tolerances_of
    from sendcap.study.replication.replicate import DEFAULT_REPLICATIONS
    from sendcap.study.replication.workers import Workers
    from sendcap.text.shares import parse_share

    points = tolerances_of(options.listed(tolerances))
    share = parse_share(confidence, "--confidence", whole=False)
    one, two = _sides(a, b, settings, seed)
    if out is None:
        home = options.RUNS / f"{options.name_of(a)}-compare"
        staging = Staging(home, COMPARISON, numbered=True)
    else:
        staging = Staging(out, COMPARISON, force=force)
    with staging as folder:
        with Workers(workers) as team, cleaned_by(team.abandon):
            pairs = replications or DEFAULT_REPLICATIONS
            with simulations_bar(2 * pairs) as progress:
                found = study.compare(
                    one.run or one.scenario,
                    two.run or two.scenario,
                    replications,
                    names=(one.name, two.name),
                    tolerances=points,
                    modes=cast("tuple[Mode, ...]", modes) or None,
                    workers=team,
                    confidence=share,
                    progress=progress,
                )
        write_comparison(found, folder)
        files = sorted(entry.name for entry in folder.iterdir())
    show_comparison(found)
    click.echo(f"Saved in {staging.directory}: {', '.join(files)}")


def _sides(a: str, b: str | None, settings: tuple[str, ...], seed: int | None) -> tuple[Side, Side]:
    from sendcap.cli.edits import edited
    from sendcap.errors import SendcapError
    from sendcap.study.convergence.compare import Side, side

    if b is not None and settings:
        raise SendcapError("compare: give B or --set, not both")
    if b is None and not settings:
        raise SendcapError(
            "compare: give B, or change A with --set, such as --set mta.retry.first=10m"
        )
    one = side(a, a)
    if seed is not None:
        if one.run is not None:
            raise SendcapError(f"--seed: {a} is a saved run, which has its seed")
        one = one._replace(scenario=one.scenario.with_seed(seed))
    if b is not None:
        return one, side(b, b)
    return one, Side(", ".join(settings), edited(one.scenario, settings), None)
