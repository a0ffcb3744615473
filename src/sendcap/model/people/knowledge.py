"""What Campaign knows of each address: errors, quarantine, the denylist.

Source: *Understanding quarantine management* and *Configuring email channel* of Adobe Campaign
Standard.
"""

from datetime import datetime, time
from typing import Any, Final, NamedTuple

import numpy as np

from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.person import GOOD
from sendcap.model.kernel.state import Floats, Ints, Records
from sendcap.model.kernel.telling import ACCEPTED, ASYNC_BOUNCED, COMPLAINED, HARD, SOFT
from sendcap.model.people.persons import Bytes, Flags
from sendcap.scenario.population import Quarantine
from sendcap.text.clock import daily_s
from sendcap.text.quantities import DAY_S

WRITTEN_TO: Final = 0
QUARANTINED: Final = 1
FULL: Final = 2
"""Quarantined because of a full mailbox, and so for a time."""
DENYLISTED: Final = 3
_CLEANUP: Final = time(4)
"""Campaign's technical workflow *cleanup* runs then, every day."""
_FULL_REASON: Final = "mailbox full"


NEWS: Final = np.dtype([("person", "i4"), ("event", "i2"), ("reason", "i2")])
"""A report about a person, as far as it is learned from."""


class Knowledge(NamedTuple):
    """What Campaign knows, for each person."""

    status: Bytes
    errors: Bytes  # significant ones
    last_s: Floats  # the last significant error; of a full mailbox, when it leaves quarantine


class Rules(NamedTuple):
    """The rules of quarantine, for compiled code."""

    threshold: int
    significant_s: float
    reset_s: float
    full_s: float
    is_full: Flags  # by number of the reason
    cleanups_s: Floats  # in order


def nothing_known(count: int) -> Knowledge:
    """Return what is known before the first delivery."""
    return Knowledge(np.zeros(count, np.uint8), np.zeros(count, np.uint8), np.zeros(count))


def rules_of(
    quarantine: Quarantine, reasons: tuple[str, ...], start: datetime | None, until_s: float
) -> Rules:
    """Return the rules of quarantine, for releases up to a moment."""
    is_full = np.array([reason.casefold() == _FULL_REASON for reason in reasons])
    return Rules(
        quarantine.threshold,
        quarantine.significant,
        quarantine.reset,
        quarantine.mailbox_full,
        is_full,
        _cleanups_s(start, until_s),
    )


def _cleanups_s(start: datetime | None, until_s: float) -> Floats:
    """Return the nightly cleanups up to a moment."""
    if start is None:
        return np.arange(0.0, until_s + DAY_S, DAY_S)
    return np.array(list(daily_s(_CLEANUP, start, until_s + DAY_S)))


@compiled
def learn(knowledge: Knowledge, rules: Rules, news: Records, known_s: Floats) -> None:
    """Take in reports, in the order in which they are known."""
    status, errors, last_s = knowledge
    for number in range(len(news)):
        row, now_s = news[number], known_s[number]
        person = row.person
        if row.event == COMPLAINED:
            status[person] = DENYLISTED
        elif status[person] == FULL and last_s[person] > now_s:
            if row.event == HARD or row.event == ASYNC_BOUNCED:
                status[person] = QUARANTINED
        elif status[person] == WRITTEN_TO or status[person] == FULL:
            if status[person] == FULL:
                status[person], errors[person] = WRITTEN_TO, 0
            if row.event == ACCEPTED:
                errors[person] = 0
            elif row.event == HARD or row.event == ASYNC_BOUNCED:
                status[person] = QUARANTINED
            elif row.event == SOFT:
                _count_error(knowledge, rules, row, now_s)


@compiled
def _count_error(knowledge: Knowledge, rules: Rules, row: Any, now_s: float) -> None:
    """Count a soft bounce, if it is significant."""
    status, errors, last_s = knowledge
    person = row.person
    since_s = now_s - last_s[person]
    if since_s > rules.reset_s:
        errors[person] = 0
    if errors[person] > 0 and since_s < rules.significant_s:
        return
    errors[person] += 1
    last_s[person] = now_s
    if errors[person] < rules.threshold:
        return
    status[person] = QUARANTINED
    if rules.is_full[row.reason]:
        status[person] = FULL
        at = np.searchsorted(rules.cleanups_s, now_s + rules.full_s)
        last_s[person] = rules.cleanups_s[at] if at < len(rules.cleanups_s) else np.inf


@compiled
def count_accepted(people: Records, counts: Ints) -> None:
    """Count people by the messages that they have got, and begin anew."""
    for number in range(len(people)):
        person = people[number]
        counts[person.accepted] += 1
        person.accepted = 0


@compiled
def count_health(
    people: Records,
    provider: Bytes,
    hard_kinds: Ints,
    knowledge: Knowledge,
    reset_s: float,
    now_s: float,
    counts: Ints,
) -> None:
    """Count people: good, erroneous, quarantined, denylisted, dead unknown, mistaken."""
    status, errors, last_s = knowledge
    for number in range(len(people)):
        person, what = people[number], status[number]
        is_dead = 0 < person.kind <= hard_kinds[provider[number]] or person.dies_s <= now_s
        if what == FULL and last_s[number] <= now_s:
            what = WRITTEN_TO
            erroneous = False
        else:
            erroneous = errors[number] > 0 and now_s - last_s[number] <= reset_s
        if what == DENYLISTED:
            counts[3] += 1
        elif what != WRITTEN_TO:
            counts[2] += 1
            if person.kind == GOOD and not is_dead:
                counts[5] += 1
        else:
            counts[1 if erroneous else 0] += 1
            if is_dead:
                counts[4] += 1
