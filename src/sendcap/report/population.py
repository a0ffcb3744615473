"""The population of a report's scenario, in words."""

from collections.abc import Iterator
from datetime import datetime

from sendcap.scenario import Scenario
from sendcap.scenario.population import Population, Quarantine
from sendcap.text.clock import moment_text
from sendcap.text.quantities import counted, elapsed
from sendcap.text.shares import brief_share


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
