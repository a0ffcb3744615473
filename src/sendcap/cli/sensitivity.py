"""``sendcap sensitivity``: a study's parameters, ranked by their effect on its measures."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sendcap.cli import options
from sendcap.text.measures import bracketed, measure_text

if TYPE_CHECKING:
    import pandas as pd

    from sendcap.study.sweeps.study_file import Study


@click.command()
@options.study
@options.resumable("sensitivity")
@options.overrides
@options.confidence()
@options.processes
@click.option(
    "--method",
    type=click.Choice(["sobol", "morris"]),
    default="sobol",
    help="Sobol' indices, shares of the variance (default), or Morris screening, which finds the "
    "parameters that matter with far fewer runs.",
)
@options.status
def sensitivity(
    source: str,
    out: Path | None,
    store: Path | None,
    settings: tuple[str, ...],
    seed: int | None,
    confidence: str,
    workers: int | None,
    address: str | None,
    method: str,
    status: bool,
) -> None:
    """Rank the parameters of a study by their effect on its measures.

    STUDY.toml is a study file of `sendcap sweep` with a [design]: its ranges are the parameters.
    With sobol, points is the number of base samples, a power of two, and each takes a run per
    parameter and two more. With morris, points is the number of trajectories, 10 to 50, and each
    takes a run per parameter and one more. DIR gets a table, a chart and all runs. If
    interrupted, run the same command again to resume.
    """
    from sendcap.cli.computing import carried_out, computing, show_status
    from sendcap.cli.edits import study_edits
    from sendcap.errors import SendcapError
    from sendcap.study.sweeps import files
    from sendcap.study.sweeps.designs import Design
    from sendcap.study.sweeps.plan import planned
    from sendcap.study.sweeps.sensitivity.files import CHART, FILES, INDICES, save
    from sendcap.study.sweeps.sensitivity.screening import Screening, screened, screening_points
    from sendcap.study.sweeps.sensitivity.sobol import analysed, sensitivity_points
    from sendcap.study.sweeps.store import Store
    from sendcap.study.sweeps.study_file import load_study
    from sendcap.text.shares import parse_share

    share = parse_share(confidence, "--confidence", whole=False)
    study = load_study(source, study_edits(settings, seed))
    design = study.over
    if not isinstance(design, Design):
        raise SendcapError(f"{study.name}: needs ranges; give a [design] instead of values")
    directory = out or options.study_directory(source, "sensitivity")
    files.require_sweep_directory(directory, FILES)
    runs = Store(store or directory / files.STORE)
    points_of = screening_points if method == "morris" else sensitivity_points
    points = points_of(design.ranges, design.n, design.seed)
    plan = planned(study.scenario, points, study.replications, study.measures)
    if status:
        show_status(plan, runs)
        return
    with computing(workers, address) as execution:
        files.begin(directory, study.text, study.scenario)
        outcomes = carried_out(plan, execution, runs, str(directory))
    table = plan.table(outcomes)
    question = (design.ranges, design.n, design.seed, share, table)
    result = screened(*question) if method == "morris" else analysed(*question)
    save(result, directory, study.title)
    _show(result.effects if isinstance(result, Screening) else result.indices, study, method)
    for sentence in result.sentences():
        click.echo(sentence)
    click.echo(f"Saved in {directory}: {INDICES}, {CHART}, {files.RESULTS_CSV}")


def _show(indices: pd.DataFrame, study: Study, method: str) -> None:
    """Print a table per measure, the most important parameter first."""
    from sendcap.cli.conduct import printable
    from sendcap.cli.tables import console, heading, new_table

    screen = console()
    by = "mu_star" if method == "morris" else "total_order"
    columns, title, cells = _LOOKS[method]
    heading(screen, study.title or title)
    for name, rows in indices.groupby("measure", sort=False):
        table = new_table(str(name), columns)
        for row in rows.sort_values(by, ascending=False, kind="stable").to_dict("records"):
            table.add_row(printable(row["path"]), *cells(row))
        screen.print(table)
        screen.print()


def _shares(row: Mapping[Hashable, Any]) -> list[str]:

    return [
        bracketed(row[key], row[f"{key}_low"], row[f"{key}_high"], _share)
        for key in ("first_order", "total_order")
    ]


def _effects(row: Mapping[Hashable, Any]) -> list[str]:

    def write(value: float) -> str:
        return measure_text(row["measure"], value)

    effect = bracketed(row["mu_star"], row["mu_star_low"], row["mu_star_high"], write)
    return [effect, write(row["sigma"])]


_LOOKS: Final[dict[str, tuple[list[str], str, Callable[[Mapping[Hashable, Any]], list[str]]]]] = {
    "sobol": (
        ["By itself", "With all interactions"],
        "Shares of the variance that each parameter decides",
        _shares,
    ),
    "morris": (
        ["Effect of the whole range (mu*)", "Spread (sigma)"],
        "How much each parameter changes the measures",
        _effects,
    ),
}


def _share(value: float) -> str:
    # No minus before a number that reads zero.
    return f"{value:z.2f}".replace("-", "\N{MINUS SIGN}")
