"""What has happened is counted on the spot, and kept as a row where anybody wants more."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import NEVER, NO_REASON, NONE
from sendcap.model.kernel.happened import ALL_REPORTS, NEWS
from sendcap.model.kernel.state import Group
from sendcap.model.kernel.tally import count, count_delay, next_event, series_of

# Events, by their places in `sendcap.ledger.EVENTS`; the next of some is the one that counts there.
ATTEMPTED: Final = 2
ACCEPTED: Final = 3
HARD: Final = 5
SOFT: Final = 7
EXPIRED: Final = 9
ASYNC_BOUNCED: Final = 11
OPENED: Final = 12
CLICKED: Final = 13
COMPLAINED: Final = 14
"""No event of the ledger: only Campaign's denylist knows of it."""
_LATER: Final = 1.0 + 1e-6


@compiled
def tell(
    group: Group,
    message: Any,
    event: int,
    reason: int,
    again: bool,
    happened_s: float,
    arrives_s: float,
) -> None:
    """Send a report about a message on its way; it does not overtake the one before.

    ``again`` says that it counts for the next event, too.
    """
    counters, wanted = group.counters, group.wanted[0]
    arrives_s = max(arrives_s, message.reported_s)
    message.reported_s = arrives_s
    group.counts[0].told += 1
    delivery = group.batches.delivery[message.batch]
    provider = group.queues[message.queue].provider
    series = series_of(counters, delivery, provider, event, reason)
    count(counters, series, happened_s, 1)
    if again:
        count(counters, next_event(counters, series), happened_s, 1)
    if wanted.known:
        known_s = arrives_s
        if wanted.polling_s > 0.0:
            known_s = np.ceil(arrives_s / wanted.polling_s) * wanted.polling_s
        count(counters, series + 1, known_s, 1)
        if again:
            count(counters, next_event(counters, series) + 1, known_s, 1)
    if message.person != NONE:
        is_news = _is_news(group.people[message.person], event, arrives_s)
    else:
        is_news = False
    if wanted.reports == ALL_REPORTS or (wanted.reports == NEWS and is_news):
        row = group.out.reports[group.counts[0].reports]
        group.counts[0].reports += 1
        row.happened_s, row.arrives_s, row.due_s = happened_s, arrives_s, NEVER
        row.delivery, row.provider = delivery, provider
        row.path = group.queues[message.queue].path
        row.message, row.attempt = message.number, message.failures + (event != EXPIRED)
        row.event, row.reason, row.again = event, reason, again
        row.person = message.person


@inlined
def _is_news(person: Any, event: int, arrives_s: float) -> bool:
    """Return whether a report changes what Campaign knows of an address.

    An acceptance does so after a soft bounce, whose report may still be on the way.
    """
    if event == SOFT:
        # In single precision: rather later than it arrives.
        person.soft_until_s = max(person.soft_until_s, np.float32(arrives_s * _LATER + 1.0))
    elif event == ACCEPTED:
        if person.soft_until_s == 0.0:
            return False
        if arrives_s > person.soft_until_s:
            person.soft_until_s = 0.0
    return event != EXPIRED


@compiled
def tell_complaint(group: Group, message: Any, known_s: float) -> None:
    """Tell that a recipient has complained, which is no report of the MTA."""
    row = group.out.reports[group.counts[0].reports]
    group.counts[0].reports += 1
    row.happened_s = row.arrives_s = known_s
    row.due_s, row.event, row.person = NEVER, COMPLAINED, message.person
    row.path = NONE


@inlined
def tell_delay(group: Group, message: Any, accepted_s: float) -> None:
    """Count how long a message has taken from ready to accepted."""
    if accepted_s < group.counters.horizon_s[0]:
        delivery = group.batches.delivery[message.batch]
        provider = group.queues[message.queue].provider
        delay_s = accepted_s - group.batches.ready_s[message.batch]
        count_delay(group.counters, delivery, provider, delay_s)


@inlined
def tell_when_due(group: Group, due_s: float) -> None:
    """Add to the last report when the message is due again."""
    if group.wanted[0].reports:
        group.out.reports[group.counts[0].reports - 1].due_s = due_s


@inlined
def tell_start(group: Group, message: Any, start_s: float, finish_s: float) -> None:
    """Count an attempt as it starts."""
    delivery = group.batches.delivery[message.batch]
    provider = group.queues[message.queue].provider
    series = series_of(group.counters, delivery, provider, ATTEMPTED, NO_REASON)
    count(group.counters, series, start_s, 1)
    if group.wanted[0].starts:
        keep_start(group, message, start_s, finish_s)


@compiled
def keep_start(group: Group, message: Any, left_s: float, finish_s: float) -> None:
    """Keep how long a message has waited; without an end if it has given up."""
    if group.wanted[0].starts:
        row = group.out.starts[group.counts[0].starts]
        group.counts[0].starts += 1
        row.ready_s, row.left_s, row.finish_s = message.ready_s, left_s, finish_s
        row.delivery = group.batches.delivery[message.batch]
        row.path = group.queues[message.queue].path


@compiled
def keep_connect(group: Group, path: int, start_s: float, finish_s: float) -> None:
    """Keep when a connection was made."""
    if group.wanted[0].starts:
        row = group.out.connects[group.counts[0].connects]
        group.counts[0].connects += 1
        row.start_s, row.finish_s, row.path = start_s, finish_s, path
