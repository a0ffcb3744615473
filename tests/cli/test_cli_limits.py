from __future__ import annotations

import json

import pandas as pd
import pytest

import sendcap as package
from sendcap.charts import drawing

FILES = {
    "scenario.toml",
    "limits.csv",
    "over-time.csv",
    "hold-ups.csv",
    "summary.json",
    "backlog.png",
    "queue-age.png",
    "throughput.png",
    "utilisation.png",
}


def names(directory) -> set[str]:
    return {path.name for path in directory.iterdir()}


def bytes_in(directory) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture
def slow(place) -> str:
    """The small scenario with one connection to gmail and ten messages a second from the relay."""
    text = (place / "small.toml").read_text().replace("[relay]", '[relay]\nrate = "10/s"')
    one = "[providers.gmail]\nconnections_per_ip = 1"
    (place / "slow.toml").write_text(text.replace("[providers.gmail]", one))
    return "slow.toml"


def test_limits_shows_the_stages_and_what_holds_up_and_saves_both(sendcap, place, slow) -> None:
    result = sendcap("limits", slow)
    assert result.exit_code == 0
    assert result.stderr == ""
    for text in (
        "Ceilings: the most that each stage can carry",
        "Limited by",
        "Simulated: how busy each stage was",
        "Gone at",
        "gmail ◀",
        "Bottleneck: gmail. Its one connection carries 5 attempts/s; 76 % of the",
    ):
        assert text in result.stdout
    assert "Saved in runs/slow-limits: " in result.stdout
    assert names(place / "runs" / "slow-limits") == FILES


def test_its_tables_fit_80_columns(sendcap, place) -> None:
    # With figures of as many digits as those of ten million messages.
    rates = ("--set", "relay.rate=3000/s", "--set", "mta.ingress_rate=12345/s")
    tables, _, _ = sendcap("limits", "small.toml", *rates).stdout.partition("Saved in")
    assert "44,442,000" in tables
    assert max(map(len, tables.splitlines())) <= 80


def test_what_is_saved_is_what_python_gives(sendcap, place, slow) -> None:
    sendcap("limits", slow, "--out", "here")
    found = package.limits(slow)
    table = pd.read_csv("here/limits.csv")
    pd.testing.assert_frame_equal(table, found.table(), check_dtype=False, atol=1e-6)
    over_time = pd.read_csv("here/over-time.csv")
    pd.testing.assert_frame_equal(over_time, found.over_time(), check_dtype=False, atol=1e-6)
    summary = json.loads((place / "here" / "summary.json").read_text())
    assert summary["bottleneck"] == "gmail"
    assert summary["sentence"] == found.sentence


def test_the_saved_scenario_gives_the_same_bytes(sendcap, place) -> None:
    sendcap("limits", "small.toml", "--out", "a", "--seed", "5")
    sendcap("limits", "a/scenario.toml", "--out", "b")
    assert bytes_in(place / "a") == bytes_in(place / "b")
    assert package.load("a/scenario.toml").seed == 5


def test_a_name_that_is_taken_gets_a_number(sendcap, place) -> None:
    for name in ("small-limits", "small-limits-2"):
        assert f"Saved in runs/{name}:" in sendcap("limits", "small.toml").stdout
    assert names(place / "runs") == {"small-limits", "small-limits-2"}


def test_only_limits_are_replaced_and_only_with_force(sendcap, place) -> None:
    assert sendcap("limits", "small.toml", "--out", "here").exit_code == 0
    before = bytes_in(place / "here")
    result = sendcap("limits", "small.toml", "--out", "here", "--seed", "9")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: here: already exists")
    assert bytes_in(place / "here") == before
    again = ("limits", "small.toml", "--out", "here", "--seed", "9", "--force")
    assert sendcap(*again).exit_code == 0
    assert bytes_in(place / "here") != before

    sendcap("run", "small.toml", "--out", "run")
    result = sendcap("limits", "small.toml", "--out", "run", "--force")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: run: is not what sendcap limits has saved")
    result = sendcap("run", "small.toml", "--out", "here", "--force")
    assert result.stderr.startswith("error: here: is not a saved run")
    assert names(place / "here") == FILES


def test_markup_and_escapes_in_names_are_shown_as_they_are(sendcap, place) -> None:
    text = (place / "small.toml").read_text().replace("gmail", '"[bold]x"')
    (place / "odd.toml").write_text(text)
    result = sendcap("limits", "odd.toml")
    assert result.exit_code == 0
    assert "[bold]x" in result.stdout


def test_what_has_not_drained_is_told(sendcap, place, slow) -> None:
    text = (place / slow).read_text()
    (place / "cut.toml").write_text(f'{text}[time]\nhorizon = "25s"\nbin = "1s"\n')
    result = sendcap("limits", "cut.toml")
    assert result.exit_code == 0
    rows = [line for line in result.stdout.splitlines() if line.endswith("not yet")]
    assert [row.split()[0] for row in rows] == ["relay", "gmail"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.toml"], "error: nothing.toml: no such file"),
        ([""], "error: Invalid value for '[SCENARIO|PRESET]': is empty; "),
        (["small.toml", "--out", ""], "error: Invalid value for '-o' / '--out': is empty; "),
        (["small.toml", "--out", "small.toml"], "error: small.toml: is a file"),
        (["small.toml", "--seed", "-1"], "error: Invalid value for '--seed': "),
        (["broken.toml"], "error: broken.toml: deliveries[0].messages: "),
    ],
)
def test_bad_input_is_told_in_one_line_and_leaves_nothing(
    sendcap, place, arguments, message
) -> None:
    text = (place / "small.toml").read_text().replace("messages = 400", "messages = 0")
    (place / "broken.toml").write_text(text)
    result = sendcap("limits", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 1
    assert names(place) == {"small.toml", "broken.toml"}


def test_a_warning_is_told_once(sendcap, place) -> None:
    text = (place / "small.toml").read_text()
    (place / "long.toml").write_text(
        text.replace('name = "news"', 'name = "news"\nvalidity = "9d"')
    )
    result = sendcap("limits", "long.toml", "--seed", "4")
    assert result.exit_code == 0
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("warning: ")


def test_a_full_disk_is_told_in_one_line_and_leaves_nothing(sendcap, place, monkeypatch) -> None:
    def fail(*_):
        raise OSError(28, "No space")

    monkeypatch.setattr(drawing, "write_json", fail)
    result = sendcap("limits", "small.toml")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: runs/small-limits: cannot be written: no space is left on the disk\n"
    )
    assert names(place) == {"small.toml"}


def test_a_limit_over_several_queues_has_rows_even_if_named_as_a_queue(sendcap, place) -> None:
    limit = '\n[[limits]]\nname = "gmail"\nrate = "2/s,max_burst=1"\n'
    (place / "shared.toml").write_text((place / "small.toml").read_text() + limit)
    out = sendcap("limits", "shared.toml", "--out", "shared").stdout
    assert out.count("\nlimit gmail ◀  ") == 2  # a ceiling, and the load
    assert "For a limit wait all that wait in the queues under it, whatever for." in out
