"""Campaign's list of people: it prepares deliveries, and learns from the reports of the MTA."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from sendcap.ledger.people import WEEK_S, Health, People, Preparation
from sendcap.model.kernel.outcome import MOST_ACCEPTED
from sendcap.model.kernel.state import Floats, Ints, Records
from sendcap.model.people.followed import Followed
from sendcap.model.people.knowledge import (
    NEWS,
    count_accepted,
    count_health,
    learn,
    nothing_known,
    rules_of,
)
from sendcap.model.people.persons import Persons
from sendcap.model.people.preparation import Preparer, Rosters
from sendcap.model.people.sendings import Sending
from sendcap.model.streams import Streams
from sendcap.scenario import Scenario

_REMEMBERED_S: Final = 60 * 86_400.0
"""After the last preparation, releases matter to nobody."""
_MANY_REPORTS: Final = 1 << 18


class _News(NamedTuple):
    """Reports about people, on their way to Campaign."""

    rows: Records  # `NEWS`
    known_s: Floats
    arrives_s: Floats
    happened_s: Floats

    @classmethod
    def of(cls, reports: Records, known_s: Floats) -> _News:
        """Keep what is needed of reports."""
        rows = np.empty(len(reports), NEWS)
        for name in NEWS.fields or ():
            rows[name] = reports[name]
        arrives_s, happened_s = reports["arrives_s"].copy(), reports["happened_s"].copy()
        return cls(rows, np.array(known_s), arrives_s, happened_s)

    def chosen(self, rows: Ints) -> _News:
        """Return some of them."""
        return _News(
            self.rows[rows], self.known_s[rows], self.arrives_s[rows], self.happened_s[rows]
        )


class Campaign:
    """Prepares sendings at their times, and learns what comes of them."""

    def __init__(
        self,
        scenario: Scenario,
        sendings: list[Sending],
        persons: Persons,
        reasons: tuple[str, ...],
        streams: Streams,
        followed: Followed | None,
    ) -> None:
        assert scenario.population is not None
        self._persons, self._quarantine = persons, scenario.population.quarantine
        self._knowledge = nothing_known(len(persons.people))
        until_s = max(sending.prepared_s for sending in sendings) + _REMEMBERED_S
        self._rules = rules_of(self._quarantine, reasons, scenario.start, until_s)
        self._preparer = Preparer(scenario.population, persons, self._knowledge, streams)
        self._followed = self._preparer.followed = followed
        self._providers = len(persons.hard_kinds)
        self._waiting = sendings[::-1]  # the next one is last
        self._news: list[_News] = []  # on the way
        self._preparations: list[Preparation] = []
        self._health: list[Health] = []
        self._accepted: dict[int, dict[int, int]] = {}
        self._week = 0

    @property
    def next_event_s(self) -> float:
        """When the next sending is prepared; infinite without one."""
        return self._waiting[-1].prepared_s if self._waiting else np.inf

    def until_s(self, now_s: float) -> float:
        """Return up to when time may go on: to the next preparation, or the end of the week."""
        week_s = (self._week + 1) * WEEK_S
        return min(week_s if week_s > now_s else np.inf, self.next_event_s)

    def prepared(self, now_s: float) -> list[Rosters]:
        """Prepare what is due."""
        rosters = []
        while self.next_event_s <= now_s:
            sending = self._waiting.pop()
            self.know(sending.prepared_s)
            first_s = min([each.starts_s for each in self._waiting], default=np.inf)
            preparation, roster = self._preparer.prepare(sending, first_s, self._providers)
            self._preparations.append(preparation)
            rosters.append(roster)
        return rosters

    def receive(self, reports: Records, known_s: Floats) -> None:
        """Take reports with the times at which they are known."""
        if self._followed is not None:
            self._followed.receive(reports, known_s)
        if len(reports):
            self._news.append(_News.of(reports, known_s))

    def know(self, until_s: float) -> None:
        """Learn what is known before a moment."""
        if not self._news:
            return
        news = _News(*map(np.concatenate, zip(*self._news, strict=True)))
        later = np.flatnonzero(news.known_s >= until_s)
        self._news = [news.chosen(later)] if len(later) else []
        if len(later):
            news = news.chosen(np.flatnonzero(news.known_s < until_s))
        order = np.argsort(news.known_s)
        known_s = news.known_s[order]
        if (known_s[1:] == known_s[:-1]).any():
            order = np.lexsort((news.happened_s, news.arrives_s, news.known_s))
        learn(self._knowledge, self._rules, news.rows[order], known_s)

    def advance(self, until_s: float) -> None:
        """Let time go on to when something happens: learn, if there is much, and end the weeks."""
        if sum(len(news.rows) for news in self._news) > _MANY_REPORTS:
            self.know(until_s)
        while until_s >= (self._week + 1) * WEEK_S:
            self._end_week()
            self._look(self._week * WEEK_S)

    def _end_week(self) -> None:
        people = self._persons.people
        counts = np.zeros(MOST_ACCEPTED + 1, np.int64)
        count_accepted(people, counts)
        many = np.flatnonzero(counts[1:]) + 1
        if len(many):
            self._accepted[self._week] = {int(each): int(counts[each]) for each in many}
        self._week += 1

    def _look(self, at_s: float) -> None:
        """Look at the state of the list."""
        self.know(at_s)
        count = self._persons.count_at(at_s)
        counts = np.zeros(6, np.int64)
        count_health(
            self._persons.people[:count],
            self._persons.provider,
            self._persons.hard_kinds,
            self._knowledge,
            self._quarantine.reset,
            at_s,
            counts,
        )
        self._health.append(Health(at_s, count, *counts.tolist()))

    def ended(self, at_s: float) -> People:
        """Return what has become of the people until the end of the run."""
        at_s = max([at_s, *(each.at_s for each in self._preparations)])
        self.advance(at_s)
        self._end_week()
        if not self._health or self._health[-1].at_s < at_s:
            self._look(at_s)
        if self._followed is not None:
            self._followed.ended(self._persons, self._rules)
        return People(tuple(self._preparations), tuple(self._health), self._accepted)
