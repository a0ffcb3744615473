"""Slips in how a queue reacts, its limits, outages and the spool, and what is said of each."""

from __future__ import annotations

from breaking import FIRST, GMAIL, Break, put
from scenarios import small

LASTING = {"after": 9, "within": "1m", "lasts": "1h", "rate": "360/m"}

SLIPS_OF_QUEUES: list[tuple[Break, str]] = [
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
        'providers.gmail.outages[1].at: "2h" is before the end of the one before, 2h after "1h"',
    ),
    (put("mta", "spool", value=0), "mta.spool: must be at least 1, not 0"),
]
