"""``sendcap converge``: when Delivered % becomes reliable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

import sendcap
from sendcap.cli import options
from sendcap.cli.computing import simulations
from sendcap.cli.edits import chosen
from sendcap.cli.saving import Results
from sendcap.cli.tables import say, show_grid
from sendcap.errors import SendcapError
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS, MODE_LABELS, Mode
from sendcap.text.measures import banded
from sendcap.text.quantities import counted, elapsed
from sendcap.text.shares import parse_points, percentage, points_in_words, signed_points

if TYPE_CHECKING:
    import pandas as pd

_FINAL: Final = {
    "delivered_pct": "Final Delivered %",
    "truth_pct": "The truth",
    "bounces_errors_pct": "Final Bounces + errors %",
}
_PARTS: Final = {
    "in_queue_pt": "In queue",
    "backing_off_pt": "Backing off",
    "not_fed_back_pt": "Not fed back",
    "async_to_come_pt": "Async to come",
    "not_all_relayed_pt": "Not all relayed",
}
_TOGETHER: Final = {"together": "Together"}
_WITHOUT_EFS: Final = (
    "Counted as Sent, and will fail: at the first attempt (in queue), after a soft bounce "
    "(backing off), have bounced (not fed back), accepted and returned (async)."
)
_WITH_EFS: Final = (
    "Not counted as Sent yet: will be accepted at the first attempt (in queue) or by a retry "
    "(backing off), is accepted (not fed back). Counted, and will be returned: async."
)
_SAME: Final = (
    "Measured against the final value the errors are the same: every mode ends at the true value."
)
_SEEN_PT: Final = 5e-4
"""Less than that is not seen in a table of points."""


@click.command()
@options.scenario
@options.out_directory
@options.overrides
@options.mode()
@options.tolerance
@options.confidence()
@options.number("--replications", "Simulations with different draws (default: 20).")
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
    replications: int | None,
    precision: str | None,
    workers: int | None,
    address: str | None,
    **asked: Any,
) -> None:
    """Show when Delivered % becomes reliable.

    The scenario is simulated repeatedly with different draws. For each mode the tables give the
    final value and the truth, the time after which Delivered % stays within each tolerance, the
    error at selected times and its causes, and the drop at the end of validity without EFS; the
    settling times also per delivery and provider.
    """
    from sendcap.study.convergence.converge import CONVERGENCE
    from sendcap.study.replication.replicate import DEFAULT_REPLICATIONS

    if replications is not None and precision is not None:
        raise SendcapError("--replications and --precision: give one, not both")
    total: int | None = replications or DEFAULT_REPLICATIONS
    if precision is not None:
        asked["precision"] = {"delivered_pct": parse_points(precision, "--precision")}
        total = None
    scenario = chosen(source, settings, seed)
    results = Results(CONVERGENCE, out, source, "converge", force=force)
    with results as folder:
        with simulations(workers, address, total) as means:
            study = sendcap.converge(scenario, replications, **asked, **means)
        study.write(folder)
    for show in (_show_final, _show_settling, _show_errors, _show_remaining):
        show(study, {mode: MODE_LABELS[mode] for mode in study.modes})
    _show_by_name(study, "delivery", "Deliveries")
    _show_by_name(study, "provider", "Providers")
    say(*study.sentences())
    results.announce()


def _show_final(study: sendcap.ConvergenceStudy, modes: Mapping[Mode, str]) -> None:
    title = study.replications.scenario.title or "Convergence"
    show_grid(
        f"{title}: {counted(study.replications.n, 'simulation')}",
        "",
        _FINAL,
        modes,
        lambda name, mode: banded(study.number(mode, name), percentage),
        "The truth: accepted and not returned in the end, of all to deliver.",
        words=("",),
    )


def _show_settling(study: sendcap.ConvergenceStudy, modes: Mapping[Mode, str]) -> None:
    show_grid(
        "Settling: from then on, Delivered % stays that close to its final value",
        "Within",
        {at: points_in_words(at) for at in study.tolerances_pt},
        modes,
        lambda at, mode: banded(study.number(mode, "settling_s", at), elapsed),
    )


def _show_errors(study: sendcap.ConvergenceStudy, modes: Mapping[Mode, str]) -> None:
    table = _of_all(study.errors()).set_index(["against", "mode", "time_s"]).sort_index()
    medians = table["median"]
    columns = {}
    for mode, label in modes.items():
        columns["truth", mode] = label
        apart = medians["truth", mode] - medians["final", mode]
        if (apart.abs() > _SEEN_PT).any():
            columns["final", mode] = f"{label}, from its end"
    show_grid(
        "Error of Delivered %: points above (+) or below (−) the truth",
        "At",
        {at: elapsed(at) for at in study.moments_s},
        columns,
        lambda at, column: banded(table.loc[(*column, at)], signed_points),
        *([_SAME] if len(columns) == len(modes) else []),
    )


def _show_remaining(study: sendcap.ConvergenceStudy, modes: Mapping[Mode, str]) -> None:
    table = _of_all(study.remaining())
    for mode, label in modes.items():
        rows = table[table["mode"] == mode].set_index(["part", "time_s"])
        means: dict[Any, float] = rows["mean"].to_dict()
        means |= {
            ("together", at): sum(means[part, at] for part in _PARTS) for at in study.moments_s
        }
        seen = {part for (part, _), mean in means.items() if abs(mean) > _SEEN_PT}
        show_grid(
            f"What the error consists of, {label}: means in points",
            "At",
            {at: elapsed(at) for at in study.moments_s},
            {part: name for part, name in _PARTS.items() if part in seen} | _TOGETHER,
            partial(_mean, means),
            _WITHOUT_EFS if mode == "without-efs" else _WITH_EFS,
        )


def _mean(means: Mapping[Any, float], at_s: float, part: str) -> str:
    return signed_points(means[part, at_s])


def _show_by_name(study: sendcap.ConvergenceStudy, kind: str, title: str) -> None:
    table = study.settling()
    table = table[table[kind] != ALL_DELIVERIES]
    if table.empty:
        return
    times_s = table.set_index([kind, "tolerance_pt", "mode"])["median"]
    messages: Counter[str] = Counter()
    for (delivery, provider), count in study.replications.scenario.to_deliver().items():
        messages[delivery if kind == "delivery" else provider] += count
    columns = {
        (at, mode): f"{at:g} pt, {MODE_LABELS[mode]}"
        for at in study.tolerances_pt
        for mode in study.modes
    }

    def text(name: str, column: tuple[float, str] | None) -> str:
        if column is None:
            return f"{100.0 * messages[name] / messages.total():.3g} %"
        return elapsed(times_s[name, *column])

    share = "Share" if study.replications.scenario.population is None else "Share before exclusions"
    show_grid(
        f"{title}: each one's own Delivered % stays within so many points after",
        kind.capitalize(),
        table[kind].unique(),
        {None: share, **columns},
        text,
        repeated=2,
        together=len(study.modes),
    )


def _of_all(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows about all messages."""
    return table[(table["delivery"] == ALL_DELIVERIES) & (table["provider"] == ALL_PROVIDERS)]
