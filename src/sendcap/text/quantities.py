"""Times, counts and rates in words: ``3d 12h``, ``12,500 messages``, ``1,500/s``."""

import math
from collections.abc import Callable, Sequence
from typing import Final

MINUS: Final = "\N{MINUS SIGN}"
NOTHING: Final = "–"
"""Stands for a value that does not exist."""

MINUTE_S: Final = 60.0
HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0
UNITS: Final = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def elapsed(seconds: float) -> str:
    """Return a time in the two largest units, rounded to the smaller; ``–`` for NaN.

    >>> elapsed(302_400), elapsed(86_399.9), elapsed(0.25), elapsed(0.0002)
    ('3d 12h', '1d', '0.25s', '0s')
    >>> elapsed(84_660), elapsed(3_580), elapsed(3_599.9), elapsed(86_400)
    ('23h 31m', '59m 40s', '1h', '1d')
    """
    if math.isnan(seconds):
        return NOTHING
    if abs(seconds) < 0.0005:
        return "0s"
    if seconds < 60:
        return f"{seconds:.3g}s" if round(seconds, 3) < 60 else "1m"
    # The largest unit that it reaches, minutes at least.
    first = next(n for n, (_, unit) in enumerate(UNITS) if seconds >= unit or unit == 60)
    (name, unit), (smaller_name, smaller) = UNITS[first : first + 2]
    # The smaller unit is rounded first, so that 59m 59.9s reads 1h and not 60m.
    count, rest = divmod(round(seconds / smaller), unit // smaller)
    if first and count * unit == UNITS[first - 1][1]:
        return f"1{UNITS[first - 1][0]}"
    return f"{count}{name} {rest}{smaller_name}" if rest else f"{count}{name}"


def all_units(seconds: float) -> str:
    """Return a time in all units that it has, to the microsecond.

    >>> all_units(302_400), all_units(93_905.5), all_units(0)
    ('3d 12h', '1d 2h 5m 5.5s', '0s')
    """
    rest = round(seconds, 6)
    parts = []
    for name, unit in UNITS[:-1]:
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count:.0f}{name}")
    if rest or not parts:
        parts.append(f"{round(rest, 6):.12g}s")
    return " ".join(parts)


def time_difference(seconds: float) -> str:
    """Return a difference of times with its sign.

    >>> time_difference(1503.0), time_difference(-27.0), time_difference(0.0)
    ('+25m 3s', '−27s', '0s')
    """
    text = elapsed(abs(seconds))
    if text == elapsed(0.0):
        return text
    return f"+{text}" if seconds > 0 else f"{MINUS}{text}"


def told_apart(value: float, other: float, write: Callable[[float], str], unit: str = "") -> str:
    """Return a value, with the difference where it reads like another value and is not.

    >>> told_apart(3600.4, 3600.0, elapsed, " s"), told_apart(7200.0, 3600.0, elapsed, " s")
    ('1h (0.4 s more)', '2h')
    """
    text, apart = write(value), value - other
    if text != write(other) or not math.isfinite(apart) or not apart:
        return text
    return f"{text} ({abs(apart):.2g}{unit} {'more' if apart > 0 else 'less'})"


def margin(seconds: float) -> str:
    """Return half the width of an interval of times, to the second; ``–`` for NaN.

    >>> margin(0.00414), margin(12.34), margin(0.0), margin(75.4)
    ('<1s', '12s', '0s', '1m 15s')
    """
    if 0.0 < seconds < 1.0:
        return "<1s"
    return NOTHING if math.isnan(seconds) else elapsed(round(seconds))


def precise(seconds: float) -> str:
    """Return a measured time: three digits below 100 s, milliseconds below 1 s.

    >>> precise(0.0712), precise(75.32), precise(5400.0)
    ('71.2ms', '75.3s', '1h 30m')
    >>> precise(float("inf"))
    'never'
    """
    if not math.isfinite(seconds):
        return "never"
    if seconds < 1.0:
        return f"{1000 * seconds:.3g}ms"
    return f"{seconds:.3g}s" if seconds < 100.0 else elapsed(seconds)


def counted(count: int, one: str, several: str | None = None) -> str:
    """Return a number with a noun.

    >>> counted(1, "message"), counted(12_500, "message"), counted(2, "reply", "replies")
    ('1 message', '12,500 messages', '2 replies')
    """
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def capital(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[:1].upper() + text[1:]


def listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence.

    >>> listed(["gmail"]), listed(["gmail", "yahoo", "gmx"])
    ('gmail', 'gmail, yahoo and gmx')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def compact(number: float, _position: float | None = None) -> str:
    """Return a number for an axis: with k for thousands and M for millions.

    >>> compact(0), compact(950), compact(12_500), compact(999_999), compact(4_110_638)
    ('0', '950', '12.5 k', '1 M', '4.11 M')
    """
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if abs(number) >= 0.9995 * unit:  # what rounds to it
            return f"{number / unit:.3g} {name}"
    return f"{number:.3g}"


def significant(number: float, digits: int = 4) -> str:
    """Return a number with a number of significant digits.

    >>> significant(1234.56), significant(0.051239, 3)
    ('1,235', '0.0512')
    """
    return f"{float(f'{number:.{digits}g}'):,.10g}"


def rate(per_s: float, noun: str = "") -> str:
    """Return a rate per second, or per hour if it is less than one per second.

    >>> rate(1500.0), rate(8.333), rate(0.25), rate(0.25, "attempts"), rate(1.0, "attempts")
    ('1,500/s', '8.3/s', '900/h', '900 attempts/h', '1 attempt/s')
    """
    if per_s < 1.0:
        per_hour, unit = 3600.0 * per_s, "h"
        number = f"{per_hour:,.0f}" if per_hour >= 100 else f"{per_hour:.3g}"
    else:
        unit, number = "s", f"{per_s:,.0f}" if per_s >= 10 else f"{per_s:.2g}"
    noun = noun.removesuffix("s") if number == "1" else noun
    return f"{number} {noun}/{unit}" if noun else f"{number}/{unit}"
