"""The scenario of a report: its settings in tables, and what the model assumes besides."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, NamedTuple

from sendcap.report.population import people_rows
from sendcap.scenario import Delivery, Scenario, to_dict
from sendcap.text.quantities import capital, counted, elapsed
from sendcap.text.shares import brief_share

ASSUMPTIONS: Final = (
    "Providers' limits hold all the time, unless the scenario has a schedule, outage or tolerance.",
    "A mailbox provider is one queue, first in, first out; its connections take what comes next.",
    "Addresses follow the scenario's shares, not your list.",
    "Opens and clicks are followed for 14 days from a delivery's start.",
    "Asynchronous bounces come within 7 days.",
    "One simulation is one draw; sendcap converge shows how much results vary.",
)

_CLOCK_ORIGINS: Final = {"relayed": "the hand-over", "delivery-start": "the delivery's start"}


class Table(NamedTuple):
    """A table of settings, a column each."""

    title: str
    rows: list[dict[str, str]]


def _how_sent(delivery: Delivery) -> str:
    """Return how often and in which parts a delivery is sent, and what it waits for."""
    words = []
    if delivery.every is not None:
        words.append(f"every {elapsed(delivery.every)}")
    for key, name in (("waves", "in waves"), ("cells", "as an A/B test"), ("zones", "by zones")):
        if getattr(delivery, key) is not None:
            words.append(name)
    if delivery.confirm is not None:
        words.append("once confirmed")
    if delivery.pause is not None:
        words.append("paused")
    if delivery.stop is not None:
        words.append("stopped")
    return capital(", ".join(words)) or "Once"


def tables(scenario: Scenario) -> list[Table]:
    """Return the settings of a scenario that matter most; its file has all of them."""
    settings, population = to_dict(scenario), scenario.population
    messages = "Messages" if population is None else "People targeted"
    in_segments = any(delivery.segment for delivery in scenario.deliveries)
    deliveries = [
        {
            "Delivery": delivery.name,
            messages: f"{delivery.messages:,}",
            **({"Segment": delivery.segment or "all people"} if in_segments else {}),
            "Starts after": elapsed(delivery.at),
            "Ready over": elapsed(delivery.spread) if delivery.spread else "all at once",
            "Validity": elapsed(scenario.honoured_validity(delivery)),
            **({"Sent": _how_sent(delivery)} if scenario.is_programme else {}),
        }
        for delivery in scenario.written()
    ]
    counts: Counter[str] = Counter()
    for (_, provider), count in scenario.to_deliver().items():
        counts[provider] += count
    ips: Counter[str] = Counter()
    for path in scenario.paths():
        ips[path.provider] += path.ips
    providers = [
        {
            "Provider": name,
            "Messages": brief_share(counts[name] / counts.total()),
            "Connections": f"{provider['connections_per_ip'] * ips[name]:,}",
            "Transaction": written(provider["transaction_time"]),
            "Rate per IP": written(provider.get("rate", "none")),
            "Hard": _shares(provider["hard"]),
            "Faults": _shares(provider["faults"]),
            "Transient": brief_share(provider["transient"]),
            "Returned": brief_share(provider["async_bounce"]),
        }
        for name, provider in settings["providers"].items()
        if counts[name]
    ]
    rest = [{"Setting": name, "Value": value} for name, value in _rest(settings).items()]
    return [
        Table("Deliveries", deliveries),
        *([] if population is None else [Table("Population", people_rows(scenario, population))]),
        Table("Providers", providers),
        Table("Relay, MTA and reporting", rest),
    ]


def _rest(settings: dict[str, Any]) -> dict[str, str]:
    relay, mta, reporting = settings["relay"], settings["mta"], settings["reporting"]
    batches = f"{counted(relay['workers'], 'worker')}, {relay['batch']} messages at a time"
    return {
        "Relay": f"{batches}, which takes {written(relay['batch_time'])}",
        "Relay's rate": written(relay.get("rate", "none")),
        "Source IPs": f"{mta['ips']:,}",
        "Ingress rate": written(mta.get("ingress_rate", "none")),
        **_retries(settings),
        "Validity counts from": _CLOCK_ORIGINS[mta["clock_origin"]],
        "Longest validity": mta["longest_validity"],
        "Bounces are reported after": written(settings["feedback"]["synchronous"]),
        "Asynchronous bounces after": written(settings["feedback"]["asynchronous"]),
        "Dashboard refreshed every": reporting["refresh"],
        "Opens and clicks every": reporting["engagement_refresh"],
    }


def _retries(settings: dict[str, Any]) -> dict[str, str]:
    own = {
        f"Retries at {name}": written(provider["retry"])
        for name, provider in settings["providers"].items()
        if provider["retry"] != "mta"
    }
    return {"Retries": written(settings["mta"]["retry"])} | own


def written(value: Any) -> str:
    """Return a setting as a reader takes it in: without the brackets of a file.

    >>> written({"dist": "lognormal", "mean": "0.7s", "cv": 0.5}), written("100/s")
    ('lognormal, mean 0.7s, cv 0.5', '100/s')
    """
    if isinstance(value, dict):
        kinds = ("dist", "kind", "policy")
        first = [str(value[key]) for key in kinds if key in value]
        rest = [
            f"{key.replace('_', ' ')} {written(part)}"
            for key, part in value.items()
            if key not in kinds
        ]
        return ", ".join(first + rest)
    if isinstance(value, list):
        return "; ".join(map(written, value)) or "none"
    return str(value)


def _shares(reasons: list[dict[str, Any]]) -> str:
    return ", ".join(f"{each['reason']} {brief_share(each['share'])}" for each in reasons) or "none"
