"""Speed and memory of the engine, next to the textbook model and general simulators.

Run by hand, some six minutes: ``python experiments/engine_benchmark.py [--markdown]``. Times are
CPU times with the JIT warm. What is compared takes turns, each in a new process every round (after
the engine's ten million, the textbook model was a fifth slower in the same process). Rates are
medians over the rounds, and a ratio has its range over the rounds. Leave the machine alone
meanwhile: CPU times grow when others use the caches, the textbook's more than the engine's.

**Engine and textbook.** The engine simulates the preset ``black-friday`` as it is. The textbook
model would need some 5 GB and far more than ten minutes, so it simulates less, in two ways:

- *same settings, fewer messages*: the connections and rates stay, so the backlog and the sending
  are shorter than the engine's. This favours the textbook, whose time per message grows with what
  waits (30,000 messages/s with 20,000 messages, 14,000 with 1 M where it was written).
- *a slice with the same load*: what one of the 32 source IPs has of the messages, the relay's
  rate, the ingress rate and each provider's connections and throttle. A message has the same
  delays as in the whole. This is the fair comparison; it too favours the textbook, whose queues
  are 32 times shorter than they would be.

The engine is measured on the slice as well: its fixed cost per window weighs more there.

**Features** that make the engine slower are measured on the same slice: a spool of 300,000
messages, queues that react (a tolerance, suspensions, connection scaling), and limits that all
queues share (a rate, and connections). The costs are per message of the spool, per attempt of the
others.

**Many** providers, deliveries and small runs have scenarios of their own: 500 providers with
equal shares; 2,000 deliveries over a year, each to four of twelve providers; 1,000 messages of
the preset, simulated again and as a whole command.

**People**: 26 weekly sends of the preset to a list of ten million, which decays and grows, with
quarantine and fatigue.

**100 M messages** have the preset's own settings first: relayed in 19 h, all tried within 42 h,
so a validity of 84 h cuts off no more of them than of 10 M. This is the longest queue. Then
relay, ingress and IPs grow along with the messages, which keeps load and duration. The cost per
message at 1 M includes what is fixed, so the cost is set against that of ``--messages`` too.

**M/M/10** at 80 % load: the engine, with relay and ledger; SimPy, with a process per customer and
a Resource; Ciw, whose time is without the reading of its records.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import multiprocessing
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import simpy

import sendcap
from sendcap import textbook
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Rate, Scenario, from_dict, load, to_dict, updated

SERVERS: Final = 10
ARRIVALS_PER_S: Final = 8.0
THEORY_WAIT_S: Final = 0.2046  # Erlang C
LIBRARIES: Final = ("sendcap", "simpy", "numpy", "numba", "pyarrow", "ciw")
_UNITS_PER_GIB: Final = 2**30 if sys.platform == "darwin" else 2**20
PRESET: Final = load("black-friday")
SHARED: Final = "limits that all queues share"
FEATURES: Final[dict[str, dict[str, Any]]] = {
    "a spool of 300,000": {"mta.spool": 300_000},
    "queues that react": {
        "mta.suspend": "momentum",
        "providers.gmail.tolerance": "14/s",
        **{f"providers.{name}.connection_scaling": "kumomta" for name in PRESET.providers},
    },
    SHARED: {
        "limits": [
            {"name": "attempts", "rate": "800/s"},
            {"name": "connections", "connections": 960},
        ],
    },
}
FEATURES_MOST: Final = {"a spool of 300,000": 250, "queues that react": 200, SHARED: 400}
"""Targets in ns: of the spool for each message, of the others for each attempt."""
Queue = tuple[float, float]  # customers per second of CPU time, their mean wait in seconds
Result = TypeVar("Result")


class Row(NamedTuple):
    """A line of the table."""

    what: str
    measured: str
    target: str = "–"
    verdict: str = "–"


def apart(function: Callable[..., Result], *arguments: Any) -> Result:
    """Call a function in a new process, so that it inherits nothing from earlier ones."""
    print(f"{function.__name__}{arguments}", file=sys.stderr, flush=True)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as process:
        return process.submit(function, *arguments).result()


def cpu_s(work: Callable[[], object]) -> float:
    """Return the CPU time that some work takes, in seconds."""
    before_s = time.process_time()
    work()
    return time.process_time() - before_s


def black_friday(messages: int, ips: int = PRESET.mta.ips, feature: str = "") -> Scenario:
    """Return the preset with so many messages and IPs, its relay and ingress in proportion."""
    relay, mta = PRESET.relay, PRESET.mta
    changes: dict[str, Any] = {"deliveries[0].messages": messages, **FEATURES.get(feature, {})}
    if "mta.spool" in changes:
        changes["mta.spool"] = changes["mta.spool"] * ips // mta.ips
    if "limits" in changes:
        rate, connections = changes["limits"]
        changes["limits"] = [
            rate | {"rate": f"{800 * ips // mta.ips}/s"},
            connections | {"connections": 960 * ips // mta.ips},
        ]
    if ips != mta.ips:
        changes["mta.ips"] = ips
        changes["relay.workers"] = max(relay.workers, relay.workers * ips // mta.ips)
        for path, rate in (("relay.rate", relay.rate), ("mta.ingress_rate", mta.ingress_rate)):
            if rate is not None:
                changes[path] = str(Rate(rate.limit * ips, rate.period_s * mta.ips, rate.burst))
    return updated(PRESET, changes)


def by_engine(messages: int, sliced: int) -> tuple[float, float, float]:
    """Measure messages per second: of the whole, of a slice, of the whole with sending log."""
    whole, one_ip = black_friday(messages), black_friday(sliced, 1)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "sending-log.parquet"
        sendcap.simulate(black_friday(1000), sending_log=log)
        return (
            messages / cpu_s(lambda: sendcap.simulate(whole)),
            sliced / cpu_s(lambda: sendcap.simulate(one_ip)),
            messages / cpu_s(lambda: sendcap.simulate(whole, sending_log=log)),
        )


def with_feature(messages: int, feature: str) -> tuple[float, float]:
    """Measure messages per second of the engine, and its CPU time per attempt in ns."""
    scenario = black_friday(messages, feature=feature)
    sendcap.simulate(black_friday(1000, feature=feature))
    runs: list[sendcap.Run] = []
    took_s = cpu_s(lambda: runs.append(sendcap.simulate(scenario)))
    return messages / took_s, took_s / runs[0].ledger.total("attempted", clock="happened") * 1e9


def small(runs: int) -> float:
    """Measure the CPU time of 1,000 messages after the first run, in ms."""
    scenario = black_friday(1000)
    sendcap.simulate(scenario)
    return statistics.median(cpu_s(lambda: sendcap.simulate(scenario)) for _ in range(runs)) * 1e3


def many_providers(messages: int, providers: int) -> float:
    """Measure the CPU time of equal shares for so many providers, in seconds."""
    gmail = PRESET.providers["gmail"]
    names = [f"p{number}" for number in range(providers)]
    scenario = updated(
        black_friday(messages),
        {
            "providers": dict.fromkeys(names, gmail),
            "deliveries[0].audience": dict.fromkeys(names, 1.0 / providers),
        },
    )
    sendcap.simulate(black_friday(1000))
    return cpu_s(lambda: sendcap.simulate(scenario))


def a_year(deliveries: int, messages: int) -> tuple[float, float, float]:
    """Measure a year of deliveries: CPU time in s, peak memory in GiB, saved megabytes."""
    gmail = PRESET.providers["gmail"]
    names = [f"p{number}" for number in range(12)]
    each = [
        {
            "name": f"d{number:04}",
            "messages": messages // deliveries,
            "at": f"{number * 365 * 24 * 60 // deliveries}m",
            "audience": {names[(number + step) % 12]: 0.25 for step in range(4)},
        }
        for number in range(deliveries)
    ]
    changes = {"deliveries": each, "providers": dict.fromkeys(names, gmail)}
    scenario = updated(black_friday(1000), changes)
    sendcap.simulate(black_friday(1000))
    runs: list[sendcap.Run] = []
    took_s = cpu_s(lambda: runs.append(sendcap.simulate(scenario)))
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _UNITS_PER_GIB
    with tempfile.TemporaryDirectory() as folder:
        runs[0].save(Path(folder) / "run")
        saved = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return took_s, peak_gib, saved / 1e6


def half_a_year(people: int) -> tuple[float, float]:
    """Measure 26 weekly sends to a list of people: CPU time in s, peak memory in GiB."""
    data = to_dict(black_friday(people), defaults=False)
    (delivery,) = data["deliveries"]
    del delivery["messages"]
    population = {
        "size": people,
        "providers": delivery.pop("audience"),
        "decay": 0.22,
        "new_per_day": people / 2000,
        "dead_among_new": 0.02,
        "fatigue": {"max": 3, "period": "7d"},
    }
    weekly = {"deliveries": [delivery | {"every": "7d", "times": 26}], "population": population}
    scenario = from_dict(data | weekly)
    sendcap.simulate(updated(scenario, {"population.size": 1000}))
    took_s = cpu_s(lambda: simulate_ledger(scenario))
    return took_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _UNITS_PER_GIB


def by_textbook(messages: int, ips: int, feature: str = "") -> float:
    """Measure messages per second."""
    scenario = black_friday(messages, ips, feature)
    textbook.simulate_ledger(black_friday(1000))
    return messages / cpu_s(lambda: textbook.simulate_ledger(scenario))


def cost(messages: int, ips: int, runs: int) -> tuple[float, float]:
    """Measure the engine's CPU time per message in ns, and the peak memory in GiB."""
    scenario = black_friday(messages, ips)
    sendcap.simulate(black_friday(1000))
    took_s = statistics.median(cpu_s(lambda: sendcap.simulate(scenario)) for _ in range(runs))
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _UNITS_PER_GIB
    return took_s / messages * 1e9, peak_gib


def through_engine(customers: int) -> Queue:
    """Measure the queue in the engine: batches of one message, exponential gaps, 10 connections."""
    gap = {"dist": "exponential", "mean": f"{1000 / ARRIVALS_PER_S:g}ms"}
    scenario = from_dict(
        {
            "deliveries": [{"name": "one", "messages": customers, "audience": {"p": 1.0}}],
            "time": {"bin": "1s"},
            "relay": {"workers": 1, "batch": 1, "batch_time": gap, "error_rate": 0.0},
            "mta": {"ips": 1},
            "providers": {
                "p": {
                    "connections_per_ip": SERVERS,
                    "messages_per_connection": "unlimited",
                    "idle_timeout": "5000w",
                    "connect_time": "0s",
                    "transaction_time": {"dist": "exponential", "mean": "1s"},
                    "transient": 0.0,
                    "async_bounce": 0.0,
                    "hard": [],
                    "faults": [],
                }
            },
            "engagement": {"open_rate": 0.0},
        }
    )
    sendcap.simulate(black_friday(1000))
    runs: list[sendcap.Run] = []
    took_s = cpu_s(lambda: runs.append(sendcap.simulate(scenario)))
    ledger = runs[0].ledger
    here = ledger.cumulative("relayed", clock="happened").astype(float)
    here -= ledger.cumulative("accepted", clock="happened")
    return customers / took_s, float(here.sum()) * ledger.bin_s / customers - 1.0


def through_simpy(customers: int) -> Queue:
    """Measure the queue in SimPy, with a process per customer."""
    draw = random.Random(1).expovariate
    waits_s: list[float] = []
    env = simpy.Environment()
    servers = simpy.Resource(env, SERVERS)

    def customer() -> Generator[simpy.Event, Any, None]:
        came_s = env.now
        with servers.request() as turn:
            yield turn
            waits_s.append(env.now - came_s)
            yield env.timeout(draw(1.0))

    def arrivals() -> Generator[simpy.Event, Any, None]:
        for _ in range(customers):
            yield env.timeout(draw(ARRIVALS_PER_S))
            env.process(customer())

    env.process(arrivals())
    return customers / cpu_s(env.run), statistics.fmean(waits_s)


def through_ciw(customers: int) -> Queue:
    """Measure the queue in Ciw."""
    import ciw

    ciw.seed(1)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(ARRIVALS_PER_S)],
        service_distributions=[ciw.dists.Exponential(1.0)],
        number_of_servers=[SERVERS],
    )
    simulation = ciw.Simulation(network)
    took_s = cpu_s(lambda: simulation.simulate_until_max_customers(customers))
    waits_s = [record.waiting_time for record in simulation.get_all_records()]
    return customers / took_s, statistics.fmean(waits_s)


def named(count: int) -> str:
    """Return a count as text: 312,500 or 10 M."""
    return f"{count // 10**6} M" if count and count % 10**6 == 0 else f"{count:,}"


def rate_row(what: str, per_s: Sequence[float], unit: str = "messages/s") -> Row:
    """Return the row of a rate measured in each round."""
    return Row(what, f"{statistics.median(per_s):,.0f} {unit}")


def ratio_row(
    what: str, over: Sequence[float], under: Sequence[float], least: float, aim: float = 0.0
) -> Row:
    """Return the row of a ratio of two rates, which is to be at least so much."""
    ratios = [one / other for one, other in zip(over, under, strict=True)]
    ratio = statistics.median(ratios)
    verdict = "met" if ratio >= least else f"missed by {1 - ratio / least:.1%}"
    if least <= ratio < aim:
        verdict += f", {1 - ratio / aim:.0%} below the aim"
    target = f"≥ {least:g}, aim {aim:g}" if aim else f"≥ {least:g}"
    return Row(what, f"{ratio:.0f} times ({min(ratios):.0f} to {max(ratios):.0f})", target, verdict)


def limit_row(what: str, value: float, target: str, unit: str, note: str = "") -> Row:
    """Return the row of a value that is to be below its target."""
    most = float(target[1:])
    verdict = "met" if value <= most else f"missed by {value / most - 1:.1%}"
    return Row(what, f"{value:.2f} {unit}{note}", f"{target} {unit}", verdict)


def model_rows(messages: int, few: int, rounds: int) -> Iterator[Row]:
    """Tell how the engine compares with the textbook model, and what its sending log costs."""
    sliced = max(1, messages // PRESET.mta.ips)
    found = [
        (
            *apart(by_engine, messages, sliced),
            apart(by_textbook, few, PRESET.mta.ips),
            apart(by_textbook, sliced, 1),
        )
        for _ in range(rounds)
    ]
    engine, slice_engine, logged, text, slice_text = zip(*found, strict=True)
    yield rate_row(f"engine, black-friday, {named(messages)} messages", engine)
    yield rate_row(f"textbook, same settings, {named(few)} messages", text)
    yield ratio_row("engine / textbook, same settings", engine, text, 350)
    yield rate_row(f"textbook, slice with the same load, {named(sliced)} messages", slice_text)
    yield ratio_row("engine / textbook, same load", engine, slice_text, 350)
    yield rate_row("engine on that slice", slice_engine)
    times = statistics.median(one / two for one, two in zip(engine, logged, strict=True))
    yield rate_row("engine with sending log", logged)
    yield limit_row("CPU with sending log / without", times, "≤ 2", "times")


def feature_rows(messages: int, rounds: int) -> Iterator[Row]:
    """Tell how the engine compares with the textbook model where a feature slows it down."""
    sliced = max(1, messages // PRESET.mta.ips)
    for feature, most in FEATURES_MOST.items():
        found = [
            (*apart(with_feature, messages, feature), apart(by_textbook, sliced, 1, feature))
            for _ in range(rounds)
        ]
        engine, attempt_ns, text = zip(*found, strict=True)
        yield rate_row(f"engine, {feature}", engine)
        yield rate_row(f"textbook, {feature}, same load", text)
        yield ratio_row(f"engine / textbook, {feature}, same load", engine, text, 30)
        unit, ns = "ns a message", statistics.median(1e9 / per_s for per_s in engine)
        if feature != "a spool of 300,000":
            unit, ns = "ns an attempt", statistics.median(attempt_ns)
        yield limit_row(f"engine, {feature} (cost)", ns, f"≤ {most}", unit)


def many_rows(runs: int, providers: int, deliveries: int) -> Iterator[Row]:
    """Tell what small runs, many providers and many deliveries cost."""
    whole, year = 2000 * providers, 5000 * deliveries
    yield limit_row("1,000 messages, after the first run", apart(small, 4 * runs), "≤ 8", "ms")
    command = ("run", "black-friday", "--set", "deliveries[0].messages=1000")
    whole_s = statistics.median(command_s(*command) for _ in range(runs))
    yield limit_row("sendcap run, 1,000 messages", whole_s, "≤ 1.8", "s")
    took_s = apart(many_providers, whole, providers)
    yield limit_row(f"{providers:,} providers, {named(whole)} messages", took_s, "≤ 2", "s")
    took_s, peak_gib, saved = apart(a_year, deliveries, year)
    what = f"{deliveries:,} deliveries over a year, {named(year)} messages"
    yield limit_row(what, took_s, "≤ 60", "s")
    yield limit_row("peak memory of these", peak_gib, "< 2", "GiB")
    yield limit_row("saved of these", saved, "< 200", "MB")


def people_rows(people: int) -> Iterator[Row]:
    """Tell what half a year of a list of people costs."""
    took_s, peak_gib = apart(half_a_year, people)
    yield limit_row(f"26 weekly sends to {named(people)} people", took_s, "≤ 90", "s")
    yield limit_row("peak memory of these, people", peak_gib, "< 2", "GiB")


def size_rows(largest: int, messages: int, runs: int) -> Iterator[Row]:
    """Tell how time and memory grow with the number of messages."""
    few, ips = max(1, largest // 100), PRESET.mta.ips
    few_ns, _ = apart(cost, few, ips, runs)
    message_ns, _ = apart(cost, messages, ips, runs)
    more_ips = max(ips, ips * largest // messages)
    for other_ips, label in (
        (ips, ""),
        (more_ips, f", {more_ips} IPs, relay and ingress to match"),
    ):
        ns, gib = apart(cost, largest, other_ips, 1)
        what = f"CPU per message, {named(largest)}{label} / {named(few)}"
        note = f" ({ns:.0f} / {few_ns:.0f} ns; {message_ns:.0f} ns at {named(messages)})"
        yield limit_row(what, ns / few_ns, "≤ 1", "times", note)
        yield limit_row(f"peak memory, {named(largest)}{label}", gib, "< 2", "GiB")


def queue_rows(customers: int, rounds: int) -> Iterator[Row]:
    """Tell how the engine compares with general simulators on one queue."""
    ways = {"engine": through_engine, "SimPy": through_simpy, "Ciw": through_ciw}
    if not importlib.util.find_spec("ciw"):
        del ways["Ciw"]
        yield Row("M/M/10: Ciw", "skipped: not installed (pip install ciw)")
    found = [{name: apart(way, customers) for name, way in ways.items()} for _ in range(rounds)]
    per_s = {name: [one[name][0] for one in found] for name in ways}
    for name in ways:
        wait_s = found[0][name][1]
        unit = f"customers/s (mean wait {wait_s:.4f} s, theory {THEORY_WAIT_S} s)"
        yield rate_row(f"M/M/10: {name}", per_s[name], unit)
        if name != "engine":
            yield ratio_row(f"M/M/10: engine / {name}", per_s["engine"], per_s[name], 100)


def command_s(*arguments: str) -> float:
    """Measure the CPU time of a command as a whole."""
    with tempfile.TemporaryDirectory() as folder:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "sendcap", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def help_row(runs: int) -> Row:
    """Tell what CPU time `sendcap --help` takes."""
    took_s = statistics.median(command_s("--help") for _ in range(runs))
    return limit_row("sendcap --help", took_s, "< 0.3", "s")


def machine() -> str:
    """Return what the figures depend on."""
    cpu = platform.processor() or platform.machine()
    if (told := Path("/proc/cpuinfo")).exists():
        names = [line for line in told.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(": ")[2] if names else cpu
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = [name for name in LIBRARIES if importlib.util.find_spec(name)]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in found)
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{cpu}, {os.cpu_count()} cores, {memory_gib:.1f} GiB, {system}, {versions}"


def table(rows: Sequence[Row], markdown: bool) -> str:
    """Return the rows as text."""
    lines = [Row("what", "measured", "target", "met or missed"), *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, Row(*("-" * width for width in widths)))
    edge, between = ("|", " | ") if markdown else ("", "  ")
    return "\n".join(
        f"{edge} {between.join(map(str.ljust, line, widths))} {edge}".strip() for line in lines
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--messages", type=int, default=10_000_000, help="of black-friday")
    parser.add_argument("--textbook-messages", type=int, default=100_000)
    parser.add_argument("--largest", type=int, default=100_000_000, help="0 leaves it out")
    parser.add_argument("--customers", type=int, default=200_000, help="of M/M/10")
    parser.add_argument("--providers", type=int, default=500)
    parser.add_argument("--deliveries", type=int, default=2000, help="over a year")
    parser.add_argument("--people", type=int, default=10_000_000, help="0 leaves them out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args(arguments)
    load_before = os.getloadavg()[0]
    rows = list(model_rows(options.messages, options.textbook_messages, options.rounds))
    rows += feature_rows(options.messages, options.rounds)
    if options.largest:
        rows += size_rows(options.largest, options.messages, options.rounds)
    rows += many_rows(options.rounds, options.providers, options.deliveries)
    if options.people:
        rows += people_rows(options.people)
    rows += queue_rows(options.customers, options.rounds)
    rows.append(help_row(options.rounds))
    print(f"{machine()}; load {load_before:.1f} before, {os.getloadavg()[0]:.1f} after\n")
    print(table(rows, options.markdown))


if __name__ == "__main__":
    main()
