"""Postfix's concurrency scheduler: how many deliveries to a destination at first, and then."""

import re
from collections.abc import Iterator
from typing import Final

from sendcap.importers.postfix.configuration import Configuration
from sendcap.importers.postfix.routing import Path
from sendcap.importers.postfix.settings import seconds
from sendcap.importers.reading import Entry, whole
from sendcap.scenario.durations import format_duration

_FEEDBACK: Final = re.compile(
    r"(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s*(?:/\s*(concurrency|sqrt_concurrency))?", re.ASCII
)
_WHOLE: Final = "1"
_ENDINGS: Final = {
    "positive": "destination_concurrency_positive_feedback",
    "negative": "destination_concurrency_negative_feedback",
}


def scaling_of(
    configuration: Configuration, path: Path, most: int
) -> Iterator[tuple[str, int | str, Entry, str]]:
    """Yield the keys of the scaling of a provider's connections, with what says so.

    SCHEDULER_README, "Concurrency scheduling"; ``qmgr_transport.c`` starts no higher than the
    limit. Feedback by default is that of the model. ``qmgr_queue.c``: a destination is dead for
    ``minimal_backoff_time``.
    """
    transport = path.transports[0]
    own = f"{transport}_initial_destination_concurrency"
    initial = configuration.manager.first(own, "initial_destination_concurrency")
    yield "initial", min(max(initial.read(whole), 1) * path.queues, most), initial, ""
    cohorts = configuration.named(transport, "destination_concurrency_failed_cohort_limit")
    if cohorts.where:
        yield "failed_cohorts", cohorts.read(whole) or "none", cohorts, ""
    dead_for = configuration.manager.first("minimal_backoff_time")
    if dead_for.where:
        yield "dead_for", format_duration(max(dead_for.read(seconds()), 1.0)), dead_for, ""
    for key, ending in _ENDINGS.items():
        entry = configuration.named(transport, ending)
        if entry.where:
            yield key, *_feedback(entry)


def _feedback(entry: Entry) -> tuple[str, Entry, str]:
    """Return the feedback of the model, which has whole ones, and what differs."""
    match = _FEEDBACK.fullmatch(entry.value)
    if match is None:
        return _WHOLE, entry, f"{entry.value} is no feedback for the model, which takes 1"
    size, share = float(match[1]), match[2]
    feedback = f"1/{share}" if share else _WHOLE
    # Postfix takes 1 instead of what is not from 0 to 1.
    differs = 0.0 <= size < 1.0
    return feedback, entry, f"the model has {feedback} instead" if differs else ""
