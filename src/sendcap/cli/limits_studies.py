"""``sendcap limits``: the questions that take many simulations, how they are told and saved."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sendcap.cli.conduct import printable

if TYPE_CHECKING:
    from rich.console import Console

    from sendcap.scenario import Scenario
    from sendcap.study.capacity.searches.levers import Levers
    from sendcap.study.capacity.searches.sustained import Sustained
    from sendcap.study.capacity.searches.within import Capacity

_WIDTH: Final = 100
_SHARE: Final = "99%"


@dataclass(frozen=True)
class Asked:
    """What is to be studied."""

    within_s: float | None
    share: float
    sustained: bool
    levers: bool
    confidence: float
    workers: int | None
    address: str | None

    @property
    def anything(self) -> bool:
        """Whether there is a question at all."""
        return self.within_s is not None or self.sustained or self.levers


@dataclass(frozen=True)
class Answers:
    """What came of it; None for what was not asked."""

    within: Capacity | None
    sustained: Sustained | None
    levers: Levers | None


def asked(
    within: str | None,
    share: str | None,
    sustained: bool,
    levers: bool,
    confidence: str | None,
    workers: int | None,
    address: str | None,
) -> Asked:
    """Read the options.

    Raises
    ------
    click.UsageError
        If one is given that no question takes.
    SendcapError
        If a time or a share is none.
    """
    from sendcap.scenario.durations import as_seconds
    from sendcap.text.shares import parse_share

    if share is not None and within is None and not levers:
        raise click.UsageError("--share goes with --within or --levers")
    given = (("--confidence", confidence), ("--workers", workers), ("--dask", address))
    for name, value in given:
        if value is not None and within is None and not (levers or sustained):
            raise click.UsageError(f"{name} goes with --within, --sustained or --levers")
    return Asked(
        None if within is None else as_seconds(within, "--within"),
        parse_share(share or _SHARE, "--share"),
        sustained,
        levers,
        parse_share(confidence or "95%", "--confidence", whole=False),
        workers,
        address,
    )


def answers(questions: Asked, scenario: Scenario) -> Answers:
    """Simulate what it takes, with a progress line on a terminal."""
    from sendcap.cli.computing import simulations
    from sendcap.study.capacity.searches.levers import levers
    from sendcap.study.capacity.searches.sustained import sustained
    from sendcap.study.capacity.searches.within import largest_within

    within = steady = pulled = None
    with simulations(questions.workers, questions.address) as (pool, progress):
        common: dict[str, Any] = {
            "confidence": questions.confidence,
            "workers": pool,
            "progress": progress,
        }
        if questions.within_s is not None:
            within = largest_within(scenario, questions.within_s, questions.share, **common)
        if questions.sustained:
            steady = sustained(scenario, **common)
        if questions.levers:
            pulled = levers(scenario, share=questions.share, **common)
    return Answers(within, steady, pulled)


def write(found: Answers, title: str, folder: Path) -> None:
    """Write the answers' files into a directory that exists."""
    from sendcap.study.capacity.files import write_capacity, write_levers

    named = {"within": found.within, "sustained": found.sustained}
    capacity = {name: answer for name, answer in named.items() if answer is not None}
    if capacity:
        write_capacity(capacity, folder)
    if found.levers is not None:
        write_levers(found.levers, title, folder)


def show(screen: Console, found: Answers) -> None:
    """Print the answers in sentences, the levers as a table."""
    for answer in (found.within, found.sustained):
        for text in [] if answer is None else answer.sentences():
            for line in textwrap.wrap(printable(text), _WIDTH):
                screen.print(line)
            screen.print()
    if found.levers is not None:
        _show_levers(screen, found.levers)


def _show_levers(screen: Console, found: Levers) -> None:
    from rich.text import Text

    from sendcap.cli.tables import heading, new_table
    from sendcap.study.capacity.charts.levers import until
    from sendcap.study.capacity.searches.search import effort
    from sendcap.text.quantities import elapsed

    table = new_table("Lever", ("Time saved", "±", "%"))
    table.add_column(Text("How far it helps"), no_wrap=True)
    table.add_column(Text("One of it"), no_wrap=True)
    for its in found.gains:
        gain = its.gain_s
        sign = "-" if gain.mean < 0 else ""
        table.add_row(
            its.lever,
            f"{sign}{elapsed(abs(gain.mean))}",
            elapsed(gain.half_width),
            # Not -0.0.
            f"{round(100.0 * gain.mean / found.takes_s.mean, 1) + 0.0:.1f}",
            printable(until(its)),
            printable(its.change),
        )
    heading(screen, "Levers: time saved by one more unit of each")
    screen.print(table)
    screen.print()
    for sentence in found.sentences():
        screen.print(printable(sentence))
    screen.print(
        f"±: half the {found.confidence * 100:g} % interval"
        f"{effort(found.takes_s.n, found.simulations)}."
    )
    screen.print()
