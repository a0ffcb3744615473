from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "experiments" / "engine_benchmark.py"
TINY = ["--messages", "32000", "--textbook-messages", "300", "--largest", "20000"]
TINY += ["--customers", "20000", "--providers", "8", "--deliveries", "6", "--rounds", "1"]
TINY += ["--people", "3000", "--markdown"]

RATES = [
    "engine, black-friday, 32,000 messages",
    "textbook, same settings, 300 messages",
    "textbook, slice with the same load, 1,000 messages",
    "engine on that slice",
    "engine with sending log",
    "engine, a spool of 300,000",
    "textbook, a spool of 300,000, same load",
    "engine, queues that react",
    "textbook, queues that react, same load",
    "engine, limits that all queues share",
    "textbook, limits that all queues share, same load",
]
RATIOS = {
    "engine / textbook, same settings": (RATES[0], RATES[1], 350),
    "engine / textbook, same load": (RATES[0], RATES[2], 350),
    "engine / textbook, a spool of 300,000, same load": (RATES[5], RATES[6], 30),
    "engine / textbook, queues that react, same load": (RATES[7], RATES[8], 30),
    "engine / textbook, limits that all queues share, same load": (RATES[9], RATES[10], 30),
}
LIMITS = {
    "CPU with sending log / without": "≤ 2 times",
    "CPU per message, 20,000 / 200": "≤ 1 times",
    "peak memory, 20,000": "< 2 GiB",
    "CPU per message, 20,000, 32 IPs, relay and ingress to match / 200": "≤ 1 times",
    "peak memory, 20,000, 32 IPs, relay and ingress to match": "< 2 GiB",
    "engine, a spool of 300,000 (cost)": "≤ 250 ns a message",
    "engine, queues that react (cost)": "≤ 200 ns an attempt",
    "engine, limits that all queues share (cost)": "≤ 400 ns an attempt",
    "1,000 messages, after the first run": "≤ 8 ms",
    "sendcap run, 1,000 messages": "≤ 1.8 s",
    "8 providers, 16,000 messages": "≤ 2 s",
    "6 deliveries over a year, 30,000 messages": "≤ 60 s",
    "peak memory of these": "< 2 GiB",
    "saved of these": "< 200 MB",
    "26 weekly sends to 3,000 people": "≤ 90 s",
    "peak memory of these, people": "< 2 GiB",
    "sendcap --help": "< 0.3 s",
}
SIMULATORS = ["SimPy"] + (["Ciw"] if importlib.util.find_spec("ciw") else [])


@pytest.fixture(scope="module")
def output(warm) -> str:
    done = warm.run([BENCHMARK, *TINY], forks=True, sketched=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def rows(output) -> dict[str, list[str]]:
    """What was measured: its value, target and verdict."""
    cells = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in output.splitlines()
        if line.startswith("|")
    ]
    assert cells[0] == ["what", "measured", "target", "met or missed"]
    assert all(set(cell) == {"-"} for cell in cells[1])
    assert len({name for name, *_ in cells[2:]}) == len(cells[2:])
    return {name: rest for name, *rest in cells[2:]}


def leading(text: str) -> float:
    return float(re.match(r"[\d,]+(\.\d+)?", text)[0].replace(",", ""))


def test_it_has_a_row_for_each_measurement_and_no_other(rows) -> None:
    queues = [f"M/M/10: {name}" for name in ["engine", *SIMULATORS]]
    compared = [f"M/M/10: engine / {name}" for name in SIMULATORS]
    skipped = [] if "Ciw" in SIMULATORS else ["M/M/10: Ciw"]
    assert set(rows) == {*RATES, *RATIOS, *LIMITS, *queues, *compared, *skipped}


@pytest.mark.parametrize("name", RATES)
def test_a_rate_is_of_messages_per_second(rows, name) -> None:
    measured, target, verdict = rows[name]
    assert measured.endswith(" messages/s")
    assert 1e2 < leading(measured) < 1e9
    assert (target, verdict) == ("–", "–")


@pytest.mark.parametrize("name", RATIOS)
def test_a_ratio_is_that_of_its_rates(rows, name) -> None:
    over, under, least = RATIOS[name]
    measured, target, verdict = rows[name]
    rates = leading(rows[over][0]), leading(rows[under][0])
    ratio = rates[0] / rates[1]
    # All three are rounded to whole numbers.
    rounding = 0.51 + ratio * sum(0.5 / rate for rate in rates)
    assert leading(measured) == pytest.approx(ratio, abs=rounding)
    assert target == f"≥ {least}"
    assert verdict.startswith("met") == (leading(measured) >= least)


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_is_met_or_missed_as_measured(rows, name) -> None:
    measured, target, verdict = rows[name]
    assert target == LIMITS[name]
    value, most = leading(measured), leading(target[2:])
    assert 0 < value < 1e6
    if value != most:
        assert (verdict == "met") == (value < most)
    if value > most:
        assert re.fullmatch(r"missed by \d+\.\d%", verdict)


def test_memory_holds_the_libraries_at_least(rows) -> None:
    assert 0.05 < leading(rows["peak memory, 20,000"][0]) < 1.0


def test_every_simulator_has_the_same_queue(rows) -> None:
    for name in ["engine", *SIMULATORS]:
        measured = rows[f"M/M/10: {name}"][0]
        assert leading(measured) > 1e3
        wait_s = float(re.search(r"mean wait ([\d.]+) s, theory 0\.2046 s", measured)[1])
        assert wait_s == pytest.approx(0.2046, rel=0.35)


def test_the_machine_is_named(output) -> None:
    first = output.splitlines()[0]
    for word in ("cores", "GiB", "Python 3.", "sendcap ", "numpy ", "numba ", "simpy ", "load "):
        assert word in first


@pytest.mark.parametrize(
    ("rates", "measured", "verdict"),
    [
        ([50, 90, 95], "90 times (50 to 95)", "missed by 10.0%"),
        ([150, 150, 150], "150 times (150 to 150)", "met, 25% below the aim"),
        ([250, 200, 190], "200 times (190 to 250)", "met"),
    ],
)
def test_a_ratio_is_the_median_over_the_rounds(benchmark, rates, measured, verdict) -> None:
    row = benchmark.ratio_row("engine / textbook", rates, [1, 1, 1], 100, 200)
    assert row == ("engine / textbook", measured, "≥ 100, aim 200", verdict)


def test_a_limit_tells_by_how_much_it_is_missed(benchmark) -> None:
    row = benchmark.limit_row("log", 3.3, "≤ 3", "times")
    assert row == ("log", "3.30 times", "≤ 3 times", "missed by 10.0%")


def test_the_slice_has_a_share_of_every_rate(benchmark) -> None:
    whole, part = benchmark.PRESET, benchmark.black_friday(312_500, 1)
    assert benchmark.black_friday(10_000_000) == whole
    assert part.mta.ips * 32 == whole.mta.ips
    assert part.relay.rate.per_s * 32 == whole.relay.rate.per_s
    assert part.mta.ingress_rate.per_s * 32 == whole.mta.ingress_rate.per_s
    assert part.providers == whole.providers  # their connections and rates are per IP
    spooled = [benchmark.black_friday(1000, ips, "a spool of 300,000") for ips in (32, 1)]
    assert [each.mta.spool for each in spooled] == [300_000, 9_375]


def test_ciw_is_left_out_where_it_is_not_installed(benchmark, monkeypatch) -> None:
    monkeypatch.setattr(benchmark.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(benchmark, "apart", lambda *_: (1000.0, 0.2))
    rows = [tuple(row) for row in benchmark.queue_rows(100, 1)]
    assert ("M/M/10: Ciw", "skipped: not installed (pip install ciw)", "–", "–") in rows
    assert [name for name, *_ in rows if "/ Ciw" in name] == []


def test_text_and_markdown_have_the_same_cells(benchmark) -> None:
    rows = [benchmark.Row("help", "0.07 s", "< 0.3 s", "met")]
    text = benchmark.table(rows, markdown=False).splitlines()
    markdown = benchmark.table(rows, markdown=True).splitlines()
    assert re.split(" {2,}", text[-1]) == ["help", "0.07 s", "< 0.3 s", "met"]
    assert re.split(" *[|] *", markdown[-1])[1:-1] == ["help", "0.07 s", "< 0.3 s", "met"]


def test_help_names_the_sizes(warm) -> None:
    text = warm.run([BENCHMARK, "--help"]).stdout
    for option in ("--messages", "--textbook-messages", "--largest", "--customers", "--markdown"):
        assert option in text
