"""Measures on an axis: in which unit they are told."""

from __future__ import annotations

from typing import Final

_UNITS: Final = (("days", 86_400.0, 3.0), ("hours", 3_600.0, 1.0), ("minutes", 60.0, 2.0))
"""Of times: name, seconds, and how many of them there must be."""


def axis_unit(measure: str, largest: float) -> tuple[float, str]:
    """Return by what to divide a measure, and what to write on its axis.

    Parameters
    ----------
    measure
        Its column.
    largest
        Value that is to be shown.

    Examples
    --------
    >>> axis_unit("accepted_99_pct_s", 9000.0), axis_unit("truth_pct", 99.0)
    ((3600.0, 'accepted_99_pct_s, in hours'), (1.0, 'truth_pct'))
    """
    if not measure.split(".")[0].endswith("_s"):
        return 1.0, measure
    for name, seconds, least in _UNITS:
        if abs(largest) >= least * seconds:
            return seconds, f"{measure}, in {name}"
    return 1.0, f"{measure}, in seconds"
