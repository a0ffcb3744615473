from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendcap import scenario
from sendcap.errors import SendcapError
from sendcap.readings.kpis import Readings
from sendcap.readings.modes import (
    DENOMINATORS,
    MODES,
    Denominator,
    Known,
    Mode,
    denominator_counts,
    known,
    statuses,
)

# A count for each letter of the model page, so that a sum tells what went into it.
R, F, A, V, H, D, S, X, U, B = 9000, 7, 5000, 130, 400, 11, 600, 300, 17, 53
N = 10_000


def number(value: int) -> np.ndarray:
    return np.array([value])


EVERY_LETTER = Known(
    N, *map(number, (R, F, A, V, H, D, S, X, U, B)), opened=number(0), clicked=number(0)
)


@pytest.mark.parametrize(
    ("mode", "sent", "failed", "pending"),
    [
        ("without-efs", R - H - X - B, F + H + X + B, 0),
        ("efs", A - B, F + H + (S - V - D) + U + B, R - (A - B) - (H + (S - V - D) + U + B)),
        ("efs-v8", A - B, F + H + X + B, R - (A - B) - (H + X + B)),
        ("legacy", A - B, F + H + (S - V - D) + U + B, N - (A - B) - (F + H + S - V - D + U + B)),
    ],
)
def test_each_mode_is_the_formula_of_the_model_page(
    mode: Mode, sent: int, failed: int, pending: int
) -> None:
    status = statuses(EVERY_LETTER, mode)
    assert (status.sent[0], status.failed[0], status.pending[0]) == (sent, failed, pending)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("without-efs", R + F), ("efs", N), ("efs-v8", N), ("legacy", N)],
)
def test_each_mode_has_its_own_default_denominator(mode: Mode, expected: int) -> None:
    assert denominator_counts(EVERY_LETTER, statuses(EVERY_LETTER, mode), mode)[0] == expected


@pytest.mark.parametrize("mode", MODES)
def test_the_denominator_is_a_parameter(mode: Mode) -> None:
    status = statuses(EVERY_LETTER, mode)

    def counts(denominator: Denominator) -> int:
        return int(denominator_counts(EVERY_LETTER, status, mode, denominator)[0])

    assert counts("to-deliver") == N
    assert counts("relayed") == R
    assert counts("processed") == status.sent[0] + status.failed[0]


def test_scenarios_name_the_same_modes_and_denominators() -> None:
    assert set(get_args(scenario.Mode)) == set(MODES)
    assert set(get_args(scenario.Denominator)) == set(DENOMINATORS)


def test_an_unknown_mode_delivery_or_denominator_names_the_known_ones(made) -> None:
    ledger = made()
    with pytest.raises(SendcapError, match="unknown mode 'EFS': choose from without-efs, efs"):
        statuses(EVERY_LETTER, "EFS")  # type: ignore[arg-type]
    with pytest.raises(SendcapError, match=r"unknown delivery 'x': choose from news, \*"):
        known(ledger, "x")
    with pytest.raises(SendcapError, match="unknown denominator 'all': choose from default"):
        Readings(ledger).figures("efs", "*", "all")  # type: ignore[arg-type]


# The seed's rule: what one more event does to (status, Delivered %, Bounces + errors %).

RELAYED = [("relayed", 0, 10)]
SOFT = [*RELAYED, ("soft", 60, 1), ("soft_first", 60, 1)]
STEPS = {
    "accepted at first attempt": (RELAYED, [("accepted", 120, 1)]),
    "hard bounce returned": (RELAYED, [("hard", 120, 1)]),
    "soft bounce returned": (RELAYED, [("soft", 120, 1), ("soft_first", 120, 1)]),
    "retry succeeds": (SOFT, [("accepted", 120, 1), ("recovered", 120, 1)]),
    "retries fail, validity over": (SOFT, [("expired", 120, 1)]),
}
RULE = [
    ("efs", "accepted at first attempt", "pending", "sent", "rises", "same"),
    ("efs", "hard bounce returned", "pending", "failed", "same", "rises"),
    ("efs", "soft bounce returned", "pending", "failed", "same", "rises"),
    ("efs", "retry succeeds", "failed", "sent", "rises", "falls"),
    ("efs", "retries fail, validity over", "failed", "failed", "same", "same"),
    ("without-efs", "accepted at first attempt", "sent", "sent", "same", "same"),
    ("without-efs", "hard bounce returned", "sent", "failed", "falls", "rises"),
    ("without-efs", "soft bounce returned", "sent", "sent", "same", "same"),
    ("without-efs", "retry succeeds", "sent", "sent", "same", "same"),
    ("without-efs", "retries fail, validity over", "sent", "failed", "falls", "rises"),
]


@pytest.mark.parametrize(
    ("mode", "starts_as", "delivered"), [("efs", "pending", 0.0), ("without-efs", "sent", 100.0)]
)
def test_seed_rule_relayed(made, mode: Mode, starts_as: str, delivered: float) -> None:
    shown = Readings(made(RELAYED)).figures(mode)
    assert getattr(shown, starts_as)[1] == 10
    assert shown.delivered_pct[1] == delivered
    assert shown.bounces_errors_pct[1] == 0.0


@pytest.mark.parametrize(("mode", "step", "before", "after", "delivered", "bounces"), RULE)
def test_seed_rule(
    made, mode: Mode, step: str, before: str, after: str, delivered: str, bounces: str
) -> None:
    first, then = STEPS[step]
    shown = Readings(made([*first, *then])).figures(mode)
    for status in ("sent", "failed", "pending"):
        change = getattr(shown, status)[3] - getattr(shown, status)[2]
        assert change == (status == after) - (status == before)
    assert direction(shown.delivered_pct) == delivered
    assert direction(shown.bounces_errors_pct) == bounces


def direction(values: np.ndarray) -> str:
    return {-1.0: "falls", 0.0: "same", 1.0: "rises"}[float(np.sign(values[3] - values[2]))]


def test_in_v8_a_soft_bounce_stays_pending_until_it_expires(made) -> None:
    shown = Readings(made([*SOFT, ("expired", 240, 1)])).figures("efs-v8")
    assert shown.pending.tolist() == [0, 10, 10, 10, 10, *[9] * 6]
    assert shown.failed.tolist() == [0, 0, 0, 0, 0, *[1] * 6]


def test_in_the_legacy_mode_everything_is_pending_before_it_is_relayed(made) -> None:
    shown = Readings(made([("relayed", 60, 10)])).figures("legacy")
    assert shown.pending.tolist() == [10] * 11
    assert shown.delivered_pct.tolist() == [0.0] * 11


def test_an_asynchronous_bounce_turns_sent_into_failed_in_every_mode(made) -> None:
    rows = [*RELAYED, ("accepted", 60, 10), ("async_bounced", 120, 1)]
    for mode in MODES:
        shown = Readings(made(rows)).figures(mode)
        assert (shown.sent[2], shown.failed[2]) == (10, 0)
        assert (shown.sent[3], shown.failed[3]) == (9, 1)


def test_a_message_that_failed_at_the_relay_is_failed_and_never_pending(made) -> None:
    rows = [("relayed", 0, 9), ("relay_failed", 0, 1)]
    for mode in MODES:
        shown = Readings(made(rows)).figures(mode)
        assert shown.failed[1] == 1
        assert shown.pending[1] == (0 if mode == "without-efs" else 9)


FATES = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(
            [
                "relay failed",
                "accepted",
                "async",
                "hard",
                "recovered",
                "soft hard",
                "untried",
                "dead",
            ]
        ),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=12,
)


def rows_of(start: int, fate: str, gap: int) -> list[tuple[str, float, int]]:
    """One message's life, a step every ``gap`` bins."""
    soft = ["relayed", "soft soft_first"]
    lives = {
        "relay failed": ["relay_failed"],
        "accepted": ["relayed", "accepted"],
        "async": ["relayed", "accepted", "async_bounced"],
        "hard": ["relayed", "hard"],
        "recovered": [*soft, "soft", "accepted recovered"],
        "soft hard": [*soft, "hard hard_after_soft"],
        "untried": ["relayed", "expired expired_untried"],
        "dead": [*soft, "soft", "expired"],
    }
    return [
        (event, 60.0 * (start + gap * step), 1)
        for step, events in enumerate(lives[fate])
        for event in events.split()
    ]


@given(FATES)
def test_the_modes_differ_on_the_way_and_end_on_the_same(made, fates) -> None:
    rows = [row for fate in fates for row in rows_of(*fate)]
    ledger = made(rows, to_deliver=len(fates), bins=20)
    readings = {mode: Readings(ledger).figures(mode) for mode in MODES}
    for mode, reading in readings.items():
        assert (np.stack([reading.sent, reading.failed, reading.pending]) >= 0).all()
        if mode != "legacy":
            relay_failed = ledger.cumulative("relay_failed")
            total = reading.sent + reading.failed + reading.pending
            np.testing.assert_array_equal(total, reading.relayed + relay_failed)
        assert reading.pending[-1] == 0
        assert (reading.sent[-1], reading.failed[-1]) == (
            readings["without-efs"].sent[-1],
            readings["without-efs"].failed[-1],
        )
    assert not readings["without-efs"].pending.any()
    if not any(fate == "async" for _, fate, _ in fates):
        assert (np.diff(readings["efs"].delivered_pct) >= 0).all()
    # Once all are relayed, what was counted as Sent can only be lost.
    relayed_by = max(start for start, _, _ in fates) + 1
    assert (np.diff(readings["without-efs"].delivered_pct[relayed_by:]) <= 0).all()
