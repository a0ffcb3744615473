"""What Campaign learns about addresses in the textbook model: news in order, and what they do."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Final, Literal, NamedTuple

from sendcap.ledger import Event
from sendcap.scenario.population import Quarantine
from sendcap.text.clock import after, elapsed_since
from sendcap.textbook.person import Person, Standing

COMPLAINT: Final = "complaint"
MAILBOX_FULL: Final = "mailbox full"
_DAY_S: Final = 86_400.0
_CLEANUP_HOUR: Final = 4


class News(NamedTuple):
    """Something that Campaign comes to know about a person's address."""

    known_s: float
    arrives_s: float  # at Campaign, which may poll for it later
    number: int  # of what arrives together, what happened first
    person: Person
    event: Event | Literal["complaint"]
    reason: str


class Learning:
    """Takes news in, in the order in which they are known, and keeps each person's standing."""

    def __init__(self, rules: Quarantine, start: datetime | None) -> None:
        self.rules = rules
        self.start = start
        self.numbers = count()
        self.to_come: list[News] = []

    def hears(
        self,
        person: Person,
        event: Event | Literal["complaint"],
        arrives_s: float,
        known_s: float,
        reason: str = "",
    ) -> None:
        """Let Campaign know something at a moment that may be still to come."""
        news = News(known_s, arrives_s, next(self.numbers), person, event, reason)
        heappush(self.to_come, news)

    def learn(self, before_s: float) -> None:
        """Take in what is known before a moment."""
        for news in self.known(before_s):
            self.take_in(news)

    def known(self, before_s: float) -> Iterator[News]:
        """Yield what is known before a moment, and was not yet."""
        while self.to_come and self.to_come[0].known_s < before_s:
            yield heappop(self.to_come)

    def take_in(self, news: News) -> None:
        """Change a standing by news: a denylisted address stays so, a quarantined one mostly."""
        standing = news.person.standing
        standing.release(news.known_s)
        if news.event == COMPLAINT:
            standing.denylisted = True
        elif news.event in ("hard", "async_bounced"):
            standing.quarantine()
        elif standing.quarantined:
            return
        elif news.event == "accepted":
            standing.errors = 0
        elif news.event == "soft":
            self.count_error(standing, news)

    def count_error(self, standing: Standing, news: News) -> None:
        """Count a soft bounce if it is significant; there may be one too many."""
        since_s = news.known_s - standing.last_s
        if since_s > self.rules.reset:
            standing.errors = 0
        if standing.errors and since_s < self.rules.significant:
            return
        standing.errors += 1
        standing.last_s = news.known_s
        if standing.errors < self.rules.threshold:
            return
        is_full = news.reason.casefold() == MAILBOX_FULL
        least_s = news.known_s + self.rules.mailbox_full
        standing.quarantine(next_cleanup_s(least_s, self.start) if is_full else math.inf)


def next_cleanup_s(from_s: float, start: datetime | None) -> float:
    """Return the first nightly cleanup from a moment on: at 04:00, or once a day from t = 0."""
    if start is None:
        return math.ceil(from_s / _DAY_S) * _DAY_S
    now = after(start, from_s)
    cleanup = now.replace(hour=_CLEANUP_HOUR, minute=0, second=0, microsecond=0)
    if cleanup < now:
        cleanup += timedelta(days=1)
    aware = start.tzinfo is not None
    return elapsed_since(start, cleanup) if aware else (cleanup - start).total_seconds()
