"""Every slip is named with its field, its value and what would be right."""

import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenarios import small

from sendcap.errors import ScenarioError, SendcapWarning
from sendcap.scenario import (
    Rate,
    dumps,
    from_dict,
    load,
    loads,
    preset_text,
    to_dict,
    updated,
)

Break = Callable[[dict[str, Any]], Any]


def put(*path: str | int, value: Any) -> Break:
    def change(data: dict[str, Any]) -> None:
        table: Any = data
        for key in path[:-1]:
            table = table.setdefault(key, {}) if isinstance(table, dict) else table[key]
        table[path[-1]] = value

    return change


def drop(*path: str | int) -> Break:
    def change(data: dict[str, Any]) -> None:
        table: Any = data
        for key in path[:-1]:
            table = table[key]
        del table[path[-1]]

    return change


LASTING = {"after": 9, "within": "1m", "lasts": "1h", "rate": "360/m"}
FIRST = ("deliveries", 0)
GMAIL = ("providers", "gmail")
FAULT = ("providers", "other", "faults", 0)

CASES: list[tuple[Break, str]] = [
    (
        put("feedback", "rate", value="10/s,max_burst=5"),
        'feedback.rate: "10/s,max_burst=5": this is a server\'s rate',
    ),
    # tolerance, suspensions, spread and warm-up
    (put(*GMAIL, "tolerance", value="100"), 'providers.gmail.tolerance: "100" is not a rate; '),
    (
        put("mta", "suspend", value={"lasts": "never"}),
        'mta.suspend.lasts: "never" would never end; give a duration up to 366d',
    ),
    (
        put("mta", "suspend", value={"lasts": "2w", "rate": "0/s"}),
        'mta.suspend.rate: "0/s" lets nothing through; give a limit of at least 1',
    ),
    (put("mta", "suspend", value={"lasts": "9999d"}), "mta.suspend.lasts: must be at most 366d"),
    (put("mta", "suspend", value="momentun"), 'mta.suspend: no rule is called "momentun"; did you'),
    (put("mta", "suspend", value="soft"), 'mta.suspend: no rule is called "soft"; give one of'),
    (put("mta", "suspend", value={"after": 0, "lasts": "1h"}), "mta.suspend.after: must be at le"),
    (
        put("mta", "suspend", value=[{"lasts": "1h"}, {"lasts": "never"}]),
        'mta.suspend[1].lasts: "never" would never end',
    ),
    (put("mta", "suspend", value=[]), "mta.suspend: needs at least one entry"),
    (
        put("mta", "suspend", value={"lasts": "1h", "count": ["hard"]}),
        'mta.suspend.count: unknown key; did you mean "counts"?',
    ),
    (
        put(*GMAIL, "suspend", value={"lasts": "1h", "share": 0.1, "after": 5}),
        "providers.gmail.suspend.after: a rule has either a count or a share; give one of them",
    ),
    (
        put("mta", "suspend", value={"lasts": "1h", "share": 0}),
        "mta.suspend.share: must be more than 0",
    ),
    (
        put("mta", "suspend", value={"lasts": "1h", "of": 5}),
        "mta.suspend.of: holds for a share only; give share, too",
    ),
    (
        put("mta", "suspend", value={"lasts": "1h", "slow_to": 0.5}),
        "mta.suspend.slow_to: holds for a share only; give rate instead",
    ),
    (
        put("mta", "suspend", value={"lasts": "1h", "meanwhile": "retry", "rate": "1/m"}),
        'mta.suspend.meanwhile: "retry" is of a closed queue; leave out rate and slow_to',
    ),
    (
        put("mta", "suspend", value={"lasts": "1h", "counts": ["hard", "hard"]}),
        'mta.suspend.counts: "hard" appears twice; name each answer once',
    ),
    (
        put(*GMAIL, "connection_scaling", value={"kind": "postfix", "initial": 0}),
        "providers.gmail.connection_scaling.initial: must be at least 1, not 0",
    ),
    (
        put(*GMAIL, "connection_scaling", value={"initial": 2, "positive": "1/N"}),
        'providers.gmail.connection_scaling.positive: "1/N" is not possible; one of "1", "1/conc',
    ),
    (
        put(*GMAIL, "disturbances", value=[{"every": "1h", "lasts": "1m"}]),
        "providers.gmail.disturbances[0]: changes nothing; give transient, tolerance or unreach",
    ),
    (
        put(*GMAIL, "disturbances", value=[{"every": "0s", "lasts": "1m", "transient": 0.5}]),
        'providers.gmail.disturbances[0].every: is "0s" on average; give a time such as "2h"',
    ),
    (
        put(*GMAIL, "disturbances", value=[{"every": "1h", "lasts": "0s", "transient": 0.5}]),
        'providers.gmail.disturbances[0].lasts: is "0s" on average; give a time such as "2h"',
    ),
    (
        put(*GMAIL, "disturbances", value=[{"every": "9ms", "lasts": "1ms", "transient": 0.5}]),
        "providers.gmail.disturbances[0].every: with lasts less than a second on average",
    ),
    (
        put(
            *GMAIL,
            "disturbances",
            value=[{"every": "1h", "lasts": "1m", "unreachable": True, "transient": 0.5}],
        ),
        "providers.gmail.disturbances[0].unreachable: true leaves no answers; leave out trans",
    ),
    (
        put(*GMAIL, "disturbances", value=[{"every": "1h", "lasts": "1m", "unreachable": 1}]),
        "providers.gmail.disturbances[0].unreachable: must be true or false, not 1",
    ),
    (
        put(*GMAIL, "hard", value=[{"reason": "suspended", "share": 0.1}]),
        'providers.gmail.hard[0].reason: "suspended" is for soft bounces without an attempt',
    ),
    (
        put(
            *GMAIL, value={**small()["providers"]["gmail"], "tolerance": "5/s", "suspend": LASTING}
        ),
        "providers.gmail.suspend.rate: never ends at gmail: meanwhile it sends 360/m, more than",
    ),
    (
        put(*GMAIL, "connection_scaling", value="kumo"),
        'providers.gmail.connection_scaling: "kumo" is not possible; did you mean "kumomta"?',
    ),
    (
        put(*GMAIL, "rate", value={"kind": "warm-up", "per_day": []}),
        "providers.gmail.rate.per_day: needs at least one entry",
    ),
    (
        put(*GMAIL, "rate", value={"kind": "warm-up", "share": 0}),
        "providers.gmail.rate.share: must be more than 0, not 0",
    ),
    (put(*FIRST, "spread", value="15d"), 'deliveries[0].spread: must be at most 14d, not "15d"'),
    # throttles, outages and the spool
    (
        put(*GMAIL, "rate", value={"kind": "bucket"}),
        'providers.gmail.rate: kind must be "fixed-window", "gap", "schedule" or "warm-up"; a',
    ),
    (put(*GMAIL, "rate", value={"kind": "gap"}), "providers.gmail.rate.pause: required, but"),
    (
        put(*GMAIL, "rate", value={"kind": "gap", "pause": "1s", "pauze": "1s"}),
        'providers.gmail.rate.pauze: unknown key; did you mean "pause"?',
    ),
    (
        put(*GMAIL, "connection_rate", value={"kind": "gap", "pause": "1s"}),
        'providers.gmail.connection_rate: must be a rate, such as "100/s", or a table with kind = ',
    ),
    (
        put(*GMAIL, "connection_rate", value=["1/s"]),
        'providers.gmail.connection_rate: ["1/s"] has no period; give a rate',
    ),
    (
        put(*GMAIL, "max_connection_rate", value="100/m"),
        "providers.gmail.max_connection_rate: unknown key; a scenario calls it connection_rate",
    ),
    (
        put(*GMAIL, "accepts_connections", value=0),
        "providers.gmail.accepts_connections: must be at least 1, not 0",
    ),
    (
        put("relay", "rate", value={"kind": "schedule", "steps": [{"at": "1h", "rate": "1/s"}]}),
        'relay.rate.steps[0].at: the first step must be at "0s", not "1h"',
    ),
    (put(*GMAIL, "tolerance", value=7), "providers.gmail.tolerance: 7 has no period"),
    (put(*GMAIL, "rate", value=[]), "providers.gmail.rate: needs at least one entry"),
    (
        put(*GMAIL, "rate", value=["1/s", "none"]),
        'providers.gmail.rate[1]: a list has throttles only, not "none"; write rate = "none"',
    ),
    (put(*GMAIL, "rate", value=["1/s", 5]), "providers.gmail.rate[1]: 5 has no period"),
    (put(*GMAIL, "rate", value=[["1/s"]]), 'providers.gmail.rate[0]: ["1/s"] has no period'),
    (
        put(*GMAIL, "rate", value=["1/s", {"kind": "fixed-window", "limit": 0, "window": "1h"}]),
        "providers.gmail.rate[1].limit: must be at least 1, not 0",
    ),
    (
        put(*GMAIL, "rate", value=[{"kind": "gap", "pause": "1s", "pauze": "1s"}]),
        'providers.gmail.rate[0].pauze: unknown key; did you mean "pause"?',
    ),
    (
        put(*GMAIL, "rate", value={"kind": "schedule", "steps": [{"at": "1h", "rate": "1/s"}]}),
        'providers.gmail.rate.steps[0].at: the first step must be at "0s", not "1h"',
    ),
    (
        put(
            *GMAIL,
            "rate",
            value={
                "kind": "schedule",
                "steps": [{"at": "0s", "rate": "1/s"}, {"at": "0s", "rate": "2/s"}],
            },
        ),
        'providers.gmail.rate.steps[1].at: "0s" does not come after "0s"; put steps in order',
    ),
    (
        put(*GMAIL, "rate", value={"kind": "schedule", "steps": [{"at": "0s", "rate": "closed"}]}),
        "providers.gmail.rate.steps[0].rate: the last step may not be closed",
    ),
    (
        put(
            *GMAIL,
            "outages",
            value=[{"at": "1h", "lasts": "2h"}, {"at": "2h", "lasts": "1h"}],
        ),
        'providers.gmail.outages[1].at: "2h" is before the outage before it ends, at "3h"',
    ),
    (put("mta", "spool", value=0), "mta.spool: must be at least 1, not 0"),
    # unknown keys
    (put("delivery", value={}), 'delivery: unknown key; did you mean "deliveries"?'),
    (put("xyz", value=1), "xyz: unknown key; known: title, seed,"),
    (put(*GMAIL, "conections_per_ip", value=5), 'unknown key; did you mean "connections_per_ip"?'),
    (
        put(*FAULT, "clear_after", value="5m"),
        'clear_after: unknown key; did you mean "clears_after"',
    ),
    (
        put("mta", "retry", value={"frist": "20m"}),
        'mta.retry.frist: unknown key; did you mean "first"?',
    ),
    (
        put("providers", "other", "transaction_time", "kv", value=1),
        "providers.other.transaction_time.kv: unknown key; ",
    ),
    # missing keys
    (drop("relay"), "relay: required, but missing"),
    (drop("relay", "batch_time"), "relay.batch_time: required, but missing"),
    (drop(*FIRST, "name"), "deliveries[0].name: required, but missing"),
    (put("deliveries", value=[]), "deliveries: needs at least one entry"),
    (put("providers", value={}), "providers: needs at least one entry"),
    (
        drop(*FAULT, "clears_after"),
        "providers.other.faults[0].clears_after: required unless never = 1",
    ),
    # units
    (put(*FIRST, "at", value=5), "deliveries[0].at: 5 has no unit; give a number with a unit"),
    (put(*FIRST, "at", value="5 minits"), 'unknown unit "minits" in "5 minits"; did you mean "min'),
    (put(*FIRST, "at", value="-5m"), 'deliveries[0].at: "-5m" is negative'),
    (
        put(*FIRST, "validity", value="0s"),
        'deliveries[0].validity: must be more than zero, not "0s"',
    ),
    (put(*GMAIL, "connect_time", value=0.25), "providers.gmail.connect_time: 0.25 has no unit"),
    (
        put(*GMAIL, "connect_time", value="999999d"),
        'connect_time: "999999d" is more than 100 years',
    ),
    (put("time", "bin", value="0 min"), 'time.bin: must be more than zero, not "0 min"'),
    (put("time", "window", value="0s"), 'time.window: must be at least 100ms, not "0s"'),
    (put("time", "window", value="99ms"), 'time.window: must be at least 100ms, not "99ms"'),
    (put("time", "horizon", value="0s"), 'time.horizon: must be more than zero, not "0s"'),
    (put("time", "horizon", value="367d"), 'time.horizon: must be at most 366d, not "367d"'),
    (put("time", "window", value="automatic"), 'time.window: "automatic" is not a duration'),
    (put("time", "window", value=60), "time.window: 60 has no unit"),
    # rates
    (put(*GMAIL, "rate", value="0/s"), 'providers.gmail.rate: "0/s" lets nothing through'),
    (put(*GMAIL, "rate", value=100), "providers.gmail.rate: 100 has no period"),
    (
        put("mta", "ingress_rate", value="2000/s,max_burst=5"),
        'mta.ingress_rate: "2000/s,max_burst=5": this is a server\'s rate',
    ),
    # numbers
    (put(*FIRST, "messages", value=0), "deliveries[0].messages: must be at least 1, not 0"),
    (put(*FIRST, "messages", value=-3), "deliveries[0].messages: must be at least 1, not -3"),
    (
        put(*FIRST, "messages", value=10**9 + 1),
        "messages: must be at most 1000000000, not 1000000001",
    ),
    (put(*FIRST, "messages", value=1.5), "messages: must be a whole number, not 1.5"),
    (put(*FIRST, "messages", value="1000"), 'messages: must be a whole number, not "1000"'),
    (put(*FIRST, "messages", value=True), "messages: must be a whole number, not true"),
    (put(*FIRST, "messages", value=float("nan")), "messages: must be a whole number, not NaN"),
    (put(*FIRST, "messages", value=float("inf")), "messages: must be a whole number, not Infinity"),
    (put("seed", value=-1), "seed: must be at least 0, not -1"),
    (put("relay", "workers", value=0), "relay.workers: must be at least 1, not 0"),
    (put("relay", "batch", value=0), "relay.batch: must be at least 1, not 0"),
    (put(*FIRST, "batch", value=0), "deliveries[0].batch: must be at least 1, not 0"),
    (put("mta", "ips", value=0), "mta.ips: must be at least 1, not 0"),
    (put(*GMAIL, "connections_per_ip", value=0), "connections_per_ip: must be at least 1, not 0"),
    (
        put(*GMAIL, "messages_per_connection", value=0),
        'messages_per_connection: must be at least 1, or "unlimited", not 0',
    ),
    (
        put(*GMAIL, "messages_per_connection", value="no limit"),
        'must be a whole number or "unlimited", not "no limit"',
    ),
    (put(*GMAIL, "transient", value=1.5), "providers.gmail.transient: must be at most 1, not 1.5"),
    (put(*GMAIL, "transient", value=-0.5), "transient: must be at least 0, not -0.5"),
    (put(*GMAIL, "transient", value=float("nan")), "transient: must be a finite number, not NaN"),
    (put(*GMAIL, "transient", value="1"), 'transient: must be a share, such as 0.004 or "0.4%"'),
    (put(*GMAIL, "transient", value="101%"), 'transient: must be at most 1, not "101%"'),
    (put(*GMAIL, "transient", value=True), "transient: must be a number, not true"),
    (put("engagement", "open_rate", value=28), "engagement.open_rate: must be at most 1, not 28"),
    (put("relay", "error_rate", value=2), "relay.error_rate: must be at most 1, not 2"),
    (put("mta", "retry", value={"jitter": 1}), "mta.retry.jitter: must be less than 1, not 1"),
    # no machine has so many connections
    (
        put("relay", "workers", value=10**6 + 1),
        "relay.workers: must be at most 1000000, not 1000001",
    ),
    (
        lambda data: (
            put("mta", "ips", value=1001)(data),
            put(*GMAIL, "connections_per_ip", value=1000)(data),
            put("providers", "other", "connections_per_ip", value=1)(data),
        ),
        "gmail.connections_per_ip: 1000 times mta.ips, 1001, is 1001000 connections; must be at",
    ),
    (put("mta", "ips", value=10**6 + 1), "mta.ips: must be at most 1000000, not 1000001"),
    # retries that would go on and on
    *(
        (put("mta", "retry", value=table), f'mta.retry.{field}: must be at least 1s, not "{value}"')
        for table, field, value in (
            ({"first": "1ms"}, "first", "1ms"),
            ({"first": "0s"}, "first", "0s"),
            ({"max": "999ms"}, "max", "999ms"),
            ({"policy": "schedule", "delays": ["5m", "0.5s"]}, "delays[1]", "0.5s"),
            ({"policy": "momentum", "retry_interval": "1ms"}, "retry_interval", "1ms"),
            ({"policy": "momentum", "max_retry_interval": "1ms"}, "max_retry_interval", "1ms"),
            ({"policy": "kumomta", "retry_interval": "1ms"}, "retry_interval", "1ms"),
            ({"policy": "kumomta", "max_retry_interval": "1ms"}, "max_retry_interval", "1ms"),
            ({"policy": "postfix", "minimal_backoff_time": "9ms"}, "minimal_backoff_time", "9ms"),
            ({"policy": "postfix", "maximal_backoff_time": "9ms"}, "maximal_backoff_time", "9ms"),
            ({"policy": "powermta", "retry_after": "1ms"}, "retry_after[0]", "1ms"),
            ({"policy": "powermta", "retry_after": ["10m", "1ms"]}, "retry_after[1]", "1ms"),
            ({"policy": "exim", "retry_interval_max": "1ms"}, "retry_interval_max", "1ms"),
        )
    ),
    (
        put("mta", "retry", value={"policy": "exim", "rule": "F,2h,15m; F,4d,1ms"}),
        'mta.retry.rule: "F,4d,1ms": the interval must be at least 1s, not "1ms"',
    ),
    (
        put("mta", "retry", value={"first": "1s", "jitter": 0.99}),
        "mta.retry.jitter: 0.99 makes delays as short as 10ms; they must be at least 100ms",
    ),
    (
        put("mta", "retry", value={"policy": "schedule", "delays": ["1s"], "jitter": 0.95}),
        "mta.retry.jitter: 0.95 makes delays as short as 50ms; they must be at least 100ms",
    ),
    # shares
    (
        put(*FIRST, "audience", "gmail", value=0.7),
        "deliveries[0].audience: shares sum to 0.95, must sum to 1",
    ),
    (put(*FIRST, "audience", value={}), "deliveries[0].audience: shares sum to 0, must sum to 1"),
    (
        put(*FIRST, "audience", value={"gmial": 1}),
        'deliveries[0].audience.gmial: no provider has this name; did you mean "gmail"?',
    ),
    (
        put(*FIRST, "audience", value={"web.de": 1}),
        'deliveries[0].audience."web.de": no provider has this name; defined: gmail, other',
    ),
    (put(*FAULT, "share", value=0.995), "providers.other: shares of hard and faults sum to 1.005"),
    # names
    (put(*FIRST, "name", value="*"), 'deliveries[0].name: "*" is reserved for totals'),
    (put(*FIRST, "name", value=""), 'deliveries[0].name: "" cannot be a name'),
    (put(*FIRST, "name", value=" a"), 'deliveries[0].name: " a" cannot be a name'),
    (put(*FIRST, "name", value=7), "deliveries[0].name: must be text, not 7"),
    (put("providers", "*", value=small()["providers"]["gmail"]), '"*" is reserved'),
    (
        lambda data: data["deliveries"].append(dict(data["deliveries"][0])),
        'deliveries[1].name: "one" is used before; give each delivery its own name',
    ),
    (
        lambda data: data["providers"]["other"]["hard"].append(
            {"reason": "user unknown", "share": 0.1}
        ),
        'providers.other.hard[1].reason: "user unknown" appears twice; give each reason once',
    ),
    (
        put(*FAULT, "reason", value="user unknown"),
        'providers.other.faults[0].reason: "user unknown" appears twice',
    ),
    # kinds and choices
    (
        put(*GMAIL, "connect_time", value={"dist": "lognorml", "mean": "1s", "cv": 1}),
        'providers.gmail.connect_time: dist = "lognorml" is unknown; did you mean "lognormal"?',
    ),
    (
        put(*GMAIL, "connect_time", value={"mean": "1s"}),
        "connect_time: needs dist to say which kind",
    ),
    (
        put(*GMAIL, "connect_time", value={"dist": "lognormal", "mean": "5", "cv": 1}),
        'providers.gmail.connect_time.mean: "5" is not a duration',
    ),
    (
        put(*GMAIL, "connect_time", value={"dist": "exponential"}),
        "providers.gmail.connect_time.mean: required, but missing",
    ),
    (
        put("mta", "retry", value={"policy": "postfixx"}),
        'mta.retry: policy = "postfixx" is unknown; did you mean "postfix"?',
    ),
    (put("mta", "retry", value="postfix"), 'mta.retry: must be a table, not "postfix"'),
    (
        put(*GMAIL, "retry", value={"policy": "postfixx"}),
        'providers.gmail.retry: policy = "postfixx" is unknown; did you mean "postfix"?',
    ),
    (put(*GMAIL, "retry", value="mtaa"), 'providers.gmail.retry: must be a table, not "mtaa"'),
    (
        put(*GMAIL, "retry", value={"policy": "kumomta", "max_agee": "1d"}),
        'providers.gmail.retry.max_agee: unknown key; did you mean "max_age"?',
    ),
    (
        put(*GMAIL, "retry", value={"first": "1ms"}),
        'providers.gmail.retry.first: must be at least 1s, not "1ms"',
    ),
    (
        put("mta", "longest_validity", value="0s"),
        'mta.longest_validity: must be more than zero, not "0s"',
    ),
    (put("mta", "longest_validity", value="2y"), 'mta.longest_validity: unknown unit "y"'),
    (put("mta", "retry", value={"first": "20"}), 'mta.retry.first: "20" is not a duration'),
    (
        put("mta", "expire", value="at-expiri"),
        'mta.expire: "at-expiri" is not possible; did you mean "at-expiry"?',
    ),
    (
        put("mta", "clock_origin", value=3),
        'clock_origin: 3 is not possible; one of "relayed", "delivery-start"',
    ),
    (
        put("reporting", "modes", value=["esf"]),
        'reporting.modes[0]: "esf" is not possible; did you',
    ),
    (put("reporting", "modes", value=[]), "reporting.modes: needs at least one entry"),
    (put("reporting", "modes", value="efs"), 'reporting.modes: must be a list, not "efs"'),
    (put("reporting", "modes", value=["efs", "efs"]), '"efs" appears twice; name each mode once'),
    (put("reporting", "denominator", value="all"), 'reporting.denominator: "all" is not possible'),
    (
        put("feedback", "asynchronous", value={"dist": "exponential", "mean": "1000d"}),
        "feedback.asynchronous: only 0.8 % are within 7 days, in which asynchronous bounces",
    ),
    (
        put("feedback", "asynchronous", value="8d"),
        'feedback.asynchronous: never less than "8d", but asynchronous bounces arrive within',
    ),
    (put("relay", value=5), "relay: must be a table, not 5"),
    (put("providers", value=[]), "providers: must be a table, not []"),
    (put("deliveries", value={}), "deliveries: must be a list, not {}"),
    (put(*GMAIL, "hard", value={}), "providers.gmail.hard: must be a list, not {}"),
    (put("start", value=5), "start: must be a date and time such as"),
    (
        put("start", value="tomorrow"),
        "start: must be a date and time such as 2026-11-27T09:00:00+01:00",
    ),
    (put("title", value=5), "title: must be text, not 5"),
    (
        put("title", value="a\nb"),
        r'title: "a\nb" cannot be a title; write visible characters on one line',
    ),
    # characters that would change how the message itself is shown
    (put("title", value="\x1b[31mred"), r'title: "\u001b[31mred" cannot be a title'),
    (put(*FIRST, "name", value="a\u202eb"), r'deliveries[0].name: "a\u202eb" cannot be a name'),
    (
        put("providers", "a\u202eb", value=small()["providers"]["gmail"]),
        r'providers."a\u202eb": "a\u202eb" cannot be a name',
    ),
    (put("a\u202eb", value=1), r'"a\u202eb": unknown key; '),
    # distributions
    (
        put(*GMAIL, "connect_time", value={"dist": "uniform", "low": "2s", "high": "1s"}),
        'providers.gmail.connect_time.high: must be no less than low, "2s", not "1s"',
    ),
    (
        put("relay", "batch_time", value={"dist": "lognormal", "median": "2s", "p95": "1s"}),
        'relay.batch_time.p95: must be more than the median, "2s", not "1s"',
    ),
    (
        put("relay", "batch_time", value={"dist": "empirical"}),
        'values: missing; give a list of durations, such as ["1.2s", "800ms"], or file and column',
    ),
]


@pytest.mark.parametrize(("change", "line"), CASES, ids=[line for _, line in CASES])
def test_a_slip_is_named_with_its_field(change: Break, line: str) -> None:
    data = small()
    change(data)
    with pytest.raises(ScenarioError) as caught:
        from_dict(data, name="x.toml")
    lines = str(caught.value).splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("x.toml: ")
    assert line in lines[0]
    for jargon in ("Value error", "Input should", "pydantic", "constant.", "lognormal."):
        assert jargon not in lines[0]


def places(table: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    keys = (
        table if isinstance(table, dict) else range(len(table)) if isinstance(table, list) else ()
    )
    for key in keys:
        yield (*place, key)
        yield from places(table[key], (*place, key))


QUICKSTART = to_dict(load("quickstart"))
JUNK: list[Any] = [
    *(None, True, -1, 5, 10**400, float("nan"), "x", "é", "5m", [], [1], [[]], date(2026, 1, 1)),
    *({}, {"a": 1}, {"dist": 5}, {"dist": {}}, {"policy": [1]}, {1: 2}),
]


@pytest.mark.filterwarnings("ignore:.* are never exceeded")
@pytest.mark.filterwarnings("ignore:.* is longer than mta.longest_validity")
@settings(max_examples=300)
@given(
    place=st.sampled_from(list(places(QUICKSTART))),
    junk=st.sampled_from(JUNK),
)
def test_whatever_stands_anywhere_it_is_taken_or_explained(
    place: tuple[Any, ...], junk: Any
) -> None:
    data = deepcopy(QUICKSTART)
    put(*place, value=junk)(data)
    try:
        made = from_dict(data)
    except ScenarioError as problem:
        for line in str(problem).splitlines():
            assert line.startswith("<scenario>: ")
            assert "Input should" not in line
            assert len(line) < 400
    else:
        assert loads(dumps(made)) == made


def test_all_slips_are_named_at_once() -> None:
    data = small()
    put(*FIRST, "messages", value=0)(data)
    put(*GMAIL, "rate", value="0/s")(data)
    put("mta", "ipss", value=3)(data)
    with pytest.raises(ScenarioError) as caught:
        from_dict(data)
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("place", "bad"),
    [
        (("deliveries", 0, "messages"), -1),
        (("deliveries", 0, "audience", "gmail"), -1),
        (("providers", "gmail", "connections_per_ip"), 0),
        (("providers", "gmail", "hard", 0, "share"), 2),
        (("providers", "gmail", "faults", 0, "share"), 2),
        (("relay", "batch_time", "values", 0), 5),
        (("mta", "retry", "delays", 0), "x"),
        (("reporting", "modes", 0), "x"),
    ],
    ids=str,
)
def test_the_only_entry_of_a_list_fails_alone(place: tuple[Any, ...], bad: Any) -> None:
    data = small()
    data["deliveries"][0]["audience"] = {"gmail": 1}
    data["providers"] = {"gmail": data["providers"]["other"]}
    data["providers"]["gmail"]["hard"] = [{"reason": "user unknown", "share": 0.01}]
    data["relay"]["batch_time"] = {"dist": "empirical", "values": ["1s"]}
    data["mta"] = {"retry": {"policy": "schedule", "delays": ["5m"]}}
    data["reporting"] = {"modes": ["efs"]}
    from_dict(data)
    put(*place, value=bad)(data)
    with pytest.raises(ScenarioError) as caught:
        from_dict(data)
    assert len(str(caught.value).splitlines()) == 1, str(caught.value)


def test_a_slip_beside_the_measured_times_hints_at_a_file() -> None:
    data = small()
    put("relay", "batch_time", value={"dist": "empirical", "filename": "x.csv"})(data)
    with pytest.raises(ScenarioError) as caught:
        from_dict(data)
    missing, unknown = sorted(str(caught.value).splitlines(), key=lambda line: "unknown" in line)
    assert "relay.batch_time.values: missing; give a list of durations" in missing
    assert 'relay.batch_time.filename: unknown key; did you mean "file"?' in unknown


def test_the_largest_sizes_are_taken() -> None:
    data = small()
    put("relay", "workers", value=10**6)(data)
    put("mta", "ips", value=1000)(data)
    put(*GMAIL, "connections_per_ip", value=1000)(data)
    put("time", value={"window": "100ms", "horizon": "366d"})(data)
    put("mta", "retry", value={"first": "1s", "max": "1s", "jitter": 0.9})(data)
    assert from_dict(data).relay.workers == 10**6


def test_a_title_may_be_empty() -> None:
    assert from_dict(small() | {"title": ""}).title == ""


def test_a_long_value_is_shortened() -> None:
    data = small()
    put(*FIRST, "messages", value="x" * 5000)(data)
    with pytest.raises(ScenarioError) as caught:
        from_dict(data)
    assert len(str(caught.value)) < 150


def test_a_whole_number_may_be_written_with_an_exponent() -> None:
    data = small()
    put(*FIRST, "messages", value=1e6)(data)
    assert from_dict(data).deliveries[0].messages == 1_000_000


def test_a_fault_that_never_clears_needs_no_time() -> None:
    data = small()
    del data["providers"]["other"]["faults"][0]["clears_after"]
    data["providers"]["other"]["faults"][0]["never"] = 1
    assert from_dict(data).providers["other"].faults[0].never == 1


def test_a_date_is_a_start() -> None:
    data = small() | {"start": date(2026, 11, 27)}
    start = from_dict(data).start
    assert start is not None
    assert start.date() == date(2026, 11, 27)


def test_a_provider_that_no_delivery_uses_is_fine() -> None:
    data = small()
    data["deliveries"][0]["audience"] = {"gmail": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_dict(data)


def test_a_validity_beyond_the_longest_is_warned_of() -> None:
    data = small()
    put(*FIRST, "validity", value="5d")(data)
    with pytest.warns(SendcapWarning) as caught:
        from_dict(data)
    told = "deliveries[0].validity: 5d is longer than mta.longest_validity; honoured as 84h"
    assert [str(warning.message) for warning in caught] == [told]
    put("mta", "longest_validity", value="5d")(data)
    made = from_dict(data)
    assert made.honoured_validity(made.deliveries[0]) == 432_000
    put("mta", "longest_validity", value="6d")(data)
    made = from_dict(data)
    assert made.honoured_validity(made.deliveries[0]) == 432_000


def test_a_horizon_that_cuts_off_results_is_warned_of() -> None:
    data = small()
    put("time", "horizon", value="1d")(data)
    with pytest.warns(SendcapWarning, match="time.horizon: 1d cuts off results"):
        from_dict(data)


@pytest.mark.parametrize("rate", ["15,000/hr", "2/15m", "1000/d"])
@pytest.mark.parametrize("place", [("providers", "gmail"), ("relay",)], ids=str)
def test_a_slow_rate_without_a_burst_is_warned_of(place: tuple[str, ...], rate: str) -> None:
    data = small()
    put(*place, "rate", value=rate)(data)
    with pytest.warns(SendcapWarning) as caught:
        made = from_dict(data)
    limited = made.relay if place == ("relay",) else made.providers["gmail"]
    assert isinstance(limited.rate, Rate)
    at_once = f"{limited.rate.limit:,} go at once"
    if place != ("relay",):
        at_once += " from each source address"
    path, advice = ".".join(place), "add ,max_burst=1 to space them evenly"
    assert [str(warning.message) for warning in caught] == [
        f'{path}.rate: "{limited.rate}" lets {at_once}; {advice}'
    ]


HOURLY = {"kind": "fixed-window", "limit": 100, "window": "1h"}
PAUSE = {"kind": "gap", "pause": "1s"}


@pytest.mark.parametrize(
    ("throttles", "note"),
    [
        (
            ["500/s", "100/s"],
            'rate[0]: "500/s" never holds anything back, since {}rate[1], "100/s"',
        ),
        (["100/s", "100/s"], 'rate[1]: "100/s" never holds anything back, since {}rate[0]'),
        # Two windows' attempts can follow each other at once.
        (
            [HOURLY, "200/s"],
            'rate[1]: "200/s" never holds anything back, since {}rate[0], 100 per 1h',
        ),
        ([HOURLY, "199/s"], None),
        ([HOURLY, "90/h,max_burst=10"], "rate[0]: 100 per 1h never holds anything back"),
        ([HOURLY, "90/h,max_burst=11"], None),
        (
            [PAUSE, "1/s"],
            'rate[1]: "1/s" never holds anything back, since {}rate[0], a pause of 1s',
        ),
        ([PAUSE, "1/2s"], None),
        (["500/s", "1000/m,max_burst=1"], 'rate[0]: "500/s" never holds anything back'),
        (["500/s", "1000/m"], None),
        (
            ["500/s", "1,000,000/d"],
            'rate[1]: "1000000/d" lets up to 2,000,000 go in the first 1d, the burst and the rate',
        ),
    ],
)
def test_throttles_of_a_list_that_surprise_are_warned_of(
    throttles: list[Any], note: str | None
) -> None:
    data = small()
    put(*GMAIL, "rate", value=throttles)(data)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        from_dict(data)
    messages = [str(warning.message) for warning in caught]
    path = "providers.gmail."
    assert len(messages) == (note is not None)
    assert all(message.startswith(path + note.format(path)) for message in messages if note)


@pytest.mark.parametrize("accepted", [10, 12])
def test_a_provider_that_accepts_all_connections_is_warned_of(accepted: int) -> None:
    data = small()
    put(*GMAIL, "connections_per_ip", value=10)(data)
    put(*GMAIL, "accepts_connections", value=accepted)(data)
    told = f"gmail.accepts_connections: {accepted} are never exceeded, since connections_per_ip is"
    with pytest.warns(SendcapWarning, match=told):
        from_dict(data)
    put(*GMAIL, "accepts_connections", value=9)(data)
    from_dict(data)


def test_a_rule_without_end_is_one_in_the_last_step_of_a_tolerance() -> None:
    data = small()
    put(*GMAIL, "suspend", value={"after": 9, "within": "1m", "lasts": "1h", "rate": "60/m"})(data)
    steps = [{"at": "0s", "rate": "1/m"}, {"at": "1h", "rate": "60/m"}]
    put(*GMAIL, "tolerance", value={"kind": "schedule", "steps": steps})(data)
    from_dict(data)
    steps.append({"at": "2h", "rate": "5/m"})
    with pytest.raises(ScenarioError, match="never ends at gmail: meanwhile it sends 60/m, more"):
        from_dict(data)


def test_each_slow_rate_is_warned_of_once() -> None:
    data = small()
    data["providers"]["comcast.net"] = data["providers"]["gmail"] | {"rate": "10/h"}
    put("providers", "other", "rate", value="10/h")(data)
    with pytest.warns(SendcapWarning) as caught:
        from_dict(data)
    paths = [str(warning.message).split(":")[0] for warning in caught]
    assert paths == ["providers.other.rate", 'providers."comcast.net".rate']


@pytest.mark.parametrize(
    "rate", ["15,000/hr,max_burst=1", "15,000/hr,max_burst=500", "1000/14m", "100/s", "1/d", "none"]
)
def test_other_rates_are_not_warned_of(rate: str) -> None:
    data = small()
    put(*GMAIL, "rate", value=rate)(data)
    put("relay", "rate", value=rate)(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_dict(data)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"title = \n", "not valid TOML: Invalid value (at line 1"),
        (b"[a]\n[a]\n", "not valid TOML"),
        (b"a = 1\n\xff\xfe", "line 2 is not UTF-8 text"),
        ("title = 1".encode("utf-16"), "is not UTF-8 text"),
        (b"", "is empty; a scenario has [[deliveries"),
        (b"seed = " + b"1" * 5000, "not valid TOML"),
        (b"title = 0x" + b"f" * 9000, "line 1: a number of more than 64 digits"),
        (b"#" * 10_000_001, "enormous"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_scenario_is_refused(tmp_path: Path, content: bytes, part: str) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert part in str(caught.value)


def test_a_missing_file_lists_the_presets() -> None:
    with pytest.raises(ScenarioError) as caught:
        load("quickstrat")
    assert 'no preset of that name; did you mean "quickstart"?' in str(caught.value)
    assert "Presets: black-friday, friday, ip-warm-up, quarter, quickstart" in str(caught.value)


def test_an_unknown_preset_lists_the_presets() -> None:
    with pytest.raises(ScenarioError) as caught:
        preset_text("quickstrat")
    assert 'quickstrat: no preset of that name; did you mean "quickstart"?' in str(caught.value)
    assert "Presets: black-friday, friday, ip-warm-up, quarter, quickstart" in str(caught.value)


@pytest.mark.parametrize("name", ["", "../presets/quickstart", "quickstart.toml", "a\0b"])
def test_only_a_presets_name_names_a_preset(name: str) -> None:
    with pytest.raises(ScenarioError, match="no preset of that name"):
        preset_text(name)


def test_a_files_name_is_shown_without_its_invisible_characters(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m\u202eb.toml"
    path.write_text("seed = -1")
    for source in (path, tmp_path / "no\x1b[31m\u202e.toml"):
        with pytest.raises(ScenarioError) as caught:
            load(source)
        assert r"\u001b[31m\u202e" in str(caught.value)
        assert all(line.isprintable() for line in str(caught.value).splitlines())


@pytest.mark.parametrize("source", ["a/b.toml", "x" * 5000, "a\0b", ""])
def test_an_impossible_path_is_refused(source: str) -> None:
    with pytest.raises(ScenarioError):
        load(source)


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="is a directory"):
        load(tmp_path)


def test_text_is_named_in_errors() -> None:
    with pytest.raises(ScenarioError, match=r"^<string>: deliveries: required"):
        loads("title = 'a'")


def test_a_saved_runs_scenario_is_offered_where_its_directory_is_given(tmp_path) -> None:
    (tmp_path / "scenario.toml").write_text("")
    with pytest.raises(ScenarioError, match=r"is a directory; .*, such as .*scenario\.toml$"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("messages = 1,000,000", "line 2: write 1,000,000 as 1_000_000"),
        ("at = 10m", 'line 2: text needs quotes, such as at = "10m"'),
        ("x = { dist = gamma, mean = '1s' }", 'line 2: text needs quotes, such as at = "10m"'),
        ("rate = 100/s  # soon", 'line 2: text needs quotes, such as at = "10m"'),
        ("title = My campaign", 'line 2: text needs quotes, such as at = "10m"'),
        ("name = “one”", "line 2: “ is a typographic quote; write text in straight ones"),
        ("a." * 20_000 + "a = 1", "line 2: a key of more than 10 parts"),
        ('"a\\"b".' * 12 + "a = 1", "line 2: a key of more than 10 parts"),
        ("seed = 0x" + "f" * 100_000, "line 2: a number of more than 64 digits"),
    ],
)
def test_a_slip_in_toml_says_what_to_write(line: str, hint: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(f"# a.b.c.d.e.f.g.h.i.j.k.l.m\n{line}\n")
    assert str(caught.value).startswith(f"<string>: {hint}")


def test_a_key_of_an_mta_leads_to_that_of_a_scenario() -> None:
    data = small()
    put(*GMAIL, "connection_limit", value=5)(data)
    put(*GMAIL, "max-msg-rate", value="5/s")(data)
    with pytest.raises(ScenarioError) as caught:
        from_dict(data)
    limit, rate = str(caught.value).splitlines()
    assert "connection_limit: unknown key; a scenario calls it connections_per_ip" in limit
    assert "max-msg-rate: unknown key; a scenario calls it rate" in rate


def test_a_share_may_be_written_with_a_percent_sign() -> None:
    data = small()
    put(*GMAIL, "transient", value="0.4%")(data)
    put(*FIRST, "audience", value={"gmail": "62 %", "other": "38%"})(data)
    scenario = from_dict(data)
    assert scenario.providers["gmail"].transient == 0.004
    assert scenario.deliveries[0].audience == {"gmail": 0.62, "other": 0.38}


def test_counts_as_an_audience_suggest_shares() -> None:
    data = small()
    put(*FIRST, "audience", value={"gmail": 62, "other": 38})(data)
    with pytest.raises(ScenarioError) as caught:
        from_dict(data)
    assert str(caught.value).endswith(
        'audience: "gmail" = 62 is more than 1; write shares that sum to 1, such as 0.62 or "62%"'
    )


def test_of_very_many_slips_the_first_are_shown() -> None:
    data = small()
    data["relay"] |= {f"key{number}": 1 for number in range(3000)}
    with pytest.raises(ScenarioError) as caught:
        from_dict(data)
    assert len(str(caught.value).splitlines()) == 21
    assert str(caught.value).endswith("and 2,980 problems more")


def test_a_path_has_a_longest_length() -> None:
    with pytest.raises(ScenarioError, match="has 8,999 characters; a path has at most 500"):
        updated(from_dict(small()), {".".join(["abc"] * 2250): 1})
