"""A limit that was binding for half a minute is found, and a blast is one delivery."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import sendcap

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))


@pytest.fixture(scope="module", params=["postfix", "kumomta"])
def blast(request, tmp_path_factory, written_logs) -> sendcap.Calibration:
    scenario = sendcap.load("quickstart").with_({"deliveries[0].messages": 5000})
    log = tmp_path_factory.mktemp("log") / "mail.log"
    lines = getattr(written_logs, request.param)(written_logs.traced(scenario))
    log.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return sendcap.calibrate([log])


def test_it_is_one_delivery(blast) -> None:
    (delivery,) = blast.scenario.deliveries
    assert delivery.messages == pytest.approx(5000, rel=0.01)
    # The relay hands 600 messages a second over, the first 600 at once.
    assert delivery.spread == pytest.approx(4400 / 600, rel=0.15)


def test_its_binding_limit_is_estimated(blast) -> None:
    gmail = blast.scenario.providers["gmail"]
    # Eight addresses of five connections each.
    assert gmail.connections_per_ip in (39, 40)
    assert gmail.rate is None
