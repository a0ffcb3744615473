"""Parameters within the values of Postfix: ``$name``, conditions and comparisons.

The rules are those of ``src/util/mac_expand.c`` and ``src/util/mac_parse.c``.
"""

import operator
import re
from collections.abc import Callable
from typing import Any, Final

from sendcap.text.quoting import shown

_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,200}")
_SPACE: Final = " \t\r\n\f\v"
_OPERATOR: Final = re.compile(r"([-<>!=?+*/~&|%]{1,20})([A-Za-z0-9]{0,20})")
_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">=": operator.ge,
    ">": operator.gt,
}
_BRACKETS: Final = {"{": re.compile("[{}]"), "(": re.compile("[()]")}
_LEVEL: Final = re.compile(r"\d{1,6}(?:\.\d{1,6}){0,2}", re.ASCII)
_DEEPEST: Final = 50


def expanded(text: str, value_of: Callable[[str], str], depth: int = 0) -> str:
    """Return a text with the values of parameters in the place of their names.

    Raises
    ------
    ValueError
        If the text is not what Postfix reads.
    """
    pieces, position = list[str](), 0
    while (dollar := text.find("$", position)) >= 0:
        pieces.append(text[position:dollar])
        sign = text[dollar + 1 : dollar + 2]
        if sign == "$":
            pieces.append("$")
            position = dollar + 2
        elif sign and sign in _BRACKETS:
            end = closing(text, dollar + 1)
            pieces.append(_reference(text[dollar + 2 : end], value_of, depth + 1))
            position = end + 1
        else:
            name = _NAME.match(text, dollar + 1)
            if name is None:
                raise ValueError(f"{shown(text[dollar : dollar + 20])} names no parameter")
            pieces.append(value_of(name[0]))
            position = name.end()
    return "".join((*pieces, text[position:]))


def closing(text: str, start: int) -> int:
    """Return the place of the bracket that closes the one at ``start``."""
    level = 0
    for bracket in _BRACKETS[text[start]].finditer(text, start):
        level += 1 if bracket[0] == text[start] else -1
        if level == 0:
            return bracket.start()
    raise ValueError(f"{shown(text[start : start + 40])} is never closed")


def _reference(text: str, value_of: Callable[[str], str], depth: int) -> str:
    """Return the value of what stands between ``${`` and ``}``."""
    if depth > _DEEPEST:
        raise ValueError(f"is nested more than {_DEEPEST} times")
    value, rest = _tested(text.lstrip(_SPACE), value_of, depth)
    if not rest:
        return value
    then = ""
    if rest[0] == "?":
        then, rest = _branch(rest[1:])
    elif rest[0] != ":":
        raise ValueError(f"{shown(text)} needs ? or : before {shown(rest[:20])}")
    otherwise = ""
    if rest[:1] == ":":
        otherwise, rest = _branch(rest[1:])
    if rest:
        raise ValueError(f"{shown(text)} ends in {shown(rest[:20])}, which is not understood")
    return expanded(then if value else otherwise, value_of, depth)


def _tested(text: str, value_of: Callable[[str], str], depth: int) -> tuple[str, str]:
    """Return the value of the parameter or comparison that a text begins with, and the rest."""
    if text.startswith("{"):
        return _compared(text, value_of, depth)
    name = _NAME.match(text)
    if name is None:
        raise ValueError(f"{shown(text[:20])} names no parameter")
    rest = text[name.end() :].lstrip(_SPACE)
    if rest.startswith("{"):
        raise ValueError(f"the function {shown(name[0])} is not understood")
    return value_of(name[0]), rest


def _compared(text: str, value_of: Callable[[str], str], depth: int) -> tuple[str, str]:
    left, rest = _branch(text)
    sign = _OPERATOR.match(rest)
    if sign is None or sign[1] not in _COMPARISONS or sign[2] not in ("", "level"):
        raise ValueError(f"{shown(rest[:20])} is no comparison; write ==, !=, <, <=, >= or >")
    rest = rest[sign.end() :].lstrip(_SPACE)
    if not rest.startswith("{"):
        raise ValueError(f"{shown(text)} compares with nothing; write {{text}} on both sides")
    right, rest = _branch(rest)
    values = [expanded(each, value_of, depth) for each in (left, right)]
    if sign[2]:
        keys: list[Any] = [_level(value) for value in values]
    elif all(value.isascii() and value.isdigit() for value in values):
        digits = [value.lstrip("0") for value in values]
        keys = [(len(each), each) for each in digits]
    else:
        keys = list(values)
    return "true" if _COMPARISONS[sign[1]](*keys) else "", rest


def _level(text: str) -> list[int]:
    """Read a compatibility level, such as 2 or 3.11 (``src/global/compat_level.c``)."""
    if not _LEVEL.fullmatch(text):
        raise ValueError(f"{shown(text)} is no compatibility level, such as 3.6")
    numbers = [int(part) for part in text.split(".")]
    return numbers + [0] * (3 - len(numbers))


def _branch(text: str) -> tuple[str, str]:
    """Return the text in braces that comes next, and the rest; without braces all of it."""
    inner = text.lstrip(_SPACE)
    if not inner.startswith("{"):
        return text, ""
    end = closing(inner, 0)
    return inner[1:end], inner[end + 1 :].lstrip(_SPACE)
