"""What a provider tolerates, the MTA's reaction, and bad times, in words."""

from collections.abc import Iterator

from sendcap.readings.effective.throttles import Scope, throttle_text
from sendcap.scenario import Constant, Disturbance, Rate, Scenario, Suspend
from sendcap.scenario.random_time import RandomTime
from sendcap.text.quantities import all_units, counted, elapsed, listed
from sendcap.text.shares import share_text


def reaction_rows(scenario: Scenario, name: str, scope: Scope) -> Iterator[tuple[str, str]]:
    """Yield the tolerance of a provider, and the rules that suspend a queue."""
    tolerance = scenario.providers[name].tolerance
    if tolerance is not None:
        yield "Tolerance", throttle_text(tolerance, scope)
    acting = scenario.acting_rules(name)
    by_itself = ", each IP by itself" if scope.apart and scope.ips > 1 else ""
    for rule in acting:
        yield "Suspension", f"{_cause(rule, scope)}{by_itself}: {_effect(rule, scope)}"
    dead_site = scenario.dead_site_of(name)
    if dead_site is not None:
        cohorts = counted(dead_site.failed_cohorts or 0, "cohort")
        cause = f"after {cohorts} of attempts that reach nobody{by_itself}"
        lasts = all_units(dead_site.dead_for)
        yield "Suspension", f"{cause}: dead for {lasts}, and what is ready goes back to its retries"
    idle = len(scenario.suspend_of(name)) - len(acting)
    if idle:
        rules = "rule has" if idle == 1 else "rules have"
        yield (
            "Suspension",
            f"{idle} {rules} no effect: without a tolerance no answer is throttled",
        )


def _cause(rule: Suspend, scope: Scope) -> str:
    kinds = " or ".join(rule.counts)
    within = all_units(rule.within)
    if rule.share is not None:
        return (
            f"at the end of each {within} from {scope.moment(0.0)} on with at least "
            f"{counted(rule.of, 'attempt')}, {share_text(rule.share)} or more of them {kinds}"
        )
    if rule.after == 1:
        return f"at each {kinds} answer"
    if rule.in_a_row:
        return f"after {rule.after:,} {kinds} answers in a row"
    return f"after {rule.after:,} {kinds} answers within {within}"


def _effect(rule: Suspend, scope: Scope) -> str:
    lasts = all_units(rule.lasts)
    if rule.slow_to is not None:
        return f"slowed down for {lasts}, to {share_text(rule.slow_to)} of the rate so far"
    if isinstance(rule.rate, Rate):
        return f"slowed down for {lasts}, to {throttle_text(rule.rate, scope)}"
    if rule.meanwhile == "retry":
        return f"suspended for {lasts}, and what is ready goes back to its retries"
    return f"suspended for {lasts}, and messages wait"


def bad_time_rows(scenario: Scenario, name: str, scope: Scope) -> Iterator[tuple[str, str]]:
    """Yield the outages and the disturbances of a provider."""
    provider = scenario.providers[name]
    if provider.outages:
        spans = [
            f"from {scope.moment(outage.at)} to {scope.moment(outage.at + outage.lasts)}"
            + ("" if outage.fails_after is None else f", known {_known(outage.fails_after)}")
            for outage in provider.outages
        ]
        yield "Outages", f"unreachable {listed(spans)}"
    for disturbance in provider.disturbances:
        every, lasts = _time(disturbance.every), _time(disturbance.lasts)
        meanwhile = _meanwhile(disturbance, provider.transient, scope)
        yield "Disturbance", f"{every} after the one before, for {lasts}: {meanwhile}"


def _known(fails_after_s: float) -> str:
    return "at once" if fails_after_s == 0.0 else f"after {all_units(fails_after_s)}"


def _time(time: RandomTime) -> str:
    if isinstance(time, Constant):
        return all_units(time.value)
    return f"{elapsed(time.mean_s)} on average"


def _meanwhile(disturbance: Disturbance, usual: float, scope: Scope) -> str:
    if disturbance.unreachable:
        return "unreachable"
    effects = []
    if disturbance.transient > usual:
        effects.append(f"{share_text(disturbance.transient)} of the attempts bounce softly")
    if disturbance.tolerance is not None:
        effects.append(f"no more than {throttle_text(disturbance.tolerance, scope)} is tolerated")
    return (
        listed(effects)
        if effects
        else f"nothing changes, since {share_text(usual)} bounce softly anyway"
    )
