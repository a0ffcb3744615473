"""Tables of marks: words of a reply that mean a reason."""

from collections.abc import Iterator
from typing import Final

_KINDS: Final = range(6)
"""First digits of codes; 0 where a reply has none."""


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
        """Return the reason of words, as `sendcap.calibration.wording` gives them; empty if none.

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
