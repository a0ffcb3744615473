from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sendcap.errors import SendcapError
from sendcap.readings.kpis import Readings, figures_of
from sendcap.readings.modes import MODES, Known

COLUMNS = [
    "mode",
    "delivery",
    "time_s",
    "to_deliver",
    "relayed",
    "sent",
    "failed",
    "pending",
    "delivered_pct",
    "bounces_errors_pct",
    "open_rate_pct",
    "click_through_pct",
]
ROWS = [("relayed", 0, 10), ("accepted", 60, 8), ("opened", 90, 4), ("clicked", 150, 1)]
MORE = [("loyalty", "yahoo", 30, [("relayed", 120, 30), ("accepted", 180, 12)])]


def test_one_row_per_edge_counts_up_to_it(made) -> None:
    table = Readings(made(ROWS)).kpis("efs")
    assert list(table.columns) == COLUMNS
    assert table["time_s"].tolist() == [60.0 * edge for edge in range(11)]
    assert table["relayed"].tolist() == [0, *[10] * 10]
    assert table["sent"].tolist() == [0, 0, *[8] * 9]
    assert set(table["mode"]) == {"efs"}
    assert set(table["delivery"]) == {"*"}


def test_a_share_of_nothing_is_nan(made) -> None:
    table = Readings(made(ROWS)).kpis("without-efs")
    assert np.isnan(table["delivered_pct"][0])
    assert np.isnan(table["open_rate_pct"][0])
    assert table["delivered_pct"][1] == 100.0
    assert Readings(made(ROWS)).kpis("efs")["delivered_pct"][0] == 0.0


def test_opens_and_clicks_are_shares_of_what_the_mode_calls_sent(made) -> None:
    last = Readings(made(ROWS)).kpis("efs").iloc[-1]
    assert (last["open_rate_pct"], last["click_through_pct"]) == (50.0, 12.5)
    last = Readings(made(ROWS)).kpis("without-efs").iloc[-1]
    assert (last["open_rate_pct"], last["click_through_pct"]) == (40.0, 10.0)


def test_no_rate_is_one_of_less_than_half_an_expected_message() -> None:
    none = np.zeros(3)
    sent, opened = np.array([1e-4, 0.5, 0.6]), np.array([6.0, 0.0, 0.3])
    counts = Known(10, *[none] * len(Known._fields[1:]))
    counts = counts._replace(accepted=sent, opened=opened, clicked=opened)
    table = figures_of(none, counts, "efs")
    for rate in (table.open_rate_pct, table.click_through_pct):
        np.testing.assert_allclose(rate, [np.nan, np.nan, 50.0])


@pytest.mark.parametrize("mode", MODES)
def test_all_deliveries_together_are_the_sum(made, mode) -> None:
    ledger = made(ROWS, more=MORE)
    both, news, loyalty = (Readings(ledger).kpis(mode, name) for name in ("*", "news", "loyalty"))
    for column in ("to_deliver", "relayed", "sent", "failed", "pending"):
        assert (both[column] == news[column] + loyalty[column]).all()
    assert both["to_deliver"].tolist() == [40] * 11


@pytest.mark.parametrize("mode", MODES)
def test_all_providers_together_are_the_sum(made, mode) -> None:
    ledger = made(ROWS, more=[*MORE, ("news", "yahoo", 7, [("relayed", 60, 6), ("hard", 90, 2)])])
    for delivery in ("*", "news", "loyalty"):
        both = Readings(ledger).kpis(mode, delivery)
        parts = [
            Readings(ledger).kpis(mode, delivery, provider=name) for name in ("gmail", "yahoo")
        ]
        for column in ("to_deliver", "relayed", "sent", "failed", "pending"):
            assert (both[column] == parts[0][column] + parts[1][column]).all()
    assert set(parts[1]["provider"]) == {"yahoo"}


def test_an_unknown_provider_names_the_known_ones(made) -> None:
    with pytest.raises(SendcapError, match=r"unknown provider 'gmial': choose from gmail, \*"):
        Readings(made(ROWS)).kpis("efs", provider="gmial")


def test_only_what_campaign_knows_counts(made) -> None:
    table = Readings(made(ROWS, clocks=["happened"])).kpis("efs")
    assert not table[["sent", "failed"]].to_numpy().any()


def test_cached_readings_are_those_of_the_ledger(made) -> None:
    ledger = made(ROWS, more=MORE)
    readings = Readings(ledger)
    for mode in MODES:
        for delivery in ("*", "news"):
            for provider in ("*", "gmail"):
                cached = [readings.kpis(mode, delivery, provider=provider) for _ in range(2)]
                expected = Readings(ledger).kpis(mode, delivery, provider=provider)
                pd.testing.assert_frame_equal(cached[0], expected)
                pd.testing.assert_frame_equal(cached[1], expected)
    assert readings.figures("efs") is readings.figures("efs")
    assert readings.figures("efs") is not readings.figures("efs", denominator="relayed")


def test_cached_figures_cannot_be_changed(made) -> None:
    figures = Readings(made(ROWS)).figures("efs")
    with pytest.raises(ValueError, match="read-only"):
        figures.sent[0] = 1


def test_figures_beyond_the_caches_limit_are_computed_again(made, monkeypatch) -> None:
    monkeypatch.setattr("sendcap.readings.kpis._CACHED_BYTES", 0)
    readings = Readings(made(ROWS))
    first, second = readings.figures("efs"), readings.figures("efs")
    assert first is not second
    np.testing.assert_array_equal(first.sent, second.sent)
