"""What an import gives: the scenario, its file with comments, and the report."""

from __future__ import annotations

import pytest

import sendcap
from sendcap.errors import SendcapError
from sendcap.importers import (
    import_exim,
    import_kumomta,
    import_opensmtpd,
    import_postfix,
    import_powermta,
)
from sendcap.importers.draft import Draft
from sendcap.importers.imported import STATUSES
from sendcap.importers.plan import Plan
from sendcap.importers.reading import Entry
from sendcap.scenario import loads, presets

ALL = {
    "kumomta": (import_kumomta, '["default"]\nconnection_limit = 3\nfoo = "bar"'),
    "postfix": (import_postfix, "default_destination_concurrency_limit = 3\nfoo = bar"),
    "exim": (import_exim, "foo = bar\nbegin retry\n* * F,4d,6h"),
    "opensmtpd": (import_opensmtpd, "mta limit max-conn-per-host 3\nfoo bar"),
    "powermta": (import_powermta, "<domain *>\nmax-smtp-out 3\nfoo bar\n</domain>"),
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("base", presets())
def test_the_file_holds_the_same_scenario_with_comments(put, tmp_path, name, base) -> None:
    make, text = ALL[name]
    made = make(put(text, "the configuration"), base=base)
    assert loads(made.text) == made.scenario
    assert "the configuration" in made.text.splitlines()[0]
    path = made.save(tmp_path / "scenario.toml")
    assert sendcap.load(path) == made.scenario
    lines = made.text.splitlines()
    commented = [line for line in lines if "the configuration:" in line.partition("#")[2]]
    assert commented


@pytest.mark.parametrize("name", ALL)
def test_the_report_tells_what_became_of_everything(put, name) -> None:
    make, text = ALL[name]
    report = make(put(text)).report
    columns = ["status", "setting", "value", "where", "scenario", "why"]
    assert list(report.columns) == columns
    assert set(report["status"]) <= set(STATUSES)
    foo = report.set_index("setting").loc["foo"]
    assert (foo["status"], foo["value"]) == ("not used", "(not shown)")
    assert foo["why"]
    assert foo["where"].endswith(("configuration:3", "configuration:2", "configuration:1"))
    used = report[report["status"] == "used"]
    assert (used["scenario"].str.contains(" = ")).all()
    assert used["where"].str.contains("configuration").any()
    base = report[report["status"] == "base"]
    assert base["scenario"].str.startswith("providers.gmail").any()
    assert not report.duplicated().any()


@pytest.mark.parametrize("name", ALL)
def test_the_scenario_simulates(put, name) -> None:
    make, text = ALL[name]
    made = make(put(text), "gmail=30,nobody.org=10,other=10" if name != "exim" else None)
    scenario = sendcap.scenario.updated(made.scenario, {"deliveries[0].messages": 50})
    assert sendcap.simulate(scenario).ledger.total("relayed") <= 50


def test_the_base_may_be_ones_own_scenario_with_its_reactions(put) -> None:
    base = sendcap.scenario.updated(sendcap.load("quickstart"), {"mta.suspend": "momentum"})
    path = put(sendcap.scenario.dumps(base), "base.toml")
    for name, (make, text) in ALL.items():
        made = make(put(text), base=path).scenario
        # How the MTA reacts is the configuration's business, but for Exim, which has no limits.
        assert (made.mta.suspend is None) == (name != "exim")
        assert made.feedback == base.feedback


def test_a_file_is_never_replaced_unless_that_is_asked_for(put, tmp_path) -> None:
    made = import_exim(put("* * F,4d,6h"))
    path = tmp_path / "scenario.toml"
    path.write_text("mine")
    with pytest.raises(SendcapError, match="already exists"):
        made.save(path)
    assert path.read_text() == "mine"
    made.save(path, force=True)
    assert path.read_text() == made.text
    assert sorted(each.name for each in tmp_path.iterdir()) == ["configuration", "scenario.toml"]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (".", "is a directory"),
        ("missing/scenario.toml", "cannot be written"),
        ("configuration/scenario.toml", "cannot be written"),
        ("x" * 300, "cannot be written: the name is too long"),
        ("a\0b", "cannot be written"),
    ],
)
def test_a_place_that_cannot_be_written_is_told(put, tmp_path, place, message) -> None:
    made = import_exim(put("* * F,4d,6h"))
    with pytest.raises(SendcapError, match=message):
        made.save(f"{tmp_path}/{place}", force=True)
    assert [each.name for each in tmp_path.iterdir()] == ["configuration"]


def test_a_limit_over_several_queues_has_comments_of_its_own() -> None:
    draft = Draft(Plan())
    for group in draft.groups(str):
        draft.provider(group)
    entry = Entry("transport_rate_delay", "1s", "main.cf:3")
    draft.shared_limit("slow", {"rate": "1/s", "connections": 5}, entry, providers=["gmail"])
    made = draft.finished("Postfix", ["main.cf"])
    (limit,) = made.scenario.limits
    assert (limit.name, limit.connections, limit.providers) == ("slow", 5, ("gmail",))
    assert loads(made.text) == made.scenario
    assert 'rate = "1/s" # main.cf:3 transport_rate_delay' in made.text
    assert "limits[0].connections = 5" in set(made.report["scenario"])
