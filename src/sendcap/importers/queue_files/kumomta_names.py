"""KumoMTA's queues by their names: whose messages wait there, and for what.

Source: KumoMTA, ``docs/reference/queues.md``, ``crates/message/src/queue_name.rs`` and
``crates/kumod/src/ready_queue.rs``.
"""

from typing import Final

from sendcap.importers.queue_files.queued import domain_named, named, site_of
from sendcap.importers.queue_files.source import Source
from sendcap.mailbox_providers import names_of

_INTERNAL: Final = (".kumomta", ".kumomta.internal")
"""Ends of the domains of log hooks and of mail that is not yet routed."""
_HOSTS: Final = "mx_list:"


class Queues:
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

    def ready(self, queue: str, messages: int, *, is_smtp: bool = True) -> None:
        """Add messages of ``source->site@smtp_client``, which wait for a connection.

        The source is one of a pool's, so it does not name the pool.
        """
        _, arrow, rest = queue.partition("->")
        site, at, last = (rest if arrow else queue).rpartition("@")
        self.ready_at(site if at else last, messages, is_smtp=is_smtp)

    def ready_at(
        self, site: str, messages: int, *, is_smtp: bool = True, held: bool = False
    ) -> None:
        """Add messages that wait for a connection to a site."""
        if is_smtp:
            first = site.removeprefix(_HOSTS).partition(",")[0]
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
