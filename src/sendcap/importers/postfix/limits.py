"""Limits of each provider: connections, delays, and how long a connection is used."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sendcap import mailbox_providers as known
from sendcap.importers.draft import Draft
from sendcap.importers.plan import Group
from sendcap.importers.postfix.configuration import Configuration
from sendcap.importers.postfix.routing import Path
from sendcap.importers.postfix.sessions import Reuse, reuse_of
from sendcap.importers.postfix.settings import seconds
from sendcap.importers.reading import Entry, whole
from sendcap.scenario.durations import format_duration
from sendcap.text.quantities import listed
from sendcap.text.shares import rounded_share

_MUCH: Final = 0.01
"""Share of a connection's time that is worth a warning."""
PAUSE: Final = "one delivery at a time, then the pause, for all mail of the transport"


@dataclass
class Limits:
    """The limits of the providers of a scenario."""

    draft: Draft
    configuration: Configuration
    paths: list[Path]
    addresses: int  # source addresses of an instance: one for each transport chosen at random
    instances: int

    def put(self, path: Path) -> None:
        """Put the limits of a provider that it shares with nobody."""
        self.draft.provider(path.group, known.names_of(path.group.heaviest))
        whole = self.delay(path, "transport_rate_delay")
        own = self.delay(path, "destination_rate_delay")
        if own[1] > 0.0 and not path.per_recipient:
            self._pause(path, *own)
        elif whole[1] > 0.0:
            why = "one delivery at a time, whatever the destination"
            self.draft.limit(path.group, "connections_per_ip", 1, whole[0], why)
        else:
            self._connections(path)
        if whole[1] > 0.0 and self.is_alone(path):
            longer = max(own, whole, key=lambda delay: delay[1])
            self.draft.limit(path.group, "rate", gap(longer[1]), longer[0], PAUSE)
        self._reuse(path)
        if path.per_recipient:
            self._warn_of_recipients(path)

    def delay(self, path: Path, ending: str) -> tuple[Entry, float]:
        """Return a delay of a provider's transport, and its seconds."""
        entry = self.configuration.named(path.transports[0], ending)
        return entry, entry.read(seconds())

    def is_alone(self, path: Path) -> bool:
        """Return whether a transport's mail is that of one provider, and by all addresses."""
        sharing = [each for each in self.paths if set(each.transports) & set(path.transports)]
        return len(sharing) == 1 and not self._by_one_address(path)

    def _by_one_address(self, path: Path) -> bool:
        return self.addresses > 1 and len(path.transports) == 1

    def _pause(self, path: Path, delay: Entry, delay_s: float) -> None:
        why = "one delivery at a time, then the pause"
        if path.queues > 1:
            why += f"; for each of {path.queues} destinations, here for all of them"
        if len(path.transports) > 1:
            why += f"; each of transports {listed(path.transports)} by itself"
        self.draft.limit(path.group, "connections_per_ip", 1, delay, why)
        if not self.is_shared(path):
            self.draft.limit(path.group, "rate", gap(delay_s), delay, why)

    def is_shared(self, path: Path) -> bool:
        """Return whether a limit of the provider's destination is not its own, or not per IP."""
        sharing = [each for each in self.paths if each.destination == path.destination]
        return self._by_one_address(path) or (bool(path.nexthop) and len(sharing) > 1)

    def _connections(self, path: Path) -> None:
        total, entries, bound = self.configuration.connections(path)
        each = math.ceil(total / self.addresses)
        why = ""
        if len(path.transports) > 1:
            why = f"{total} of transports {listed(path.transports)} together"
        elif bound:
            why = f"as many as transport {path.transports[0]} has processes"
        elif path.queues > 1:
            why = f"{total // path.queues} for each of {path.queues} domains"
        self.draft.limit(path.group, "connections_per_ip", each, entries[0], why)
        for entry in entries[1:]:
            if entry.where:
                key = f"providers.{path.group.name}.connections_per_ip"
                self.draft.decided(entry, key, f"is a part of the {why}")
        if bound:
            self._overruled(path, entries)
        if not path.per_recipient:
            place = ("providers", path.group.name, "connection_scaling")
            scaling = list(scaling_of(self.configuration, path, each))
            self.draft.put_table(place, {"kind": "postfix"}, scaling)
            for _, _, entry, differs in scaling:
                if differs:
                    self.draft.warn(entry, differs)

    def _overruled(self, path: Path, processes: list[Entry]) -> None:
        for transport, entry in zip(path.transports, processes, strict=True):
            limit = self.configuration.named(transport, "destination_concurrency_limit")
            if limit != entry:
                self.draft.used.add(limit)
                self.draft.overruled(limit, f"{entry.name} = {entry.value} is lower")

    def _reuse(self, path: Path) -> None:
        settings, client = self.configuration.client(path.transports[0])
        reuse = reuse_of(settings, client, path.domain, path.nexthop)
        group = path.group
        self.draft.limit(group, "messages_per_connection", reuse.messages, reuse.entry, reuse.why)
        for each in reuse.also:
            if each.where:
                self.draft.decided(
                    each, "providers", "says whether a connection with TLS is used again"
                )
        # scache(8) keeps a connection no longer than its own limit, whatever the client asks for.
        asked = settings.first(f"{client}_connection_cache_time_limit")
        most = self.configuration.main.first("connection_cache_ttl_limit")
        idle = min(asked, most, key=lambda entry: entry.read(seconds()))
        self.draft.limit(group, "idle_timeout", format_duration(idle.read(seconds())), idle)
        self._warn_of_age(group, settings.first(f"{client}_connection_reuse_time_limit"), reuse)

    def _warn_of_age(self, group: Group, age: Entry, reuse: Reuse) -> None:
        """Warn if the age at which a connection is closed costs much: the scenario has none.

        It begins with the connection (postconf(5)), and the message under way is the last one.
        """
        transaction_s = self.draft.time(group, "transaction_time").mean_s
        connect_s = self.draft.time(group, "connect_time").mean_s
        messages = max(math.ceil((age.read(seconds()) - connect_s) / transaction_s), 1)
        if isinstance(reuse.messages, int) and reuse.messages <= messages:
            return
        cost = connect_s / (connect_s + messages * transaction_s)
        if isinstance(reuse.messages, int):
            cost -= connect_s / (connect_s + reuse.messages * transaction_s)
        if cost >= _MUCH:
            key = f"providers.{group.name}.messages_per_connection"
            why = (
                f"connections of the scenario have no age; connecting anew at this one takes "
                f"{rounded_share(cost)} of their time, as it does with {key} = {messages}"
            )
            self.draft.warn(age, why)

    def _warn_of_recipients(self, path: Path) -> None:
        recipients = self.configuration.named(path.transports[0], "destination_recipient_limit")
        self.draft.used.add(recipients)
        why = (
            f"with 1, the limits of transport {path.transports[0]} apply to each recipient instead "
            f"of each domain: Postfix sends the provider more than the limit"
        )
        self.draft.warn(recipients, why)


def gap(pause_s: float) -> dict[str, str]:
    """Return the throttle for a pause after each delivery."""
    return {"kind": "gap", "pause": format_duration(pause_s)}


# The concurrency scheduler: how many deliveries to a destination at first, and then.

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
