"""``sendcap compare``: the effect of a change, with the same draws on both sides."""

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
@options.out_directory
@options.overrides
@options.mode()
@options.tolerance
@options.confidence()
@options.replications("Pairs of simulations, each with different draws (default: 20).")
@options.processes
def compare(
    a: str,
    b: str | None,
    out: Path | None,
    force: bool,
    settings: tuple[str, ...],
    seed: int | None,
    modes: tuple[str, ...],
    tolerances: tuple[str, ...],
    confidence: str,
    replications: int | None,
    workers: int | None,
    address: str | None,
) -> None:
    """Compare two scenarios, or one with and without a change.

    A and B are scenarios, presets or directories of saved runs. Without B, A is compared with the
    A that --set makes. Scenarios are simulated in pairs with the same draws, so that differences
    come from the change and not from chance. A saved run is a single simulation: the comparison
    is one pair, without intervals.
    """
    from sendcap.cli.comparison import show_comparison
    from sendcap.cli.computing import simulations
    from sendcap.cli.saving import Results
    from sendcap.readings.modes import Mode
    from sendcap.study.convergence import compare as study
    from sendcap.study.convergence.converge import tolerances_of
    from sendcap.study.convergence.files import COMPARISON, write_comparison
    from sendcap.study.replication.replicate import DEFAULT_REPLICATIONS
    from sendcap.text.shares import parse_share

    points = tolerances_of(options.listed(tolerances))
    share = parse_share(confidence, "--confidence", whole=False)
    one, two = _sides(a, b, settings, seed)
    results = Results(COMPARISON, out, a, "compare", force=force)
    total = 2 * (replications or DEFAULT_REPLICATIONS)
    with results as folder:
        with simulations(workers, address, total) as (pool, progress):
            comparison = study.compare(
                one.run or one.scenario,
                two.run or two.scenario,
                replications,
                names=(one.name, two.name),
                tolerances=points,
                modes=cast("tuple[Mode, ...]", modes) or None,
                workers=pool,
                confidence=share,
                progress=progress,
            )
        write_comparison(comparison, folder)
    show_comparison(comparison)
    results.announce()


def _sides(a: str, b: str | None, settings: tuple[str, ...], seed: int | None) -> tuple[Side, Side]:
    from sendcap.cli.edits import edited
    from sendcap.errors import SendcapError
    from sendcap.study.convergence.compare import Side, side

    if b is not None and settings:
        raise SendcapError("compare: give B or --set, not both")
    if b is None and not settings:
        raise SendcapError("compare: give B, or a change with --set, e.g. mta.retry.first=10m")
    one = side(a, a)
    if seed is not None:
        if one.run is not None:
            raise SendcapError(f"--seed: {a} is a saved run with a seed of its own")
        one = one._replace(scenario=one.scenario.with_seed(seed))
    if b is not None:
        return one, side(b, b)
    return one, Side(", ".join(settings), edited(one.scenario, settings), None)
