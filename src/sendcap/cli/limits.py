"""``sendcap limits``: bottlenecks and capacity."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import click

import sendcap
from sendcap.cli import options
from sendcap.cli.computing import simulations
from sendcap.cli.edits import chosen, costs_of
from sendcap.cli.progress import progress_bar
from sendcap.cli.saving import Results
from sendcap.cli.tables import say, show_grid, show_table
from sendcap.text.clock import brief_moment
from sendcap.text.quantities import elapsed, margin
from sendcap.text.shares import parse_share, share_text
from sendcap.text.tables import cell

# Per second or per hour, whichever is usual: both would be wider than a terminal.
_CEILINGS: Final = {
    "binding": "Limited by",
    "ceiling_per_s": "Ceiling/s",
    "share_pct": "Share %",
    "attempts_per_message": "Attempts",
    "delivery_per_hour": "Delivery/h",
    "needs_s": "Needs",
}
_OBSERVED: Final = {
    "utilisation_pct": "In use %",
    "mean_wait_s": "Mean wait",
    "p95_wait_s": "95 %",
    "longest_wait_s": "Longest",
    "peak_backlog": "Most waiting",
    "peak_at_s": "At",
    "drained_at_s": "Gone at",
    "refused_pct": "Refused %",
}
_NOTES: Final = (
    "Ceiling: attempts at a provider, messages at the relay and the ingress.",
    "Delivery: the ceiling that follows for all messages together.",
    "Attempts: per message, until 99 % of all that is ever accepted has been accepted.",
    "Needs: the least time in which it can carry its load, on average.",
    "A message waits from when it is ready to its attempt, at the relay until it is handed over.",
    "In use: of workers, connections or rate, until 99 % of the messages had been carried.",
)
_OF_LIMITS: Final = (
    "For a limit wait all that wait in the queues under it, whatever for.",
    "Of its connections those are in use that are made or carry an attempt; waiting ones are not.",
)

_OF_REFUSALS: Final = (
    "Refused: of the attempts, by the provider; such a message waits for its retry."
)

_OF_SEARCHES: Final = (
    "This search leaves the population out: each message has an address of its own, and nobody is "
    "excluded."
)


@click.command()
@options.scenario_or_quickstart
@options.out_directory
@options.overrides
@options.duration(
    "--within",
    "within_s",
    "Also search the largest delivery of which --share is accepted within D, e.g. 4h.",
    metavar="D",
)
@click.option(
    "--share", metavar="P", help="Share of the messages for --within and --levers (default: 99%)."
)
@options.flag("--sustained", "Also search the highest steady rate without a growing backlog.")
@options.flag(
    "--levers", "Also rank the levers: time saved by one more IP, 10 % more connections, and so on."
)
@click.option(
    "--cost",
    "costs",
    multiple=True,
    metavar="PATH=COST",
    help="Cost of one more for --levers, e.g. mta.ips=40; repeatable.",
)
@options.confidence(preset=False)
@options.processes
def limits(
    source: str,
    out: Path | None,
    force: bool,
    settings: tuple[str, ...],
    seed: int | None,
    within_s: float | None,
    share: str | None,
    sustained: bool,
    levers: bool,
    costs: tuple[str, ...],
    confidence: float | None,
    workers: int | None,
    address: str | None,
) -> None:
    """Show the bottleneck of a scenario and its capacity.

    SCENARIO is a TOML file, PRESET a name from `sendcap scenario list` (default: quickstart). A
    table gives the capacity of each stage (the relay, the MTA's ingress, each provider), another
    one the load in a simulation. DIR gets the tables, the stages over time, a summary, the
    scenario and charts.

    --within, --sustained and --levers run many simulations with different draws; --confidence,
    --workers and --dask apply to them.
    """
    from sendcap.study.capacity.limits import LIMITS_OF_A_SCENARIO, write_answers

    searching = within_s is not None or sustained or levers
    every = "--within, --sustained or --levers"
    for name, value, goes, needs in (
        ("--share", share, within_s is not None or levers, "--within or --levers"),
        ("--cost", costs or None, levers, "--levers"),
        ("--confidence", confidence, searching, every),
        ("--workers", workers, searching, every),
        ("--dask", address, searching, every),
    ):
        if value is not None and not goes:
            raise click.UsageError(f"{name} goes with {needs}")
    prices = costs_of(costs) if levers else None
    accepted = parse_share(share or "99%", "--share")
    scenario = chosen(source, settings, seed)
    answers: dict[str, Any] = {}
    results = Results(LIMITS_OF_A_SCENARIO, out, source, "limits", force=force)
    with results as folder:
        with progress_bar() as progress:
            stages = sendcap.limits(scenario, progress=progress)
        if searching:
            with simulations(workers, address) as means:
                means["confidence"] = confidence or 0.95
                answers = _answers(scenario, within_s, accepted, sustained, prices, means)
        stages.write(folder)
        ranked = answers.pop("levers", None)
        if ranked is not None:
            ranked.write(folder, scenario.title)
        write_answers(answers, folder)
    _show_stages(stages)
    _show_answers(answers, scenario)
    if ranked is not None:
        _show_levers(ranked)
    results.announce()


def _show_answers(answers: dict[str, Any], scenario: sendcap.Scenario) -> None:
    for answer in answers.values():
        say(" ".join(answer.sentences()))
    if answers and scenario.population is not None:
        say(_OF_SEARCHES)


def _answers(
    scenario: sendcap.Scenario,
    within_s: float | None,
    share: float,
    sustained: bool,
    prices: dict[str, Any] | None,
    means: dict[str, Any],
) -> dict[str, Any]:
    """Return the results of the searches that are asked for."""
    answers: dict[str, Any] = {}
    if within_s is not None:
        answers["within"] = sendcap.largest_within(scenario, within_s, share, **means)
    if sustained:
        answers["sustained"] = sendcap.sustained(scenario, **means)
    if prices is not None:
        answers["levers"] = sendcap.levers(scenario, share=share, costs=prices, **means)
    return answers


def _show_stages(stages: sendcap.Limits) -> None:
    """Print the ceilings, the load in the simulation, and the bottleneck."""
    table = stages.table()
    # By number: a limit may have the name of a queue.
    names = {number: _name(stages, number) for number in table.index}
    some_refused = bool((table["refused_pct"] > 0.0).any())
    observed = dict(_OBSERVED)
    if not some_refused:
        del observed["refused_pct"]
    for title, columns in (
        ("Ceilings: the most that each stage can carry", _CEILINGS),
        ("Simulated: how busy each stage was, and how many waited there", observed),
    ):
        show_grid(
            title,
            "Stage",
            names,
            columns,
            lambda number, name: _cell(name, table.at[number, name], stages),
        )
    bottleneck, *others = stages.sentences()
    say(bottleneck, bold=True)
    if others:
        say(*others)
    bins = f"bins of {elapsed(stages.run.ledger.bin_s)} (time.bin)"
    say(*_NOTES, f"Most waiting, at, gone at: by the messages that wait at the ends of {bins}.")
    if some_refused:
        say(_OF_REFUSALS)
    if stages.scenario.limits:
        say(*_OF_LIMITS)


def _name(stages: sendcap.Limits, number: int) -> str:
    stage = stages.stages[number]
    name = f"limit {stage.name}" if stage.kind == "limit" else stage.name
    return f"{name} ◀" if stage is stages.slowest else name


def _cell(name: str, value: Any, stages: sendcap.Limits) -> str:
    if value == math.inf:
        return "not yet" if name == "drained_at_s" else "no limit"
    start = stages.scenario.common_start
    if start is not None and name in ("peak_at_s", "drained_at_s") and not math.isnan(value):
        return brief_moment(value, start, stages.run.ledger.end_s)
    return cell(name, value)


def _signed(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "–"
    return f"{'-' if seconds < 0 else ''}{elapsed(abs(seconds))}"


def _show_levers(levers: sendcap.Levers) -> None:
    from sendcap.study.capacity.searches.search import effort

    costs = any(gain.cost is not None for gain in levers.gains)
    money = ("Cost", "For 1 of cost") if costs else ()
    columns = ("Lever", "Saved", "±", "Step %", "For 10 %", *money, "Helps until", "One unit")
    rows = []
    for gain in levers.gains:
        cost = "–" if gain.cost is None else f"{gain.cost:.4g}"
        until = "not at all" if gain.then is None else f"{gain.helps_until}, then {gain.then.name}"
        rows.append(
            [
                gain.lever,
                _signed(gain.gain_s.mean),
                margin(gain.gain_s.half_width),
                f"{gain.step_pct:.3g}",
                _signed(gain.per_10_pct_s.mean),
                *((cost, _signed(gain.per_cost_s)) if costs else ()),
                "for ever" if gain.helps_until is None else until,
                gain.change,
            ]
        )
    show_table(
        "Levers: time saved by one more unit of each, and for equal steps of 10 %",
        columns,
        rows,
        words=(columns[0], *columns[-2:]),
    )
    say(
        *levers.sentences(),
        f"±: half the {share_text(levers.confidence)} interval"
        f"{effort(levers.takes_s.n, levers.simulations)}.",
    )
