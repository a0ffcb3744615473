"""Values and names in messages: quoted, made visible, shortened; guesses of what was meant."""

import difflib
import json
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

_LONGEST_QUOTE: Final = 60
_LONGEST_NAME: Final = 24
_PERSON: Final = r"[\w.!#$&'+=?^`{|}~-]"
# A match begins where a word does, so that the time grows with the length, not with the square.
_ADDRESS: Final = re.compile(rf"(?<!{_PERSON}){_PERSON}++(?:@|%40)[\w.-]*\w")
_MOST_NAMES: Final = 10


def shown(value: Any) -> str:
    r"""Write a value as its author may have, on one line, shortened, all of it visible.

    >>> shown("3.5 dyas"), shown(True), shown([1, 2])
    ('"3.5 dyas"', 'true', '[1, 2]')
    >>> print(shown("abc\u202edef"))
    "abc\u202edef"
    """
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):  # keys that are not text, endless integers
        text = f"a value of type {type(value).__name__}"
    text = visible(text)
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"


def printable(text: str) -> str:
    """Return a text without control characters of the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def visible(text: str) -> str:
    r"""Escape the characters that would colour, turn round or break the line they are shown in.

    Among them are terminal escapes, line ends and the Unicode controls of writing direction.

    >>> print(visible("a\x1b[31mb\u202ec"))
    a\u001b[31mb\u202ec
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else json.dumps(c).strip('"') for c in text)


def without_addresses(text: str) -> str:
    """Return a text with a placeholder for each address of a person.

    >>> without_addresses("to ann@example.org"), without_addresses("*@example.org")
    ('to (address)', '*@example.org')
    """
    return _ADDRESS.sub("(address)", text)


def shortened(name: str) -> str:
    """Return a name cut to 24 letters, for charts.

    >>> shortened("gmail"), shortened("a-very-long-name-of-a-provider")
    ('gmail', 'a-very-long-name-of-a-p…')
    """
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def dotted(position: Sequence[str | int]) -> str:
    """Return the path of a field of a scenario.

    >>> dotted(("deliveries", 0, "audience", "comcast.net"))
    'deliveries[0].audience."comcast.net"'
    """
    path = ""
    for piece in position:
        if isinstance(piece, int):
            path += f"[{piece}]"
        else:
            bare = re.fullmatch(r"[A-Za-z0-9_-]+", piece) is not None
            path += ("." if path else "") + (piece if bare else shown(piece))
    return path


def first_few(names: Iterable[str]) -> str:
    """Return names in a row, and an ellipsis after the first ten.

    >>> first_few(["gmail", "yahoo"])
    'gmail, yahoo'
    """
    shown_names = [shortened(visible(name)) for name in names]
    more = ", …" if len(shown_names) > _MOST_NAMES else ""
    return ", ".join(shown_names[:_MOST_NAMES]) + more


def did_you_mean(word: object, known: Iterable[str], least: float = 0.6) -> str:
    """End an error message with the known word closest to ``word``, if one is close.

    ``least`` is how much they have in common, from 0 to 1 (`difflib.SequenceMatcher.ratio`).

    >>> did_you_mean("lognorml", ["gamma", "lognormal"])
    '; did you mean "lognormal"?'
    """
    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(str(word).casefold(), by_folded, n=1, cutoff=least)
    return f"; did you mean {shown(by_folded[close[0]])}?" if close else ""


def meant_or_defined(name: str, defined: Collection[str], none: str = "; none is defined") -> str:
    """End an error message about a name that nothing has: a close one, or the first that exist.

    >>> meant_or_defined("gmial", ["gmail"]), meant_or_defined("a", ["gmail"])
    ('; did you mean "gmail"?', '; defined: gmail')
    """
    if not defined:
        return none
    return did_you_mean(name, defined) or f"; defined: {first_few(defined)}"
