"""The time and the program in whatever a collector or a syslog put before a message.

There are many such prefixes, often one before another: those of docker compose and Kubernetes, of
journald's formats, RFC 3164 and RFC 5424, with or without a priority. So none is listed; the last
time before the message is the MTA's own, and an earlier one with a year tells the year.
"""

import re
from typing import Final

from sendcap.calibration.logs.stamps import Syslog, dated_s, rfc3339_s

_MONTH: Final = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_STAMP: Final = re.compile(
    rb"(?<!\d)(?P<date>\d{4}[-/]\d\d[-/]\d\d)[T _](?P<clock>\d\d:\d\d:\d\d)(?P<part>[.,]\d{1,9})?"
    rb"(?: ?(?P<zone>Z\b|[+-]\d\d:?(?:\d\d)?(?!\d)|UTC\b|GMT\b))?"
    rb"|\b(?P<day>" + _MONTH + rb" [ \d]?\d) (?:(?P<year>\d{4}) )?"
    rb"(?P<time>\d\d:\d\d:\d\d)(?P<rest>\.\d{1,9})?(?: (?P<later>(?:19|20)\d\d)\b)?"
    rb"|@(?P<tai>4[0-9a-f]{23})(?![0-9a-f])"
)
_EPOCH: Final = re.compile(rb"(?:^|[ \t\[|])(\d{10}(?:\.\d{1,9})?|\d{13}|\d{16}|\d{19})(?=[ \t\]])")
_LONGEST: Final = 2000
_TAI_S: Final = 10
"""Seconds from UTC to TAI in 1970, when the labels of TAI64N begin."""


def moment_s(prefix: bytes, syslog: Syslog) -> float:
    """Return the last time in a prefix; without any it is a `ValueError`."""
    stamps = list(_STAMP.finditer(prefix[-_LONGEST:]))
    if not stamps:
        epochs = _EPOCH.findall(prefix[-_LONGEST:])
        if not epochs:
            raise ValueError
        return epoch_s(epochs[-1])
    own = stamps[-1]
    if not own["day"]:
        return _full_s(own)
    part_s = float(own["rest"] or 0.0)
    stamp = b"%s %2d %s" % (own["day"][:3], int(own["day"][4:]), own["time"])
    year = own["year"] or own["later"]
    if year:
        return dated_s(stamp, int(year)) + part_s
    outer = next((other for other in reversed(stamps) if not other["day"]), None)
    if outer is not None:
        return dated_s(stamp, near_s=_full_s(outer)) + part_s
    return syslog.seconds(stamp) + part_s


def _full_s(stamp: re.Match[bytes]) -> float:
    """Return the time of a stamp that has a year."""
    if stamp["tai"]:
        seconds, nanoseconds = int(stamp["tai"][:16], 16), int(stamp["tai"][16:], 16)
        return seconds - (1 << 62) - _TAI_S + nanoseconds / 1e9
    zone = stamp["zone"] or b""
    zone = b"Z" if zone in (b"UTC", b"GMT") else zone
    part = (stamp["part"] or b"").replace(b",", b".")
    date = stamp["date"].replace(b"/", b"-")
    return rfc3339_s(b"%sT%s%s%s" % (date, stamp["clock"], part, zone))


def epoch_s(text: bytes) -> float:
    """Return seconds since 1970, written as such or in smaller units.

    >>> epoch_s(b"1795766400"), epoch_s(b"1795766400123456"), epoch_s(b"1795766400.5")
    (1795766400.0, 1795766400.123456, 1795766400.5)
    """
    if len(text) == 10:
        return float(text)
    whole, _, _ = text.partition(b".")
    return float(text) / 10.0 ** max(len(whole) - 10, 0)
