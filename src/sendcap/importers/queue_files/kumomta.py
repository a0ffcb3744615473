"""KumoMTA's metrics, as Prometheus text or JSON, and the tables of ``kcli queue-summary``.

Source: KumoMTA, ``crates/kumod/src/queue/metrics.rs`` and ``metrics_helper.rs``,
``docs/reference/metrics/kumod``, ``docs/reference/http/sample-metrics.json``;
``crates/kcli/src/queue_summary.rs``, whose form may change, as KumoMTA says. For the names of
queues ``docs/reference/queues.md``, ``crates/message/src/queue_name.rs`` and
``crates/kumod/src/ready_queue.rs``.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from sendcap.importers.queue_files.queued import domain_named, named, site_of
from sendcap.importers.queue_files.source import Source
from sendcap.importers.reading import whole
from sendcap.mailbox_providers import names_of
from sendcap.scenario.section import MOST

FORMAT: Final = "kumomta"

_SCHEDULED: Final = "scheduled_count"
_READY: Final = "ready_count"
_BY_POOL: Final = "queued_count_by_provider_and_pool"
_BY_PROVIDER: Final = "queued_count_by_provider"
_NAMES: Final = (_SCHEDULED, _READY, _BY_POOL, _BY_PROVIDER)
_PREFIX: Final = r"(?:\w+_)?"
"""Of names, by the parameter of /metrics."""
_BEGINS: Final = re.compile(rf"{_PREFIX}(?:{'|'.join(_NAMES)})\{{")
_TEXT: Final = re.compile(
    rf"{_PREFIX}(?P<name>{'|'.join(_NAMES)})(?:\{{(?P<labels>.*)\}})?\s+(?P<value>\S+)(?:\s+-?\d{{1,20}})?\s*"
)
_LABEL: Final = re.compile(r'\b(\w+)="((?:[^"\\]|\\.)*+)"')
_ESCAPED: Final = re.compile(r"\\(.)")

_READY_HEADING: Final = re.compile(r"SITE\s+SOURCE\s+PROTO\s+D\s+T\s+C\s+Q")
_SCHEDULED_HEADING: Final = re.compile(r"SCHEDULED QUEUE\s+COUNT")
_COUNT: Final = r"\d[\d,]{0,15}"
_READY_ROW: Final = re.compile(
    rf"(?P<site>\S+)(?P<names>(?:\s+[^\s\d,]\S*|\s+\d\S*[^\s\d,]\S*){{0,2}}?)"
    rf"(?:\s+{_COUNT}){{3}}\s+(?P<count>{_COUNT})(?:\s+(?P<status>\D.*))?"
)
_SCHEDULED_ROW: Final = re.compile(
    rf"(?P<queue>\S.*?)\s+(?P<count>{_COUNT})(?:\s+(?P<status>\D.*))?"
)
_LONGEST: Final = 10_000
"""Characters of a row."""

_INTERNAL: Final = (".kumomta", ".kumomta.internal")
"""Ends of the domains of log hooks and of mail that is not yet routed."""


class _Value(NamedTuple):
    labels: dict[str, str]
    messages: int


def recognises(lines: list[str]) -> int:
    """Return the number of lines, if one is of a metric or heads a table."""
    found = _is_summary(lines) or (
        any(f'"{name}":' in line for line in lines for name in _NAMES)
        if _is_json(lines)
        else any(line.startswith(("# TYPE ", "# HELP ")) or _BEGINS.match(line) for line in lines)
    )
    return len(lines) if found else 0


def read(source: Source) -> None:
    """Read the tables, or else the metrics."""
    queues = _Queues(source)
    if _is_summary(source.head):
        _read_summary(source, queues)
    else:
        _read_metrics(source, queues)
    queues.note()


def _is_summary(lines: list[str]) -> bool:
    stripped = [line.strip() for line in lines]
    headings = (_READY_HEADING, _SCHEDULED_HEADING)
    return any(heading.fullmatch(line) for line in stripped for heading in headings)


def _is_json(lines: list[str]) -> bool:
    return lines[0].lstrip().startswith("{")


class _Queues:
    """Adds the messages of queues to those of a file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._internal = 0

    def scheduled(self, queue: str, messages: int, *, held: bool = False) -> None:
        """Add messages of ``campaign:tenant@domain!routing``, which wait for an attempt."""
        name = queue.rpartition("@")[2].partition("!")[0]
        if name.endswith(_INTERNAL):
            self._internal += messages
        else:
            self._source.add(domain_named(name), messages, held=held)

    def ready(self, site: str, messages: int, *, is_smtp: bool, held: bool = False) -> None:
        """Add messages that wait for a connection to a site."""
        if is_smtp:
            first = site.removeprefix("mx_list:").partition(",")[0]
            self._source.add(site_of(first), messages, due_s=0.0, held=held)
        else:
            self._internal += messages

    def all_of(self, provider: str, messages: int, pool: str | None) -> None:
        """Add messages of a provider, or of a site, whether ready or scheduled."""
        known = names_of(provider)
        site = "" if known else site_of(provider)
        self._source.add(site, messages, known[0] if known else None, pool=named(pool or ""))

    def note(self) -> None:
        """Say what was left out."""
        whose = "of KumoMTA's own queues left out, such as those of log hooks."
        self._source.note(self._internal, "message", whose)


def _read_summary(source: Source, queues: _Queues) -> None:
    """Read the tables of ready and of scheduled queues; a suspended queue is held."""
    row: re.Pattern[str] | None = None
    bounced = 0
    for number, line in source.lines():
        text = line.strip()
        if _READY_HEADING.fullmatch(text):
            row, source.seen = _READY_ROW, True
        elif _SCHEDULED_HEADING.fullmatch(text):
            row, source.seen = _SCHEDULED_ROW, True
        elif row is not None:
            found = row.fullmatch(text) if len(text) <= _LONGEST else None
            if found is None:
                source.skip(number, "it is no row of `kcli queue-summary`")
                continue
            messages = whole(found["count"].replace(",", ""))
            status = found["status"] or ""
            held = "suspend:" in status
            if "bounce:" in status:
                bounced += messages
            elif row is _SCHEDULED_ROW:
                queues.scheduled(found["queue"], messages, held=held)
            else:
                names = found["names"].split()
                is_smtp = not names or names[-1] == "smtp_client"
                queues.ready(found["site"], messages, is_smtp=is_smtp, held=held)
    source.note(bounced, "message", "left out, as their queues are being bounced.")


def _read_metrics(source: Source, queues: _Queues) -> None:
    """Read the metrics that count messages by queue, or else those by provider."""
    values: dict[str, list[_Value]] = {name: [] for name in _NAMES}
    for name, value in _of_json(source) if _is_json(source.head) else _of_text(source):
        values[name].append(value)
    by_queue = [each for each in values[_SCHEDULED] if "queue" in each.labels]
    # The sums of a protocol have no queue.
    ready = [each for each in values[_READY] if ":" in each.labels.get("service", "")]
    for each in by_queue:
        queues.scheduled(each.labels["queue"], each.messages)
    for each in ready:
        protocol, _, queue = each.labels["service"].partition(":")
        queues.ready(_site_in(queue), each.messages, is_smtp=protocol == "smtp_client")
    if by_queue or ready:
        return
    by_provider = values[_BY_POOL] or values[_BY_PROVIDER]
    for each in by_provider:
        queues.all_of(each.labels.get("provider", ""), each.messages, each.labels.get("pool"))
    if by_provider:
        source.notes.append(
            "Ready and scheduled messages are counted together: the time until the next "
            "attempt is unknown."
        )


def _site_in(queue: str) -> str:
    """Return the site of ``source->site@smtp_client``; one of a pool's sources names no pool."""
    _, arrow, rest = queue.partition("->")
    site, at, last = (rest if arrow else queue).rpartition("@")
    return site if at else last


def _of_text(source: Source) -> Iterator[tuple[str, _Value]]:
    for number, line in source.lines():
        source.seen = source.seen or line.startswith("# TYPE ")
        metric = _TEXT.fullmatch(line.rstrip())
        if metric is not None:
            source.seen = True
            labels = {
                name: _ESCAPED.sub(r"\1", value)
                for name, value in _LABEL.findall(metric["labels"] or "")
            }
            yield from _value(source, number, metric["name"], labels, metric["value"])
        elif _BEGINS.match(line):
            source.skip(number, "it is no value of a metric; write KumoMTA's /metrics as they are")


def _of_json(source: Source) -> Iterator[tuple[str, _Value]]:
    """Yield the values of JSON: by the only label of a metric."""
    metrics = source.first_object()
    for name in _NAMES:
        metric = metrics.get(name)
        by_label = metric.get("value") if isinstance(metric, dict) else None
        source.seen = source.seen or metric is not None
        if not isinstance(by_label, dict):
            continue
        for label, values in by_label.items():
            for value, messages in values.items() if isinstance(values, dict) else ():
                yield from _value(source, 1, name, {label: value}, messages)


def _value(
    source: Source, line: int, name: str, labels: dict[str, str], value: Any
) -> Iterator[tuple[str, _Value]]:
    try:
        messages = float(value)
    except (TypeError, ValueError, OverflowError):
        messages = math.nan
    if 0.0 <= messages <= MOST:
        yield name, _Value(labels, round(messages))
    else:
        source.skip(line, f"its value is no number of messages from 0 to {MOST:,}")
