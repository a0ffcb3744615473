"""What is asked about the MTA has the same answer whatever Campaign knows of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow.compute as pc
import pytest
from sketches import sketch

from sendcap.charts.listed import RUN_CHARTS
from sendcap.errors import SendcapError
from sendcap.ledger import EVENTS, Ledger
from sendcap.plotting import plot
from sendcap.readings.convergence import convergence
from sendcap.readings.load import attempts_per_message, refused
from sendcap.report.moments import dashboards, steps_s
from sendcap.run import Run, simulate
from sendcap.scenario import from_dict
from sendcap.study.capacity.limits import limits_from_ledger
from sendcap.study.capacity.searches import steady
from sendcap.study.capacity.searches.acceptance import attempts_by, require_possible
from sendcap.study.replication.measures import MEASURES
from sendcap.study.replication.recording import Plan

# Every event comes about: also messages that expire untried, throttled attempts, an outage.
SCENARIO = from_dict(
    {
        "deliveries": [
            {"name": "news", "messages": 400, "validity": "6h", "audience": {"p": 0.5, "q": 0.5}},
            {
                "name": "late",
                "messages": 100,
                "at": "30m",
                "validity": "8m",
                "audience": {"p": 1.0},
            },
        ],
        "relay": {"batch_time": "5s", "batch": 50, "error_rate": 0.01},
        "providers": {
            "p": {
                "connections_per_ip": 1,
                "connect_time": "1s",
                "transaction_time": "7s",
                "transient": 0.1,
                "async_bounce": 0.1,
                "hard": [{"reason": "user unknown", "share": 0.1}],
                "outages": [{"at": "10m", "lasts": "10m"}],
            },
            "q": {
                "connect_time": "1s",
                "transaction_time": "3s",
                "tolerance": "10/min,max_burst=1",
                "faults": [{"reason": "mailbox full", "share": 0.2, "clears_after": "1h"}],
            },
        },
        "engagement": {"open_rate": 0.3, "click_rate": 0.3},
    }
)


@pytest.fixture(scope="module")
def runs() -> tuple[Run, Run]:
    """A run, and the same one of which Campaign knows nothing at all."""
    run = simulate(SCENARIO)
    ledger, table = run.ledger, run.ledger.arrow()
    assert all(ledger.total(event) for event in EVENTS)
    happened = table.filter(pc.equal(table["clock"], "happened"))
    unknown = Ledger.from_arrow(
        happened, bin_s=ledger.bin_s, bins=ledger.bins, to_deliver=ledger.to_deliver
    )
    return run, Run(run.scenario, replace(unknown, delays=ledger.delays))


def summary(run: Run) -> Any:
    return {name: part for name, part in run.summary().items() if name != "final_kpis"}


def measures(run: Run) -> Any:
    limits = limits_from_ledger(run)
    of_campaign = ("pct", "settling_s")
    values = {
        name: measure.columns(run, limits)
        for name, measure in MEASURES.items()
        if not name.endswith(of_campaign) or name in ("truth_pct", "recovered_pct")
    }
    return str(values)


def of_the_mta(run: Run) -> Any:
    plan = Plan(("efs",), "default", run.ledger.edges_s, numbers_per=("delivery", "provider"))
    numbers = plan.record(run).numbers
    return {quantity: value for quantity, value in numbers.items() if not quantity.mode}


def loads(run: Run) -> Any:
    ledger = run.ledger
    throttled = [refused(ledger, run.scenario, name).tolist() for name in ledger.providers]
    assert all(map(any, throttled))
    return attempts_per_message(ledger, run.scenario), attempts_by(ledger, 3600.0), throttled


def impossible(run: Run) -> str:
    with pytest.raises(SendcapError) as caught:
        require_possible(run.scenario, run.ledger, 2400.0, 1.0)
    assert "are first bounced softly and recover only later" in str(caught.value)
    return str(caught.value)


def unsettled(run: Run) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steady, "simulate_ledger", lambda _: run.ledger)
        return steady.unsettled_shares(0.0, run.scenario)


QUESTIONS: dict[str, Callable[[Run], Any]] = {
    "summary": summary,
    "sentences": lambda run: run.sentences()[:3],
    "measures": measures,
    "times of acceptance": of_the_mta,
    "truth": lambda run: convergence(run, "efs").truth_pct,
    "truth over time": lambda run: [
        dashboard["truth"] for dashboard in dashboards(run, [], steps_s())["deliveries"]
    ],
    "loads": loads,
    "limits": lambda run: limits_from_ledger(run).sentences(),
    "impossible": impossible,
    "unsettled": unsettled,
    "reasons": lambda run: run.ledger.reasons("soft"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_about_the_mta_needs_no_report(runs, question) -> None:
    run, unknown = (QUESTIONS[question](each) for each in runs)
    assert run == unknown


OF_CAMPAIGN = (
    *("delivered", "statuses", "calendar", "converging", "reading-error", "remaining", "settling"),
)


@pytest.mark.parametrize(
    "name",
    [chart.name for chart in RUN_CHARTS if chart.name not in (*OF_CAMPAIGN, "attempts", "people")],
)
def test_a_chart_of_the_mta_needs_no_report(runs, name) -> None:
    run, unknown = (io.BytesIO(), io.BytesIO())
    for each, sketched in zip(runs, (run, unknown), strict=True):
        sketch(plot(each, name), sketched, format="png")
    assert run.getvalue() == unknown.getvalue()
