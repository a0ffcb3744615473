from __future__ import annotations

import math

import numpy as np
import pytest

from sendcap.ledger import Delays, Ledger, SparseCounts
from sendcap.ledger.delays import codes_of
from sendcap.readings.delays import (
    DELAY_FIGURES,
    accepted_within,
    delay_figures,
    delay_quantile_s,
    delays_table,
)

EXACT = 2.0**-7
"""The scale's error, relative."""


def counts_of(delays_s: list[float]) -> SparseCounts:
    return SparseCounts(*np.unique(codes_of(delays_s), return_counts=True))


def ledger_of(delays: Delays | None) -> Ledger:
    to_deliver = {("news", "p"): 9, ("news", "q"): 9, ("late", "p"): 9}
    return Ledger(60.0, 1, to_deliver, {}, delays)


def test_figures_are_those_of_the_messages_one_by_one() -> None:
    delays_s = np.random.default_rng(1).lognormal(5.0, 2.0, 20_000)
    figures = delay_figures(ledger_of(Delays({("news", "p"): counts_of(delays_s.tolist())})))
    exact_s = [delays_s.mean(), *np.quantile(delays_s, [0.5, 0.95, 0.99]), delays_s.max()]
    assert list(figures) == list(DELAY_FIGURES)
    assert list(figures.values()) == pytest.approx(exact_s, rel=EXACT)


def test_one_message_is_all_figures() -> None:
    figures = delay_figures(ledger_of(Delays({("news", "p"): counts_of([100.0])})))
    assert list(figures.values()) == pytest.approx([100.0] * 5, rel=EXACT)
    assert figures["delay_longest_s"] >= 100.0


def test_delays_of_0_have_figures_of_0() -> None:
    figures = delay_figures(ledger_of(Delays({("news", "p"): counts_of([0.0, 0.0])})))
    assert list(figures.values()) == [0.0] * 5


@pytest.mark.parametrize("delays", [None, Delays({})])
def test_there_are_no_figures_where_nothing_was_accepted_or_counted(delays) -> None:
    assert set(delay_figures(ledger_of(delays)).values()) == {None}
    table = delays_table(ledger_of(delays))
    assert table[list(DELAY_FIGURES)].isna().all(axis=None)


def test_a_quantile_is_found_within_a_step() -> None:
    counts = counts_of([128.0] * 4)  # the step from 128 to 129 s
    assert delay_quantile_s(counts, 0.25) == 128.25
    assert delay_quantile_s(counts, 1.0) == 129.0


def test_the_share_accepted_within_a_delay_rises_in_each_step_with_messages_only() -> None:
    delays_s, pct = accepted_within(counts_of([1.0, 64.0, 64.0, 64.0]))
    assert delays_s.tolist() == [1.0, 1.0 + EXACT, 64.0, 64.5]
    assert pct.tolist() == [0.0, 25.0, 25.0, 100.0]


def test_the_table_has_all_each_delivery_each_provider_and_both() -> None:
    ledger = ledger_of(
        Delays({("news", "p"): counts_of([1.0]), ("late", "p"): counts_of([4.0, 4.0])})
    )
    table = delays_table(ledger).set_index(["delivery", "provider"])
    assert table.index.tolist() == [
        ("*", "*"),
        *(("news", "*"), ("late", "*"), ("*", "p"), ("*", "q")),
        *(("news", "p"), ("news", "q"), ("late", "p")),
    ]
    mean_s = table["delay_mean_s"]
    assert mean_s["*", "*"] == pytest.approx(3.0, rel=EXACT)
    assert mean_s["news", "*"] == pytest.approx(1.0, rel=EXACT)
    assert math.isnan(mean_s["*", "q"])
