"""The reason of a reply, by words and enhanced status code.

First come words that say more than any code (providers answer 4.7.0 for a dozen things), then the
enhanced code as IANA registers it, then the other words. The reasons and their names are those of
a scenario.

Source: RFC 3463, RFC 5248 and IANA, "SMTP Enhanced Status Codes". The order of the rules and the
choice of classes follow KumoMTA's bounce classifier (``assets/bounce_classifier/iana.toml``,
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


def _rules(words: dict[str, str]) -> dict[str, tuple[bytes, ...]]:
    return {reason: tuple(marks.encode().split(b"|")) for reason, marks in words.items()}


_TELLING: Final = _rules(
    {
        GREYLISTED: "greylist|graylist|grey list|grey-list",
        THROTTLED: "rate limit|rate-limit|ratelimit|throttl|unusual rate|too many connections"
        "|temporarily deferred due to|too many concurrent|too many messages|tss0|[ts0|rl0000"
        "|exceeded the rate|sending too fast|connection limit",
        MAILBOX_FULL: "mailbox full|mailbox is full|quota|out of storage|inbox is full"
        "|storage allocation|mailbox size limit",
        "blocked": "spamhaus|blocklist|block list|blacklist|reputation|rbl",
        "authentication": "dmarc|dkim|spf |unauthenticated",
        # Microsoft answers 5.4.1, registered for a host that does not answer.
        USER_UNKNOWN: "recipient address rejected: access denied|user unknown",
        "invalid domain": "domain not found|host not found|null mx",
    }
)
"""Words that outweigh a code, in order."""

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

_WORDS: Final = _rules(
    {
        USER_UNKNOWN: "unknown user|no such user|no such recipient|no such mailbox|no mailbox"
        "|does not exist|mailbox not found|mailbox unavailable|invalid recipient"
        "|recipient rejected|recipient address rejected|unknown recipient|not a valid user",
        "account disabled": "disabled|inactive|deactivated|not active|account closed|suspended)",
        "invalid domain": "name service error|no such domain|domain does not exist",
        "message too large": "too large|size limit|maximum size|message size",
        "spam content": "spam|phish|virus|malware|unsolicited|content reject",
        "blocked": "blocked|denied|not allowed|policy|poor reputation|prohibited",
        UNREACHABLE: "timed out|timeout|connection refused|lost connection|no route to host"
        "|network is unreachable|connect to|delivery temporarily suspended|connection reset|tls",
        "protocol error": "syntax|protocol|command|relaying|relay access",
        TRY_LATER: "try again|try later|later|temporar|unavailable|busy|internal error|resources",
    }
)
"""Words that decide where the code does not."""

REASONS: Final = (
    "",
    *dict.fromkeys([*_TELLING, *_REGISTERED.values(), *_WORDS]),
    OTHER,
)
"""Every reason, by number."""
NUMBERS: Final = {name: number for number, name in enumerate(REASONS)}

_REPLY: Final = re.compile(rb"\b([245]\d\d)(?:[ -]#?([245])\.(\d{1,3})\.(\d{1,3})\b)?")
_SAID: Final = b"said: "
_IN_REPLY: Final = b" (in reply to "
_PROTOCOL: Final = frozenset({5, 6})
"""Subjects of enhanced codes about the protocol, whatever the detail."""


class Reply(NamedTuple):
    """A reply: number of the reason, code and enhanced code."""

    reason: int
    code: int
    enhanced: int


def read_reply(text: bytes, enhanced: int = 0, code: int = 0) -> Reply:
    """Return the reason and codes of a reply, or of the MTA's own words.

    Without codes from fields of the log, the text is searched.
    """
    if not code or not enhanced:
        after = text.find(_SAID)
        said = _REPLY.search(text, after + len(_SAID) if after >= 0 else 0)
        if said is not None:
            code = code or int(said[1])
            if said[2] and not enhanced:
                enhanced = packed(int(said[2]), int(said[3]), int(said[4]))
    return Reply(NUMBERS[reason_of(text, enhanced)], code, enhanced)


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


def _first(rules: dict[str, tuple[bytes, ...]], words: bytes) -> str:
    return next((name for name, marks in rules.items() if any(mark in words for mark in marks)), "")
