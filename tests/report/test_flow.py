"""The picture of the flow: every message is at one place, and is drawn there."""

from __future__ import annotations

import re

import numpy as np
import pytest

import sendcap
from sendcap import scenario
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.report.answers import Answers
from sendcap.report.flow import (
    FAILURES,
    LAYOUTS,
    OUTCOMES,
    bands,
    failures,
    flow,
    flows,
    groups,
    packed,
    shape,
    texts,
    unpacked,
)
from sendcap.report.moments import dashboards, steps_s
from sendcap.report.page import page


@pytest.fixture(scope="module")
def everywhere(run):
    """Where the messages of all deliveries are, at each edge of the ledger."""
    edges = np.arange(run.ledger.bins + 1)
    return flow(run.ledger, ALL_DELIVERIES, edges, list(groups(run.ledger).values()))


@pytest.mark.parametrize("source", ["simulated", "expected"])
def test_at_each_moment_the_places_add_up_to_the_messages(run, source) -> None:
    ledger = run.ledger if source == "simulated" else sendcap.expected(run.scenario).ledger
    edges = np.arange(ledger.bins + 1)
    for delivery in (ALL_DELIVERIES, *ledger.deliveries):
        drawn = flow(ledger, delivery, edges, list(groups(ledger).values()))
        added = sum(drawn.places.values())
        assert (added == drawn.totals[:, None]).all()
        assert int(drawn.totals.sum()) == ledger.messages(
            delivery=None if delivery == ALL_DELIVERIES else delivery
        )
        # Expected counts are rounded one by one.
        assert min(int(counts.min()) for counts in drawn.places.values()) >= -2 * (
            source == "expected"
        )


def test_the_places_are_those_of_the_truth_below_the_dashboard(run) -> None:
    data = dashboards(run, ["without-efs", "efs"], steps_s())
    for which, figures in zip(data["deliveries"], data["flow"]["deliveries"], strict=True):
        sums = {place: spot.sum(axis=0) for place, spot in unpacked(figures).places.items()}
        truth = which["truth"]
        assert sums["not_relayed"].tolist() == truth["not_relayed"]
        assert sums["waiting"].tolist() == truth["untried"]
        assert sums["backing_off"].tolist() == truth["backing_off"]
        assert sums["accepted"].tolist() == truth["delivered"]
        assert sum(sums[place] for place in FAILURES).tolist() == truth["failed"]


def test_what_is_packed_is_unpacked(everywhere) -> None:
    again = unpacked(packed(everywhere))
    assert (again.totals == everywhere.totals).all()
    assert all((again.places[place] == spot).all() for place, spot in everywhere.places.items())


def test_small_providers_are_one(run) -> None:
    names = [f"p{number}" for number in range(12)]
    ledger = run.ledger
    counts = {("d", name): 100 - number for number, name in enumerate(names)}
    many = type(ledger)(ledger.bin_s, ledger.bins, counts, {})
    found = groups(many)
    assert list(found) == [*names[:7], "5 others"]
    assert found["5 others"] == tuple(names[7:])
    assert sum(flow(many, "*", np.array([0]), list(found.values())).totals) == sum(counts.values())


def heights(path: str) -> tuple[float, float]:
    """How thick a band is at its left and at its right end."""
    numbers = [float(each) for each in re.findall(r"-?[\d.]+", path)]
    _, top, _, _, _, _, _, to_top, to_bottom, _, _, _, _, _, bottom = numbers
    return bottom - top, to_bottom - to_top


@pytest.mark.parametrize("name", LAYOUTS)
def test_bands_are_as_thick_as_their_messages_and_stay_in_the_picture(everywhere, name) -> None:
    layout, failed = LAYOUTS[name], failures(everywhere)
    found = shape(layout, everywhere, len(failed))
    moments = everywhere.places["accepted"].shape[1]
    for moment in range(0, moments, moments // 20):
        drawn = bands(layout, found, everywhere, moment)
        told = texts(everywhere, moment)
        for outcome in OUTCOMES:
            count = int(told[outcome].replace(",", ""))
            if count == 0:
                assert drawn[outcome] == ""
            else:
                tall = max(count * found["pixels"], 0.7)
                assert heights(drawn[outcome]) == pytest.approx((tall, tall), abs=0.11)
        for path in filter(None, drawn.values()):
            left, right = heights(path)
            assert left == pytest.approx(right, abs=0.21)
            numbers = [float(number) for number in re.findall(r"-?[\d.]+", path)]
            assert max(numbers) <= max(found["height"], layout.width)
            assert min(numbers) >= 0


def test_without_its_script_the_page_shows_the_moment_when_all_is_relayed(run, monkeypatch) -> None:
    monkeypatch.setattr("sendcap.report.page._pictures", lambda *_: iter(()))
    html = page([Answers("a", run)])
    pictures = re.findall(r'<svg data-layout="(\w+)".*?</svg>', html, re.DOTALL)
    assert pictures == ["wide", "narrow"]
    wide = re.search(r'<svg data-layout="wide".*?</svg>', html, re.DOTALL)[0]
    assert '<tspan data-flow="not_relayed">0</tspan>' in wide
    assert "style=" not in wide
    assert "class=" not in wide
    moment = re.search(r'data-flow="moment">(.*?)<', wide)[1]
    counts = run.ledger.cumulative("relayed", clock="happened")
    relayed = int(np.argmax(counts == counts[-1])) * run.ledger.bin_s
    step = next(step for step in steps_s() if step >= relayed)
    assert moment.startswith(f"{int(step // 3600)} hour")


def test_figures_that_are_not_there_leave_no_trace() -> None:
    case = scenario.loads(
        """
        deliveries = [{ name = "d", messages = 5, audience = { p = 1.0 } }]
        relay.batch_time = "0s"
        providers.p = { connect_time = "0s", transaction_time = "1s" }
        """
    )
    run = sendcap.simulate(case)
    figures = flows(run.ledger, {"*": "A title"}, np.arange(run.ledger.bins + 1))
    assert figures["failures"] == []
    assert figures["providers"] == ["p"]
