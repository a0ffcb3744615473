from __future__ import annotations

import numpy as np
import pytest

from sendcap.calibration.attempts import (
    ACCEPTED,
    ATTEMPT,
    EXPIRED,
    HARD,
    RETURNED,
    SOFT,
    Attempts,
    Records,
    rows,
)
from sendcap.calibration.lives import OPEN, gaps_s, lives

LATER_S = 1_000_000.0


def table(*events: tuple[int, int, float, int], arrived_s: float = LATER_S, **columns) -> Records:
    """Rows of (message, recipient, seconds, outcome)."""
    message, recipient, finished_s, outcome = zip(*events, strict=True)
    return rows(
        len(events),
        {
            "message": message,
            "recipient": recipient,
            "finished_s": np.array(finished_s) + LATER_S,
            "outcome": outcome,
            "arrived_s": arrived_s,
            **columns,
        },
    )


def test_a_life_is_the_attempts_of_a_message_until_it_is_accepted() -> None:
    each = lives(
        table((7, 1, 300, ACCEPTED), (7, 1, 1, SOFT), (7, 2, 2, HARD), (8, 1, 3, SOFT)), LATER_S
    )
    assert each.tries.tolist() == [2, 1, 1]
    assert each.end.tolist() == [ACCEPTED, HARD, OPEN]
    assert each.number.tolist() == [0, 1, 0, 0]
    assert each.complete.all()
    follows, gap_s = gaps_s(each)
    assert follows.tolist() == [0]
    assert gap_s.tolist() == [299]


def test_a_number_that_is_used_again_begins_another_life() -> None:
    each = lives(table((7, 1, 1, ACCEPTED), (7, 1, 50, SOFT), (7, 1, 90, ACCEPTED)), LATER_S)
    assert each.tries.tolist() == [1, 2]
    deferred = table((7, 1, 1, SOFT), (7, 1, 500, ACCEPTED))
    deferred["arrived_s"][1] += 480
    assert lives(deferred, LATER_S).tries.tolist() == [1, 1]


def test_an_expiry_ends_all_that_is_open_of_a_message() -> None:
    each = lives(
        table((7, 1, 1, SOFT), (7, 2, 1, SOFT), (7, 3, 1, ACCEPTED), (7, 0, 400, EXPIRED)),
        LATER_S,
    )
    assert each.end.tolist() == [EXPIRED, EXPIRED, ACCEPTED]
    assert each.expired_s[:2].tolist() == [LATER_S + 400] * 2
    assert np.isnan(each.expired_s[2])


def test_an_expiry_of_another_time_or_recipient_is_none() -> None:
    each = lives(table((7, 1, 100, SOFT), (7, 2, 400, EXPIRED), (7, 0, 1, EXPIRED)), LATER_S)
    assert each.end.tolist() == [OPEN]


def test_a_bounce_that_says_that_time_is_over_is_an_expiry() -> None:
    given = table((7, 1, 1, SOFT), (7, 1, 900, HARD))
    given["enhanced"][1] = 5_004_007
    each = lives(given, LATER_S)
    assert each.end.tolist() == [EXPIRED]
    assert each.tries.tolist() == [1]


def test_a_bounce_in_two_logs_counts_once_and_a_later_one_by_itself() -> None:
    given = table((7, 0, 1, HARD), (7, 0, 2, HARD), (8, 0, 1, ACCEPTED), (8, 0, 9, RETURNED))
    # The mainlog of Momentum has the number of the attempt.
    given["attempt"][0] = 1
    each = lives(given, LATER_S)
    assert each.end.tolist() == [HARD, ACCEPTED]
    assert len(each.returned) == 1
    named = table((7, 5, 1, HARD), (7, 5, 2, HARD))
    assert lives(named, LATER_S).end.tolist() == [HARD]


@pytest.mark.parametrize("numbers", [[1, 1, 1], [0, 0, 0], [1, 1, 1, 0, 0, 0], [1, 0, 1, 0, 1, 0]])
def test_bounces_that_name_no_recipient_are_of_several(numbers) -> None:
    """In Momentum's logs a message to several recipients of a domain has a line for each."""
    given = table(*((7, 0, 1 + place / 10, HARD) for place in range(len(numbers))))
    given["attempt"] = numbers
    assert lives(given, LATER_S).end.tolist() == [HARD] * 3


def test_recipients_that_no_line_names_are_told_apart_by_what_became_of_them() -> None:
    given = table(
        *((7, 0, 1, outcome) for outcome in (ACCEPTED, SOFT, SOFT, HARD)),
        *((7, 0, 1200, outcome) for outcome in (ACCEPTED, SOFT)),
        (7, 0, 3600, ACCEPTED),
        (8, 0, 1, ACCEPTED),
    )
    given["attempt"] = [1, 1, 1, 1, 2, 2, 3, 1]
    each = lives(given, LATER_S)
    assert sorted(zip(each.end.tolist(), each.tries.tolist(), strict=True)) == [
        (ACCEPTED, 1), (ACCEPTED, 1), (ACCEPTED, 2), (ACCEPTED, 3), (HARD, 1),
    ]  # fmt: skip
    assert each.complete.all()
    assert sorted(gaps_s(each)[1].tolist()) == [1199, 1199, 2400]


def test_what_may_have_been_tried_before_is_not_whole() -> None:
    early = table((7, 1, 1, ACCEPTED), arrived_s=LATER_S - 300)
    assert not lives(early, LATER_S).complete.any()
    assert lives(early, LATER_S, strict=False).complete.all()
    third = table((7, 1, 1, ACCEPTED), attempt=3)
    assert not lives(third, LATER_S, strict=False).complete.any()
    unknown = table((7, 1, 1, ACCEPTED), arrived_s=np.nan)
    assert lives(unknown, LATER_S).complete.all()


@pytest.mark.parametrize("in_memory", [10, 10_000])
def test_parts_have_all_attempts_of_their_messages(in_memory, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    rng = np.random.default_rng(1)
    given = np.zeros(2000, ATTEMPT)
    given["message"] = rng.integers(0, 2**63, 500)[rng.integers(0, 500, 2000)]
    given["finished_s"] = rng.random(2000)
    given["outcome"] = SOFT
    with Attempts(in_memory) as each:
        for start in range(0, 2000, 100):
            each.add(given[start : start + 100])
        parts = list(each.parts())
        assert (len(parts) > 1) == (in_memory == 10)
        # The files have no names.
        assert not list(tmp_path.iterdir())
        where: dict[int, int] = {}
        for number, part in enumerate(parts):
            for message in part["message"].tolist():
                assert where.setdefault(message, number) == number
        everything = np.sort(np.concatenate(parts)["finished_s"])
        assert np.array_equal(everything, np.sort(given["finished_s"]))
    assert not list(tmp_path.iterdir())
