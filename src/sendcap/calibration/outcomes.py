"""The reason of a failed attempt: by the reply's code and words, and the MTA's category.

In this order, and the first that says enough decides: a well-known reply of a large provider
(`sendcap.calibration.well_known`); the enhanced code as IANA registers it; telling words, which
outweigh codes that are used for much that they do not mean; the MTA's own category
(`sendcap.calibration.reasons`); the other words. An MTA takes its category from the words of the
reply, by patterns such as PowerMTA's ``/spam/ spam-related`` and ``/limit exceeded/ quota-issues``,
so a clear reply outweighs it. A category of addresses that are gone says nothing about a reply for
a time: PowerMTA has *bad-mailbox* for replies 5.X.X alone.

Source: RFC 3463, RFC 5248 and IANA, "SMTP Enhanced Status Codes". The order of the rules and the
choice of classes follow KumoMTA's bounce classifier (``assets/bounce_classifier/iana.toml``,
``assets/community/bounces.toml``), without copying any rule.
"""

from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

from sendcap.calibration import reasons
from sendcap.calibration.phrases import OTHERS, TELLING
from sendcap.calibration.well_known import WELL_KNOWN
from sendcap.calibration.wording import said

_REGISTERED: Final[dict[tuple[int, int], str]] = {
    **dict.fromkeys(((1, 1), (1, 3), (1, 4), (2, 4), (7, 17)), reasons.USER_UNKNOWN),
    **dict.fromkeys(((1, 2), (1, 10), (7, 18)), reasons.INVALID_DOMAIN),
    **dict.fromkeys(((1, 6), (7, 13)), reasons.ACCOUNT_DISABLED),
    **dict.fromkeys(((1, 7), (1, 8), (7, 27)), reasons.INVALID_SENDER),
    **dict.fromkeys(((2, 2),), reasons.MAILBOX_FULL),
    **dict.fromkeys(((2, 3), (3, 4)), reasons.TOO_LARGE),
    **dict.fromkeys(((7, 28), (7, 38)), reasons.THROTTLED),
    **dict.fromkeys(((7, 25), (7, 30)), reasons.BLOCKED),
    **dict.fromkeys(
        ((7, each) for each in (20, 21, 22, 23, 24, 26, 29, 32)), reasons.AUTHENTICATION
    ),
    # Microsoft's own: "Email non-delivery reports in Exchange Online".
    **dict.fromkeys(((2, 121), (2, 122), (7, 508)), reasons.THROTTLED),
    **dict.fromkeys(((7, each) for each in (509, 515)), reasons.AUTHENTICATION),
    **dict.fromkeys(((7, each) for each in (504, 505)), reasons.USER_UNKNOWN),
    **dict.fromkeys(((7, each) for each in (501, 502, 503, 511, 512, 513)), reasons.BLOCKED),
    **dict.fromkeys(((7, each) for each in range(606, 650)), reasons.BLOCKED),
    (4, 310): reasons.INVALID_DOMAIN,
}
"""Reason by subject and detail of the enhanced code, for codes that say enough."""

_MICROSOFTS_LIMITS: Final = frozenset({*range(500, 700), *range(850, 900)})
"""Details of 4.7.x by which Microsoft holds an address back that sends more than it used to."""

_MISUSED: Final[dict[tuple[int, int], str]] = {
    **dict.fromkeys(((1, 0),), reasons.USER_UNKNOWN),
    **dict.fromkeys(((2, 1),), reasons.ACCOUNT_DISABLED),
    **dict.fromkeys(((4, 1), (4, 2), (4, 3), (4, 4), (4, 6)), reasons.UNREACHABLE),
    **dict.fromkeys(((4, each) for each in (312, 316, 317, 318)), reasons.UNREACHABLE),
    **dict.fromkeys(((3, 1), (3, 2), (4, 5)), reasons.TRY_LATER),
}
"""Codes that servers also use for limits, lists and greylisting: telling words outweigh them."""
_DISABLED: Final = (2, 1)
"""Not for good, this code says little: any word outweighs 4.2.1."""

_PROTOCOL: Final = frozenset({5, 6})
"""Subjects of enhanced codes about the protocol, whatever the detail."""
_UNSPECIFIC: Final = 1_000_000
_TABLES: Final = (WELL_KNOWN, TELLING, OTHERS)
_WORDS: Final = {"", *chain.from_iterable(table.words for table in _TABLES)}
_BEGINNINGS: Final = tuple(set(chain.from_iterable(table.beginnings for table in _TABLES)))
_MOST_WORDINGS: Final = 20_000


class Reply(NamedTuple):
    """A reply: number of the reason, code and enhanced code."""

    reason: int
    code: int
    enhanced: int


def read_reply(text: bytes, enhanced: int = 0, code: int = 0, category: str = "") -> Reply:
    """Return the reason and codes of a reply, or of the MTA's own words.

    Without codes from fields of the log, the text is searched; an enhanced code such as 5.0.0,
    which an MTA writes where it has none, counts as none. ``category`` is the MTA's own.
    """
    reply = said(text)
    code = code or reply.code
    if not enhanced % _UNSPECIFIC:
        enhanced = packed(*reply.enhanced) or enhanced
    kind = enhanced // _UNSPECIFIC or code // 100
    reason, clear = _reason(_telling(reply.words), enhanced % _UNSPECIFIC, kind)
    own = reasons.named(category)
    for_a_time = kind == 4 and own in reasons.GONE and reason != reasons.OTHER
    if own and not clear and not for_a_time:
        reason = own
    elif reason in (reasons.OTHER, reasons.TRY_LATER):
        reason = reasons.broad(category) or reason
    return Reply(reasons.NUMBERS[reason], code, enhanced)


def packed(kind: int, subject: int, detail: int) -> int:
    """Return an enhanced code as one number, 0 if it is invalid.

    >>> packed(5, 7, 26)
    5007026
    """
    if kind not in (2, 4, 5) or not (0 <= subject < 1000 and 0 <= detail < 1000):
        return 0
    return kind * _UNSPECIFIC + subject * 1000 + detail


def _telling(words: str) -> str:
    """Return words with a sign in place of each that no mark has, such as a number of a session.

    So most replies come again, and their reasons need not be looked up.
    """
    return " ".join(
        [
            word if word in _WORDS or word.startswith(_BEGINNINGS) else "#"
            for word in words.split(" ")
        ]
    )


@lru_cache(_MOST_WORDINGS)
def _reason(words: str, enhanced: int, kind: int) -> tuple[str, bool]:
    """Return the reason of words and a code's subject and detail, and whether it is clear."""
    code = divmod(enhanced, 1000)
    clear = WELL_KNOWN.reason(words, kind)
    if not clear and kind == 4 and code[0] == 7 and code[1] in _MICROSOFTS_LIMITS:
        clear = reasons.THROTTLED
    clear = clear or _REGISTERED.get(code, "") or TELLING.reason(words, kind)
    if clear:
        return clear, True
    return (
        ("" if kind == 4 and code == _DISABLED else _MISUSED.get(code))
        or OTHERS.reason(words, kind)
        or _MISUSED.get(code)
        or (reasons.PROTOCOL_ERROR if code[0] in _PROTOCOL else reasons.OTHER)
    ), False
