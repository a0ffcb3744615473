"""A middle value and a band or interval around it: ``5m (4m to 6m)``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from sendcap.text.quantities import NOTHING

Write = Callable[[float], str]


def bracketed(middle: float, low: float, high: float, write: Write) -> str:
    """Return a value and the ends of a band, or the value alone where all read the same.

    Examples
    --------
    >>> bracketed(5.0, 4.0, 6.0, str), bracketed(5.0, 5.0, 5.0, str)
    ('5.0 (4.0 to 6.0)', '5.0')
    """
    if math.isnan(middle):
        return NOTHING
    texts = [write(value) for value in (middle, low, high) if not math.isnan(value)]
    if len(set(texts)) == 1:
        return texts[0]
    return f"{texts[0]} ({texts[1]} to {texts[2]})"


def banded(row: Mapping[str, Any], write: Write) -> str:
    """Return the columns ``median``, ``low`` and ``high`` of a row; see `bracketed`."""
    return bracketed(row["median"], row["low"], row["high"], write)
