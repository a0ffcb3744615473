"""The charts of one small run, drawn small: what `test_pictures` compares with `pictures/*.png`.

`python tests/charts/pictures.py` draws them anew. Look at each before you commit it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pandas as pd
from matplotlib.text import Text

import sendcap
from sendcap import scenario
from sendcap.charts.delivered import delivered
from sendcap.charts.listed import RUN_CHARTS, SWEEP_CHARTS, Chart
from sendcap.charts.over_time import statuses
from sendcap.charts.style import figure_of, house_style, save
from sendcap.plotting import plot
from sendcap.scenario import Range
from sendcap.scenario.stages import stages
from sendcap.study.capacity.charts.answers import levers_chart
from sendcap.study.capacity.charts.stages import throughput, utilisation
from sendcap.study.capacity.charts.waiting import queue_age
from sendcap.study.capacity.searches.levers import Gain, Levers
from sendcap.study.convergence.charts.comparison import comparison
from sendcap.study.replication.estimates import Estimate
from sendcap.study.sweeps.charts.sensitivity import sensitivity_chart
from sendcap.study.sweeps.sensitivity.sobol import Sensitivity

if TYPE_CHECKING:
    from sendcap.charts.style import Drawn

BASELINES = Path(__file__).with_name("pictures")
DPI = 60
UNHINTED: dict[Any, Any] = {"text.hinting": "none"}
"""Hinted letters are as wide as a version of FreeType likes."""

TEXT = """
title = "A small send"
seed = 5
start = 2026-11-27T09:00:00+01:00
[time]
bin = "30s"
[[deliveries]]
name = "news"
messages = 9000
audience = { gmail = 0.6, yahoo = 0.25, other = 0.15 }
[[deliveries]]
name = "reminder"
messages = 2000
at = "2h"
audience = { gmail = 1.0 }
[relay]
batch_time = "10s"
workers = 2
error_rate = 0.002
[mta]
ingress_rate = "80/s"
[providers.gmail]
connections_per_ip = 2
connect_time = "200ms"
transaction_time = { dist = "exponential", mean = "900ms" }
async_bounce = 0.004
hard = [{ reason = "user unknown", share = 0.02 }]
faults = [{ reason = "mailbox full", share = 0.03, clears_after = "20h", never = 0.5 }]
[providers.yahoo]
connect_time = "200ms"
transaction_time = "400ms"
transient = 0.05
outages = [{ at = "10m", lasts = "25m" }]
[providers.other]
connections_per_ip = 4
connect_time = "500ms"
transaction_time = "700ms"
async_bounce = 0.01
hard = [{ reason = "user unknown", share = 0.03 }, { reason = "invalid domain", share = 0.01 }]
faults = [{ reason = "greylisted", share = 0.2, clears_after = "15m" }]
[feedback]
synchronous = "60s"
asynchronous = { dist = "exponential", mean = "6h" }
[engagement]
open_rate = 0.0
"""


PEOPLE = """
title = "A club's letters"
seed = 5
start = 2026-11-02T09:00:00
[population]
size = 2000
providers = { gmail = 0.6, other = 0.4 }
decay = 0.3
imports = [{ at = "16d", size = 300, dead = 0.2 }]
control_group = 0.05
complaints = 0.05
fatigue = { max = 1, period = "3d" }
segments.members.share = 0.4
[[deliveries]]
name = "letter"
every = "7d"
times = 4
[[deliveries]]
name = "members"
segment = "members"
at = "9d"
[[deliveries]]
name = "again"
segment = "members"
at = "9d"
[relay]
batch_time = "1s"
[providers.gmail]
connect_time = "200ms"
transaction_time = "300ms"
hard = [{ reason = "user unknown", share = 0.02 }]
[providers.other]
connect_time = "200ms"
transaction_time = "300ms"
[engagement]
open_rate = 0.3
open_delay = "1h"
"""


@cache
def run() -> sendcap.Run:
    return sendcap.simulate(scenario.loads(TEXT))


def _attempts() -> Drawn:
    with TemporaryDirectory() as folder:
        log = Path(folder) / "sending-log.parquet"
        run = sendcap.simulate(scenario.loads(TEXT), sending_log=log)
        return run.plot("attempts", sending_log=log)


@cache
def run_of_people() -> sendcap.Run:
    return sendcap.simulate(scenario.loads(PEOPLE))


@cache
def study() -> sendcap.ConvergenceStudy:
    return sendcap.converge(scenario.loads(TEXT), 4, workers=1)


@cache
def limits() -> sendcap.Limits:
    return sendcap.limits(scenario.loads(TEXT))


@cache
def results() -> pd.DataFrame:
    """What a sweep over three parameters could have given."""
    rows = []
    for (ips, first, share), replication in itertools.product(
        itertools.product((4, 8, 16), ("10m", "20m", "1h"), (0.01, 0.04)), range(2)
    ):
        time_s = 40_000 / ips + {"10m": 900, "20m": 1500, "1h": 5000}[first] + 90 * replication
        rows.append(
            {
                "point": len(rows) // 2,
                "replication": replication,
                "seed": str(len(rows)),
                "mta.ips": ips,
                "mta.retry.first": first,
                "providers.gmail.transient": share,
                "accepted_99_pct_s": time_s + 20_000 * share,
                "delivered_pct.efs": 99.0 - 30 * share,
                "error": None,
            }
        )
    return pd.DataFrame(rows)


def _comparison() -> Drawn:
    one = scenario.loads(TEXT)
    two = scenario.updated(one, {"mta.retry.first": "5m"})
    return comparison(sendcap.compare(one, two, 3, names=("as it is", "first=5m"), workers=1))


def _levers() -> Drawn:
    gains = [
        Gain("one more IP", "1 → 2", Estimate(2400.0, 2300.0, 2500.0, 5), None, None),
        Gain("+10 % relay rate", "50/s → 55/s", Estimate(2.0, -5.0, 9.0, 5), 0, None),
    ]
    gmail = stages(scenario.loads(TEXT))[2]
    found = Levers(0.99, Estimate(7200.0, 7100.0, 7300.0, 5), gmail, tuple(gains), 0.95, 15)
    return levers_chart(found, "A small send")


def _sensitivity() -> Drawn:
    rows = [
        {"measure": measure, "path": path}
        | {
            f"{order}_order{end}": share * scale + change
            for order, scale in (("first", 0.8), ("total", 1.0))
            for end, change in (("", 0.0), ("_low", -0.05), ("_high", 0.06))
        }
        for measure in ("accepted_99_pct_s", "truth_pct")
        for path, share in (("mta.ips", 0.7), ("relay.rate", 0.2), ("mta.retry.first", 0.1))
    ]
    ranges = {path: Range(1, 2) for path in ("mta.ips", "relay.rate", "mta.retry.first")}
    found = Sensitivity(ranges, 64, 0.95, pd.DataFrame(rows), pd.DataFrame())
    return sensitivity_chart(found, "A sweep")


def _listed(chart: Chart) -> Callable[[], Drawn]:
    if chart in SWEEP_CHARTS:
        return lambda: plot(results(), chart.name)
    if chart in sendcap.ConvergenceStudy.charts():
        return lambda: study().plot(chart.name)
    if chart.name == "people":
        return lambda: run_of_people().plot("people")
    return lambda: plot(run(), chart.name)


PICTURES: dict[str, Callable[[], Drawn]] = {
    chart.name: _listed(chart) for chart in (*RUN_CHARTS, *SWEEP_CHARTS) if chart.name != "attempts"
} | {
    "attempts": _attempts,
    "comparison": _comparison,
    "delivered-of-one": lambda: delivered(run(), delivery="reminder", scale="symlog"),
    "levers": _levers,
    "queue-age": lambda: queue_age(limits()),
    "sensitivity": _sensitivity,
    "statuses-by-the-clock": lambda: statuses(run(), start="scenario"),
    "statuses-linear": lambda: statuses(run(), ["efs"], scale="linear", start="2026-11-27T09:30"),
    "throughput-watched": lambda: throughput(limits()),
    "utilisation": lambda: utilisation(limits()),
}


def draw(name: str, path: Path) -> list[tuple[float, float, float, float]]:
    """Draw a picture into a file, and return where its texts are, in pixels from the top left."""
    drawn = PICTURES[name]()
    return put(drawn, path)


def put(drawn: Drawn, path: Path) -> list[tuple[float, float, float, float]]:
    """Write a chart into a file; see `draw`."""
    figure = figure_of(drawn)
    save(figure, path, "png", {"savefig.dpi": DPI, **UNHINTED})
    figure.set_dpi(DPI)
    height = figure.bbox.height
    with house_style(), mpl.rc_context(UNHINTED):
        boxes = [
            Text.get_window_extent(text)
            for text in figure.findobj(Text)
            if text.get_visible() and text.get_text().strip()
        ]
    return [(box.x0, height - box.y1, box.x1, height - box.y0) for box in boxes]


if __name__ == "__main__":
    BASELINES.mkdir(exist_ok=True)
    for name in PICTURES:
        draw(name, BASELINES / f"{name}.png")
