"""The ledger does not depend on the look-ahead window: the engine is exact."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_scenarios import (
    ACTIVE,
    EVERYTHING,
    FAIR,
    HELD_BACK,
    HOLDING,
    OPERATED,
    ORDERED,
    PER_IP,
    POOLED,
    REACTING,
    RUNNERS,
    shorter,
)

from sendcap.errors import SendcapWarning
from sendcap.ledger import EVENTS, Ledger
from sendcap.model import first_group
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario, from_dict

DISTRIBUTIONS = st.sampled_from(
    [
        "0s",
        "1s",
        {"dist": "exponential", "mean": "2s"},
        {"dist": "uniform", "low": "0s", "high": "3s"},
        {"dist": "lognormal", "mean": "1s", "cv": 2.0},
        {"dist": "gamma", "mean": "500ms", "cv": 1.0},
        {"dist": "weibull", "mean": "1s", "shape": 0.8},
        {"dist": "empirical", "values": ["100ms", "1s", "1s", "20s"]},
    ]
)
SCHEDULE = {
    "kind": "schedule",
    "steps": [
        {"at": "0s", "rate": "1/s"},
        {"at": "1m", "rate": "closed"},
        {"at": "10m", "rate": "20/m,max_burst=2"},
    ],
}
RATES = st.sampled_from(["none", "1/s", "5/s,max_burst=1", "100/m", "20/10s,max_burst=5"])
THROTTLES = RATES | st.sampled_from(
    [
        {"kind": "gap", "pause": "2s"},
        {"kind": "fixed-window", "limit": 7, "window": "30s"},
        SCHEDULE,
    ]
)
LISTS = THROTTLES | st.lists(THROTTLES.filter(lambda each: each != "none"), min_size=1, max_size=3)
SUSPENSIONS = st.sampled_from(
    [
        "none",
        {"after": 1, "within": "1m", "lasts": "90s"},
        {"after": 3, "within": "20s", "lasts": "10m"},
        {"after": 2, "within": "1m", "lasts": "5m", "rate": "1/20s"},
        {"after": 1, "within": "1s", "lasts": "3m", "rate": "4/m,max_burst=3"},
        {"within": "1m", "lasts": "2m", "meanwhile": "retry"},
        {
            "counts": ["unreachable", "transient"],
            "counting": "in-a-row",
            "after": 2,
            "lasts": "40s",
        },
        [
            {"share": 0.2, "of": 5, "within": "1m", "lasts": "1m", "slow_to": 0.5},
            {"share": 0.4, "of": 9, "counts": ["throttled", "hard"], "lasts": "2m"},
        ],
    ]
)
OFTEN = {
    "every": {"dist": "exponential", "mean": "20s"},
    "lasts": {"dist": "gamma", "mean": "9s", "cv": 1},
}
DISTURBANCES = st.sampled_from(
    [
        [],
        [OFTEN | {"transient": 0.9}],
        [OFTEN | {"unreachable": True}, OFTEN | {"tolerance": "1/s,max_burst=2"}],
    ]
)
SHARES = st.sampled_from([0.0, 0.01, 0.2, 0.4])
RETRIES = st.sampled_from(
    [
        {"policy": "exponential", "first": "30s", "factor": 2.0, "max": "10m", "jitter": 0.5},
        {"policy": "exponential", "first": "1m", "factor": 1.0, "max": "none"},
        {"policy": "schedule", "delays": ["45s", "2m", "10m"]},
        {"policy": "kumomta", "retry_interval": "2m"},
        {"policy": "momentum", "retry_interval": "1m", "max_retries": 3},
        {"policy": "postfix", "minimal_backoff_time": "1m", "queue_run_delay": "1m"},
        {"policy": "exim", "rule": "F,10m,1m; H,30m,2m,1.5; G,2h,5m,2"},
        {"policy": "powermta", "retry_after": ["40s", "3m"]},
    ]
)


LIMITS = st.sampled_from(
    [
        [],
        [],
        [{"name": "one", "rate": "3/s,max_burst=2"}],
        [{"name": "two", "connections": 2}, {"name": "q", "rate": "40/m", "providers": ["q"]}],
        [{"name": "gap", "rate": {"kind": "gap", "pause": "1s"}, "connections": 3}],
        [{"name": "two", "rate": ["1/s", "30/m,max_burst=9"], "deliveries": ["two"]}],
        [{"name": "one", "connections": 1, "deliveries": ["one"]}, {"name": "all", "rate": "5/s"}],
    ]
)


@st.composite
def provider(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "connections_per_ip": draw(st.integers(1, 5)),
        "messages_per_connection": draw(st.sampled_from([1, 3, 50, "unlimited"])),
        "idle_timeout": draw(st.sampled_from(["0s", "5s", "60s"])),
        "connect_time": draw(DISTRIBUTIONS),
        "transaction_time": draw(DISTRIBUTIONS),
        "rate": draw(LISTS),
        "outages": draw(st.sampled_from([[], [{"at": "10s", "lasts": "5m"}]])),
        "disturbances": draw(DISTURBANCES),
        "connection_scaling": draw(st.sampled_from(["none", "none", "kumomta", "postfix"])),
        "connection_rate": draw(st.sampled_from(["none", "none", "3/10s", "1/s", SCHEDULE])),
        "accepts_connections": draw(st.sampled_from(["none", "none", 1, 3])),
        "tolerance": draw(
            st.sampled_from(["none", "none", "1/s", "5/10s,max_burst=2", "9/m", SCHEDULE])
        ),
        "suspend": draw(SUSPENSIONS),
        "retry": draw(st.just("mta") | RETRIES),
        "transient": draw(SHARES),
        "async_bounce": draw(SHARES),
        "hard": [{"reason": "user unknown", "share": draw(SHARES)}],
        "faults": [
            {
                "reason": "mailbox full",
                "share": draw(SHARES),
                "clears_after": draw(st.sampled_from(["0s", "5m", "1h"])),
                "never": draw(st.sampled_from([0.0, 0.5, 1.0])),
            }
        ],
    }


HOLDS = st.sampled_from(
    [
        {},
        {},
        {"pause": "21s", "resume": "40s"},
        {"pause": ["21s", "2m"], "resume": "61s"},
        {"stop": "21s"},
        {"pause": "21s", "resume": "60s", "stop": "70s"},
        {"confirm": {"within": {"dist": "exponential", "mean": "1m"}, "give_up": "90s"}},
    ]
)


@st.composite
def scenario(draw: st.DrawFn) -> dict[str, Any]:
    validity = st.sampled_from(["1s", "1m", "7m", "2h"])
    origin = draw(st.sampled_from(["relayed", "delivery-start"]))
    # From the delivery's start, the validity must be longer than the messages are spread.
    spread = st.sampled_from(["0s", "30s"] if origin == "relayed" else ["0s", "900ms"])
    providers = {"p": draw(provider()), "q": draw(provider())}
    is_scaled = any(each["connection_scaling"] == "kumomta" for each in providers.values())
    return {
        "seed": draw(st.integers(0, 2**32)),
        "time": {"bin": draw(st.sampled_from(["1s", "1m"]))},
        "deliveries": [
            {
                "name": "one",
                "messages": draw(st.integers(1, 300)),
                "validity": draw(validity),
                "audience": {"p": 0.7, "q": 0.3},
                "priority": "low",
            }
            | draw(HOLDS),
            {
                "name": "two",
                "messages": draw(st.integers(1, 100)),
                "at": draw(st.sampled_from(["0s", "20s", "1h"])),
                "spread": draw(spread),
                "validity": draw(validity),
                "audience": {"q": 1.0},
            },
        ],
        "relay": {
            "workers": draw(st.integers(1, 3)),
            "batch": draw(st.sampled_from([1, 7, 256])),
            "batch_time": draw(DISTRIBUTIONS),
            "rate": draw(RATES | st.just(SCHEDULE)),
            "error_rate": draw(SHARES),
        },
        "mta": {
            "ips": draw(st.integers(1, 2)),
            "queues": draw(st.sampled_from(["pooled", "pooled", "per-ip"])),
            "order": draw(st.sampled_from(["fifo", "fifo", "priority", "fair"])),
            "spool": draw(st.sampled_from(["none", "none", 256, 300])),
            "active": "none" if is_scaled else draw(st.sampled_from(["none", "none", 1, 20])),
            "ingress_rate": draw(st.sampled_from(["none", "1/s", "50/s"])),
            "clock_origin": origin,
            "expire": draw(st.sampled_from(["retry", "at-expiry", "on-failure"])),
            "retry": draw(RETRIES),
        },
        "providers": providers,
        "limits": draw(LIMITS),
        "feedback": {
            "synchronous": draw(DISTRIBUTIONS),
            "asynchronous": draw(st.sampled_from(["0s", "1h", "7d"])),
        }
        | draw(
            st.sampled_from(
                [{}, {"polling": "5m"}, {"rate": "2/s"}, {"polling": "1m", "rate": "1/s"}]
            )
        ),
        "engagement": {"open_rate": draw(SHARES), "open_delay": "1m", "click_rate": 0.5},
    }


@pytest.mark.filterwarnings("ignore:.* never holds anything back")
@pytest.mark.filterwarnings("ignore:.* are never exceeded")
@pytest.mark.filterwarnings("ignore:.* changes nothing")
@pytest.mark.filterwarnings("ignore:.* all messages that wait are refused at once")
@settings(max_examples=60, deadline=None)
@given(scenario())
def test_windows_and_threads_give_the_same_ledger(sections: dict[str, Any]) -> None:
    """In threads the relay goes ahead of the queues by a window."""
    drawn = from_dict(sections)
    auto = simulate_ledger(drawn)
    for threads, window_s in ((1, 60.0), (2, 7.0), (1, 1.0), (2, None)):
        assert simulate_ledger(drawn, window_s=window_s, threads=threads) == auto


def test_in_threads_what_the_relay_hands_over_ahead_is_not_lost() -> None:
    """The queue knows of no message yet when the relay has handed over all of them."""
    case = from_dict(
        {
            "deliveries": [{"name": "d", "messages": 5, "audience": {"p": 1.0}}],
            "relay": {"batch_time": "80s"},
            "providers": {"p": {"connect_time": "0s", "transaction_time": "1s"}},
        }
    )
    ledger = simulate_ledger(case, window_s=60.0, threads=2)
    assert ledger.total("accepted") == 5
    assert ledger == simulate_ledger(case, window_s=60.0)


def the_same_for_all(
    case: Scenario, windows_s: tuple[float | None, ...], folder: Path
) -> tuple[Ledger, pa.Table]:
    """Return the ledger and the sending log, which are the same for all windows, and threads."""
    results = []
    for threads, window_s in enumerate(windows_s, 1):
        path = folder / f"{window_s}.parquet"
        ledger = simulate_ledger(case, window_s=window_s, threads=threads, sending_log=path)
        results.append((ledger, pq.read_table(path)))
    ledger, log = results[0]
    for other, other_log in results[1:]:
        assert other == ledger
        assert other_log.equals(log)
    return ledger, log


@pytest.mark.parametrize(
    "feedback", [{}, {"rate": "20/s"}, {"polling": "5m", "rate": "30/s"}], ids=str
)
def test_windows_change_neither_ledger_nor_sending_log_when_everything_is_in_use(
    tmp_path: Path, feedback: dict[str, str]
) -> None:
    sections = shorter(EVERYTHING)
    sections["feedback"] |= feedback
    case = from_dict(sections)
    ledger, _ = the_same_for_all(case, (None, 60.0, 3.0 if feedback else 1.0), tmp_path)
    # The scenario reaches every branch but hard_after_soft, which needs an outage.
    reached = {event for event in EVENTS if ledger.total(event)}
    assert reached == set(EVENTS) - {"hard_after_soft"}


def test_windows_change_neither_ledger_nor_sending_log_where_queues_react(tmp_path: Path) -> None:
    case = from_dict(shorter(REACTING))
    ledger, _ = the_same_for_all(case, (None, 60.0, 1.0), tmp_path)
    for provider in case.providers:
        assert ledger.reasons("soft", provider=provider)["throttled"] > 50


@pytest.mark.parametrize(
    "sections",
    [POOLED, PER_IP, ORDERED, FAIR, HELD_BACK, RUNNERS, ACTIVE, HOLDING, OPERATED],
    ids=[
        *("pooled", "for each address", "by priority", "in turn", "held back", "runners"),
        *("active queue", "backlog", "operated"),
    ],
)
def test_windows_change_neither_ledger_nor_sending_log_where_queues_share_limits(
    tmp_path: Path, sections: dict[str, Any]
) -> None:
    the_same_for_all(from_dict(shorter(sections)), (None, 60.0, 1.0), tmp_path)


@pytest.mark.parametrize("sections", [EVERYTHING, REACTING], ids=["everything", "reacting"])
def test_windows_change_neither_ledger_nor_sending_log_when_a_horizon_cuts_both(
    tmp_path: Path, sections: dict[str, Any]
) -> None:
    with pytest.warns(SendcapWarning, match="cuts off"):
        case = from_dict(copy.deepcopy(sections) | {"time": {"horizon": "10m"}})
    ledger, log = the_same_for_all(case, (None, 60.0, 7.0), tmp_path)
    rows = log.to_pandas()
    assert rows.known_s.max() < 600.0
    assert (rows.event == "accepted").sum() == ledger.total("accepted")


def test_threads_keep_what_happens_in_many_pieces(tmp_path: Path, monkeypatch) -> None:
    """A group's room for reports is used again and again within a window."""
    monkeypatch.setattr(first_group, "_ROWS", 64)
    the_same_for_all(from_dict(shorter(EVERYTHING)), (None, 61.0), tmp_path)


def test_the_sending_log_does_not_change_the_ledger(tmp_path: Path) -> None:
    case = from_dict(EVERYTHING)
    assert simulate_ledger(case, sending_log=tmp_path / "log.parquet") == simulate_ledger(case)
