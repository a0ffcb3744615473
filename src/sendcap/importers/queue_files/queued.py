"""What is known of a queue's messages: groups that share it, merged to a few thousand."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from sendcap.calibration.outcomes import read_reply
from sendcap.calibration.providers import Providers
from sendcap.calibration.reasons import REASONS
from sendcap.mailbox_providers import OTHER, names_of, spelt
from sendcap.text.quantities import HOUR_S

_FINE_S: Final = 300.0
_COARSE: Final = 1.1
"""Ages of one bucket differ by 5 minutes below an hour, and by 10 % above."""
_MOST: Final = 4000
"""Groups of a file."""
_MOST_AT_ONCE: Final = 60_000
"""Groups while a file is read: so many fit into some ten megabytes."""
_REMEMBERED: Final = 50_000
_LONGEST_REPLY: Final = 1000
_MOST_REPLIES: Final = 20_000
_KNOWN: Final = frozenset(REASONS)
_DOMAIN: Final = re.compile(r"[\w.-]{1,253}|\[[0-9A-Za-z:.]{1,60}\]")
_SITE: Final = re.compile(r"[\w.()|?*-]{1,1000}")
_NAME: Final = re.compile(r"[^@\s](?:[^@\n]{0,98}[^@\s])?")
_ROLLUP: Final = ".rollup"
"""PowerMTA's queues over several domains end so."""


class Queued(NamedTuple):
    """Messages of a queue that share what is known of them."""

    domain: str  # of the recipients, or the site; "" where only the provider is known
    provider: str  # by the domain or site, else "other"; or as a table says
    messages: int
    youngest_s: float | None = None  # age; None where unknown
    oldest_s: float | None = None
    attempts: int | None = None  # so far; None where unknown, 0 for messages never tried
    due_s: float | None = None  # until the next attempt; 0 for now, None where unknown
    reason: str = ""  # of the last soft bounce, a name of calibration; "" where unknown
    pool: str | None = None
    held: bool = False  # on hold, frozen or suspended: waits until an operator lets go


class QueueFile(NamedTuple):
    """A queue as a file lists it."""

    format: str
    queued: tuple[Queued, ...]
    notes: tuple[str, ...]  # what was left out or assumed, in sentences


class Groups:
    """Adds up messages by all that is known of them."""

    def __init__(self) -> None:
        # By all fields but the number and the ages, and by the buckets of the ages.
        self._sums: dict[tuple[object, ...], _Sum] = {}
        self.without_domain = 0  # messages whose domain is dropped, as there are too many

    def add(self, each: Queued) -> None:
        """Add messages."""
        domain, provider, messages, youngest_s, oldest_s, *rest = each
        if messages <= 0:
            return
        youngest = _bucket(youngest_s)
        oldest = youngest if youngest_s == oldest_s else _bucket(oldest_s)
        key = (domain, provider, youngest, oldest, *rest)
        known = self._sums.get(key)
        if known is None:
            self._sums[key] = _Sum(each)
            if len(self._sums) > _MOST_AT_ONCE:
                self._keep(_MOST_AT_ONCE // 2)
            return
        known.messages += messages
        # Equal buckets: the ages of both are known, or of none.
        if youngest_s is not None and youngest_s < known.youngest_s:
            known.youngest_s = youngest_s
        if oldest_s is not None and oldest_s > known.oldest_s:
            known.oldest_s = oldest_s

    def older(self, seconds: float) -> None:
        """Add a time to every age."""
        for each in self._sums.values():
            each.youngest_s += seconds
            each.oldest_s += seconds

    def merged(self) -> tuple[Queued, ...]:
        """Return the groups, the largest first."""
        self._keep(_MOST)
        return tuple(sorted(self._all(), key=lambda each: (-each.messages, each[:2])))

    def _all(self) -> list[Queued]:
        return [each.queued() for each in self._sums.values()]

    def _keep(self, most: int) -> None:
        """Give up details of small groups, the least useful first, until so many are left."""
        if len(self._sums) > most:
            self._give_up_domains(most // 2)
        for give_up in _GIVE_UP:
            if len(self._sums) <= most:
                return
            ordered = sorted(self._all(), key=lambda each: -each.messages)
            self._again([*ordered[: most // 2], *map(give_up, ordered[most // 2 :])])

    def _give_up_domains(self, most: int) -> None:
        """Keep the largest domains, with so many groups together."""
        before = self._all()
        messages, groups = Counter[str](), Counter[str]()
        for each in before:
            messages[each.domain] += each.messages
            groups[each.domain] += 1
        kept = {""}
        for domain, _ in messages.most_common():
            most -= groups[domain]
            if most < 0:
                break
            kept.add(domain)
        self.without_domain += sum(each.messages for each in before if each.domain not in kept)
        self._again(each if each.domain in kept else each._replace(domain="") for each in before)

    def _again(self, groups: Iterable[Queued]) -> None:
        self._sums = {}
        for each in groups:
            self.add(each)


class _Sum:
    """Messages of a group, and the ages of the youngest and the oldest so far."""

    __slots__ = ("_first", "messages", "oldest_s", "youngest_s")

    def __init__(self, first: Queued) -> None:
        self._first = first
        self.messages = first.messages
        self.youngest_s = math.nan if first.youngest_s is None else first.youngest_s
        self.oldest_s = math.nan if first.oldest_s is None else first.oldest_s

    def queued(self) -> Queued:
        return self._first._replace(
            messages=self.messages,
            youngest_s=None if math.isnan(self.youngest_s) else self.youngest_s,
            oldest_s=None if math.isnan(self.oldest_s) else self.oldest_s,
        )


def _bucket(age_s: float | None) -> int | None:
    if age_s is None:
        return None
    if age_s < HOUR_S:
        return math.floor(age_s / _FINE_S)
    return int(HOUR_S / _FINE_S) + int(math.log(age_s / HOUR_S, _COARSE))


_GIVE_UP: Final[tuple[Callable[[Queued], Queued], ...]] = (
    lambda each: each._replace(reason=""),
    lambda each: each._replace(pool=None),
    lambda each: each._replace(attempts=None, due_s=0.0 if each.due_s == 0.0 else None),
    lambda each: each._replace(youngest_s=None, oldest_s=None),
    lambda each: each._replace(domain="", provider=OTHER),
)

_provider_of = Providers().name


@lru_cache(_REMEMBERED)
def provider_at(name: str) -> str:
    """Return the provider of a domain, or of a site, the merged names of mail exchangers.

    >>> provider_at("hotmail.fr"), provider_at("(alt1|alt2)?.gmail-smtp-in.l.google.com")
    ('outlook', 'gmail')
    >>> provider_at("yahoo.rollup"), provider_at("example.org")
    ('yahoo', 'other')
    """
    known = names_of(name.removesuffix(_ROLLUP)) if name.endswith(_ROLLUP) else ()
    encoded = name.encode("ascii", "replace")
    return known[0] if known else _provider_of(encoded, encoded)


def domain_of(address: str) -> str:
    """Return the domain of an address, "" for anything else.

    >>> domain_of('"a@b"@Example.org.'), domain_of("root")
    ('example.org', '')
    """
    _, at, domain = address.rpartition("@")
    return domain_named(domain) if at else ""


@lru_cache(_REMEMBERED)
def domain_named(name: str) -> str:
    """Return a domain as servers spell it, "" for what is none, such as an address.

    >>> domain_named("Bücher.example."), domain_named("ann@example.org")
    ('xn--bcher-kva.example', '')
    """
    name = name.strip().rstrip(".").lower()
    return spelt(name) if _DOMAIN.fullmatch(name) else ""


def site_of(name: str) -> str:
    """Return the name of a site in small letters, "" for what is none."""
    return name.lower() if _SITE.fullmatch(name) else ""


def named(name: str) -> str | None:
    """Return the name of a pool or provider, None for what is none, such as an address."""
    return name if name.isprintable() and _NAME.fullmatch(name) else None


@lru_cache(_MOST_REPLIES)
def reason_of(text: str) -> str:
    """Return the reason of a reply, or of a name of a reason.

    >>> reason_of("host mx[192.0.2.1] said: 452 4.2.2 Mailbox full"), reason_of("throttled")
    ('mailbox full', 'throttled')
    """
    if text in _KNOWN:
        return text
    return REASONS[read_reply(text[:_LONGEST_REPLY].encode("utf-8", "replace")).reason]
