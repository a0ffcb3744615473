"""The scenario of a report: its settings in tables, and what the model assumes besides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sendcap.scenario import to_dict
from sendcap.text.quantities import elapsed

if TYPE_CHECKING:
    from sendcap.scenario import Scenario

ASSUMPTIONS: Final = (
    "Providers' limits hold all the time, unless the scenario has a schedule, outage or tolerance.",
    "A mailbox provider is one queue, first in, first out; its connections take what comes next.",
    "The addresses are those of the scenario's shares: the simulation knows no list of its own.",
    "Opens and clicks are followed for 14 days from a delivery's start.",
    "Asynchronous bounces come within 7 days.",
    "A message's validity is 3.5 days at most, as the Enhanced MTA honours it.",
    "One simulation is one draw; sendcap converge tells how far the figures of others are apart.",
)


_OF_A_PROVIDER: Final = (
    "Provider",
    "Messages",
    "Connections",
    "Transaction",
    "Rate per IP",
    "Hard",
    "Faults",
    "Transient",
    "Returned",
)


class Table(NamedTuple):
    """A table of settings."""

    title: str
    columns: list[str]
    rows: list[list[str]]


def tables(scenario: Scenario) -> list[Table]:
    """Return the settings of a scenario that matter most; its file has all of them."""
    data = to_dict(scenario)
    deliveries = Table(
        "Deliveries",
        ["Delivery", "Messages", "Starts after", "Ready over", "Validity"],
        [
            [
                its.name,
                f"{its.messages:,}",
                elapsed(its.at),
                elapsed(its.spread) if its.spread else "all at once",
                elapsed(its.honoured_validity),
            ]
            for its in scenario.deliveries
        ],
    )
    counts: dict[str, int] = {}
    for (_, provider), count in scenario.to_deliver().items():
        counts[provider] = counts.get(provider, 0) + count
    total = sum(counts.values())
    providers = Table(
        "Providers",
        list(_OF_A_PROVIDER),
        [
            [
                name,
                f"{100.0 * counts[name] / total:.3g} %",
                f"{its['connections_per_ip'] * scenario.mta.ips:,}",
                written(its["transaction_time"]),
                written(its.get("rate", "none")),
                _shares(its["hard"]),
                _shares(its["faults"]),
                f"{100.0 * its['transient']:.3g} %",
                f"{100.0 * its['async_bounce']:.3g} %",
            ]
            for name, its in data["providers"].items()
            if counts.get(name)
        ],
    )
    relay, mta, reporting = data["relay"], data["mta"], data["reporting"]
    workers = "worker" if relay["workers"] == 1 else "workers"
    batches = f"{relay['workers']} {workers}, {relay['batch']} messages at a time"
    rows = {
        "Relay": f"{batches}, which takes {written(relay['batch_time'])}",
        "Relay's rate": written(relay.get("rate", "none")),
        "Source IPs": f"{mta['ips']:,}",
        "Ingress rate": written(mta.get("ingress_rate", "none")),
        "Retries": written(mta["retry"]),
        "Validity counts from": str(mta["clock_origin"]),
        "Bounces are reported after": written(data["feedback"]["synchronous"]),
        "Asynchronous bounces after": written(data["feedback"]["asynchronous"]),
        "Dashboard refreshed every": reporting["refresh"],
        "Opens and clicks every": reporting["engagement_refresh"],
    }
    rest = Table(
        "Relay, MTA and reporting", ["Setting", "Value"], [list(row) for row in rows.items()]
    )
    return [deliveries, providers, rest]


def written(value: Any) -> str:
    """Return a setting as a reader takes it in: without the brackets of a file.

    Examples
    --------
    >>> written({"dist": "lognormal", "mean": "0.7s", "cv": 0.5}), written("100/s")
    ('lognormal, mean 0.7s, cv 0.5', '100/s')
    """
    if isinstance(value, dict):
        first = [str(value[key]) for key in ("dist", "kind", "policy") if key in value]
        rest = [
            f"{key.replace('_', ' ')} {written(its)}"
            for key, its in value.items()
            if key not in ("dist", "kind", "policy")
        ]
        return ", ".join(first + rest)
    if isinstance(value, list):
        return "; ".join(map(written, value)) or "none"
    return str(value)


def _shares(reasons: list[dict[str, Any]]) -> str:
    told = [f"{its['reason']} {100.0 * its['share']:.3g} %" for its in reasons]
    return ", ".join(told) or "none"
