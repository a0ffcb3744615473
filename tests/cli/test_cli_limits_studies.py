from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pandas as pd
import pytest
from warm import wait_for

import sendcap as package
from sendcap.study.capacity.searches.levers import levers
from sendcap.study.capacity.searches.sustained import Growth, Sustained, sustained
from sendcap.study.capacity.searches.within import largest_within
from sendcap.study.replication.estimates import Estimate

TEXT = """
title = "Narrow"
seed = 3
[[deliveries]]
name = "news"
messages = 400
validity = "1h"
audience = { gmail = 0.75, yahoo = 0.25 }
[relay]
batch = 10
batch_time = "250ms"
rate = "30/s,max_burst=10"
[providers.gmail]
connections_per_ip = 3
connect_time = "100ms"
transaction_time = { dist = "uniform", low = "180ms", high = "220ms" }
[providers.yahoo]
connect_time = "100ms"
transaction_time = "200ms"
"""
STUDIES = {"capacity.json", "levers.csv", "levers.png"}
QUICK = ("--workers", "1")


@pytest.fixture
def narrow(place) -> str:
    (place / "narrow.toml").write_text(TEXT)
    return "narrow.toml"


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_how_large_a_delivery_can_be_is_told_and_saved(sendcap, place, narrow) -> None:
    result = sendcap("limits", narrow, "--within", "10m", "--share", "90%", "--out", "a", *QUICK)
    assert result.exit_code == 0
    assert result.stderr == ""
    found = largest_within(narrow, "10m", 0.9, workers=1)
    text = " ".join(result.stdout.split())
    assert f"are accepted within 10m if there are at most {found.messages:,} (" in text
    assert f"{found.size.n} replications, {found.simulations} simulations" in text
    saved = json.loads((place / "a" / "capacity.json").read_text())
    assert saved["within"]["messages"] == found.messages
    assert saved["within"]["size"]["low"] == pytest.approx(found.size.low)
    assert saved.keys() == {"within"}
    assert names(place / "a") & STUDIES == {"capacity.json"}


def test_the_sustained_rate_and_what_it_is_held_up_by_is_told_and_saved(
    sendcap, place, narrow, monkeypatch
) -> None:
    monkeypatch.setitem(sustained.__kwdefaults__, "measured", 20_000)
    result = sendcap("limits", narrow, "--sustained", "--out", "a", "--confidence", "90%", *QUICK)
    assert result.exit_code == 0
    found = sustained(narrow, workers=1, confidence=0.9)
    assert found.name == "gmail"
    text = " ".join(result.stdout.split())
    assert "with 90 % confidence" in text
    assert "with more, gmail falls behind for good" in text
    assert "hands over 30/s: meanwhile the backlog grows by" in text
    assert json.loads((place / "a" / "capacity.json").read_text())["sustained"]["per_s"][
        "mean"
    ] == pytest.approx(found.per_s.mean, rel=1e-6)


def test_the_levers_are_told_and_saved(sendcap, place, narrow) -> None:
    result = sendcap("limits", narrow, "--levers", "--out", "a", *QUICK)
    assert result.exit_code == 0
    found = levers(narrow, workers=1)
    # Long names go on in the next line.
    starts = [" ".join(gain.lever.split()[:3]) for gain in found.gains]
    order = [result.stdout.index(f"\n{start}") for start in starts]
    assert order == sorted(order)
    assert "99 % of the messages that can be" in result.stdout
    assert names(place / "a") & STUDIES == {"levers.csv", "levers.png"}
    table = pd.read_csv("a/levers.csv")
    assert list(table["gain_s"]) == pytest.approx(list(found.frame()["gain_s"]), abs=1e-6)


def test_costs_are_told(sendcap, place, narrow) -> None:
    result = sendcap("limits", narrow, "--levers", "--cost", "mta.ips=40", "--out", "a", *QUICK)
    assert result.exit_code == 0
    assert "for each unit of money" in " ".join(result.stdout.split())
    table = pd.read_csv("a/levers.csv")
    assert table.loc[table["lever"] == "one more IP", "cost"].item() == 40


def test_without_these_questions_nothing_more_is_saved(sendcap, place, narrow) -> None:
    assert sendcap("limits", narrow, "--out", "a").exit_code == 0
    assert not names(place / "a") & STUDIES


def test_the_number_of_workers_changes_no_byte(sendcap, place, narrow) -> None:
    for count in ("1", "2"):
        result = sendcap(
            "limits", narrow, "--within", "2m", "--levers", "--out", count, "--workers", count
        )
        assert result.exit_code == 0
    one, two = (
        {path.name: path.read_bytes() for path in (place / count).iterdir()} for count in "12"
    )
    assert one == two
    # And it can be replaced as a whole.
    again = sendcap("limits", narrow, "--out", "1", "--force", "--seed", "4", "--workers", "1",
                    "--levers")  # fmt: skip
    assert again.exit_code == 0
    assert "capacity.json" not in names(place / "1")
    assert package.load("1/scenario.toml").seed == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--within", "5"], "error: --within: "),
        (["--within", "4h", "--share", "110%"], "error: --share: must be more than 0 and at most"),
        (["--within", "4h", "--share", "x"], 'error: --share: "x" is not a share'),
        (["--share", "99%"], "error: --share goes with --within or --levers"),
        (["--sustained", "--share", "99%"], "error: --share goes with --within or --levers"),
        (["--cost", "mta.ips=4"], "error: --cost goes with --levers"),
        (["--levers", "--cost", "mta.ips"], 'error: --cost: "mta.ips" is not path=cost'),
        (["--levers", "--cost", "mta.x=4"], "error: costs: mta.x: no lever of this scenario"),
        (["--workers", "2"], "error: --workers goes with --within, --sustained or --levers"),
        (["--confidence", "90%"], "error: --confidence goes with --within, --sustained or"),
        (["--levers", "--confidence", "100%"], "error: --confidence: must be more than 0 and less"),
        (["--levers", "--workers", "0"], "error: Invalid value for '--workers': "),
        (["--within", "150ms"], "error: 99 % within 0.15s is impossible, however small the "),
        (["--within", "30d"], "error: nothing holds it up: even 1,000,000,000 messages"),
    ],
)
def test_bad_input_is_told_in_one_line_and_leaves_nothing(
    sendcap, place, narrow, arguments, message
) -> None:
    if "30d" in arguments:
        text = TEXT.replace('rate = "30/s,max_burst=10"', "").replace('"250ms"', '"1ms"')
        text = text.replace("connections_per_ip = 3", "connections_per_ip = 500000")
        text = text.replace("[providers.yahoo]", "[providers.yahoo]\nconnections_per_ip = 500000")
        (place / narrow).write_text(text)
    result = sendcap("limits", narrow, *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 1
    assert names(place) == {"small.toml", "narrow.toml"}


def test_an_impossible_target_says_why(sendcap, place, narrow) -> None:
    text = TEXT + 'faults = [{ reason = "greylisted", share = 0.2, clears_after = "5m" }]\n'
    (place / narrow).write_text(text)
    result = sendcap("limits", narrow, "--within", "10m", *QUICK)
    assert result.exit_code == 2
    assert "recover only later; ask for a smaller share or give more time" in result.stderr


def children(process: int) -> set[int]:
    """Return the processes of a session, that of its leader left out."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) == process and fields[0] != "Z":
                found.add(int(entry.name))
    return found - {process}


@pytest.mark.crash
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")
def test_ctrl_c_ends_every_process_and_leaves_nothing(process, place, narrow) -> None:
    text = (place / narrow).read_text().replace("messages = 400", "messages = 900_000")
    (place / narrow).write_text(text.replace('"1h"', '"3d"'))
    arguments = ("limits", narrow, "--within", "2d", "--share", "100%", "--workers", "2")
    running = process(*arguments, own_group=True)
    with running:
        # Two that simulate, and the one of the standard library that looks after their locks.
        wait_for(lambda: len(children(running.pid)) >= 3)
        time.sleep(0.5)
        assert running.poll() is None
        os.killpg(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=300)
    assert (running.returncode, out, err) == (130, "", "error: interrupted\n")
    assert names(place) == {"small.toml", "narrow.toml"}
    wait_for(lambda: not children(running.pid))


def exact(value: float, **changes) -> Sustained:
    settings = {
        "per_s": Estimate(value, value, value, 4),
        "kind": "relay",
        "name": "relay",
        "relay_per_s": value,
        "growing": (),
        "warm_up_s": 1.0,
        "measured_s": 1.0,
        "confidence": 0.95,
        "simulations": 12,
        "precise": True,
    }
    return Sustained(**(settings | changes))


def test_every_way_in_which_a_rate_is_limited_has_its_sentence() -> None:
    (told,) = exact(1500.0).sentences()
    assert told.startswith("Steadily, at most 1,500 messages/s can be delivered, 5,400,000 per")
    assert "the relay carries no more" in told
    growing = (Growth("ingress", "ingress", 600.0),)
    behind = exact(900.0, kind="ingress", name="ingress", relay_per_s=1500.0, growing=growing)
    (told,) = behind.sentences()
    assert "the MTA's ingress carries no more" in told
    assert "hands over 1,500/s: meanwhile the backlog grows by 600 messages/s at the MTA's" in told
    (told,) = exact(3.0, kind="provider", name="gmail", relay_per_s=float("inf")).sentences()
    assert "with more, gmail falls behind for good. The relay itself has no limit." in told
    wide = exact(3.0, kind="provider", name="gmail", relay_per_s=3.0, precise=False)
    (told,) = wide.sentences()
    assert told.endswith("The relay hands over 3/s at most. More replications would narrow the "
                         "interval further.")  # fmt: skip


def test_several_deliveries_are_told_as_such(place) -> None:
    scenario = package.load("small.toml")
    found = largest_within(scenario, "30m", 0.8, workers=1, replications=4)
    (told,) = found.sentences()
    assert "in all deliveries together" in told
    assert f"That is {found.factor:.3g} times each delivery as it is, 500 messages." in told
