"""One person of a population, followed through a simulation."""

from typing import Final, NamedTuple

import numpy as np

from sendcap.ledger import EVENTS
from sendcap.model.kernel.fields import NONE
from sendcap.model.kernel.state import Floats, Records
from sendcap.model.kernel.telling import COMPLAINED
from sendcap.model.people.knowledge import (
    DENYLISTED,
    FULL,
    NEWS,
    QUARANTINED,
    WRITTEN_TO,
    Rules,
    learn,
    nothing_known,
)
from sendcap.model.people.persons import Persons

_STATES: Final = {
    WRITTEN_TO: "good",
    QUARANTINED: "quarantined",
    FULL: "quarantined",
    DENYLISTED: "denylisted",
}


class Moment(NamedTuple):
    """Something that happened to a person, and what Campaign knew of the address afterwards."""

    known_s: float
    happened_s: float
    delivery: int  # by number; `NONE` where it is a sending, or none
    sending: str  # of a preparation
    event: str
    reason: int | str
    state: str
    errors: int


class Followed:
    """The history of a person."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.provider = NONE
        self.joined_s = 0.0
        self.dies_s = np.inf
        self.kind = 0
        self.moments: list[Moment] = []
        self._prepared: list[tuple[float, str, str]] = []
        self._reports: list[tuple[Records, Floats]] = []

    def prepared(self, sending: str, at_s: float, reason: str = "") -> None:
        """Note that a sending has targeted the person, and why it does not go there."""
        self._prepared.append((at_s, sending, reason))

    def receive(self, reports: Records, known_s: Floats) -> None:
        """Take the reports about the person."""
        own = reports["person"] == self.number
        if own.any():
            self._reports.append((reports[own].copy(), known_s[own]))

    def ended(self, persons: Persons, rules: Rules) -> None:
        """Put the history together."""
        first = len(persons.people) - len(persons.joined_s)
        person = persons.people[self.number]
        self.provider, self.kind = int(persons.provider[self.number]), int(person["kind"])
        self.dies_s = float(person["dies_s"])
        if self.number >= first:
            self.joined_s = float(persons.joined_s[self.number - first])
        knowledge = nothing_known(1)
        for at_s, rows, preparation in sorted(self._in_order(), key=lambda each: each[0]):
            if rows is not None:
                alone = np.zeros(1, NEWS)
                alone["event"], alone["reason"] = rows["event"], rows["reason"]
                learn(knowledge, rules, alone, np.array([at_s]))
            status, errors = int(knowledge.status[0]), int(knowledge.errors[0])
            since_s = at_s - knowledge.last_s[0]
            if status == FULL and since_s >= 0.0:
                status, errors = WRITTEN_TO, 0
            if status != WRITTEN_TO or since_s > rules.reset_s:
                errors = 0
            self.moments.append(_moment(at_s, rows, preparation, _STATES[status], errors))

    def _in_order(self) -> list[tuple[float, Records | None, tuple[str, str]]]:
        found: list[tuple[float, Records | None, tuple[str, str]]] = [
            (at_s, None, (sending, reason)) for at_s, sending, reason in self._prepared
        ]
        for reports, known_s in self._reports:
            found += [
                (float(known_s[number]), reports[number : number + 1], ("", ""))
                for number in range(len(reports))
            ]
        return found


def _moment(
    at_s: float, rows: Records | None, preparation: tuple[str, str], state: str, errors: int
) -> Moment:
    if rows is None:
        sending, reason = preparation
        event = "excluded" if reason else "to deliver"
        return Moment(at_s, at_s, NONE, sending, event, reason, state, errors)
    row = rows[0]
    if row["event"] == COMPLAINED:
        return Moment(at_s, at_s, NONE, "", "complained", 0, state, errors)
    return Moment(
        at_s,
        float(row["happened_s"]),
        int(row["delivery"]),
        "",
        EVENTS[row["event"]],
        int(row["reason"]),
        state,
        errors,
    )
