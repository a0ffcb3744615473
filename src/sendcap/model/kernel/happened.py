"""The records of what has happened, and which of them are wanted."""

from __future__ import annotations

from typing import Final

import numpy as np

REPORT = np.dtype(
    [
        ("happened_s", "f8"),
        ("arrives_s", "f8"),
        ("due_s", "f8"),  # when its message is due again; infinite if never
        ("delivery", "i4"),
        ("provider", "i4"),
        ("path", "i4"),
        ("message", "i4"),
        ("person", "i4"),
        ("attempt", "i4"),
        ("event", "i2"),
        ("reason", "i2"),
        ("again", "i4"),  # whether it counts for the event's subset, too
    ],
    align=True,
)
START = np.dtype(
    [
        ("ready_s", "f8"),
        ("left_s", "f8"),  # when the attempt started, or the message gave up waiting
        ("finish_s", "f8"),  # NaN of a message that gave up
        ("delivery", "i4"),
        ("path", "i4"),
    ],
    align=True,
)
CONNECT_ROW = np.dtype([("start_s", "f8"), ("finish_s", "f8"), ("path", "i8")])
NO_REPORTS: Final = 0
ALL_REPORTS: Final = 1
NEWS: Final = 2
"""Those that change what Campaign knows of an address."""
WANTED = np.dtype(
    [
        ("reports", "i8"),  # which are kept: `NO_REPORTS`, `ALL_REPORTS` or `NEWS`
        ("starts", "i8"),  # whether they and connects are kept
        ("known", "i8"),  # whether a report is known as it arrives, or at the next poll
        ("polling_s", "f8"),
    ]
)
"""What is wanted of what has happened, besides the counts."""
