from __future__ import annotations

import pytest

from sendcap.scenario import from_dict
from sendcap.scenario.stages import stages


def ceiling_per_s(transaction_time: str) -> float:
    scenario = from_dict(
        {
            "deliveries": [{"name": "one", "messages": 1000, "audience": {"p": 1.0}}],
            "relay": {"batch_time": "1s"},
            "providers": {
                "p": {
                    "connect_time": "0s",
                    "transaction_time": transaction_time,
                    "tolerance": "4/s",
                    "suspend": {
                        "share": 0.5,
                        "of": 8,
                        "within": "12s",
                        "lasts": "12s",
                        "counts": ["throttled"],
                    },
                }
            },
        }
    )
    return min(stage.per_s for stage in stages(scenario) if stage.name == "p")


def test_a_queue_that_sends_in_no_time_is_suspended_as_one_that_sends_very_fast() -> None:
    # The suspension lasts a whole period: in the nothing that is left of one, nothing is sent.
    assert ceiling_per_s("0s") == pytest.approx(ceiling_per_s("1ms"), rel=1e-3)
