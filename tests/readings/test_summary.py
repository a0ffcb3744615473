from __future__ import annotations

import json

import sendcap
from sendcap.readings.kpis import Readings
from sendcap.readings.summary import accepted_at_s, summary

ROWS = [("relayed", 0, 100), *(("accepted", 60.0 * minute, 1) for minute in range(99))]


def test_accepted_at_is_the_end_of_the_bin_that_reaches_the_share(made) -> None:
    ledger = made(
        [("relayed", 0, 10), ("accepted", 30, 5), ("accepted", 150, 4), ("accepted", 400, 1)]
    )
    assert [accepted_at_s(ledger, pct) for pct in (50, 90, 99)] == [60.0, 180.0, 420.0]


def test_shares_are_of_the_finally_accepted(made) -> None:
    assert accepted_at_s(made(ROWS, to_deliver=100, bins=120), 99) == 60.0 * 99
    # 99 % of 100 are 99, not one more because of rounding.
    rows = [*ROWS, ("accepted", 60.0 * 110, 1)]
    assert accepted_at_s(made(rows, to_deliver=100, bins=120), 99) == 60.0 * 99


def test_no_moment_where_nothing_was_accepted(made) -> None:
    assert accepted_at_s(made([("relayed", 0, 10)]), 50) is None


def test_totals_are_what_happened_and_kpis_what_is_known(made) -> None:
    ledger = made([("relayed", 0, 10), ("accepted", 60, 9), ("hard", 60, 1)], clocks=["happened"])
    totals = summary(Readings(ledger), ["efs"], title="t", seed=3)
    assert totals["total"]["accepted"] == 9
    assert totals["providers"]["gmail"]["hard"] == 1
    assert totals["final_kpis"]["efs"]["*"]["sent"] == 0


def test_the_summary_is_plain_json(made) -> None:
    more = [("loyalty", "yahoo", 30, [])]
    totals = summary(
        Readings(made(ROWS, more=more)), ["without-efs", "efs"], title="Ünïcode", seed=3
    )
    assert json.loads(json.dumps(totals, allow_nan=False)) == totals
    assert totals["model"] == sendcap.MODEL_VERSION
    assert (totals["sendcap"], totals["seed"], totals["title"]) == (
        sendcap.__version__,
        3,
        "Ünïcode",
    )
    assert list(totals["final_kpis"]["efs"]) == ["*", "news", "loyalty"]
    assert totals["final_kpis"]["without-efs"]["loyalty"]["delivered_pct"] is None
    assert list(totals["providers"]) == ["gmail", "yahoo"]
    assert list(totals["deliveries"]) == ["news", "loyalty"]
