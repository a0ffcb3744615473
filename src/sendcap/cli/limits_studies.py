"""``sendcap limits``: the questions that take many simulations, how they are told and saved."""

from __future__ import annotations

import math
import textwrap
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sendcap.cli.conduct import printable
from sendcap.text.quantities import significant

if TYPE_CHECKING:
    from rich.console import Console

    from sendcap.scenario import Scenario
    from sendcap.study.capacity.searches.levers import Levers
    from sendcap.study.capacity.searches.sustained import Sustained
    from sendcap.study.capacity.searches.within import Capacity
    from sendcap.study.replication.estimates import Estimate

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
    from sendcap.charts.style import save_png
    from sendcap.files.tables import write_csv, write_json
    from sendcap.study.capacity.charts.levers import levers_chart
    from sendcap.study.capacity.files import CAPACITY, LEVERS, LEVERS_CHART

    capacity = {
        name: asdict(answer)
        for name, answer in (("within", found.within), ("sustained", found.sustained))
        if answer is not None
    }
    if capacity:
        write_json(folder / CAPACITY, capacity)
    if found.levers is not None:
        write_csv(folder / LEVERS, found.levers.frame())
        save_png(levers_chart(found.levers, title), folder / LEVERS_CHART)


def show(screen: Console, found: Answers, scenario: Scenario) -> None:
    """Print the answers in sentences, the levers as a table."""
    told = []
    if found.within is not None:
        told.append(within_sentence(found.within, scenario))
    if found.sustained is not None:
        told.append(sustained_sentence(found.sustained))
    for text in told:
        for line in textwrap.wrap(printable(text), _WIDTH):
            screen.print(line)
        screen.print()
    if found.levers is not None:
        _show_levers(screen, found.levers)


def within_sentence(found: Capacity, scenario: Scenario) -> str:
    """Tell how large a delivery can be."""
    from sendcap.study.capacity.searches.acceptance import messages
    from sendcap.text.quantities import elapsed

    several = len(scenario.deliveries) > 1
    told = (
        f"{found.share * 100:g} % of the messages that can be delivered are accepted within "
        f"{elapsed(found.within_s)} if there are at most {found.messages:,}"
        f"{' in all deliveries together' if several else ''}"
        f" ({_interval(found.size, found.confidence, ',.0f')}"
        f"{_effort(found.size.n, found.simulations)}). "
    )
    if several:
        told += f"That is {found.factor:.3g} times each delivery as it is"
    else:
        told += f"That is {found.factor:.3g} times the delivery as it is"
    return f"{told}, {messages(scenario):,} messages.{_imprecise(found.precise)}"


def sustained_sentence(found: Sustained) -> str:
    """Tell the highest steady rate, and what becomes of the relay's own."""
    from sendcap.study.capacity.sentences import called

    stage = called(found.kind, found.name)
    per_s = found.per_s
    told = f"Steadily, at most {significant(per_s.mean)} messages/s can be delivered"
    told += f", {significant(per_s.mean * 3600)} per hour"
    if found.kind == "provider":
        told += f" ({_interval(per_s, found.confidence, '.4g')}"
        told += f"{_effort(per_s.n, found.simulations)}); with more, {stage} falls behind for good."
    else:
        told += f": {stage} carries no more, and no provider falls behind at that rate"
        told += f"{_effort(per_s.n, found.simulations)}."
    if found.growing:
        first, *others = (
            (significant(its.per_s, 3), called(its.kind, its.name)) for its in found.growing
        )
        behind = [f"{first[0]} messages/s at {first[1]}", *(f"{n} at {at}" for n, at in others)]
        told += (
            f" As long as the relay has messages it hands over {significant(found.relay_per_s)}/s: "
            f"meanwhile the backlog grows by {', '.join(behind)}."
        )
    elif found.relay_per_s == math.inf:
        told += " The relay itself has no limit."
    elif found.kind != "relay":
        told += f" The relay hands over {significant(found.relay_per_s)}/s at most."
    return told + _imprecise(found.precise)


def _interval(its: Estimate, confidence: float, form: str) -> str:
    low, high = format(its.low, form), format(its.high, form)
    return f"{low} to {high} with {confidence * 100:g} % confidence"


def _effort(replications: int, simulations: int) -> str:
    return f"; {replications} replications, {simulations} simulations"


def _imprecise(precise: bool) -> str:
    return "" if precise else " More replications would narrow the interval further."


def _show_levers(screen: Console, found: Levers) -> None:
    from rich.text import Text

    from sendcap.cli.tables import heading, new_table
    from sendcap.study.capacity.charts.levers import until
    from sendcap.study.capacity.sentences import called
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
    slowest = found.bottleneck
    holding = "nothing" if slowest is None else called(slowest.kind, slowest.name)
    screen.print(
        f"As it is, {found.share * 100:g} % are accepted after {elapsed(found.takes_s.mean)}; "
        f"{printable(holding)} holds them up."
    )
    screen.print(
        f"±: half the {found.confidence * 100:g} % interval"
        f"{_effort(found.takes_s.n, found.simulations)}."
    )
    screen.print()
