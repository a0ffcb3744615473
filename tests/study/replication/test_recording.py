from __future__ import annotations

import numpy as np
import pytest

from sendcap import converge, simulate
from sendcap.readings.convergence import MOMENTS_S
from sendcap.scenario import Scenario, from_dict, load, updated
from sendcap.study.replication.recording import reading_moments_s

HOUR = 3600.0


def late(scenario: Scenario) -> Scenario:
    second = scenario.deliveries[0].model_copy(update={"name": "second", "at": 30 * HOUR})
    return scenario.model_copy(update={"deliveries": (*scenario.deliveries, second)})


@pytest.mark.parametrize("name", ["quickstart", "black-friday"])
def test_a_few_hundred_edges_of_bins_and_all_named_moments(name) -> None:
    scenario = load(name)
    moments = reading_moments_s(scenario)
    assert 300 < len(moments) < 600
    assert (np.diff(moments) > 0).all()
    assert moments[0] == 0.0
    assert set(MOMENTS_S) <= set(moments.tolist())
    assert (moments % scenario.time.bin == 0).all()


def test_the_last_moment_is_no_earlier_than_the_end_of_the_simulation() -> None:
    """Else what happens in the last bin is missing from errors and charts at their end."""
    scenario = from_dict(
        {
            "deliveries": [
                {"name": "d", "messages": 2000, "audience": {"p": 1.0}, "validity": "2h"}
            ],
            "relay": {"batch_time": "700ms"},
            "providers": {
                "p": {
                    "connect_time": "250ms",
                    "transaction_time": "320ms",
                    "faults": [{"reason": "full", "share": 0.5, "clears_after": "9h", "never": 1}],
                }
            },
        }
    )
    found = converge(scenario, 2)
    assert found.replications.moments_s[-1] >= simulate(scenario).ledger.end_s
    errors = found.errors([86_400.0])
    assert errors["high"].abs().max() < 1e-4


def test_every_bin_at_first_and_equal_ratios_later() -> None:
    moments = reading_moments_s(load("quickstart"))
    assert moments[:31].tolist() == [60.0 * minute for minute in range(31)]
    quiet = moments[(moments > 6 * HOUR) & (moments < 80 * HOUR)]
    ratios = quiet[1:] / quiet[:-1]
    assert 1.0 < ratios.max() < 1.03


def test_close_together_where_a_delivery_starts_and_where_its_validity_ends() -> None:
    moments = reading_moments_s(late(load("quickstart")))
    for begins_s, within_s, least in ((30 * HOUR, HOUR, 30), (84 * HOUR, HOUR, 10)):
        assert np.sum((moments >= begins_s) & (moments < begins_s + within_s)) >= least


def test_nothing_after_the_horizon_and_no_more_for_many_deliveries() -> None:
    scenario = load("quickstart")
    time = scenario.time.model_copy(update={"horizon": 5 * HOUR})
    assert reading_moments_s(scenario.model_copy(update={"time": time})).max() == 5 * HOUR
    many = tuple(
        scenario.deliveries[0].model_copy(update={"name": f"d{n}", "at": 600.0 * n})
        for n in range(300)
    )
    assert len(reading_moments_s(scenario.model_copy(update={"deliveries": many}))) < 1500


def test_draws_have_no_say() -> None:
    scenario = load("quickstart")
    moments = reading_moments_s(scenario)
    np.testing.assert_array_equal(moments, reading_moments_s(scenario.with_seed(99)))
    short = updated(scenario, {"time.bin": "7m"})
    assert (reading_moments_s(short) % 420 == 0).all()
