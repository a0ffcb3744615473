"""Slips in keys, units, numbers, shares, names and kinds, and what is said of each."""

from __future__ import annotations

from datetime import datetime, time

from breaking import FAULT, FIRST, GMAIL, Break, drop, put
from scenarios import small

SLIPS_OF_VALUES: list[tuple[Break, str]] = [
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
    # keys of another table
    (put("mta", "workers", value=4), "mta.workers: unknown key; elsewhere: relay.workers"),
    (
        put("time", "start", value="2026-11-27"),
        "time.start: unknown key; known: bin, window, horizon; elsewhere: start, above all tables",
    ),
    (
        put("mta", "pools", value={"orders": {"ips": 1, "retry": {}}}),
        "retry: unknown key; known: ips, weights; elsewhere: mta.retry, providers.NAME.retry",
    ),
    (put("spread", value="1h"), "spread: unknown key; elsewhere: deliveries[].spread"),
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
    (
        put("time", "horizon", value=datetime(2026, 11, 30, 8)),
        'time.horizon: "2026-11-30 08:00:00" is a moment, and a duration is needed; give a number',
    ),
    (put("time", "horizon", value="Mon 08:00"), 'time.horizon: "Mon 08:00" is a moment, and a'),
    (put(*FIRST, "validity", value=time(10)), 'validity: "10:00:00" is a moment, and a duration'),
    (put(*GMAIL, "connect_time", value="10:00"), 'connect_time: "10:00" is a moment, and a dura'),
    (put("time", "horizon", value="3 months"), 'unknown unit "months" in "3 months"; units: ms'),
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
    (
        put("reporting", "modes", value="efs"),
        'reporting.modes: must be a list, not "efs"; write ["efs"]',
    ),
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
    (
        put("deliveries", value={}),
        "deliveries: must be a list of tables, not a table; write [[deliveries]] or",
    ),
    (
        put(*GMAIL, "hard", value={}),
        "providers.gmail.hard: must be a list of tables, not a table; write [[providers.gmail.hard",
    ),
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
