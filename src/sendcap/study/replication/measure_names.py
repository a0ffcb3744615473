"""Names of measures as a planner says them: the columns of results in tables and charts."""

import re
from typing import Final

from sendcap.readings.modes import MODE_LABELS

_UNITS: Final = {"_per_s": " per second", "_s": "", "_pct": " %", "_pt": ", points"}
_ACCEPTED: Final = re.compile(r"accepted_(\d+)_pct_s")
_DELAY: Final = re.compile(r"delay_p(\d+)_s")
_NAMES: Final = {
    "truth_pct": "delivered in the end, %",
    "delivered_pct": "final Delivered %",
    "bounces_errors_pct": "final Bounces + errors %",
    "click_through_pct": "click-through rate %",
    "settling_s": "time until Delivered % is reliable",
    "delay_mean_s": "mean delay from ready to accepted",
    "delay_longest_s": "longest delay from ready to accepted",
    "drained_at_s": "end of the last backlog",
    "soft_first": "messages with a soft bounce",
    "async_bounced": "asynchronous bounces",
}
"""Of the columns that do not read as words."""


def in_words(column: str) -> str:
    """Return the name of a measure, or of one of several values of it.

    >>> in_words("delivered_pct.efs"), in_words("accepted_99_pct_s"), in_words("peak_backlog")
    ('final Delivered %, with EFS', 'time until 99 % is accepted', 'peak backlog')
    >>> in_words("settling_s.efs.0.5pt")
    'time until Delivered % is reliable, with EFS, 0.5 pt'
    """
    name, _, part = column.partition(".")
    words = _NAMES.get(name) or _ACCEPTED.sub(r"time until \1 % is accepted", name)
    words = _DELAY.sub(r"delay that \1 % do not exceed", words)
    for ending, unit in _UNITS.items():
        words = words.removesuffix(ending) + unit if words.endswith(ending) else words
    words = words.replace("_", " ")
    if part:
        mode, _, rest = part.partition(".")
        label = MODE_LABELS.get(mode)  # type: ignore[call-overload]
        words += f", {label or part}"
        words += f", {rest.removesuffix('pt')} pt" if label and rest else ""
    return words
