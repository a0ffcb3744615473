"""Postfix's ``qshape``: tables of domains by the ages of their messages.

Source: Postfix, ``auxiliary/qshape/qshape.pl`` and ``QSHAPE_README``.
"""

import re
from itertools import pairwise
from typing import Final, NamedTuple

from sendcap.importers.queue_files.postqueue import STATES, State
from sendcap.importers.queue_files.queued import domain_named
from sendcap.importers.queue_files.source import Source
from sendcap.importers.reading import whole
from sendcap.mailbox_providers import OTHER
from sendcap.text.quantities import MINUTE_S, counted

FORMAT: Final = "qshape"

_HEADER: Final = re.compile(r"\s*T(?P<active>\s+A)?(?P<limits>(?:\s+\d{1,9}){0,99})\s+\d{1,9}\+\s*")
_COMMAND: Final = re.compile(r"\bqshape\b(?P<words>[^(|>]*)")
_STATE: Final = re.compile(rf"\b({'|'.join(STATES)})\b", re.IGNORECASE)
_SENDERS: Final = re.compile(r"(?:^|\s)-[a-z]*s")
_TOTAL: Final = "TOTAL"


class _Table(NamedTuple):
    """A table that is being read."""

    states: list[str]
    senders: bool  # whether the domains are those of senders
    has_active: bool  # a column of the active queue, as before Postfix 2
    limits_s: list[float]  # of the ages of all columns but the last

    @property
    def state(self) -> State:
        """What the queue says of the messages; little if there are several."""
        if len({STATES[each] for each in self.states}) == 1:
            return STATES[self.states[0]]
        if {*self.states} <= {"incoming", "active"}:
            return STATES["active"]
        return STATES["deferred"]


def recognises(lines: list[str]) -> int:
    """Return the number of lines, if there is a table."""
    return len(lines) if any(map(_HEADER.fullmatch, lines)) else 0


def read(source: Source) -> None:
    """Read the tables; a line before each names its queue."""
    reader = _Reader(source)
    for number, line in source.lines():
        header = _HEADER.fullmatch(line)
        if header is not None:
            reader.begin(header)
        elif not reader.row(number, line):
            reader.label = line
    reader.end()
    reader.note()


class _Reader:
    def __init__(self, source: Source) -> None:
        self.label = ""  # the line before a table
        self._source = source
        self._table: _Table | None = None
        self._rest: list[int] = []  # of the total, by column, without the rows so far
        self._unlabelled = self._not_shown = self._above = self._cut = self._parents = (
            self._of_senders
        ) = 0

    def begin(self, header: re.Match[str]) -> None:
        """Begin a table."""
        self.end()
        command = _COMMAND.search(self.label)
        words = self.label if command is None else command["words"]
        states = [state.lower() for state in _STATE.findall(words)]
        if not states and command is not None:
            states = ["incoming", "active"]  # of qshape without an argument
        self._source.seen = True
        self._unlabelled += not states
        senders = command is not None and _SENDERS.search(words) is not None
        self._of_senders += senders
        limits_s = [MINUTE_S * int(limit) for limit in header["limits"].split()]
        self._table = _Table(states or ["deferred"], senders, bool(header["active"]), limits_s)
        self.label = ""

    def row(self, number: int, line: str) -> bool:
        """Read a row; tell whether the line stands in a table."""
        table = self._table
        cells = line.split()
        width = 2 + table.has_active + len(table.limits_s) + 1 if table is not None else 0
        if table is None or len(cells) != width:
            if table is not None and len(cells) > 1 and cells[-1].isdigit():
                self._source.skip(number, f"it has {len(cells)} cells, and its table has {width}")
            return False
        try:
            total, *counts = map(whole, cells[1:])
        except ValueError:
            return False
        if total != sum(counts):
            self._source.skip(number, "its counts do not sum to their total")
        elif not table.senders:
            self._count(table, cells[0], counts)
        return True

    def _count(self, table: _Table, name: str, counts: list[int]) -> None:
        if name == _TOTAL:
            self._rest = list(counts)
        elif name.startswith("."):
            # A domain with its subdomains, which have rows of their own.
            self._parents += 1
        else:
            self._rest = [rest - count for rest, count in zip(self._rest, counts, strict=False)]
            domain = "" if name.startswith("+") else domain_named(name)
            self._cut += not domain
            self._add(table, domain, counts)

    def _add(self, table: _Table, domain: str, counts: list[int]) -> None:
        columns = list(counts)
        if table.has_active:
            self._source.add(domain, columns.pop(0), **STATES["active"]._asdict())
        known, edges = table.state._asdict(), [0.0, *table.limits_s, None]
        for count, (from_s, to_s) in zip(columns, pairwise(edges), strict=True):
            self._source.add(domain, count, youngest_s=from_s, oldest_s=to_s, **known)

    def end(self) -> None:
        """Count what the total of a table has beyond its rows."""
        if self._table is not None and self._rest:
            if min(self._rest) < 0:
                self._above += 1
            else:
                self._not_shown += sum(self._rest)
                self._add(self._table, "", self._rest)
        self._table, self._rest = None, []

    def note(self) -> None:
        """Say what was assumed."""
        if self._unlabelled:
            self._source.notes.append(
                f"No line before {counted(self._unlabelled, 'table')} names the queue: taken as "
                f"deferred. Write, for example, “qshape active” above a table."
            )
        senders = "of senders left out (qshape -s): only tables of recipients name providers."
        cut_off = f"of domains without a row, as the table is cut off, count as {OTHER}."
        above = f"with more messages in the rows than in the row {_TOTAL}, which is left out."
        names = f"taken as {OTHER} (qshape -w 200 shows longer names)."
        parents = "of parent domains left out (qshape -p): their subdomains have rows."
        for count, noun, text in (
            (self._of_senders, "table", senders),
            (self._not_shown, "message", cut_off),
            (self._above, "table", above),
            (self._cut, "cut or strange name", names),
            (self._parents, "row", parents),
        ):
            self._source.note(count, noun, text)
