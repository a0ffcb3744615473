"""Attempts that a provider turns away: connections that it refuses, messages that it throttles.

Such a message waits for its next retry, and no longer in the queue. So the queue is empty although
much is still to be sent, and less is carried than the ceiling of the provider's limits.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sendcap.ledger import Event, Ledger
from sendcap.model.addresses import THROTTLED, TOO_MANY_CONNECTIONS
from sendcap.readings.load import deliveries_of
from sendcap.readings.summary import accepted_at_s
from sendcap.scenario import Scenario
from sendcap.scenario.stages import Stage
from sendcap.text.quantities import counted, elapsed
from sendcap.text.shares import percent_down

_NOTICEABLE: Final = 0.01
"""Share of the attempts that are turned away, of which a sentence tells."""
_LATE: Final = 1.25
"""Acceptance this many times as late as the stages need shows that a ceiling is not reached."""
_REACHED_PCT: Final = 99


@dataclass(frozen=True)
class Refusals:
    """What a provider turned away: attempts, and messages that expired after such an answer."""

    attempts: float
    refused: float  # connections above those that the provider accepts
    throttled: float
    expired: float

    @property
    def share(self) -> float:
        """Share of the attempts that were turned away."""
        return (self.refused + self.throttled) / self.attempts if self.attempts else 0.0


def refusals(
    ledger: Ledger, scenario: Scenario, provider: str, pool: str | None = None
) -> Refusals:
    """Return what a provider turned away, of a pool if there are several.

    A fault may bear the name of one of these answers: they count only where the provider's settings
    make them possible.
    """
    settings = scenario.providers[provider]
    reasons = []
    if settings.refuses_connections:
        reasons.append(TOO_MANY_CONNECTIONS)
    if settings.tolerance is not None or any(each.tolerance for each in settings.disturbances):
        reasons.append(THROTTLED)

    def total(event: Event, reason: str | None = None) -> float:
        return sum(
            ledger.total(
                event, clock="happened", delivery=delivery, provider=provider, reason=reason
            )
            for delivery in deliveries_of(scenario, pool)
        )

    soft = {reason: total("soft", reason) for reason in reasons}
    return Refusals(
        total("attempted"),
        soft.get(TOO_MANY_CONNECTIONS, 0.0),
        soft.get(THROTTLED, 0.0),
        sum(total("expired", reason) for reason in reasons),
    )


def refusal_sentences(scenario: Scenario, stages: Sequence[Stage], ledger: Ledger) -> Iterator[str]:
    """Yield where a ceiling is not reached, since much is turned away and waits for retries."""
    for name in ledger.providers:
        away = refusals(ledger, scenario, name)
        if away.share < _NOTICEABLE:
            continue
        accepted_s = accepted_at_s(ledger, _REACHED_PCT, provider=name)
        late = accepted_s is not None and accepted_s > _LATE * _least_s(scenario, stages)
        expired = round(away.expired)  # expected counts need not be whole
        if not (late or expired):
            continue
        ends, waits = [], ""
        if accepted_s is not None and late:
            waits = f"{_meanwhile(scenario, name, away)}, so the ceiling is not reached"
            ends.append(
                f"{_REACHED_PCT} % of what {name} accepts has been accepted after "
                f"{elapsed(accepted_s)}"
            )
        if expired:
            expire = "expires" if expired == 1 else "expire"
            ends.append(f"{counted(expired, 'message')} {expire} after such an answer")
        yield (
            f"But {_turns_away(scenario, name, away)}. Their messages wait for a retry{waits}: "
            f"{', and '.join(ends)}."
        )


def _turns_away(scenario: Scenario, name: str, away: Refusals) -> str:
    """Return the share of the attempts, and why."""
    share = f"{percent_down(away.share)} of the attempts"
    settings = scenario.providers[name]
    if away.throttled > away.refused:
        return f"{name} throttles {share}, those above its tolerance"
    accepted = settings.accepts_connections
    return (
        f"{name} refuses {share}, since it accepts {accepted:,} of the "
        f"{settings.connections_per_ip:,} connections that the MTA opens from each IP"
    )


def _meanwhile(scenario: Scenario, name: str, away: Refusals) -> str:
    """Return the reason why the queue does not carry its ceiling meanwhile."""
    for rule in scenario.acting_rules(name):
        needed = rule.after if rule.share is None else rule.share * rule.of
        if "throttled" in rule.counts and needed <= away.throttled:
            return ", and all others while the queue is held back after such answers"
    return " while connections are free"


def _least_s(scenario: Scenario, stages: Sequence[Stage]) -> float:
    """Return the least time after which all stages have carried their load."""
    ready_s = max(map(scenario.all_ready_s, scenario.deliveries))
    return max(ready_s, *(stage.from_s + stage.needs_s for stage in stages))
