from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendcap.ledger import Delays, SparseCounts
from sendcap.ledger.delays import codes_of, lowest_s

ALL_DELAYS = st.floats(0.0, 1e12, allow_subnormal=False)


@given(st.lists(ALL_DELAYS, min_size=1))
def test_a_code_tells_a_delay_to_0_8_percent(delays_s: list[float]) -> None:
    exact_s = np.array(delays_s)
    codes = codes_of(exact_s)
    low_s, next_s = lowest_s(codes), lowest_s(codes + 1)
    assert np.all((low_s <= exact_s) & (exact_s < next_s))
    assert np.all(next_s - low_s <= exact_s * 2.0**-7 + np.finfo(float).tiny)


def test_a_longer_delay_has_no_lower_code() -> None:
    delays_s = np.concatenate(([0.0], np.geomspace(1e-6, 1e9, 10_000)))
    assert np.all(np.diff(codes_of(delays_s)) >= 0)


def delays_of(**delays_s: list[float]) -> Delays:
    """Return the delays of deliveries to one provider."""
    return Delays(
        {
            (name, "p"): SparseCounts(*np.unique(codes_of(values), return_counts=True))
            for name, values in delays_s.items()
        }
    )


@pytest.mark.parametrize(
    "delays", [delays_of(b=[0.0, 3.0, 3.0, 900.0], a=[7.0]), delays_of(a=[1.0]), Delays({})]
)
def test_delays_come_back_from_a_table_and_from_another_process(delays: Delays) -> None:
    assert Delays.from_arrow(delays.arrow()) == delays
    assert pickle.loads(pickle.dumps(delays)) == delays


def test_delays_of_several_deliveries_add_up() -> None:
    delays = delays_of(a=[1.0, 2.0], b=[2.0, 4.0])
    codes, counts = delays.of(provider="p")
    assert lowest_s(codes).tolist() == [1.0, 2.0, 4.0]
    assert counts.tolist() == [1, 2, 1]
    assert delays.of("a").counts.sum() == delays.total("a", "p") == 2
    assert len(delays.of("c").bins) == delays.total("c", "p") == 0
    assert delays != delays_of(a=[1.0, 2.0])
