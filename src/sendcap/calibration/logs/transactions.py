"""Recipients of one transaction: an MTA writes a line for each, but uses one connection once.

A message with many recipients at a server goes there in one transaction. Postfix's lines have the
same number, process, relay and times up to the transmission; recipients that were refused may have
a shorter transmission. Source: Postfix, ``src/global/log_adhoc.c``: "multiple recipient records
show the same delay values"; Exim, ``doc/doc-docbook/spec.xfpt``, "Logging deliveries": ``->``.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from sendcap.calibration.attempts import Records

_MOST: Final = 65_535


def share_transactions(records: Records, places: Sequence[Sequence[Any]]) -> None:
    """Share each transaction among its recipients, the longest of them first.

    The first has the connection for all the time; the others follow over it, so that messages per
    connection, connections in use and time per message fit together. ``places`` are
    columns that are equal for attempts of one message over one connection.
    """
    message = np.ascontiguousarray(records["message"])
    order = np.argsort(message)
    again = np.diff(message[order]) == 0
    candidates = np.zeros(len(records), np.bool_)
    candidates[order[1:]] |= again
    candidates[order[:-1]] |= again
    candidates &= ~np.isnan(records["transaction_s"])
    groups: dict[tuple[Any, ...], dict[int, int]] = {}
    recipient = records["recipient"]
    for number in np.flatnonzero(candidates).tolist():
        key = (message[number], *(column[number] for column in places))
        # A log may have a line twice.
        groups.setdefault(key, {}).setdefault(recipient[number], number)
    for of_recipients in groups.values():
        if len(of_recipients) == 1:
            continue
        group = list(of_recipients.values())
        of_one = records[group]
        longest = int(np.argmax(of_one["transaction_s"]))
        whole_s = of_one["transaction_s"][longest]
        place = np.arange(1, len(group) + 1)
        place[longest:] -= 1
        place[longest] = 0
        later = place > 0
        # An unknown use of the connection stays unknown.
        known = of_one["use"] > 0
        of_one["use"] = np.where(known, np.minimum(of_one["use"] + place, _MOST), 0)
        of_one["setup_s"][later & known] = 0.0
        of_one["started_s"][later] = np.nan
        of_one["transaction_s"] = whole_s / len(group)
        of_one["together"] = min(len(group), _MOST)
        records[group] = of_one
