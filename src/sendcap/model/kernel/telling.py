"""What has happened is counted on the spot, and kept as a row where anybody wants more."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import NEVER, NO_REASON, NONE
from sendcap.model.kernel.happened import ALL_REPORTS, NEWS
from sendcap.model.kernel.state import Group
from sendcap.model.kernel.tally import NEXT_EVENT, count, count_delay, of_event, series_of

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
    series, which = series_of(counters, message.pair), of_event(event, reason)
    count(counters, series, which, happened_s)
    if again:
        count(counters, series, which + NEXT_EVENT, happened_s)
    if wanted.known:
        known_s = arrives_s
        if wanted.polling_s > 0.0:
            known_s = np.ceil(arrives_s / wanted.polling_s) * wanted.polling_s
        count(counters, series, which + 1, known_s)
        if again:
            count(counters, series, which + 1 + NEXT_EVENT, known_s)
    person, is_news = NONE, False
    if len(group.people) > 0 and message.person != NONE:
        person = message.person
        is_news = _is_news(group.people[person], event, arrives_s)
    if wanted.reports == ALL_REPORTS or (wanted.reports == NEWS and is_news):
        row = group.out.reports[group.counts[0].reports]
        group.counts[0].reports += 1
        note_room(group, group.counts[0].reports)
        row.happened_s, row.arrives_s, row.due_s = happened_s, arrives_s, NEVER
        row.delivery = group.batches.delivery[message.batch]
        row.provider = group.queues[message.queue].provider
        row.path = group.queues[message.queue].path
        row.message, row.attempt = message.number, message.failures + (event != EXPIRED)
        row.event, row.reason, row.again = event, reason, again
        row.person = person


@inlined
def note_room(group: Group, rows: int) -> None:
    """Note whether what another event adds may find no room."""
    if rows >= len(group.out.reports) - 2:
        group.counts[0].full = 1


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
    note_room(group, group.counts[0].reports)
    row.happened_s = row.arrives_s = known_s
    row.due_s, row.event, row.person = NEVER, COMPLAINED, message.person
    row.path = NONE


@inlined
def tell_delay(group: Group, message: Any, accepted_s: float) -> None:
    """Count how long a message has taken from ready to accepted."""
    if accepted_s < group.counters.bins[0].horizon_s:
        delay_s = accepted_s - group.batches.ready_s[message.batch]
        count_delay(group.counters, series_of(group.counters, message.pair), delay_s)


@inlined
def tell_when_due(group: Group, due_s: float) -> None:
    """Add to the last report when the message is due again."""
    if group.wanted[0].reports:
        group.out.reports[group.counts[0].reports - 1].due_s = due_s


@inlined
def tell_start(group: Group, message: Any, start_s: float, finish_s: float) -> None:
    """Count an attempt as it starts."""
    series = series_of(group.counters, message.pair)
    count(group.counters, series, of_event(ATTEMPTED, NO_REASON), start_s)
    if group.wanted[0].starts:
        keep_start(group, message, start_s, finish_s)


@compiled
def keep_start(group: Group, message: Any, left_s: float, finish_s: float) -> None:
    """Keep how long a message has waited; without an end if it has given up."""
    if group.wanted[0].starts:
        row = group.out.starts[group.counts[0].starts]
        group.counts[0].starts += 1
        note_room(group, group.counts[0].starts)
        row.ready_s, row.left_s, row.finish_s = message.ready_s, left_s, finish_s
        row.delivery = group.batches.delivery[message.batch]
        row.path = group.queues[message.queue].path


@compiled
def keep_connect(group: Group, path: int, start_s: float, finish_s: float) -> None:
    """Keep when a connection was made."""
    if group.wanted[0].starts:
        row = group.out.connects[group.counts[0].connects]
        group.counts[0].connects += 1
        note_room(group, group.counts[0].connects)
        row.start_s, row.finish_s, row.path = start_s, finish_s, path
