from __future__ import annotations

import pandas as pd
import pytest

import sendcap as package
from sendcap import saved
from sendcap.readings.tables import key_moments

FILES = {
    "scenario.toml",
    "ledger.parquet",
    "kpis.csv",
    "delays.parquet",
    "kpis.parquet",
    "summary.json",
    "delivered.png",
}


def names(directory) -> set[str]:
    return {path.name for path in directory.iterdir()}


def bytes_in(directory) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_the_first_screen_has_sentences_then_deliveries_then_the_dashboard(sendcap, place) -> None:
    shown = sendcap("run", "small.toml", "--out", "here").stdout
    run = package.open_run("here")
    text, at = " ".join(shown.split()), 0
    for sentence in run.sentences():
        found = text.index(sentence, at)
        assert found > at or not at
        at = found
    lines = shown.splitlines()
    deliveries = lines.index("Deliveries: when each is relayed, accepted and settled")
    dashboard = lines.index("The dashboard, and the truth")
    assert deliveries < dashboard < lines.index("Providers: messages at the MTA")
    for name in run.ledger.written:
        assert any(line.startswith(name) for line in lines[deliveries:dashboard])


def test_the_dashboard_stands_beside_the_truth_and_the_end_is_last(sendcap, place) -> None:
    lines = sendcap("run", "small.toml", "--out", "here").stdout.splitlines()
    run = package.open_run("here")
    first = next(number for number, line in enumerate(lines) if line.startswith("Relay done"))
    last = next(number for number, line in enumerate(lines) if line.startswith("The truth"))
    rows = lines[first:last]
    moments = key_moments(run.ledger, run.scenario.start)
    assert [moment.name for moment in moments] == ["Relay done", "End"]
    for number, (name, time_s) in enumerate(moments):
        title, without, with_efs, true = rows[4 * number : 4 * number + 4]
        assert title.startswith(f"{name}, ")
        for row, mode in ((without, "without-efs"), (with_efs, "efs")):
            now = run.dashboard(time_s, mode, compute_stats=True)
            assert row.split()[2:6] == [
                *(f"{count:,}" for count in (now.sent, now.failed, now.pending)),
                f"{now.delivered_pct:.2f}",
            ]
        truth = run.truth(time_s)
        assert true.split()[2:4] == [f"{truth.delivered:,}", f"{truth.failed:,}"]
    assert len(rows) == 4 * len(moments)


def test_run_shows_the_dashboard_and_saves_the_run(sendcap, place) -> None:
    result = sendcap("run", "small.toml")
    assert result.exit_code == 0
    assert result.stderr == ""
    for text in ("without EFS", "Delivered %", "Bounces +", "gmail", "yahoo", "99 %"):
        assert text in result.stdout
    assert "Saved in runs/small: " in result.stdout
    assert names(place / "runs" / "small") == FILES
    assert len(package.open_run(place / "runs" / "small").ledger.deliveries) == 2


def test_without_arguments_the_quickstart_is_run(sendcap, place, monkeypatch) -> None:
    quickstart = package.load("quickstart")
    small = package.simulate(package.updated(quickstart, {"deliveries[0].messages": 500})).ledger
    asked = []

    def simulate_ledger(scenario, **_):
        asked.append(scenario)
        return small

    monkeypatch.setattr("sendcap.model.engine.simulate_ledger", simulate_ledger)
    assert sendcap("run").exit_code == 0
    assert asked == [quickstart]
    assert names(place / "runs") == {"quickstart"}


def test_a_name_that_is_taken_gets_a_number(sendcap, place) -> None:
    for name in ("small", "small-2", "small-3"):
        assert f"Saved in runs/{name}:" in sendcap("run", "small.toml").stdout
    assert names(place / "runs") == {"small", "small-2", "small-3"}


def test_runs_that_are_simulated_at_the_same_time_all_find_a_name(process, place) -> None:
    running = [process("run", "small.toml") for _ in range(3)]
    for each in running:
        _, err = each.communicate(timeout=300)
        assert (each.returncode, err) == (0, "")
    assert names(place / "runs") == {"small", "small-2", "small-3"}


def test_the_totals_add_up_and_say_what_they_count(sendcap, place) -> None:
    result = sendcap("run", "small.toml", "--mode", "without-efs")
    assert "Relay failed" not in result.stdout
    assert "until its retry succeeds" not in result.stdout
    text = (place / "small.toml").read_text().replace("[relay]", "[relay]\nerror_rate = 0.1")
    (place / "failing.toml").write_text(text)
    result = sendcap("run", "failing.toml")
    lines = result.stdout.splitlines()
    heading = next(line for line in lines if line.startswith("Provider "))
    assert "Relay failed" in heading
    total, delays = (
        next(line for line in lines[lines.index(f"Providers: {what}") :] if line.startswith("all "))
        for what in ("messages at the MTA", "delay from ready to accepted")
    )
    relay_failed, accepted, hard, _, expired, asynchronous = map(int, total.split()[1:7])
    assert relay_failed + accepted + hard + expired == 500
    *_, end = (line for line in lines if line.startswith("  with EFS"))
    assert end.split()[3] == str(relay_failed + hard + expired + asynchronous)
    assert len(delays.split()) >= 6
    for text in (
        "p95: 95 % take no longer",
        "Times count from t = 0",
        "this share of all that is ever accepted",
        "Soft counts attempts",
        "until its retry succeeds",
    ):
        assert text in result.stdout


def test_a_directory_that_is_named_is_never_replaced_without_force(sendcap, place) -> None:
    assert sendcap("run", "small.toml", "--out", "here").exit_code == 0
    before = bytes_in(place / "here")
    result = sendcap("run", "small.toml", "--out", "here", "--seed", "9")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: here: already exists")
    assert result.stderr.count("\n") == 1
    assert bytes_in(place / "here") == before
    assert sendcap("run", "small.toml", "--out", "here", "--seed", "9", "--force").exit_code == 0
    assert bytes_in(place / "here") != before


def test_the_saved_scenario_gives_the_same_bytes(sendcap, place) -> None:
    sendcap("run", "small.toml", "--out", "a", "--seed", "5", "--mode", "legacy")
    sendcap("run", "a/scenario.toml", "--out", "b", "--window", "30s")
    assert bytes_in(place / "a") == bytes_in(place / "b")
    run = package.open_run("b")
    assert (run.scenario.seed, run.scenario.reporting.modes) == (5, ("legacy",))


def test_modes_are_shown_in_the_order_in_which_they_are_named(sendcap, place) -> None:
    result = sendcap(
        "run", "small.toml", "--out", "a", "--mode", "efs-v8", "--mode", "efs", "--mode", "efs-v8"
    )
    lines = result.stdout.splitlines()
    rows = lines[lines.index("The dashboard, and the truth") :]
    first = next(number for number, row in enumerate(rows) if row.startswith("Relay done"))
    assert rows[first + 1].startswith("  EFS v8 ")
    assert rows[first + 2].startswith("  with EFS ")
    table = pd.read_csv("a/kpis.csv")
    assert list(dict.fromkeys(table["mode"])) == ["efs-v8", "efs"]


def test_the_sending_log_is_saved_on_request(sendcap, place) -> None:
    result = sendcap("run", "small.toml", "--out", "a", "--sending-log")
    assert result.exit_code == 0
    assert names(place / "a") == FILES | {"sending-log.parquet"}
    log = pd.read_parquet("a/sending-log.parquet")
    assert (log["event"] == "relayed").sum() == 500
    assert sendcap("run", "small.toml", "--out", "a", "--force").exit_code == 0
    assert names(place / "a") == FILES


def test_markup_and_escapes_in_names_are_shown_as_they_are(sendcap) -> None:
    result = sendcap("run", "small.toml")
    assert "[bold]loyalty[/bold]" in result.stdout
    assert "\x1b" not in result.stdout
    result = sendcap("scenario", "check", "small.toml")
    assert "[red]Title[/red]" in result.stdout
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.toml"], "error: nothing.toml: no such file"),
        (["."], "error: .: is a directory"),
        (["small.toml", "--window", "5"], "error: --window: "),
        (["small.toml", "--window", "0s"], "error: --window: "),
        ([""], "error: Invalid value for '[SCENARIO|PRESET]': is empty; "),
        (["small.toml", "--out", ""], "error: Invalid value for '-o' / '--out': is empty; "),
        (["small.toml", "--out", "small.toml"], "error: small.toml: is a file"),
        (["small.toml", "--out", "small.toml/x"], "error: small.toml/x: cannot be written: "),
    ],
)
def test_bad_input_is_told_in_one_line_and_leaves_nothing(
    sendcap, place, arguments, message
) -> None:
    result = sendcap("run", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 1
    assert names(place) == {"small.toml"}


def test_each_problem_of_a_scenario_has_its_line(sendcap, place) -> None:
    text = (place / "small.toml").read_text()
    (place / "bad.toml").write_text(text.replace("seed = 3", "seed = -3\nsede = 4"))
    result = sendcap("run", "bad.toml")
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("error: bad.toml: ") for line in lines)


def test_a_warning_is_told_once(sendcap, place) -> None:
    text = (place / "small.toml").read_text()
    (place / "long.toml").write_text(
        text.replace('name = "news"', 'name = "news"\nvalidity = "9d"')
    )
    result = sendcap("run", "long.toml", "--mode", "efs")
    assert result.exit_code == 0
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("warning: ")
    assert "validity" in result.stderr


def test_a_full_disk_is_told_in_one_line_and_leaves_nothing(sendcap, place, monkeypatch) -> None:
    def fail(path, *_):
        path.write_text("half")
        raise OSError(28, "Error writing bytes to file. Detail: [errno 28] No space")

    monkeypatch.setattr(saved, "write_ledger", fail)
    result = sendcap("run", "small.toml")
    assert result.exit_code == 2
    assert result.stderr == ("error: runs/small: cannot be written: no space is left on the disk\n")
    assert names(place) == {"small.toml"}


def test_too_little_memory_is_told_in_one_line(sendcap, place, monkeypatch) -> None:
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(saved, "write_ledger", fail)
    result = sendcap("run", "small.toml")
    assert result.exit_code == 2
    assert result.stderr == "error: not enough memory\n"
    assert names(place) == {"small.toml"}
