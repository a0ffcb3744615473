from __future__ import annotations

import pickle

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from sendcap.ledger import Ledger, SparseCounts
from sendcap.model.tally import Tally
from sendcap.saved import read_ledger, write_ledger

YEAR = 525_600


def ledger_of(deliveries: int = 3, bins: int = YEAR) -> Ledger:
    """Return a year of deliveries to two providers, with events in a few bins each."""
    rng = np.random.default_rng(7)
    providers = ["p", "q"]
    tally = Tally(60.0, np.inf, providers, ["", "full"])
    names = [f"d{number}" for number in range(deliveries)]
    for delivery in range(deliveries):
        start_s = 60.0 * bins * (delivery + 0.5) / deliveries
        for provider in range(2):
            for event, reason in (("relayed", ""), ("accepted", ""), ("soft", "full")):
                for clock in ("happened", "known"):
                    times_s = start_s + rng.exponential(3600.0, 40)
                    tally.add(clock, event, delivery, provider, times_s, reason)
    to_deliver = {(name, provider): 40 for name in names for provider in providers}
    return tally.ledger(names, to_deliver, bins)


def test_a_series_stores_the_bins_with_events_only() -> None:
    tally = Tally(60.0, np.inf, ["p"], [""])
    tally.add("happened", "opened", 0, 0, np.array([60.0 * YEAR - 1.0, 60.0 * YEAR - 1.0]))
    ledger = tally.ledger(["d"], {("d", "p"): 2}, YEAR)
    bins, counts = ledger.sparse("opened", clock="happened")
    assert (bins.tolist(), counts.tolist()) == ([YEAR - 1], [2])
    assert len(pickle.dumps(ledger)) < 2_000


def test_readings_of_a_selection_are_the_sums_of_its_series() -> None:
    ledger = ledger_of()
    for selection in ({}, {"delivery": "d1"}, {"provider": "q"}, {"delivery": "d2", "reason": ""}):
        series = [
            each
            for each in ledger._counts
            if all(getattr(each, part) == name for part, name in selection.items())
            and (each.event, each.clock) == ("accepted", "known")
        ]
        dense = np.zeros(YEAR, int)
        for each in series:
            np.add.at(dense, ledger._counts[each].bins, ledger._counts[each].counts)
        assert ledger.series("accepted", **selection) == series
        np.testing.assert_array_equal(ledger.counts("accepted", **selection), dense)
        assert ledger.total("accepted", **selection) == dense.sum()
        cumulative = np.concatenate(([0], np.cumsum(dense)))
        np.testing.assert_array_equal(ledger.cumulative("accepted", **selection), cumulative)
        edges = np.array([0, 1, YEAR // 2, YEAR - 1, YEAR])
        at_edges = ledger.cumulative("accepted", edges=edges, **selection)
        np.testing.assert_array_equal(at_edges, cumulative[edges])


def test_messages_of_a_selection_are_added_up() -> None:
    ledger = ledger_of()
    assert ledger.messages() == 240
    assert ledger.messages(delivery="d1") == 80
    assert ledger.messages(provider="p") == 120
    assert ledger.messages(delivery="d1", provider="p") == 40
    assert ledger.messages(delivery="d4") == 0


def test_nothing_changes_between_the_edges_of_changes() -> None:
    ledger = ledger_of()
    edges = ledger.changes(("accepted", "soft"), ("known",), delivery="d1")
    steps = [
        np.diff(ledger.cumulative(event, delivery="d1"), prepend=0)
        for event in ("accepted", "soft")
    ]
    changed = np.flatnonzero(np.any(steps, axis=0))
    assert edges.tolist() == changed.tolist()


def test_a_misspelt_selection_is_an_error() -> None:
    with pytest.raises(TypeError, match="providr"):
        ledger_of().total("accepted", providr="p")  # type: ignore[call-arg]


def test_what_was_read_does_not_go_to_another_process() -> None:
    ledger = ledger_of()
    before = pickle.dumps(ledger)
    ledger.total("accepted", delivery="d1")
    ledger.messages()
    assert pickle.dumps(ledger) == before
    assert pickle.loads(before) == ledger


def test_one_event_more_makes_another_ledger() -> None:
    ledger = ledger_of(1)
    series, counts = next(iter(ledger._counts.items()))
    changed = SparseCounts(counts.bins, counts.counts + 1)
    other = Ledger(60.0, YEAR, ledger.to_deliver, {**ledger._counts, series: changed})
    less = {each: ledger._counts[each] for each in ledger._counts if each != series}
    assert ledger == Ledger(60.0, YEAR, ledger.to_deliver, dict(ledger._counts))
    assert ledger != other
    assert ledger != Ledger(60.0, YEAR, ledger.to_deliver, less)


def test_rows_in_any_order_are_the_same_ledger() -> None:
    ledger = ledger_of()
    table = ledger.arrow()
    mixed = table.take(np.random.default_rng(1).permutation(table.num_rows))
    # A bin in two rows counts as their sum.
    twice = pa.concat_tables([mixed, mixed.slice(0, 5)])
    counts = twice["count"].to_numpy().copy()
    counts[:5] -= 1
    counts[-5:] = 1
    twice = twice.set_column(6, "count", pa.array(counts))
    about = {"bin_s": 60.0, "bins": YEAR, "to_deliver": ledger.to_deliver}
    for each in (table, mixed, twice):
        assert Ledger.from_arrow(each, **about) == ledger


def test_a_long_ledger_is_written_in_several_tables(monkeypatch, tmp_path) -> None:
    ledger = ledger_of()
    rows = ledger.arrow()
    monkeypatch.setattr("sendcap.ledger.ledger.ROWS", 100)
    tables = list(ledger.tables())
    assert len(tables) > 3
    assert all(table.num_rows < 200 for table in tables)
    assert pa.concat_tables(tables) == rows
    write_ledger(tmp_path / "ledger.parquet", ledger)
    assert read_ledger(tmp_path / "ledger.parquet") == ledger
    assert pc.sum(rows["count"]).as_py() == 3 * 2 * (3 * 2 + 1 + 1) * 40


def test_rows_stand_in_the_order_of_a_messages_life() -> None:
    events = ledger_of(1).arrow()["event"].to_pylist()
    assert list(dict.fromkeys(events)) == ["relayed", "attempted", "accepted", "soft"]
