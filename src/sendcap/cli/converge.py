"""``sendcap converge``: when the Delivered percentage can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from sendcap.cli import options


@click.command()
@click.argument("source", metavar=options.SOURCE, callback=options.not_empty)
@options.tolerance_option
@options.confidence_option
@click.option(
    "--replications",
    type=options.WholeNumber(min=1),
    metavar="N",
    help="How often to simulate it, with other draws each time; 20 by default.",
)
@click.option(
    "--precision",
    metavar="P",
    help="Instead: until the final Delivered % is known to within so many points, such as 0.02pt.",
)
@options.mode_option("Read in this mode and not in the scenario's; may be repeated.")
@click.option(
    "--seed",
    type=options.WholeNumber(min=0),
    metavar="N",
    help="Take this seed and not the scenario's.",
)
@options.workers_option
@click.option(
    "--out",
    callback=options.directory,
    metavar="DIR",
    help="Where to save tables and charts; by default a new directory under runs/.",
)
@click.option("--force", is_flag=True, help="Replace the saved convergence in DIR.")
def converge(
    source: str,
    tolerances: tuple[str, ...],
    confidence: str,
    replications: int | None,
    precision: str | None,
    modes: tuple[str, ...],
    seed: int | None,
    workers: int | None,
    out: Path | None,
    force: bool,
) -> None:
    """Tell when the Delivered percentage can be trusted, and how far it is off before.

    The scenario is simulated again and again with other draws. For each mode: the final value and
    the truth, from when on the reading stays within each tolerance of its end, how far it is off
    at named moments and why, the cliff at the end of validity without EFS and the overshoot of
    Bounces + errors % with it, and all of it by provider.
    """
    from sendcap.charts.study_files import CONVERGENCE, write_convergence
    from sendcap.cli.convergence import show_convergence
    from sendcap.cli.progress import simulations_bar
    from sendcap.errors import SendcapError
    from sendcap.files.cleaning import cleaned_by
    from sendcap.files.directory import Staging
    from sendcap.readings.modes import Mode
    from sendcap.scenario import load
    from sendcap.study.convergence import converge as study
    from sendcap.study.replication.replicate import DEFAULT_REPLICATIONS
    from sendcap.study.replication.workers import Workers
    from sendcap.text.shares import parse_points, parse_share

    if replications is not None and precision is not None:
        raise SendcapError("--replications and --precision: give one of them, not both")
    points = study.tolerances_of(options.listed(tolerances))
    share = parse_share(confidence, "--confidence", whole=False)
    wanted = (
        None if precision is None else {"delivered_pct": parse_points(precision, "--precision")}
    )
    scenario = load(source)
    if seed is not None:
        scenario = scenario.with_seed(seed)
    if out is None:
        home = options.RUNS / f"{options.name_of(source)}-converge"
        staging = Staging(home, CONVERGENCE, numbered=True)
    else:
        staging = Staging(out, CONVERGENCE, force=force)
    with staging as folder:
        with Workers(workers) as team, cleaned_by(team.abandon):
            total = None if wanted else (replications or DEFAULT_REPLICATIONS)
            with simulations_bar(total) as progress:
                found = study.converge(
                    scenario,
                    replications,
                    precision=wanted,
                    tolerances=points,
                    modes=cast("tuple[Mode, ...]", modes) or None,
                    workers=team,
                    confidence=share,
                    progress=progress,
                )
            team.abandon()
        write_convergence(found, folder)
        files = sorted(entry.name for entry in folder.iterdir())
    show_convergence(found)
    click.echo(f"Saved in {staging.directory}: {', '.join(files)}")
