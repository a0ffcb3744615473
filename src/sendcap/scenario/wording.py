"""How an error message quotes a value and guesses what was meant."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import Any, Final

_LONGEST_QUOTE: Final = 60


def shown(value: Any) -> str:
    """Write a value as its author may have, on one line and shortened.

    >>> shown("3.5 dyas"), shown(True), shown([1, 2])
    ('"3.5 dyas"', 'true', '[1, 2]')
    """
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):  # keys that are not text, endless integers
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """End an error message with the known word closest to ``word``, if one is close.

    >>> did_you_mean("lognorml", ["gamma", "lognormal"])
    '; did you mean "lognormal"?'
    """
    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(str(word).casefold(), by_folded, n=1)
    return f'; did you mean "{by_folded[close[0]]}"?' if close else ""
