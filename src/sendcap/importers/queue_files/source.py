"""The file of a queue: its lines, read once, and the moment for which it holds."""

import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BufferedReader, TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final, cast

from sendcap.errors import ConfigurationError
from sendcap.files.reading import encoding_of, opened
from sendcap.files.single import plain_words
from sendcap.importers.queue_files.queued import Groups, Queued, QueueFile, provider_at
from sendcap.importers.reading import line_error, opening
from sendcap.scenario.section import MOST
from sendcap.text.quantities import DAY_S, counted
from sendcap.text.quoting import shown, visible

KIND: Final = "queue"
_BLANK: Final = re.compile(r"\s*")
_HEAD: Final = 200
"""Lines that decide the format."""
_LOOK: Final = 4096
_LONGEST_LINE: Final = 1 << 24
"""Characters: a message to a hundred thousand recipients is a line of `postqueue -j`."""
_MOST_TEXT: Final = 1 << 26
"""Characters that are read at once."""
_LATEST_S: Final = 4_102_444_800.0
"""The year 2100."""
_PACKED: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"PK\x03\x04")


class Source:
    """The lines of a file, what was found in them, and what was not."""

    def __init__(self, name: str, lines: Iterator[tuple[int, str]], moment_s: float) -> None:
        self.name = name
        self.moment_s = moment_s  # for which the ages hold
        self.given = False  # whether the caller gave the moment
        self.groups = Groups()
        self.notes: list[str] = []
        self.seen = False  # whether a line was of the format, even if it holds no message
        self._lines = lines
        self._head = list(islice(lines, _HEAD))
        if not self._head:
            raise ConfigurationError(f"{name}: is empty; give the list of a queue")
        self._unread: list[tuple[int, str]] = []  # the first line of each reason
        self._count: Counter[str] = Counter()

    @property
    def head(self) -> list[str]:
        """The first lines."""
        return [line for _, line in self._head]

    def lines(self) -> Iterator[tuple[int, str]]:
        """Return the lines that are not blank, with their numbers from 1."""
        return chain(self._head, self._lines)

    def whole(self) -> str:
        """Return the text, of a file that is no list of lines."""
        pieces, size = list[str](), 0
        for number, line in self.lines():
            pieces.append(line)
            size += len(line)
            if size > _MOST_TEXT:
                raise self.error(number, f"is beyond {_MOST_TEXT:,} characters; give a part of it")
        return "".join(pieces)

    def as_json(self) -> list[Any]:
        """Return the values of JSON in the text: most often, a single one."""
        text, values, at = self.whole().strip(), list[Any](), 0
        decoder = json.JSONDecoder()
        try:
            while at < len(text):
                value, end = decoder.raw_decode(text, at)
                values.append(value)
                blank = _BLANK.match(text, end)
                at = len(text) if blank is None else blank.end()
        except (ValueError, RecursionError):
            raise ConfigurationError(
                f"{self.name}: is damaged or cut JSON; write what the MTA gives, to the end"
            ) from None
        return values

    def first_object(self) -> dict[str, Any]:
        """Return the first value of JSON in the text, if it is an object."""
        value = next(iter(self.as_json()), None)
        return value if isinstance(value, dict) else {}

    def error(self, line: int, message: str) -> ConfigurationError:
        """Return the error for a line."""
        return line_error(self.name, line, message)

    def add(
        self, domain: str, messages: int = 1, provider: str | None = None, **known: Any
    ) -> None:
        """Add messages to a domain or site, with what is known of them: fields of `Queued`."""
        self.groups.add(Queued(domain, provider or provider_at(domain), messages, **known))

    def note(self, count: int, noun: str, text: str) -> None:
        """Note something of a number of messages, lines or the like, unless it is none."""
        if count:
            self.notes.append(f"{counted(count, noun)} {text}")

    def skip(self, line: int, why: str) -> None:
        """Leave out a line; ``why`` completes "line 3:"."""
        if not self._count[why]:
            self._unread.append((line, why))
        self._count[why] += 1

    def queue_file(self, kind: str) -> QueueFile:
        """Return what was found; an error if that is nothing."""
        queued = self.groups.merged()
        if not queued and self._unread:
            raise self.error(*self._unread[0])
        if not queued and not self.seen:
            raise ConfigurationError(f"{self.name}: no line is of the format {kind}")
        total = sum(each.messages for each in queued)
        if total > MOST:
            raise ConfigurationError(
                f"{self.name}: lists {total:,} messages; at most {MOST:,} can be simulated"
            )
        if not queued:
            self.notes.append("The queue is empty.")
        elif all(each.oldest_s is None and each.youngest_s is None for each in queued):
            self.notes.append("The file does not say how old the messages are.")
        few = self.groups.without_domain
        self.note(few, "message", "of small domains are listed by provider only.")
        for line, why in self._unread:
            self.note(self._count[why], "line", f"left out, line {line} first: {why}.")
        return QueueFile(kind, queued, tuple(self.notes))


@contextmanager
def source_of(path: str | Path, at: datetime | None) -> Iterator[Source]:
    """Open the file of a queue."""
    name = visible(str(path))
    moment_s = None if at is None else _seconds(at)
    with opening(name, KIND):
        stream = cast("BufferedReader", opened(Path(path), once=True))
    with stream:
        with opening(name, KIND):
            start = stream.peek(_LOOK)[:_LOOK]
        encoding = _encoding(name, start)
        written_s = os.fstat(stream.fileno()).st_mtime
        with TextIOWrapper(stream, encoding=encoding, errors="replace") as text:
            lines = _bounded(name, text)
            source = Source(name, lines, written_s if moment_s is None else moment_s)
            source.given = at is not None
            yield source


def _seconds(at: datetime) -> float:
    try:
        seconds = at.timestamp()
    except (OverflowError, ValueError, OSError):
        seconds = -1.0
    if not 0.0 < seconds < _LATEST_S:
        raise ConfigurationError(f"at: {shown(at.isoformat())} is no moment from 1970 to 2100")
    return seconds


def _encoding(name: str, start: bytes) -> str:
    if start.startswith(_PACKED):
        raise ConfigurationError(f"{name}: is compressed; unpack it first")
    encoding = encoding_of(start)
    if encoding == "utf-8-sig" and b"\0" in start:
        raise ConfigurationError(f"{name}: has NUL characters, so it is not the list of a queue")
    return encoding


def _bounded(name: str, text: TextIOWrapper) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        while line := text.readline(_LONGEST_LINE):
            number += 1
            if len(line) == _LONGEST_LINE:
                raise line_error(name, number, f"has more than {_LONGEST_LINE:,} characters")
            if not line.isspace():
                yield number, line
    except OSError as problem:
        # Whoever saves results takes it for an error of theirs.
        raise line_error(name, number + 1, plain_words(problem)) from None


class Arrivals:
    """Turns times of arrival into ages at the file's moment, or at the newest arrival if later."""

    def __init__(self, source: Source) -> None:
        self._source = source
        start_s = source.moment_s if source.given else max(time.time(), source.moment_s)
        self._latest_s = start_s + DAY_S
        self._newest_s = 0.0
        self._later = 0

    def age_s(self, arrived_s: float, messages: int = 1) -> float | None:
        """Return the age of messages, None for an arrival that cannot be."""
        if not 0.0 < arrived_s <= self._latest_s:
            self._later += messages
            return None
        self._newest_s = max(self._newest_s, arrived_s)
        return self._source.moment_s - arrived_s

    def settle(self) -> None:
        """Correct the ages by the newest arrival, and note the moment."""
        source, of = self._source, "the moment given"
        if not source.given:
            of = "the last change of the file"
        if self._newest_s > source.moment_s:
            of = f"the newest arrival, which is after {of}"
            source.groups.older(self._newest_s - source.moment_s)
            source.moment_s = self._newest_s
        moment = datetime.fromtimestamp(source.moment_s, UTC)
        source.notes.append(f"Ages hold for {moment:%Y-%m-%d %H:%M:%S} UTC, {of}.")
        unknown = "arrived more than a day after that, by the file: their age is taken as unknown."
        source.note(self._later, "message", unknown)
