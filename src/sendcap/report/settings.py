"""The scenario of a report: its settings in tables, and what the model assumes besides."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from sendcap.scenario import Delivery, Scenario, to_dict
from sendcap.scenario.population import Population, Quarantine
from sendcap.scenario.repetition import waves_of
from sendcap.text.clock import after, dated, moment_text
from sendcap.text.quantities import capital, counted, elapsed, listed
from sendcap.text.shares import brief_share

ASSUMPTIONS: Final = (
    "Providers' limits hold all the time, unless the scenario has a schedule, outage or tolerance.",
    "A mailbox provider is one queue, first in, first out unless the scenario has an order.",
    "Addresses follow the scenario's shares, not your list.",
    "Opens and clicks are followed for 14 days from a delivery's start.",
    "Asynchronous bounces come within 7 days.",
    "One simulation is one draw; sendcap converge shows how much results vary.",
)

_OF_THE_MTA: Final = ("queues", "order", "active", "spool", "suspend")
_OF_A_PROVIDER: Final = (
    "connection_rate",
    "accepts_connections",
    "tolerance",
    "suspend",
    "outages",
    "disturbances",
    "refusals",
)
_NOTHING: Final[tuple[Any, ...]] = ("none", [])
_CLOCK_ORIGINS: Final = {"relayed": "the hand-over", "delivery-start": "the delivery's start"}


class Table(NamedTuple):
    """A table of settings, a column each."""

    title: str
    rows: list[dict[str, str]]


def _how_sent(delivery: Delivery, start: datetime | None) -> str:
    """Return how often and in which parts a delivery is sent, and what people do to it."""
    words = []
    if delivery.every is not None:
        last = f"until {moment_text(delivery.until, start)}" if delivery.until is not None else ""
        words.append(f"every {elapsed(delivery.every)}, {last or f'{delivery.times} times'}")
    if delivery.waves is not None:
        words.append(f"in {counted(len(waves_of(delivery.waves)), 'wave')}")
    if delivery.cells is not None:
        cells = f"{delivery.cells.count} cells of {brief_share(delivery.cells.share)}"
        words.append(f"as an A/B test of {cells}, the rest after {elapsed(delivery.cells.after)}")
    if delivery.zones is not None:
        zones = counted(len(delivery.zones), "time zone")
        words.append(f"at {delivery.local_time} in {zones}")
    if delivery.confirm is not None:
        hours = "" if delivery.confirm.hours is None else f", {delivery.confirm.hours}"
        people = counted(delivery.confirm.people, "person", "people")
        words.append(f"once confirmed by one of {people}{hours}")
    for done, moments in (("paused", delivery.pause), ("resumed", delivery.resume)):
        if moments is not None:
            words.append(f"{done} at {listed([moment_text(each, start) for each in moments])}")
    if delivery.stop is not None:
        words.append(f"stopped at {moment_text(delivery.stop, start)}")
    return capital("; ".join(words)) or "Once"


def tables(scenario: Scenario) -> list[Table]:
    """Return the settings of a scenario that matter most; its file has all of them."""
    settings, population = to_dict(scenario), scenario.population
    own_batches = any(delivery.batch for delivery in scenario.deliveries)
    messages = "Messages" if population is None else "People targeted"
    in_segments = any(delivery.segment for delivery in scenario.deliveries)
    deliveries = [
        {
            "Delivery": delivery.name,
            messages: f"{delivery.messages:,}",
            **({"Segment": delivery.segment or "all people"} if in_segments else {}),
            **_starts(scenario, delivery),
            "Ready over": elapsed(delivery.spread) + (", by the hour" if delivery.pattern else "")
            if delivery.spread
            else "all at once",
            "Validity": elapsed(scenario.honoured_validity(delivery)),
            **({"Batches of": f"{scenario.batch_of(delivery):,}"} if own_batches else {}),
            **({"Priority": delivery.priority} if scenario.mta.order == "priority" else {}),
            **({"Pool": scenario.pool_of(delivery) or ""} if scenario.mta.pools else {}),
            **({"Sent": _how_sent(delivery, scenario.start)} if scenario.is_programme else {}),
        }
        for delivery in scenario.written()
    ]
    counts = scenario.at_providers()
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
    rest = [{"Setting": name, "Value": value} for name, value in _rest(scenario, settings).items()]
    return [
        Table("Deliveries", deliveries),
        *([] if population is None else [Table("Population", people_rows(scenario, population))]),
        Table("Providers", providers),
        Table("Relay, MTA and reporting", rest),
    ]


def _starts(scenario: Scenario, delivery: Delivery) -> dict[str, str]:
    """Return the start: of several deliveries by the clock, where there is one."""
    start = scenario.common_start
    if start is None:
        return {"Starts after": elapsed(delivery.at)}
    return {"Starts": dated(after(start, delivery.at))}


def _rest(scenario: Scenario, settings: dict[str, Any]) -> dict[str, str]:
    relay, mta, reporting = settings["relay"], settings["mta"], settings["reporting"]
    batches = f"{counted(relay['workers'], 'worker')}, {relay['batch']} messages at a time"
    addresses = {f"Source IPs of {name}": f"{pool['ips']:,}" for name, pool in mta["pools"].items()}
    own_retries = {
        f"Retries at {name}": written(provider["retry"])
        for name, provider in settings["providers"].items()
        if provider["retry"] != "mta"
    }
    return {
        "Relay": f"{batches}, which takes {written(relay['batch_time'])}",
        "Relay's rate": written(relay.get("rate", "none")),
        **(addresses or {"Source IPs": f"{mta['ips']:,}"}),
        "Ingress rate": written(mta.get("ingress_rate", "none")),
        **_reactions(settings),
        "Retries": written(mta["retry"]),
        **own_retries,
        "Validity counts from": _CLOCK_ORIGINS[mta["clock_origin"]],
        "Longest validity": elapsed(scenario.mta.longest_validity),
        "Bounces are reported after": written(settings["feedback"]["synchronous"]),
        "Asynchronous bounces after": written(settings["feedback"]["asynchronous"]),
        "Dashboard refreshed every": reporting["refresh"],
        "Opens and clicks every": reporting["engagement_refresh"],
    }


def _reactions(settings: dict[str, Any]) -> dict[str, str]:
    """Return what holds messages back or sends them back, beside rates and connections."""
    usual = {"order": "fifo", "queues": "pooled"}
    rows = {_named(key): settings["mta"][key] for key in _OF_THE_MTA}
    rows = {name: value for name, value in rows.items() if value != usual.get(name.lower())}
    for name, provider in settings["providers"].items():
        rows |= {f"{_named(key)} at {name}": provider[key] for key in _OF_A_PROVIDER}
    for limit in settings["limits"]:
        rest = {key: value for key, value in limit.items() if key != "name" and value != "all"}
        rows[f"Limit {limit['name']}"] = rest
    given = {name: _without_nothing(value) for name, value in rows.items() if value != "mta"}
    return {name: written(value) for name, value in given.items() if value not in _NOTHING}


def _named(key: str) -> str:
    return capital(key.replace("_", " "))


def _without_nothing(value: Any) -> Any:
    """Return a value without the keys of tables that say nothing."""
    if isinstance(value, list):
        return [_without_nothing(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: each for key, each in value.items() if each not in _NOTHING}


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
    return f"{value:g}" if isinstance(value, float) else str(value)


def _shares(reasons: list[dict[str, Any]]) -> str:
    return ", ".join(f"{each['reason']} {brief_share(each['share'])}" for each in reasons) or "none"


# The population.


def people_rows(scenario: Scenario, population: Population) -> list[dict[str, str]]:
    """Return a row for each thing that a population says; what it leaves out has none."""
    told = _told(population, scenario.start)
    return [{"Setting": name, "Value": value} for name, value in told]


def _told(population: Population, start: datetime | None) -> Iterator[tuple[str, str]]:
    yield "The list", counted(population.size, "address", "addresses") + " at t = 0"
    shares = population.providers.items()
    yield "Providers", ", ".join(f"{name} {brief_share(share)}" for name, share in shares if share)
    if population.decay:
        yield "Decay", f"{brief_share(population.decay)} of the addresses die within 365 days"
    if population.new_per_day:
        dead = _dead(population.dead_among_new)
        yield "New addresses", f"{population.new_per_day:,.6g} each day, {dead}"
    for each in population.imports:
        when = moment_text(each.at, start)
        addresses = counted(each.size, "address", "addresses")
        yield "Import", f"{addresses} at {when}, {_dead(each.dead)}"
    for name, kind in population.classes.items():
        rate = brief_share(kind.open_rate)
        yield f"Class {name}", f"{brief_share(kind.share)} of the people; they open {rate}"
    for name, segment in population.segments.items():
        whose = f"the people of {', '.join(segment.classes)}" if segment.classes else "the people"
        drawn = "drawn once" if segment.drawn == "once" else "drawn anew for each delivery"
        yield f"Segment {name}", f"{brief_share(segment.share)} of {whose}, {drawn}"
    if population.control_group:
        yield (
            "Control group",
            f"{brief_share(population.control_group)} of the people, never sent to",
        )
    if population.fatigue is not None:
        most = counted(population.fatigue.max, "message")
        period = elapsed(population.fatigue.period)
        yield "Fatigue", f"at most {most} within {period} before and after a contact date"
    yield "Quarantine", _quarantine(population.quarantine)
    yield "Mailbox full", f"leaves quarantine after {elapsed(population.quarantine.mailbox_full)}"
    if population.complaints:
        yield "Complaints", f"{brief_share(population.complaints)} of the opened messages"


def _dead(share: float) -> str:
    return f"{brief_share(share)} of them dead" if share else "none of them dead"


def _quarantine(rules: Quarantine) -> str:
    errors = counted(rules.threshold, "soft bounce")
    apart = f", at least {elapsed(rules.significant)} apart" if rules.threshold > 1 else ""
    return (
        f"at the first hard bounce, or at {errors}{apart}; those are forgotten after "
        f"{elapsed(rules.reset)} without one, or once a message is accepted"
    )
