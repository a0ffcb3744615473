"""Counts: the events of flows per time bin, as a ledger has them."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sendcap.fluid.attempts import Attempt
from sendcap.fluid.feedback import Latencies
from sendcap.fluid.handover import Cohorts
from sendcap.fluid.refusals import Answer, Refusals, soft_reasons
from sendcap.fluid.spans import Delay, Floats, Spans, counted
from sendcap.ledger import CLOCKS, Event, Series
from sendcap.model.addresses import NOT_ATTEMPTED
from sendcap.scenario import FOLLOWED_S, Provider, Scenario

Counts = dict[Series, Floats]

_STEPS_OF_A_DELIVERY: Final = 200
_MOST_STEPS: Final = 8
_LONG_STEP_S: Final = 60.0
"""Where the relay takes fewer bins, each is cut into up to 8 steps, or into minutes."""
_KNOWN_BY: Final[tuple[Event, ...]] = ("accepted", "hard", "soft")
"""Events that make an attempt known."""


class _Row(NamedTuple):
    """An event of some reason, and the messages of each cohort in which it takes place.

    Where the provider refuses attempts, only a share of these messages counts: those answered
    then, or those refused as unreachable or throttled.
    """

    event: Event
    reason: str
    messages: Floats
    share: Answer = "answered"


class Counting:
    """Counts what happens to the messages of a scenario.

    The curves are as sharp as the shortest time in which the relay hands a delivery over.
    """

    def __init__(self, scenario: Scenario, shortest_s: float) -> None:
        self._scenario = scenario
        self._bin_s = bin_s = scenario.time.bin
        steps = math.ceil(bin_s * _STEPS_OF_A_DELIVERY / max(shortest_s, 1.0))
        most = max(_MOST_STEPS, math.ceil(bin_s / _LONG_STEP_S))
        self._latencies = Latencies(scenario, min(steps, most))
        engagement = scenario.engagement
        self._open_delay = Delay(
            engagement.open_delay.cdf, engagement.open_delay.lowest_s, bin_s, FOLLOWED_S
        )
        self._click_delay = Delay(engagement.click_delay.cdf, 0.0, bin_s, FOLLOWED_S)

    @property
    def step_s(self) -> float:
        """Length of the steps into which time is cut, as fine as the curves need."""
        return self._latencies.step_s

    def relay(self, delivery: str, provider: str, cohorts: Cohorts, messages: Floats) -> Counts:
        """Return counts of messages handed over by the relay, and of failed ones."""
        fails = self._scenario.relay.error_rate
        rows = [
            _Row("relayed", "", messages * (1.0 - fails)),
            _Row("relay_failed", "", messages * fails),
        ]
        happened = counted(cohorts.relayed, _stacked(rows), self._bin_s)
        return _named(delivery, provider, rows, happened, happened)

    def attempts(
        self,
        delivery: str,
        provider: str,
        attempts: Sequence[Attempt],
        chosen: npt.NDArray[np.bool_],
        refusals: Refusals,
    ) -> Counts:
        """Return counts of attempts and their consequences, for some of the cohorts."""
        receiver = self._scenario.providers[provider]
        tried = np.concatenate([attempt.tried[chosen] for attempt in attempts])
        started = counted(_all(attempts, "start", chosen), tried[None, :], self._bin_s)
        counts = {Series(delivery, provider, "attempted", "", "happened"): started[0]}
        finish = _all(attempts, "finish", chosen)
        rows = _outcomes(receiver, attempts, chosen, refusals)

        def shares(steps: int) -> Floats:
            by_name = refusals.in_steps(steps)
            return np.array([by_name[row.share] for row in rows])

        if rows:
            answered = shares if refusals.possible else None
            both = self._latencies.happened_and_known(finish, _stacked(rows), answered)
            counts |= _named(delivery, provider, rows, *both)
        accepted = np.concatenate([attempt.outcome.accepted[chosen] for attempt in attempts])
        if receiver.async_bounce > 0.0:
            rows = [_Row("async_bounced", "", accepted * receiver.async_bounce)]
            returned = self._latencies.returned(finish, _stacked(rows))
            counts |= _named(delivery, provider, rows, *returned)
        counts |= self._expired(delivery, provider, attempts, chosen)
        return counts | self._engaged(delivery, provider, finish, accepted)

    def _expired(
        self,
        delivery: str,
        provider: str,
        attempts: Sequence[Attempt],
        chosen: npt.NDArray[np.bool_],
    ) -> Counts:
        reasons = soft_reasons(self._scenario.providers[provider])
        never = [attempts[0].untried]
        at_expiry = [attempt.untried for attempt in attempts[1:]] + [
            attempt.expired[1] for attempt in attempts
        ]
        at_once = [attempt.expired[0] for attempt in attempts]
        counts: Counts = {}
        for parts, count in (
            (never, self._latencies.happened_and_known),
            (at_expiry, self._latencies.happened_and_known),
            (at_once, self._latencies.expired_at_once),
        ):
            if not any(part.by_reason.any() for part in parts):
                continue
            spans = Spans.joined([part.at.part(chosen) for part in parts])
            messages = np.hstack([part.by_reason[:, chosen] for part in parts])
            if parts is never:
                untried = messages.sum(axis=0)
                rows = [_Row("expired", NOT_ATTEMPTED, untried)]
                rows.append(_Row("expired_untried", NOT_ATTEMPTED, untried))
            else:
                rows = [_Row("expired", *row) for row in zip(reasons, messages, strict=True)]
                rows = [row for row in rows if row.messages.any()]
            if rows:
                both = count(spans, _stacked(rows))
                counts = _added(counts, _named(delivery, provider, rows, *both))
        return counts

    def _engaged(self, delivery: str, provider: str, accepted: Spans, messages: Floats) -> Counts:
        engagement = self._scenario.engagement
        if engagement.open_rate == 0.0:
            return {}
        opened = self._open_delay.counted(accepted, engagement.open_rate * messages[None, :])
        clicked = self._click_delay.later(engagement.click_rate * opened)
        at_s = next(one.at for one in self._scenario.deliveries if one.name == delivery)
        counts: Counts = {}
        engaged: tuple[tuple[Event, Floats], ...] = (("opened", opened[0]), ("clicked", clicked[0]))
        for event, column in engaged:
            followed = np.clip((at_s + FOLLOWED_S) / self._bin_s - np.arange(len(column)), 0.0, 1.0)
            for clock in CLOCKS:
                counts[Series(delivery, provider, event, "", clock)] = column * followed
        return counts


def with_attempts_known(counts: Counts) -> Counts:
    """Return the counts, with the attempts that Campaign knows of."""
    known: Counts = {}
    for series, outcomes in counts.items():
        if series.clock == "known" and series.event in _KNOWN_BY:
            attempted = series._replace(event="attempted", reason="")
            known = _added(known, {attempted: outcomes})
    return counts | known


def _added(one: Counts, two: Counts) -> Counts:
    """Return the counts of both; those of the same series are added up."""
    both = one | two
    for series in one.keys() & two.keys():
        total = np.zeros(max(len(one[series]), len(two[series])))
        for counts in (one[series], two[series]):
            total[: len(counts)] += counts
        both[series] = total
    return both


def _all(attempts: Sequence[Attempt], which: str, chosen: npt.NDArray[np.bool_]) -> Spans:
    return Spans.joined([getattr(attempt, which).part(chosen) for attempt in attempts])


def _outcomes(
    provider: Provider,
    attempts: Sequence[Attempt],
    chosen: npt.NDArray[np.bool_],
    refusals: Refusals,
) -> list[_Row]:
    """Return rows for the outcomes of all attempts."""
    answered = np.concatenate([attempt.answered[chosen] for attempt in attempts])
    # Of all attempts, had they been answered.
    all_ = np.divide(1.0, answered, out=np.zeros_like(answered), where=answered > 0.0)
    accepted = all_ * np.concatenate([attempt.outcome.accepted[chosen] for attempt in attempts])
    hard = all_ * np.hstack([attempt.outcome.hard[:, chosen] for attempt in attempts])
    soft = all_ * np.hstack([attempt.outcome.soft[:, chosen] for attempt in attempts])
    tried = np.concatenate([attempt.tried[chosen] for attempt in attempts])
    first = np.arange(len(accepted)) < np.count_nonzero(chosen)
    rows = [_Row("accepted", "", accepted), _Row("recovered", "", accepted * ~first)]
    for kind, messages in zip(provider.hard, hard, strict=True):
        rows.append(_Row("hard", kind.reason, messages))
        rows.append(_Row("hard_after_soft", kind.reason, messages * ~first))
    shares: tuple[Answer, ...] = ("answered", "unreachable", "throttled")
    for number, reason in enumerate(soft_reasons(provider)):
        share = shares[number] if number < len(shares) else "answered"
        messages = soft[number] if share == "answered" else tried
        rows.append(_Row("soft", reason, messages, share))
        rows.append(_Row("soft_first", reason, messages * first, share))
    if not refusals.possible:
        rows = [row for row in rows if row.share == "answered"]
    return [row for row in rows if row.messages.any()]


def _stacked(rows: Sequence[_Row]) -> Floats:
    return np.array([row.messages for row in rows])


def _named(
    delivery: str, provider: str, rows: Sequence[_Row], happened: Floats, known: Floats
) -> Counts:
    counts: Counts = {}
    for row, *both in zip(rows, happened, known, strict=True):
        for clock, part in zip(CLOCKS, both, strict=True):
            series = Series(delivery, provider, row.event, row.reason, clock)
            # A fault may have the name of another reason.
            counts = _added(counts, {series: part})
    return counts
