"""What a reading lacks to the truth adds up exactly, message by message."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_lives import LIVES_MADE_UP, Life, ledger_of

import sendcap
from sendcap.readings.kpis import Readings
from sendcap.readings.modes import DENOMINATORS, MODES, Mode, statuses
from sendcap.readings.remaining import BothClocks, Lacking, Remaining, lacking, remaining
from sendcap.scenario import from_dict

# A run may be cut off anywhere.
BINS = st.sampled_from([3, 8, 40])


@settings(deadline=None)
@given(LIVES_MADE_UP, BINS)
def test_sent_differs_from_what_is_delivered_by_whole_messages(lives, bins) -> None:
    clocks = BothClocks.of(Readings(ledger_of(lives, bins)))
    for mode in ("efs", "efs-v8", "legacy"):
        total = np.sum(lacking(clocks, mode), axis=0)
        np.testing.assert_array_equal(total, statuses(clocks.known, mode).sent - clocks.delivered)


@settings(deadline=None)
@given(LIVES_MADE_UP, BINS)
def test_without_efs_the_error_is_exact_in_fractions(lives, bins) -> None:
    clocks = BothClocks.of(Readings(ledger_of(lives, bins)))
    to_deliver = clocks.known.to_deliver
    status = statuses(clocks.known, "without-efs")
    lacks = np.sum(lacking(clocks, "without-efs"), axis=0)
    for edge, (sent, failed) in enumerate(zip(status.sent, status.failed, strict=True)):
        if sent + failed:
            reading, truth = (
                Fraction(int(sent), int(sent + failed)),
                Fraction(clocks.delivered, to_deliver),
            )
            relayed_part = reading - Fraction(to_deliver - int(failed), to_deliver)
            assert reading - truth == Fraction(int(lacks[edge]), to_deliver) + relayed_part


@settings(deadline=None)
@given(LIVES_MADE_UP, BINS, st.sampled_from(MODES), st.sampled_from(DENOMINATORS))
def test_the_parts_in_points_are_the_error(lives, bins, mode, denominator) -> None:
    ledger = ledger_of(lives, bins)
    for provider in ("*", *{life.provider for life in lives}):
        clocks = BothClocks.of(Readings(ledger), provider=provider)
        reading = Readings(ledger).figures(mode, "*", denominator, provider).delivered_pct
        error = np.sum(remaining(clocks, mode, denominator), axis=0)
        every = clocks.rows(np.arange(bins + 1))
        np.testing.assert_allclose(error[every], reading - clocks.truth_pct, atol=1e-10)


@settings(deadline=None)
@given(LIVES_MADE_UP)
def test_each_part_has_one_sign_and_is_gone_in_the_end(lives) -> None:
    clocks = BothClocks.of(Readings(ledger_of(lives)))
    for mode in MODES:
        parts = lacking(clocks, mode)
        sign = 1 if mode == "without-efs" else -1
        for name, counts in parts._asdict().items():
            assert (counts * (1 if name == "async_to_come" else sign) >= 0).all()
            assert counts[-1] == 0


def lacks(fate: str, mode: Mode, edge: int) -> Lacking:
    """One message relayed in bin 0, a step every 4 bins, each known 2 bins later."""
    clocks = BothClocks.of(Readings(ledger_of([Life(0, fate, 4, 2)])))
    (row,) = clocks.rows(np.array([edge]))
    return Lacking(*(int(counts[row]) for counts in lacking(clocks, mode)))


@pytest.mark.parametrize(
    ("fate", "mode", "edge", "expected"),
    [
        ("accepted", "efs", 2, Lacking(-1, 0, 0, 0)),
        ("accepted", "efs", 5, Lacking(0, 0, -1, 0)),
        ("accepted", "efs", 7, Lacking(0, 0, 0, 0)),
        ("recovered", "efs", 6, Lacking(0, -1, 0, 0)),
        ("recovered", "efs", 13, Lacking(0, 0, -1, 0)),
        ("returned", "efs", 7, Lacking(0, 0, 0, 1)),
        ("returned", "efs", 2, Lacking(-1, 0, 0, 1)),
        ("expired", "efs", 6, Lacking(0, 0, 0, 0)),
        ("accepted", "without-efs", 2, Lacking(0, 0, 0, 0)),
        ("hard", "without-efs", 2, Lacking(1, 0, 0, 0)),
        ("hard", "without-efs", 5, Lacking(0, 0, 1, 0)),
        ("hard", "without-efs", 7, Lacking(0, 0, 0, 0)),
        ("expired", "without-efs", 8, Lacking(0, 1, 0, 0)),
        ("expired", "without-efs", 13, Lacking(0, 0, 1, 0)),
        ("expired untried", "without-efs", 2, Lacking(1, 0, 0, 0)),
        ("soft, then hard", "without-efs", 6, Lacking(0, 1, 0, 0)),
        ("returned", "without-efs", 2, Lacking(0, 0, 0, 1)),
        ("relay failed", "without-efs", 0, Lacking(1, 0, 0, 0)),
    ],
)
def test_where_a_message_stands(fate, mode, edge, expected) -> None:
    assert lacks(fate, mode, edge) == expected


def test_while_few_are_relayed_the_same_failures_weigh_more() -> None:
    lives = [Life(0, "hard", 1, 0), Life(0, "accepted", 1, 0)]
    lives += [Life(5, "accepted", 1, 0), Life(5, "accepted", 1, 0)]
    clocks = BothClocks.of(Readings(ledger_of(lives)))
    parts = remaining(clocks, "without-efs")
    # One of two has failed, and one of four in the end.
    (row,) = clocks.rows(np.array([3]))
    assert parts.not_all_relayed_pt[row] == -25.0
    assert parts.not_all_relayed_pt[-1] == 0.0
    assert not np.any(remaining(clocks, "efs").not_all_relayed_pt)


@pytest.mark.parametrize("horizon", [None, 3 * 3600.0])
def test_on_a_simulated_run_the_parts_are_the_error_at_every_bin(horizon) -> None:
    scenario = {
        "deliveries": [
            {"name": "d", "messages": 6000, "validity": "5h", "audience": {"p": 0.7, "q": 0.3}}
        ],
        "relay": {"batch_time": "20s", "error_rate": 0.01},
        "providers": {
            "p": {
                "connect_time": "100ms",
                "transaction_time": {"dist": "exponential", "mean": "1s"},
                "transient": 0.05,
                "async_bounce": 0.02,
                "hard": [{"reason": "unknown", "share": 0.02}],
                "faults": [{"reason": "full", "share": 0.1, "clears_after": "1h", "never": 0.4}],
            },
            "q": {"connect_time": "1s", "transaction_time": "2s"},
        },
        "feedback": {
            "synchronous": {"dist": "exponential", "mean": "10m"},
            "asynchronous": {"dist": "exponential", "mean": "2h"},
            "polling": "7m",
        },
    }
    case = from_dict(scenario)
    if horizon:
        case = case.model_copy(update={"time": case.time.model_copy(update={"horizon": horizon})})
    run = sendcap.simulate(case)
    both = BothClocks.of(Readings(run.ledger))
    for mode in MODES:
        lacks_now = np.sum(lacking(both, mode), axis=0)
        status = statuses(both.known, mode)
        if mode == "without-efs":
            lacks_now = lacks_now - (both.known.to_deliver - both.delivered)
            np.testing.assert_array_equal(lacks_now, -status.failed)
        else:
            np.testing.assert_array_equal(lacks_now, status.sent - both.delivered)
        error = run.kpis(mode).delivered_pct.to_numpy() - both.truth_pct
        parts: Remaining = remaining(both, mode)
        every = both.rows(np.arange(run.ledger.bins + 1))
        np.testing.assert_allclose(np.sum(parts, axis=0)[every], error, atol=1e-10)
        assert all(np.nanmax(np.abs(part)) > 0 for part in parts[:4])
