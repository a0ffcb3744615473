"""The words of a reply, without names: no address, host, URL or number speaks for the server.

A reply quotes the recipient, the sender, its own host, a help page. Their names hold any word
("quotations@…", "mx.spam-filter.example"), so they go first. What is left are words in small
letters between single spaces, so that a mark is found as a whole word by a plain search.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

_INTRODUCTIONS: Final = (b"said: ", b"refused to talk to me: ")
"""What Postfix puts before a reply (``src/smtp/smtp_chat.c``, ``smtp_connect.c``)."""
_IN_REPLY: Final = b" (in reply to "
"""What Postfix puts behind it: the command that was answered."""

_BLOCKLISTS: Final = (
    *("spamhaus", "spamcop.net", "barracudacentral", "sorbs.net", "uceprotect.net", "abuseat.org"),
    *("cloudmark", "invaluement", "surriel.com", "mailspike", "dnsbl", "senderscore", "ivmsip"),
    *("spamrl.com", "uribl.com", "surbl.org", "nixspam", "mail-abuse"),
)
"""Parts of names of public blocklists: such a host is the reason, whatever else is said."""

_QUOTED_NAME: Final = re.compile(r'"[^"\n]{0,100}"@\S*')
_NUMBERS: Final = re.compile(
    r"[(\[]*(?:([245]\d\d)(?![\w.])-?)?(?:\(?#?([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d))?"
)
"""Codes at the beginning of a word: ``550``, ``550-5.1.1``, ``550-Sorry``, ``(#5.1.1)``."""
_IN_BRACKETS: Final = re.compile(r"<[^<>]*>")
_SERVER: Final = re.compile(r"^[\w.-]+\[[\da-fA-F.:]+\](?::\d+)?")
_PAGES_CODE: Final = re.compile(r"#([A-Z]{2}\d{3,6})\b")
_HOST: Final = re.compile(
    r"(?:[\w-]+\.)+"
    r"(?!(?:please|try|see|the|this|your|for|contact|visit|it|is|to|if|no|in|at|be|so)$)"
    r"(?:[a-z]{2,24}|[A-Z]{2,24}|\d{1,3})(?::\d+|/\S*)?"
)
"""A host or an address of one; a capital after a point begins a sentence."""
_IPV6: Final = re.compile(r"(?:[\da-fA-F]{0,4}:){2,7}[\da-fA-F.]{0,15}")
_QUOTES: Final = "\"'`‘’“”"
_STOPS: Final = "()[]{},;:.!?…"
_APOSTROPHES: Final = str.maketrans("", "", "'’‘´")
_NO_WORDS: Final = re.compile(r"(?:[^\w-]|_|(?<!\w)-|-(?!\w))+")
_MOST_REMEMBERED: Final = 50_000
_KINDS: Final = range(6)
"""First digits of codes; 0 where a reply has none."""


class Said(NamedTuple):
    """A reply: its words, its code, and its enhanced code in three numbers."""

    words: str
    code: int
    enhanced: tuple[int, int, int]


class _Piece(NamedTuple):
    """What is between two spaces: words, code, enhanced code."""

    words: str
    code: int = 0
    enhanced: tuple[int, int, int] = (0, 0, 0)


def said(text: bytes) -> Said:
    """Return what a reply says.

    >>> said(b"host mx.spam.example[192.0.2.1] said: 550-5.1.1 <quota@b.example>: no account")
    Said(words=' no account ', code=550, enhanced=(5, 1, 1))
    """
    reply = _alone(text)
    kept: list[str] = []
    code, enhanced, begins, coded = 0, (0, 0, 0), True, False
    for part in reply.split():
        if part.isalpha():
            kept.append(part)
            begins = coded = False
            continue
        if "@" not in part and not (coded and part.endswith("...")):
            # Sendmail names the recipient so behind the code: ``550 5.1.1 joe... User unknown``.
            piece = _piece(part)
            kept.append(piece.words)
            code = code or (piece.code if begins else 0)
            enhanced = enhanced if enhanced[0] else piece.enhanced
            coded = bool(piece.code or piece.enhanced[0])
        begins = part[-1] in ":;("
    return Said(_plain(" ".join(filter(None, kept))), code, enhanced)


def _alone(text: bytes) -> str:
    """Return the reply without what the MTA says around it."""
    for introduction in _INTRODUCTIONS:
        _, found, after = text.partition(introduction)
        text = after if found else text
    reply = text.partition(_IN_REPLY)[0].decode("utf-8", "replace").replace(";", "; ")
    if "\\" in reply:
        # Exim and journals write the end of a line as two characters.
        reply = reply.replace("\\n", "\n").replace("\\r", "")
    return _QUOTED_NAME.sub(" ", reply) if '"@' in reply else reply


def _plain(words: str) -> str:
    words = words.lower()
    if not words.isascii():
        spelt = unicodedata.normalize("NFKD", words.replace("ß", "ss"))
        words = "".join(letter for letter in spelt if not unicodedata.combining(letter))
    return f" {words} "


@lru_cache(_MOST_REMEMBERED)
def _piece(part: str) -> _Piece:
    """Return what is between two spaces, without names."""
    numbers = _NUMBERS.match(part)
    assert numbers is not None  # it matches the empty text, too
    code, *status = (int(digits or 0) for digits in numbers.groups())
    rest = part[numbers.end() :] if code or status[0] else part
    return _Piece(_without_names(rest), code, (status[0], status[1], status[2]))


def _without_names(part: str) -> str:
    if "://" in part:
        named = _PAGES_CODE.search(part)
        return named[1] if named else _listed(part)
    part = _SERVER.sub("", _IN_BRACKETS.sub(" ", part))
    core = part.strip(_STOPS)
    if len(core) > 2 and core[0] in _QUOTES and core[-1] in _QUOTES:
        return ""
    if _HOST.fullmatch(core) or _IPV6.fullmatch(core):
        return _listed(core)
    return _NO_WORDS.sub(" ", part.translate(_APOSTROPHES)).strip()


def _listed(host: str) -> str:
    return "blocklist" if any(part in host.lower() for part in _BLOCKLISTS) else ""


class Marks:
    """Words with the reasons that they mean; the first that is found decides.

    The table has lines such as ``4 throttled: rate limit* | too many connections``: the class of
    replies in which the words count, or 0 for any; the reason; the words. They are found whole,
    ``*`` at the end standing for any end of the last one. A reply without a code has no class, so
    all words count.
    """

    def __init__(self, *tables: str) -> None:
        marks = [mark for table in tables for mark in _read(table)]
        parts = [words.split(" ") for _, words, _ in marks]
        self.words = frozenset(word for each in parts for word in each[:-1])
        """The words of all marks, as they are found whole."""
        self.beginnings = frozenset(each[-1] for each in parts) - {""}
        """Those with any end."""
        self._of_kind = [
            [(words, reason) for of, words, reason in marks if not kind or of in (0, kind)]
            for kind in _KINDS
        ]

    def reason(self, said: str, kind: int) -> str:
        """Return the reason of words, as `said` gives them; empty if none.

        >>> table = Marks("4 throttled: rate limit* | too fast")
        >>> table.reason(" rate limited ", 4), table.reason(" too fast ", 5)
        ('throttled', '')
        """
        return next((reason for words, reason in self._of_kind[kind] if words in said), "")


def _read(table: str) -> Iterator[tuple[int, str, str]]:
    for line in table.strip().splitlines():
        head, _, listed = line.partition(": ")
        kind, _, reason = head.partition(" ")
        for words in map(str.strip, listed.split("|")):
            end = "" if words.endswith("*") else " "
            yield int(kind), f" {words.removesuffix('*')}{end}", reason
