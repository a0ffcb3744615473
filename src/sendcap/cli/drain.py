"""``sendcap drain``: when a queue that exists is gone, and what helps."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

import sendcap
from sendcap.cli import options
from sendcap.cli.edits import chosen
from sendcap.cli.progress import simulations_bar
from sendcap.cli.saving import Results
from sendcap.cli.tables import headline, say, show
from sendcap.text.quantities import elapsed
from sendcap.text.quoting import shown
from sendcap.text.tables import Table

_GONE: Final = ("50 % gone", "90 % gone", "99 % gone", "All gone")


@click.command()
@options.scenario
@options.text(
    "--queue",
    "FILE",
    "The queue: output of postqueue -j, mailq, qshape, exim -bp or pmta show topqueues, metrics of "
    "KumoMTA or Momentum, or a CSV (default: the scenario's own backlog).",
)
@options.text("--format", "NAME", "Format of FILE (default: recognised).", "name")
@options.text(
    "--as-of",
    "MOMENT",
    "Moment at which FILE was written, e.g. 2026-11-30T08:00 (default: its last change).",
    "at",
)
@options.text("--pool", "NAME", "Pool of the messages for which FILE names none.")
@options.flag("--release", "Let messages on hold go, too (default: they are left out).")
@options.flag("--beside", "Send the scenario's deliveries beside it, from now on.")
@options.out_directory
@options.overrides
def drain(
    source: str,
    queue: str | None,
    name: str | None,
    at: str | None,
    pool: str | None,
    release: bool,
    beside: bool,
    out: Path | None,
    force: bool,
    settings: tuple[str, ...],
    seed: int | None,
) -> None:
    """Show when a queue that exists is gone, and what helps.

    SCENARIO has the limits and the retries of the MTA (`sendcap import` makes one of its
    configuration); FILE has the messages that it holds now. They are simulated until the last one
    is accepted, bounced or expired, and again with a flush, higher limits, another pool and a
    longer lifetime. DIR gets the tables, the scenario with the backlog and a chart.
    """
    from sendcap.study.drain.drain import DRAINED

    for option, given in (("--format", name), ("--as-of", at), ("--pool", pool)):
        if given is not None and queue is None:
            raise click.UsageError(f"{option} goes with --queue")
    if release and queue is None:
        raise click.UsageError("--release goes with --queue")
    scenario = chosen(source, settings, seed)
    results = Results(DRAINED, out, source, "drain", force=force)
    with results as folder:
        with simulations_bar(None) as seen:
            found = sendcap.drain(
                scenario,
                queue,
                format=name,
                at=None if at is None else _moment(at),
                pool=pool,
                release=release,
                beside=beside,
                seen=seen,
            )
        found.write(folder)
    _show(found)
    results.announce()


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(
            f"--as-of: {shown(text)} is no date with a time; write it like 2026-11-30T08:00"
        ) from None


def _show(found: sendcap.Drain) -> None:
    headline(found.scenario.title or "The queue")
    say(*found.sentences())
    show(_times(found))
    show(_changes(found))


def _times(found: sendcap.Drain) -> Table:
    rows = [
        [each.provider, f"{each.messages:,}", *_gone(each), *_ends(each)] for each in found.gone
    ]
    return Table(
        "When the queue is gone, from now on",
        ["Provider", "Messages", *_GONE, "Accepted", "Hard", "Expired"],
        rows if len(rows) > 2 else rows[:1],
        ["Gone: accepted, bounced hard or expired."],
    )


def _changes(found: sendcap.Drain) -> Table:
    tried = [("as it is", found.gone[-1]), *((each.change, each.gone) for each in found.tried)]
    rows = [[change, *_gone(gone), f"{gone.expired:,}"] for change, gone in tried]
    return Table(
        "What changes would do",
        ["Change", *_GONE, "Expired"],
        rows,
        ["Each change alone, with the same draws. A flush: all is due now."],
    )


def _gone(gone: Any) -> list[str]:
    times_s = (gone.gone_50_pct_s, gone.gone_90_pct_s, gone.gone_99_pct_s, gone.gone_s)
    return ["never" if seconds == math.inf else elapsed(seconds) for seconds in times_s]


def _ends(gone: Any) -> list[str]:
    return [f"{count:,}" for count in (gone.accepted, gone.hard, gone.expired)]
