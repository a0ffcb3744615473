"""What is read of each of many deliveries costs what it stores, not all bins of the run."""

from __future__ import annotations

import numpy as np
import pytest

import sendcap
from sendcap.ledger import Ledger
from sendcap.plotting import plot
from sendcap.scenario import from_dict
from sendcap.study.convergence.converge import convergence_of


@pytest.fixture(scope="module")
def run() -> sendcap.Run:
    provider = {"connect_time": "100ms", "transaction_time": "1s", "transient": 0.2}
    return sendcap.simulate(
        from_dict(
            {
                "deliveries": [
                    {"name": f"d{day}", "at": f"{day}d", "messages": 50, "audience": {"p": 1.0}}
                    for day in range(4)
                ],
                "relay": {"batch_time": "1s"},
                "providers": {"p": provider},
                "engagement": {
                    "open_rate": 0.3,
                    "open_delay": {"dist": "exponential", "mean": "1h"},
                },
            }
        )
    )


@pytest.fixture
def without_all_bins(monkeypatch) -> None:
    """Refuse a delivery's counts in all bins."""
    read = Ledger.counts

    def counts(self, event, *, delivery=None, **selection):
        assert delivery is None
        return read(self, event, delivery=delivery, **selection)

    monkeypatch.setattr(Ledger, "counts", counts)


@pytest.mark.usefixtures("without_all_bins")
def test_no_delivery_is_read_in_all_bins_where_all_are_read(run, tmp_path) -> None:
    run.save(tmp_path / "run")
    assert len(run.summary()["deliveries"]) == 4
    assert run.sentences()
    for name in ("statuses", "funnel", "time-to-accept", "bounce-reasons", "retries", "backlog"):
        plot(run, name)
    assert len(convergence_of(run).settling()) > 4


def test_what_is_read_at_changes_is_what_all_bins_have(run) -> None:
    for delivery in ("*", "d2"):
        edges = run.ledger.with_ends(run.readings.changes(delivery))
        at_changes = run.readings.figures_at(edges, ["efs", "without-efs"], delivery)
        assert len(edges) < run.ledger.bins / 3
        for mode, few in at_changes.items():
            every = run.readings.figures(mode, delivery)
            held = np.searchsorted(edges, np.arange(run.ledger.bins + 1), side="right") - 1
            for name, column in every._asdict().items():
                if name != "time_s":
                    np.testing.assert_array_equal(getattr(few, name)[held], column)
