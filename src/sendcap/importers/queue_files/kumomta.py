"""KumoMTA's metrics, as Prometheus text or JSON, and the tables of ``kcli queue-summary``.

Source: KumoMTA, ``crates/kumod/src/queue/metrics.rs`` and ``metrics_helper.rs``,
``docs/reference/metrics/kumod``, ``docs/reference/http/sample-metrics.json``.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from sendcap.importers.queue_files import kumomta_summary
from sendcap.importers.queue_files.kumomta_names import Queues
from sendcap.importers.queue_files.source import Source
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


class _Value(NamedTuple):
    labels: dict[str, str]
    messages: int


def recognises(lines: list[str]) -> int:
    """Return the number of lines, if one is of a metric or heads a table."""
    found = kumomta_summary.recognises(lines) or (
        any(f'"{name}":' in line for line in lines for name in _NAMES)
        if _is_json(lines)
        else any(line.startswith(("# TYPE ", "# HELP ")) or _BEGINS.match(line) for line in lines)
    )
    return len(lines) if found else 0


def read(source: Source) -> None:
    """Read the metrics that count messages by queue, or else those by provider."""
    if kumomta_summary.recognises(source.head):
        kumomta_summary.read(source)
        return
    values: dict[str, list[_Value]] = {name: [] for name in _NAMES}
    for name, value in _of_json(source) if _is_json(source.head) else _of_text(source):
        values[name].append(value)
    queues = Queues(source)
    by_queue = [each for each in values[_SCHEDULED] if "queue" in each.labels]
    # The sums of a protocol have no queue.
    ready = [each for each in values[_READY] if ":" in each.labels.get("service", "")]
    if by_queue or ready:
        for each in by_queue:
            queues.scheduled(each.labels["queue"], each.messages)
        for each in ready:
            protocol, _, queue = each.labels["service"].partition(":")
            queues.ready(queue, each.messages, is_smtp=protocol == "smtp_client")
    else:
        for each in values[_BY_POOL] or values[_BY_PROVIDER]:
            queues.all_of(each.labels.get("provider", ""), each.messages, each.labels.get("pool"))
        if values[_BY_POOL] or values[_BY_PROVIDER]:
            source.notes.append(
                "Ready and scheduled messages are counted together: the time until the next "
                "attempt is unknown."
            )
    queues.note()


def _is_json(lines: list[str]) -> bool:
    return lines[0].lstrip().startswith("{")


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
