"""The way of a provider's mail through Postfix."""

from __future__ import annotations

from typing import NamedTuple

from sendcap.importers.plan import Group


class Path(NamedTuple):
    """The transports of a provider's mail, and where it goes."""

    group: Group
    domain: str  # that stands for the provider
    transports: tuple[str, ...]  # of several, one at random for each message
    nexthop: str  # the host that all of it goes to, or nothing: the domains' own hosts
    queues: int  # of each transport: one for each destination
    per_recipient: bool  # whether there is a queue for each recipient instead

    @property
    def destination(self) -> tuple[tuple[str, ...], str]:
        """What the limits of a destination are counted for."""
        return self.transports, self.nexthop
