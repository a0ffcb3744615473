"""``sendcap converge``: from when on the Delivered percentage is reliable."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from sendcap.cli import options
from sendcap.text.shares import parse_points


@click.command()
@options.scenario
@options.out_directory
@options.overrides
@options.mode()
@options.tolerance
@options.confidence()
@options.replications("Simulations with different draws (default: 20).")
@click.option(
    "--precision",
    metavar="PT",
    help="Instead of --replications: simulate until the final Delivered % is known to "
    "within PT percentage points, e.g. 0.02pt.",
)
@options.processes
def converge(
    source: str,
    out: Path | None,
    force: bool,
    settings: tuple[str, ...],
    seed: int | None,
    modes: tuple[str, ...],
    tolerances: tuple[str, ...],
    confidence: str,
    replications: int | None,
    precision: str | None,
    workers: int | None,
    address: str | None,
) -> None:
    """Show from when on the Delivered percentage is reliable.

    The scenario is simulated repeatedly with different draws. For each mode the tables give the
    final value and the truth, the time after which Delivered % stays within each tolerance, the
    error at selected times and its causes, and the drop at the end of validity without EFS; the
    settling times also per delivery and provider.
    """
    from sendcap.cli.computing import simulations
    from sendcap.cli.convergence import show_convergence
    from sendcap.cli.edits import chosen
    from sendcap.cli.saving import Results
    from sendcap.errors import SendcapError
    from sendcap.readings.modes import Mode
    from sendcap.study.convergence import converge as study
    from sendcap.study.convergence.files import CONVERGENCE, write_convergence
    from sendcap.study.replication.replicate import DEFAULT_REPLICATIONS
    from sendcap.text.shares import parse_share

    if replications is not None and precision is not None:
        raise SendcapError("--replications and --precision: give one, not both")
    points = study.tolerances_of(options.listed(tolerances))
    share = parse_share(confidence, "--confidence", whole=False)
    wanted = (
        None if precision is None else {"delivered_pct": parse_points(precision, "--precision")}
    )
    scenario = chosen(source, settings, seed)
    results = Results(CONVERGENCE, out, source, "converge", force=force)
    total = None if wanted else (replications or DEFAULT_REPLICATIONS)
    with results as folder:
        with simulations(workers, address, total) as (pool, progress):
            convergence = study.converge(
                scenario,
                replications,
                precision=wanted,
                tolerances=points,
                modes=cast("tuple[Mode, ...]", modes) or None,
                workers=pool,
                confidence=share,
                progress=progress,
            )
        write_convergence(convergence, folder)
    show_convergence(convergence)
    results.announce()
