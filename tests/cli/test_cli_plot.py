"""``sendcap plot`` draws what is saved, says what it lacks, and leaves nothing half-written."""

from __future__ import annotations

import shutil

import pytest

from sendcap.charts.listed import RUN_CHARTS, SWEEP_CHARTS

STUDY = """
scenario = "small.toml"
measures = ["accepted_99_pct_s", "delivered_pct"]
[over]
"mta.ips" = [1, 2]
"mta.retry.first" = ["5m", "10m"]
"""


@pytest.fixture
def saved(saved_run, place):
    shutil.copytree(saved_run, place / "here")
    return place


@pytest.mark.parametrize("name", [chart.name for chart in RUN_CHARTS if chart.name != "people"])
def test_each_chart_of_a_run_is_drawn(sendcap, saved, name) -> None:
    result = sendcap("plot", "here", name)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"Saved in here-{name}.png\n"
    assert (saved / f"here-{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_chart_of_people_needs_a_population(sendcap, saved) -> None:
    result = sendcap("plot", "here", "people")
    assert result.exit_code == 2
    message = "the scenario has no [population]; give it one to follow its people"
    assert result.stderr == f"error: {message}\n"
    assert not (saved / "here-people.png").exists()


def test_each_chart_of_a_sweep_is_drawn(sendcap, place) -> None:
    (place / "study.toml").write_text(STUDY)
    assert sendcap("sweep", "study.toml", "--out", "swept", "--workers", "1").exit_code == 0
    for name in ("sweep-line", "sweep-heat-map", "tornado"):
        result = sendcap("plot", "swept", name, "--measure", "delivered_pct.efs")
        assert result.exit_code == 0, result.stderr
        assert (place / f"swept-{name}.png").exists()
    result = sendcap("plot", "swept", "sweep-line", "--over", "mta.ips", "--by", "mta.retry.first")
    assert result.exit_code == 2
    assert "swept-sweep-line.png: already exists" in result.stderr
    result = sendcap("plot", "swept", "tornado", "-o", "a.svg", "--measure", "x")
    assert result.exit_code == 2
    assert "measure: there is no 'x' with numbers; there are: accepted_99_pct_s" in result.stderr


@pytest.mark.parametrize(
    ("form", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("PNG", b"\x89P")]
)
def test_the_ending_of_the_file_is_its_format(sendcap, saved, form, start) -> None:
    for name in ("one", "two"):
        assert sendcap("plot", "here", "funnel", "-o", f"{name}.{form}").exit_code == 0
    one, two = ((saved / f"{name}.{form}").read_bytes() for name in ("one", "two"))
    assert one == two
    assert one.startswith(start)


def test_the_time_may_be_by_the_clock(sendcap, saved) -> None:
    arguments = ("--start", "2026-11-27T09:00", "--scale", "linear", "--mode", "efs", "-o", "a.svg")
    assert sendcap("plot", "here", "statuses", *arguments).exit_code == 0


def test_the_list_has_a_line_for_each_chart(sendcap, place) -> None:
    result = sendcap("plot", "--list")
    assert result.exit_code == 0
    for chart in (*RUN_CHARTS, *SWEEP_CHARTS):
        assert f"  {chart.name} " in result.stdout
        assert chart.about in " ".join(result.stdout.split())
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_a_file_is_replaced_with_force_only(sendcap, saved) -> None:
    (saved / "a.png").write_text("mine")
    result = sendcap("plot", "here", "funnel", "-o", "a.png")
    assert result.exit_code == 2
    assert "a.png: already exists; choose another file or add --force" in result.stderr
    assert (saved / "a.png").read_text() == "mine"
    assert sendcap("plot", "here", "funnel", "-o", "a.png", "--force").exit_code == 0
    assert (saved / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["here"], "error: Missing argument 'CHART'"),
        (["none", "funnel"], "error: none: no such directory"),
        (["none", "tornado"], "error: none: no such directory"),
        (["here", "tornado"], "error: here: a run has no chart 'tornado'; choose from: delivered"),
        ([".", "funnel"], "error: .: is not a saved run"),
        (
            ["here", "pie"],
            "error: Invalid value for 'CHART': no chart is called 'pie'; sendcap plot --list",
        ),
        (["here", "funnel", "-o", "a.gif"], "error: --out: a.gif: must end in .png, .svg or "),
        (["here", "funnel", "-o", "here"], "error: here: is a directory; give the name of a file"),
        (["here", "funnel", "-o", "no/a.png"], "error: no/a.png: cannot be written: there is no"),
        (["here", "funnel", "--scale", "log"], "error: --scale: not supported by chart funnel"),
        (["here", "funnel", "--mode", "efs"], "error: --mode: not supported by chart funnel"),
        (["here", "statuses", "--start", "noon"], "error: start: 'noon' is not a moment; write it"),
        (["here", "statuses", "--start", "scenario"], "error: start: the scenario has none; give"),
        (["here", "delivered", "--delivery", "x"], "error: unknown delivery 'x': choose from news"),
    ],
)
def test_bad_input_is_told_in_one_line_and_leaves_nothing(
    sendcap, saved, arguments, message
) -> None:
    before = sorted(saved.iterdir())
    result = sendcap("plot", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 1
    assert sorted(saved.iterdir()) == before


def test_without_the_sending_log_it_is_told_how_to_get_one(sendcap, saved) -> None:
    (saved / "here" / "sending-log.parquet").unlink()
    result = sendcap("plot", "here", "attempts")
    assert result.exit_code == 2
    assert "sendcap run --sending-log writes" in result.stderr


def test_a_time_is_cut_out_of_the_axis(sendcap, place) -> None:
    sendcap("run", "small.toml", "--out", "here")
    assert sendcap("plot", "here", "delivered", "--from", "1m", "--to", "2h").exit_code == 0
    result = sendcap("plot", "here", "funnel", "--from", "1m", "--out", "b.png")
    assert result.exit_code == 2
    assert result.stderr == "error: --from: not supported by chart funnel\n"
    result = sendcap("plot", "here", "delivered", "--from", "2h", "--to", "1h", "--out", "c.png")
    assert result.exit_code == 2
    assert "is not before" in result.stderr
    assert result.stderr == "error: --from: 2h is not before --to, 1h\n"
    for option, words in (("--to", "0s"), ("--from", "400d")):
        result = sendcap("plot", "here", "delivered", option, words, "--out", "c.png")
        assert result.exit_code == 2
        assert result.stderr.startswith(f"error: {option}: {words} is ")
