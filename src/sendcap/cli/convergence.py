"""What a convergence looks like in the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from sendcap.cli.conduct import printable
from sendcap.cli.tables import console, heading, new_table
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS
from sendcap.study.convergence.sentences import label
from sendcap.study.replication.recording import PARTS
from sendcap.text.measures import banded
from sendcap.text.quantities import counted, elapsed
from sendcap.text.shares import percentage, points_in_words, signed_points

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from sendcap.readings.modes import Mode
    from sendcap.study.convergence.converge import ConvergenceStudy

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
_SEEN_PT: Final = 5e-4
"""Less than that is not seen in a table of points."""


def show_convergence(study: ConvergenceStudy) -> None:
    """Print the tables of a convergence and what they say."""
    screen = console()
    for show in (_final, _settling, _errors, _remaining, _by_name):
        show(screen, study)
    for sentence in study.sentences():
        screen.print(printable(sentence))
    screen.print()


def _final(screen: Console, study: ConvergenceStudy) -> None:
    replications = study.replications
    table = new_table("", [label(mode) for mode in study.modes])
    for name, what in _FINAL.items():
        table.add_row(what, *(banded(study.number(mode, name), percentage) for mode in study.modes))
    title = replications.scenario.title or "Convergence"
    heading(screen, f"{title}: {counted(replications.n, 'simulation')}")
    screen.print(table)
    screen.print("The truth: accepted and not returned in the end, of all to deliver.")
    screen.print()


def _settling(screen: Console, study: ConvergenceStudy) -> None:
    table = new_table("Within", [label(mode) for mode in study.modes])
    for at in study.tolerances_pt:
        times = (study.number(mode, "settling_s", at) for mode in study.modes)
        table.add_row(points_in_words(at), *(banded(time, elapsed) for time in times))
    heading(screen, "Settling: from then on, Delivered % stays that close to its final value")
    screen.print(table)
    screen.print()


def _errors(screen: Console, study: ConvergenceStudy) -> None:
    rows = _rows(study.errors(), "against", "mode", "time_s")
    moments = list(dict.fromkeys(moment for _, _, moment in rows))
    columns: list[tuple[str, Mode]] = []
    for mode in study.modes:
        columns.append(("truth", mode))
        if any(
            abs(rows["truth", mode, at]["median"] - rows["final", mode, at]["median"]) > _SEEN_PT
            for at in moments
        ):
            columns.append(("final", mode))
    labels = [
        label(mode) + (", from its end" if which == "final" else "") for which, mode in columns
    ]
    table = new_table("At", labels)
    for at in moments:
        cells = (banded(rows[which, mode, at], signed_points) for which, mode in columns)
        table.add_row(elapsed(at), *cells)
    heading(screen, "Error of Delivered %: points above (+) or below (−) the truth")
    screen.print(table)
    if len(columns) == len(study.modes):
        screen.print(
            "Measured against the final value the errors are the same: every mode ends at the true "
            "value."
        )
    screen.print()


def _remaining(screen: Console, study: ConvergenceStudy) -> None:
    rows = _rows(study.remaining(), "mode", "part", "time_s")
    moments = list(dict.fromkeys(moment for _, _, moment in rows))
    for mode in study.modes:
        means = {(part, at): rows[mode, part, at]["mean"] for part in PARTS for at in moments}
        seen = [part for part in PARTS if any(abs(means[part, at]) > _SEEN_PT for at in moments)]
        table = new_table("At", [*(_PARTS[part] for part in seen), "Together"])
        for at in moments:
            together = sum(means[part, at] for part in PARTS)
            cells = [*(means[part, at] for part in seen), together]
            table.add_row(
                elapsed(at), *("–" if math.isnan(it) else signed_points(it) for it in cells)
            )
        heading(screen, f"What the error consists of, {label(mode)}: means in points")
        screen.print(table)
        screen.print(_what_the_parts_are(mode))
        screen.print()


def _what_the_parts_are(mode: Mode) -> str:
    if mode == "without-efs":
        return (
            "Counted as Sent, and will fail: at the first attempt (in queue), after a soft bounce "
            "(backing off), have bounced (not fed back), accepted and returned (async)."
        )
    return (
        "Not counted as Sent yet: will be accepted at the first attempt (in queue) or by a retry "
        "(backing off), is accepted (not fed back). Counted, and will be returned: async."
    )


def _by_name(screen: Console, study: ConvergenceStudy) -> None:
    settling, shares = study.settling(), _shares(study)
    columns = [(mode, at) for at in study.tolerances_pt for mode in study.modes]
    for kind, title in (("delivery", "Deliveries"), ("provider", "Providers")):
        rows = {
            (row[kind], row["mode"], row["tolerance_pt"]): row
            for row in settling.to_dict("records")
            if row[kind] != ALL_DELIVERIES
        }
        if not rows:
            continue
        labels = [f"{at:g} pt, {label(mode)}" for mode, at in columns]
        table = new_table(kind.capitalize(), ["Share", *labels])
        for name in dict.fromkeys(name for name, _, _ in rows):
            times = [rows[name, mode, at]["median"] for mode, at in columns]
            table.add_row(
                printable(name),
                f"{100.0 * shares[kind, name]:.3g} %",
                *("–" if math.isnan(time) else elapsed(time) for time in times),
            )
        heading(screen, f"{title}: each one's own Delivered % stays within so many points after")
        screen.print(table)
        screen.print()


def _shares(study: ConvergenceStudy) -> dict[tuple[str, str], float]:
    """Return each delivery's and each provider's share of the messages."""
    shares: dict[tuple[str, str], float] = {}
    to_deliver = study.replications.scenario.to_deliver()
    total = sum(to_deliver.values())
    for (delivery, provider), count in to_deliver.items():
        for key in (("delivery", delivery), ("provider", provider)):
            shares[key] = shares.get(key, 0.0) + count / total
    return shares


def _rows(table: pd.DataFrame, *keys: str) -> dict[Any, dict[Any, Any]]:
    """Return the rows about all messages, by some of their columns."""
    return {
        tuple(row[key] for key in keys): row
        for row in table.to_dict("records")
        if (row["delivery"], row["provider"]) == (ALL_DELIVERIES, ALL_PROVIDERS)
    }
