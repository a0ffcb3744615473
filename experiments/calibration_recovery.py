"""Whether calibration gives back what a log was made with, and whether its intervals hold it.

Run by hand, about half an hour: ``python experiments/calibration_recovery.py [--repetitions 100]``.
A known scenario is simulated with another seed each time and written out as each MTA writes its
log (`written_logs`); ``sendcap.calibrate`` reads that. For each quantity the table has how many of
the 90 % intervals hold the truth, and the mean error. For what has no interval it has how often it
came out exactly.

With 167 repetitions of 8,000 messages (Python 3.11.7, NumPy 2.4.6, SciPy 1.17.1):

| 90 % intervals that hold the truth | truth | postfix | kumomta | exim |
|---|---|---|---|---|
| gmail connect_time, mean | 0.4s | 87% (-0.3%) | – | – |
| gmail connect_time, cv | 0.6 | 89% (-0.2%) | – | – |
| gmail transaction_time, mean | 320ms | 95% (+0.0%) | 95% (+0.1%) | 95% (-0.0%) |
| gmail transaction_time, cv | 0.7 | 88% (-0.2%) | 90% (-0.2%) | 88% (-0.3%) |
| gmail transient | 0.01 | 89% (-1.1%) | 89% (-1.1%) | 89% (-1.1%) |
| gmail user unknown | 0.01 | 90% (-0.0%) | 90% (-0.0%) | 90% (-0.0%) |
| gmail mailbox full | 0.05 | 86% (+0.6%) | 86% (+0.6%) | 86% (+0.6%) |
| gmail mailbox full, never | 0.3 | 88% (-0.3%) | 88% (-0.3%) | 88% (-0.3%) |
| gmail mailbox full, mean | 5h | 86% (-0.1%) | 86% (-0.1%) | 86% (-0.1%) |
| yahoo connect_time, mean | 0.3s | 89% (-0.8%) | – | – |
| yahoo connect_time, cv | 0.5 | 93% (+0.8%) | – | – |
| yahoo transaction_time, mean | 0.4s | 96% (+0.1%) | – | 94% (+0.1%) |
| yahoo transaction_time, cv | 0.5 | 91% (-0.0%) | – | 90% (-0.0%) |
| yahoo rate | 15 | 89% (+0.0%) | 89% (+0.0%) | 89% (+0.0%) |
| yahoo user unknown | 0.02 | 89% (-0.5%) | 89% (-0.5%) | 89% (-0.5%) |
| yahoo account disabled | 0.005 | 87% (-0.2%) | 87% (-0.2%) | 87% (-0.2%) |
| yahoo greylisted | 0.08 | 92% (-0.3%) | 92% (-0.3%) | 92% (-0.3%) |
| outlook connect_time, mean | 0.5s | 89% (+0.1%) | – | – |
| outlook transaction_time, mean | 0.6s | 89% (+0.0%) | 87% (+0.0%) | 89% (-0.0%) |
| outlook transaction_time, cv | 0.679 | 84% (-0.2%) | 85% (-0.4%) | 88% (-0.3%) |
| outlook transient | 0.03 | 89% (+1.4%) | 89% (+1.4%) | 89% (+1.4%) |
| outlook unreachable | 0.06 | 90% (-0.3%) | 90% (-0.3%) | 90% (-0.3%) |
| outlook unreachable, never | 0.1 | 92% (+0.2%) | 92% (+0.2%) | 92% (+0.2%) |
| outlook unreachable, mean | 3h | 90% (-0.2%) | 90% (-0.2%) | 90% (-0.2%) |
| **all** | | 89.5% of 3,946 | 89.1% of 2,839 | 89.6% of 3,173 |

| exactly | postfix | kumomta | exim |
|---|---|---|---|
| retry policy | 167 of 167 | 167 of 167 | 167 of 167 |
| every gap explained | 167 of 167 | 167 of 167 | 167 of 167 |
| gmail is held back by its connections | 167 of 167 | 167 of 167 | 167 of 167 |
| gmail messages_per_connection | 167 of 167 | 167 of 167 | – |
| gmail connections_per_ip | 167 of 167 | 167 of 167 | 167 of 167 |
| gmail connect_time, family | 164 of 167 | – | – |
| gmail transaction_time, family | 167 of 167 | 167 of 167 | 167 of 167 |
| yahoo is held back by its rate | 167 of 167 | 167 of 167 | 167 of 167 |
| yahoo messages_per_connection | 167 of 167 | 167 of 167 | – |
| yahoo connect_time, family | 74 of 167 | – | – |
| yahoo transaction_time, family | 167 of 167 | – | 167 of 167 |
| outlook messages_per_connection | 167 of 167 | 167 of 167 | – |
| outlook connect_time, family | 136 of 167 | – | – |
| outlook transaction_time, family | 167 of 167 | 165 of 167 | 167 of 167 |

All formats are written of the same simulations, so what they share is the same in each column. A
share of 167 intervals is off by 2.3 points by chance (standard error), and of 24 rows that are
right one or two are below 86 or above 94 %. So are two here. The means of yahoo's transaction times
were themselves closer to the truth than chance has it in the first 123 of these simulations, by a
fifth; in 700 others they were not. Of outlook's cv, a study of such times without a log, with 500
repetitions, has 88 %: one in seventy is taken for another family, whose interval is elsewhere.

The study has found two errors, in three of the repetitions, which were measured again: a rate was
not seen, so gaps of the rate were taken for transaction times, and soft bounces that are drawn anew
at each attempt were taken for a fault of the address, as two of 32 were repeated. Of the first 96
repetitions all were measured again, and no other came out otherwise.

Half of yahoo's connect times are taken for another family that fits as well, and its interval holds
both. What is estimated in less than a fifth of the repetitions has no row, such as the cv of
outlook's connect time, which the simpler family has none of.

PowerMTA's and Momentum's logs were in an earlier study, of 96 repetitions of 16,000 messages:
90.9 % of 1,248 and 90.8 % of 1,343 intervals held the truth. Momentum's stamps of whole seconds
told a plateau of twelve connections from chance in 55 of 96, and PowerMTA's log has no connections.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd
import written_logs

from sendcap.calibration.calibrate import Calibration, calibrate
from sendcap.calibration.times import Figure
from sendcap.scenario import Scenario, format_duration, loads

SCENARIO: Final = """
seed = {seed}
[[deliveries]]
name = "newsletter"
messages = {messages}
audience = {{ gmail = 0.5, yahoo = 0.3, outlook = 0.2 }}
[relay]
batch_time = "1s"
[mta.retry]
policy = "exponential"
first  = "20m"
factor = 2.0
max    = "12h"
jitter = 0.05
[providers.gmail]
connections_per_ip      = 12
messages_per_connection = 50
connect_time     = {{ dist = "lognormal", mean = "400ms", cv = 0.6 }}
transaction_time = {{ dist = "lognormal", mean = "320ms", cv = 0.7 }}
transient = 0.01
hard   = [{{ reason = "user unknown", share = 0.01 }}]
faults = [{{ reason = "mailbox full", share = 0.05, clears_after = {{ dist = "lognormal", mean = "5h", cv = 1.2 }}, never = 0.3 }}]
[providers.yahoo]
connections_per_ip      = 10
messages_per_connection = 20
connect_time     = {{ dist = "gamma", mean = "300ms", cv = 0.5 }}
transaction_time = {{ dist = "gamma", mean = "400ms", cv = 0.5 }}
rate   = "15/s"
hard   = [{{ reason = "user unknown", share = 0.02 }}, {{ reason = "account disabled", share = 0.005 }}]
faults = [{{ reason = "greylisted", share = 0.08, clears_after = "5m" }}]
[providers.outlook]
connections_per_ip      = 100
messages_per_connection = 10
connect_time     = {{ dist = "exponential", mean = "500ms" }}
transaction_time = {{ dist = "weibull", mean = "600ms", shape = 1.5 }}
transient = 0.03
faults = [{{ reason = "unreachable", share = 0.06, clears_after = {{ dist = "exponential", mean = "3h" }}, never = 0.1 }}]
"""  # noqa: E501 (a scenario file)

_LEAST_RECORDS: Final = 0.2
"""Share of the repetitions in which a quantity must have an interval, to have a row."""

FORMATS: Final[dict[str, Callable[[pd.DataFrame], Iterator[str]]]] = {
    "postfix": written_logs.postfix,
    "kumomta": written_logs.kumomta,
    "powermta": written_logs.powermta,
    "momentum": written_logs.momentum,
    "exim": written_logs.exim,
}


class Compared(NamedTuple):
    """An estimate and the truth."""

    quantity: str
    truth: float
    figure: Figure

    @property
    def held(self) -> bool:
        """Whether the truth is in the interval."""
        return self.figure.low <= self.truth <= self.figure.high


def compared(truth: Scenario, found: Calibration) -> Iterator[Compared]:
    """Yield every estimate that has an interval, with what it is an estimate of."""
    for provider in found.providers:
        real = truth.providers[provider.name]
        for name, fits, time in (
            ("connect_time", provider.connect, real.connect_time),
            ("transaction_time", provider.transaction, real.transaction_time),
        ):
            if fits:
                yield Compared(f"{provider.name} {name}, mean", time.mean_s, fits[0].mean_s)
                cv = math.sqrt(time.second_moment_s2 / time.mean_s**2 - 1.0)
                if not math.isnan(fits[0].cv.low):
                    yield Compared(f"{provider.name} {name}, cv", cv, fits[0].cv)
        if provider.transaction_mean is not None:
            mean_s = real.transaction_time.mean_s
            yield Compared(
                f"{provider.name} transaction_time, mean", mean_s, provider.transaction_mean
            )
        if (
            provider.ceiling.limited_by == "rate"
            and provider.ceiling.level is not None
            and real.rate
        ):
            yield Compared(f"{provider.name} rate", real.rate.per_s, provider.ceiling.level)
        if real.transient:
            yield Compared(f"{provider.name} transient", real.transient, provider.transient)
        for hard in real.hard:
            yield Compared(f"{provider.name} {hard.reason}", hard.share, provider.hard[hard.reason])
        shares = {fault.reason: fault for fault in provider.faults}
        for fault in real.faults:
            estimate = shares[fault.reason]
            name = f"{provider.name} {fault.reason}"
            yield Compared(name, fault.share, estimate.share)
            clears = estimate.fits[0]
            if fault.never:
                yield Compared(f"{name}, never", fault.never, estimate.never)
                yield Compared(f"{name}, mean", fault.clears_after.mean_s, clears.mean_s)
            else:
                # A constant: its interval holds it for certain, or the estimate is wrong.
                held = clears.mean_s.low <= fault.clears_after.mean_s <= clears.mean_s.high
                assert held, clears


def exact(truth: Scenario, found: Calibration) -> Iterator[tuple[str, bool]]:
    """Yield what has no interval, and whether it came out exactly."""
    policy = found.scenario.mta.retry
    yield "retry policy", policy == truth.mta.retry
    gaps = found.policies[0]
    yield "every gap explained", gaps.explained == gaps.gaps
    for estimate in found.providers:
        real, fitted = truth.providers[estimate.name], found.scenario.providers[estimate.name]
        if estimate.name != "outlook":
            limit = "connections" if real.rate is None else "rate"
            yield (
                f"{estimate.name} is held back by its {limit}",
                estimate.ceiling.limited_by == limit,
            )
        if estimate.per_connection is not None:
            same = fitted.messages_per_connection == real.messages_per_connection
            yield f"{estimate.name} messages_per_connection", same
        if estimate.name == "gmail" and math.isfinite(estimate.ceiling.connections):
            same = fitted.connections_per_ip == real.connections_per_ip
            yield f"{estimate.name} connections_per_ip", same
        for name, fits, time in (
            ("connect_time", estimate.connect, real.connect_time),
            ("transaction_time", estimate.transaction, real.transaction_time),
        ):
            if fits:
                yield f"{estimate.name} {name}, family", fits[0].family == time.dist


def repetition(
    seed: int, messages: int, folder: Path, formats: list[str]
) -> Iterator[tuple[str, Scenario, Calibration]]:
    """Simulate, write and calibrate once in each format."""
    truth = loads(SCENARIO.format(seed=seed, messages=messages))
    trace = written_logs.traced(truth)
    for name in formats:
        path = folder / f"{name}.log"
        path.write_text("\n".join(FORMATS[name](trace)) + "\n", encoding="utf-8")
        yield name, truth, calibrate([path])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--messages", type=int, default=16_000)
    parser.add_argument("--formats", nargs="+", default=list(FORMATS), choices=list(FORMATS))
    arguments = parser.parse_args()
    held: dict[tuple[str, str], list[Compared]] = defaultdict(list)
    same: dict[tuple[str, str], list[bool]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.repetitions):
            for name, truth, found in repetition(
                seed, arguments.messages, Path(folder), arguments.formats
            ):
                for record in compared(truth, found):
                    held[record.quantity, name].append(record)
                for quantity, right in exact(truth, found):
                    same[quantity, name].append(right)
    _print_held(held, arguments.formats, arguments.repetitions)
    _print_same(same, arguments.formats)


def _print_held(
    held: dict[tuple[str, str], list[Compared]], formats: list[str], repetitions: int
) -> None:
    print(f"| 90 % intervals that hold the truth | truth | {' | '.join(formats)} |")
    print(f"|---|---|{'---|' * len(formats)}")
    often = dict.fromkeys(
        quantity
        for (quantity, _), records in held.items()
        if len(records) >= _LEAST_RECORDS * repetitions
    )
    for quantity in often:
        cells = []
        for name in formats:
            records = held.get((quantity, name), [])
            if len(records) < _LEAST_RECORDS * repetitions:
                cells.append("–")
                continue
            error = sum(one.figure.value / one.truth - 1.0 for one in records) / len(records)
            share = sum(one.held for one in records) / len(records)
            cells.append(f"{share:.0%} ({error:+.1%})")
        truth = next(records[0].truth for (one, _), records in held.items() if one == quantity)
        print(f"| {quantity} | {_told(quantity, truth)} | {' | '.join(cells)} |")
    cells = []
    for name in formats:
        hits = [one.held for (_, format_name), all_ in held.items() if format_name == name
               for one in all_]  # fmt: skip
        cells.append(f"{sum(hits) / len(hits):.1%} of {len(hits):,}")
    print(f"| **all** | | {' | '.join(cells)} |")
    print()


def _told(quantity: str, truth: float) -> str:
    if quantity.endswith("mean"):
        return format_duration(round(truth, 4))
    return f"{truth:.3g}"


def _print_same(same: dict[tuple[str, str], list[bool]], formats: list[str]) -> None:
    print(f"| exactly | {' | '.join(formats)} |")
    print(f"|---|{'---|' * len(formats)}")
    for quantity in dict.fromkeys(quantity for quantity, _ in same):
        cells = []
        for name in formats:
            hits = same.get((quantity, name), [])
            cells.append(f"{sum(hits)} of {len(hits)}" if hits else "–")
        print(f"| {quantity} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
