"""The reason of a reply, by words and enhanced status code.

First come words that say more than any code (providers answer 4.7.0 for a dozen things), then the
enhanced code as IANA registers it, then the other words. The reasons and their names are those of
a scenario.

References
----------
RFC 3463, RFC 5248 and IANA, "SMTP Enhanced Status Codes". The order of the rules and the choice
of classes follow KumoMTA's bounce classifier (``assets/bounce_classifier/iana.toml``,
``assets/community/bounces.toml``), without copying any rule.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

USER_UNKNOWN: Final = "user unknown"
MAILBOX_FULL: Final = "mailbox full"
GREYLISTED: Final = "greylisted"
THROTTLED: Final = "throttled"
UNREACHABLE: Final = "unreachable"
TRY_LATER: Final = "try again later"
OTHER: Final = "other"

_TELLING: Final[tuple[tuple[str, tuple[bytes, ...]], ...]] = (
    (GREYLISTED, (b"greylist", b"graylist", b"grey list", b"grey-list")),
    (
        THROTTLED,
        (
            *(b"rate limit", b"rate-limit", b"ratelimit", b"throttl", b"unusual rate"),
            *(b"temporarily deferred due to", b"too many connections", b"too many concurrent"),
            *(b"too many messages", b"tss0", b"[ts0", b"rl0000", b"exceeded the rate"),
            *(b"sending too fast", b"connection limit"),
        ),
    ),
    (
        MAILBOX_FULL,
        (
            *(b"mailbox full", b"mailbox is full", b"quota", b"out of storage", b"inbox is full"),
            *(b"storage allocation", b"mailbox size limit"),
        ),
    ),
    ("blocked", (b"spamhaus", b"blocklist", b"block list", b"blacklist", b"reputation", b"rbl")),
    ("authentication", (b"dmarc", b"dkim", b"spf ", b"unauthenticated")),
    # Microsoft answers 5.4.1, registered for a host that does not answer.
    (USER_UNKNOWN, (b"recipient address rejected: access denied", b"user unknown")),
    ("invalid domain", (b"domain not found", b"host not found", b"null mx")),
)
"""Words that outweigh a code."""

_REGISTERED: Final[dict[tuple[int, int], str]] = {
    **dict.fromkeys(((1, 0), (1, 1), (1, 3), (1, 4), (2, 4), (7, 17)), USER_UNKNOWN),
    **dict.fromkeys(((1, 2), (1, 10), (7, 18)), "invalid domain"),
    **dict.fromkeys(((1, 6), (2, 1), (7, 13)), "account disabled"),
    **dict.fromkeys(((1, 7), (1, 8), (7, 27)), "invalid sender"),
    **dict.fromkeys(((2, 2),), MAILBOX_FULL),
    **dict.fromkeys(((2, 3), (3, 4)), "message too large"),
    **dict.fromkeys(((4, 1), (4, 2), (4, 3), (4, 4), (4, 6)), UNREACHABLE),
    **dict.fromkeys(((3, 1), (3, 2), (4, 5)), TRY_LATER),
    **dict.fromkeys(((7, 28), (7, 38)), THROTTLED),
    **dict.fromkeys(((7, 25), (7, 30)), "blocked"),
    **dict.fromkeys(((7, detail) for detail in (20, 21, 22, 23, 24, 26, 29)), "authentication"),
}
"""Reason by subject and detail of the enhanced code, for codes that say enough."""

_WORDS: Final[tuple[tuple[str, tuple[bytes, ...]], ...]] = (
    (
        USER_UNKNOWN,
        (
            *(b"unknown user", b"no such user", b"no such recipient", b"no such mailbox"),
            *(b"no mailbox", b"does not exist", b"mailbox not found", b"mailbox unavailable"),
            *(b"invalid recipient", b"recipient rejected", b"recipient address rejected"),
            *(b"unknown recipient", b"not a valid user"),
        ),
    ),
    (
        "account disabled",
        (b"disabled", b"inactive", b"deactivated", b"not active", b"account closed", b"suspended)"),
    ),
    (
        "invalid domain",
        (b"name service error", b"no such domain", b"domain does not exist"),
    ),
    ("message too large", (b"too large", b"size limit", b"maximum size", b"message size")),
    ("spam content", (b"spam", b"phish", b"virus", b"malware", b"unsolicited", b"content reject")),
    (
        "blocked",
        (b"blocked", b"denied", b"not allowed", b"policy", b"poor reputation", b"prohibited"),
    ),
    (
        UNREACHABLE,
        (
            *(b"timed out", b"timeout", b"connection refused", b"lost connection"),
            *(b"no route to host", b"network is unreachable", b"connect to"),
            *(b"delivery temporarily suspended", b"connection reset", b"tls"),
        ),
    ),
    ("protocol error", (b"syntax", b"protocol", b"command", b"relaying", b"relay access")),
    (
        TRY_LATER,
        (
            *(b"try again", b"try later", b"later", b"temporar", b"unavailable", b"busy"),
            *(b"internal error", b"resources"),
        ),
    ),
)
"""Words that decide where the code does not."""

REASONS: Final = (
    "",
    *dict.fromkeys(
        [*(name for name, _ in _TELLING), *_REGISTERED.values(), *(name for name, _ in _WORDS)]
    ),
    OTHER,
)
"""Every reason, by number."""
_NUMBER: Final = {name: number for number, name in enumerate(REASONS)}

_LONGEST: Final = 1000
"""Bytes of a reply that are searched."""
_REPLY: Final = re.compile(rb"\b([245]\d\d)(?:[ -]#?([245])\.(\d{1,3})\.(\d{1,3})\b)?")
_SAID: Final = b"said: "
_IN_REPLY: Final = b" (in reply to "
_REMEMBERED: Final = 20_000
_PROTOCOL: Final = frozenset({5, 6})
"""Subjects of enhanced codes about the protocol, whatever the detail."""


class Reply(NamedTuple):
    """A reply: number of the reason, code and enhanced code."""

    reason: int
    code: int
    enhanced: int


class Replies:
    """Reads replies; a cache helps, because most replies repeat."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, bytes], Reply] = {}

    def read(self, text: bytes, enhanced: int = 0, code: int = 0) -> Reply:
        """Return a reply's reason and codes.

        Parameters
        ----------
        text
            The reply, or the MTA's own words.
        enhanced, code
            Codes in fields of the log; without them, the text is searched.
        """
        text = text[:_LONGEST]
        key = (enhanced * 1000 + code, text)
        reply = self._seen.get(key)
        if reply is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            reply = self._seen[key] = _read(text, enhanced, code)
        return reply


def _read(text: bytes, enhanced: int, code: int) -> Reply:
    if not code or not enhanced:
        after = text.find(_SAID)
        said = _REPLY.search(text, after + len(_SAID) if after >= 0 else 0)
        if said is not None:
            code = code or int(said[1])
            if said[2] and not enhanced:
                enhanced = packed(int(said[2]), int(said[3]), int(said[4]))
    return Reply(_NUMBER[reason_of(text, enhanced)], code, enhanced)


def packed(kind: int, subject: int, detail: int) -> int:
    """Return an enhanced code as one number, 0 if it is invalid.

    >>> packed(5, 7, 26)
    5007026
    """
    if kind not in (2, 4, 5) or not (0 <= subject < 1000 and 0 <= detail < 1000):
        return 0
    return kind * 1_000_000 + subject * 1000 + detail


def reason_of(text: bytes, enhanced: int) -> str:
    """Return the reason of a failed attempt.

    Examples
    --------
    >>> reason_of(b"450 4.7.1 Greylisted, see you later", 4_007_001)
    'greylisted'
    >>> reason_of(b"550 5.1.1 Mailbox nobody", 5_001_001)
    'user unknown'
    """
    # The end names the command that was answered, which is no word of the reply.
    words = text.partition(_IN_REPLY)[0].lower()
    reason = _first(_TELLING, words)
    if reason:
        return reason
    subject, detail = enhanced // 1000 % 1000, enhanced % 1000
    registered = _REGISTERED.get((subject, detail)) if enhanced else None
    if registered:
        return registered
    reason = _first(_WORDS, words)
    if not reason and enhanced and subject in _PROTOCOL:
        return "protocol error"
    return reason or OTHER


def _first(rules: tuple[tuple[str, tuple[bytes, ...]], ...], words: bytes) -> str:
    return next((name for name, marks in rules if any(mark in words for mark in marks)), "")


def number_of(reason: str) -> int:
    """Return the number of a reason."""
    return _NUMBER[reason]
