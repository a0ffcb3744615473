from __future__ import annotations

import math

import numpy as np
import pytest

from sendcap.ledger import CLOCKS, Ledger, Series, SparseCounts, summed
from sendcap.ledger.sparse import NO_COUNTS
from sendcap.readings.bounce_summary import bounce_summary
from sendcap.readings.modes import MODES, known, statuses

# Minute, event, reason and messages; 100 are relayed at once but for 2.
COUNTS = [
    (0, "relayed", "", 98),
    (0, "relay_failed", "", 2),
    (1, "hard", "user unknown", 10),
    (1, "hard", "no such thing", 1),
    (1, "soft_first", "mailbox full", 20),
    (1, "soft", "mailbox full", 20),
    (1, "accepted", "", 60),
    (2, "soft", "greylisted", 3),
    (3, "accepted", "", 12),
    (3, "recovered", "", 12),
    (3, "async_bounced", "", 4),
    (5, "expired", "mailbox full", 5),
    (5, "expired", "greylisted", 3),
    (5, "expired", "not attempted", 7),
    (5, "expired_untried", "not attempted", 7),
]


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    counts: dict[Series, SparseCounts] = {}
    for minute, event, reason, count in COUNTS:
        for clock in CLOCKS:
            series = Series("news", "gmail", event, reason, clock)
            one = SparseCounts(np.array([minute], np.int32), np.array([count]))
            counts[series] = summed([counts.get(series, NO_COUNTS), one])
    return Ledger(60.0, 10, {("news", "gmail"): 100}, counts)


def table_of(ledger, minutes, mode="efs") -> dict[str, tuple[object, ...]]:
    table = bounce_summary(ledger, 60.0 * minutes, mode)
    return {row[0]: row[1:5] for row in table.itertuples(index=False, name=None)}


def test_bounces_are_by_reason_and_type(ledger) -> None:
    assert table_of(ledger, 10) == {
        "mailbox full": ("Mailbox full", "soft", 20, 5),
        "user unknown": ("User unknown", "hard", 10, 10),
        "expired untried": ("", "", 7, 7),
        "asynchronous bounce": ("", "", 4, 4),
        "failed at the relay": ("", "", 2, 2),
        "no such thing": ("", "hard", 1, 1),
        # It was nobody's first soft bounce, and the last one of three.
        "greylisted": ("Unreachable", "soft", 0, 3),
    }


def test_what_has_not_happened_yet_is_not_there(ledger) -> None:
    assert table_of(ledger, 2) == {
        "mailbox full": ("Mailbox full", "soft", 20, 0),
        "user unknown": ("User unknown", "hard", 10, 10),
        "failed at the relay": ("", "", 2, 2),
        "no such thing": ("", "hard", 1, 1),
    }


@pytest.mark.parametrize("mode", MODES)
def test_in_the_end_those_that_failed_for_good_are_the_failed(ledger, mode) -> None:
    table = bounce_summary(ledger, 600.0, mode)
    failed = statuses(known(ledger), mode).failed[-1]
    assert table.final.sum() == failed == 32
    assert table.final_pct.sum() == pytest.approx(32.0)


def test_shares_are_of_the_processed_in_the_mode(ledger) -> None:
    # With EFS 60 are Sent and 33 Failed after two minutes; without it all 100 have a status.
    for mode, processed in (("efs", 93), ("without-efs", 100)):
        table = bounce_summary(ledger, 120.0, mode).set_index("reason")
        assert table.messages_pct["mailbox full"] == pytest.approx(100 * 20 / processed)


def test_before_anything_is_processed_there_is_no_share(made) -> None:
    ledger = made([("soft_first", 0.0, 3), ("soft", 0.0, 3)])
    table = bounce_summary(ledger, 600.0, "efs-v8")
    assert table.messages.tolist() == [3]
    assert math.isnan(table.messages_pct[0])
    assert bounce_summary(ledger, 0.0, "efs").empty
