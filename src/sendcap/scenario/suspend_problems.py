"""Rules that would suspend a queue for ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sendcap.scenario.durations import format_duration
from sendcap.scenario.rates import Rate
from sendcap.scenario.section import Place
from sendcap.scenario.suspend import Suspend
from sendcap.scenario.throttle import Schedule
from sendcap.text.shares import rounded_share

if TYPE_CHECKING:
    from sendcap.scenario.scenario import Scenario


def suspended_for_ever(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    """Yield rules with a rate above the tolerance: they would renew themselves."""
    most_ips: dict[str, int] = {}
    for queue in scenario.queues():
        most_ips[queue.provider] = max(queue.ips, most_ips.get(queue.provider, 1))
    for name in scenario.providers:
        for place, rule in scenario.rules_of(name):
            for message in _never_ends(scenario, name, rule, most_ips.get(name, 1)):
                yield (*place, "rate"), message


def _never_ends(scenario: Scenario, name: str, rule: Suspend, ips: int) -> Iterator[str]:
    # Of a schedule only the last step goes on for ever.
    usual = scenario.providers[name].tolerance
    tolerance = usual.steps[-1].rate if isinstance(usual, Schedule) else usual
    if not isinstance(tolerance, Rate) or rule.rate == "closed" or "throttled" not in rule.counts:
        return
    throttled_per_s = (rule.rate.per_s - tolerance.per_s) * ips
    if throttled_per_s <= 0.0 or throttled_per_s * rule.lasts < 1.0:
        return
    if rule.share is not None:
        attempts = rule.rate.per_s * ips * rule.within
        enough = throttled_per_s * rule.within >= rule.share * attempts and attempts >= rule.of
        always = f"more than {rounded_share(rule.share)} are always throttled"
    elif rule.in_a_row:
        enough = throttled_per_s >= rule.after * tolerance.per_s * ips
        always = f"there are always {rule.after} throttled answers in a row"
    else:
        enough = throttled_per_s * rule.within >= rule.after
        within = format_duration(rule.within)
        always = f"there are always {rule.after} throttled answers in {within}"
    if enough:
        yield (
            f"never ends at {name}: meanwhile it sends {rule.rate}, more than the "
            f'{tolerance} that are let through, so {always}; lower it, or "closed"'
        )
