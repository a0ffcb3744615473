"""Exact simulations of the page: what `sendcap run` gives, with a progress, one after the other."""

from __future__ import annotations

import time

import pytest

import sendcap
from sendcap.explore import exact as module
from sendcap.explore.answer import BOTH, Look, answer
from sendcap.explore.exact import Exact
from sendcap.readings.summary import accepted_at_s
from sendcap.scenario import load, updated
from sendcap.text.quantities import elapsed


@pytest.fixture
def exact():
    simulated = Exact(load("quickstart"))
    yield simulated
    simulated.stop()
    assert simulated._folder is None or not simulated._folder.exists()


def until_done(exact, values):
    shares = []
    until = time.monotonic() + 60.0
    while time.monotonic() < until:
        share, done = exact.asked(values, BOTH, Look())
        shares.append(share)
        if done is not None:
            return shares, *done
        time.sleep(0.02)
    raise TimeoutError


def test_it_is_the_simulation_of_the_changed_scenario(exact):
    shares, found, chart = until_done(exact, {"messages": 0.3, "ips": 4})

    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    scenario = updated(load("quickstart"), {"deliveries[0].messages": 300_000, "mta.ips": 4})
    run = sendcap.simulate(scenario)
    accepted_s = accepted_at_s(run.ledger, 99)
    assert found.facts["99 % of all that is ever accepted after"] == elapsed(accepted_s)
    assert found.sentences == run.sentences(BOTH)
    assert found != answer(load("quickstart"), {"messages": 0.3, "ips": 4}, BOTH)[0]
    assert chart.startswith("<svg")
    # Whoever asks again has it at once.
    assert exact.asked({"messages": 0.3, "ips": 4}, BOTH, Look())[1] == (found, chart)


def test_what_nobody_waits_for_is_given_up(exact, monkeypatch):
    monkeypatch.setattr(module, "_FORGOTTEN_AFTER_S", 0.0)
    exact.asked({"messages": 10.0}, BOTH, Look())
    time.sleep(0.01)

    _, found, _ = until_done(exact, {"messages": 0.1})

    assert not found.problem
    assert len(exact._jobs) == 1


def test_what_cannot_be_is_told(exact):
    _, found, chart = until_done(exact, {"hard_pct": 300.0})

    assert "share" in found.problem
    assert chart == ""
