"""TOML as users write it: read with bounded time, and refused in plain words."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

_MOST_PARTS: Final = 10
# Strings and comments, whether or not they end.
_OPAQUE: Final = re.compile(
    r"""\"{3}(?:[^"\\]|\\[\s\S]|"(?!""))*+(?:\"{3})?|'{3}(?:[^']|'(?!''))*+(?:'{3})?"""
    r"""|"(?:[^"\\\n]|\\.)*+"?|'[^'\n]*+'?|\#[^\n]*+"""
)
_ENDLESS: Final = (
    # The parser's time grows with the cube of a key's parts.
    (
        re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{_MOST_PARTS}}}"),
        f"a key of more than {_MOST_PARTS} parts",
    ),
    # No other part of Python turns so many digits into text.
    (re.compile(r"(?<!\w)0[xob]\w{65}"), "a number of more than 64 digits"),
)
_CURLY: Final = re.compile("[\u2018-\u201f\u00ab\u00bb]")
_DOTTED: Final = re.compile(r"-?[1-9]\d{0,2}\.\d{3}", re.ASCII)
_GROUPED: Final = re.compile(
    r"=\s*(\d{1,3}(?:(?:[,' \u2019\u00a0\u202f]\d{3})+|(?:\.\d{3}){2,}))\s*(?:[#},]|$)"
)
_DECIMAL_COMMA: Final = re.compile(r"=\s*(\d+,\d+)\s*(?:[#},]|$)")
_BARE: Final = re.compile(r"""=[ \t]*([^\s"'\[{,}#=][^"',}#=\[{]*)(?:[,}#]|$)""")
_SEPARATOR: Final = re.compile(r"\D")
_LINE: Final = re.compile(r"at line (\d+)")


class Dotted(float):
    """A number written with three digits behind the dot, which may be meant as thousands."""


def _decimal(text: str) -> float:
    return Dotted(text) if _DOTTED.fullmatch(text) else float(text)


def table_of(text: str) -> dict[str, Any]:
    """Read a TOML file; the `ValueError` of an invalid one says what to write instead.

    >>> table_of("messages = 1,000")
    Traceback (most recent call last):
    ValueError: line 1: write 1,000 as 1_000
    """
    plain = _OPAQUE.sub(lambda opaque: "s" + "\n" * opaque[0].count("\n"), text)
    for pattern, noun in _ENDLESS:
        if found := pattern.search(plain):
            line = plain.count("\n", 0, found.start()) + 1
            raise ValueError(f"line {line}: {noun}")
    try:
        return tomllib.loads(text, parse_float=_decimal)
    except tomllib.TOMLDecodeError as problem:
        raise ValueError(_explained(text, str(problem))) from None
    except RecursionError:
        raise ValueError("not valid TOML: nested too deeply") from None
    except ValueError as problem:  # numbers of thousands of digits
        raise ValueError(f"not valid TOML: {problem}") from None


def value_of(text: str) -> Any:
    """Read a value as a scenario file writes it, or raise a `ValueError`."""
    values = table_of(f"value = {text}")
    # A line break would begin another key.
    if len(values) != 1:
        raise ValueError("not one value")
    return values["value"]


def _explained(text: str, problem: str) -> str:
    """Return what to write instead, or the parser's own words."""
    if place := _LINE.search(problem):
        number = int(place[1])
        lines = text.split("\n", number)
        for hint in _hints(lines[number - 1].rstrip("\r")):
            return f"line {number}: {hint}"
    return f"not valid TOML: {problem}"


def _hints(line: str) -> Iterator[str]:
    if grouped := _GROUPED.search(line):
        yield f"write {grouped[1]} as {_SEPARATOR.sub('_', grouped[1])}"
    if curly := _CURLY.search(line):
        yield f'{curly[0]} is a typographic quote; write text in straight ones: "…"'
    if comma := _DECIMAL_COMMA.search(line):
        yield f"write {comma[1]} as {comma[1].replace(',', '.')}"
    if any(not _is_value(bare[1].strip()) for bare in _BARE.finditer(line)):
        # The text is not shown: in a configuration it may be a password.
        yield 'text needs quotes, such as at = "10m" or rate = "100/s"'


def _is_value(text: str) -> bool:
    try:
        tomllib.loads(f"value = {text}")
    except ValueError:
        return False
    return True
