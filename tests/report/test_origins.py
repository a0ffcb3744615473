"""Each figure of the settings says where it is from, and none claims a source that it has not."""

from __future__ import annotations

import re
from html import unescape

import pytest

import sendcap
from sendcap import scenario
from sendcap.report.answers import Answers
from sendcap.report.origins import commented_file, comments, origin_table, origin_words, origins
from sendcap.report.page import page, write_report
from sendcap.scenario.commented import commented

OWN = """# A file of a user: "[[deliveries]]" # is no heading
title = "Spring # sale"    # a comment with "quotes" and # more
[[deliveries]]             # the first
name = "d"
messages = 500             # as planned
audience = { p = 1.0 }     # assumption: one provider
[[deliveries]]
name = 'e # f'
messages = 700
audience = { p = 1.0 }
[relay]
batch_time = "0s"
[providers.p]              # values without a comment are from provider "x" of y.toml
connect_time = "0s"
transaction_time = { dist = "exponential", mean = "1s" }  # main.cf:12
hard = [
  { reason = "user [unknown", share = 0.01 },   # assumption
  # a line between
  { reason = "other", share = 0.02 },           # our log
]
transient = 0.1
[[providers.p.faults]]
reason = "full"
share = 0.1                # ours
clears_after = "1h"
"""


def by_place(found) -> dict[str, tuple[str, str]]:
    rows = origin_table(found).rows
    return {row["Figure"]: (each.kind, each.words) for each, row in zip(found, rows, strict=True)}


def test_addresses_are_those_of_the_pools_where_there_are_some() -> None:
    data = scenario.to_dict(scenario.loads(OWN))
    assert by_place(origins(scenario.from_dict(data)))["mta.ips"] == ("default", "")
    data["mta"]["pools"] = {"a": {"ips": 2}}
    found = by_place(origins(scenario.from_dict(data)))
    assert "mta.ips" not in found
    assert found["mta.pools.a.ips"][0] == "given"


def test_comments_are_found_at_the_values_that_they_stand_behind() -> None:
    assert comments(OWN) == {
        ("title",): 'a comment with "quotes" and # more',
        ("deliveries", 0): "the first",
        ("deliveries", 0, "messages"): "as planned",
        ("deliveries", 0, "audience"): "assumption: one provider",
        ("providers", "p"): 'values without a comment are from provider "x" of y.toml',
        ("providers", "p", "transaction_time"): "main.cf:12",
        ("providers", "p", "hard", 0): "assumption",
        ("providers", "p", "hard", 1): "our log",
        ("providers", "p", "faults", 0, "share"): "ours",
    }
    assert comments('a = """\n# text\n"""\nb = 1 # one\n') == {}


def test_comments_are_read_back_as_they_were_written() -> None:
    data = scenario.to_dict(scenario.load("quickstart"))
    data["providers"]["with a.dot"] = data["providers"].pop("other")
    written = {
        ("seed",): "a",
        ("deliveries", 0, "messages"): 'b "c" # d',
        ("providers", "with a.dot", "rate"): "e",
        ("mta", "retry"): "f",
        ("mta", "retry", "first"): "g",
    }
    assert comments(commented(data, written, ["The head."])) == written


@pytest.mark.parametrize("name", scenario.presets())
def test_the_figures_of_a_preset_have_its_comments(name) -> None:
    found = origins(scenario.load(name))
    kinds = [each.kind for each in found]
    assert set(kinds) <= {"source", "assumed", "default", "given"}
    assert kinds.count("assumed") > 20
    assert kinds.count("source") > 10
    # What a preset does not explain is when something is, or a name with a digit.
    given = [each for each in found if each.kind == "given"]
    assert all(each.words == f"as in the preset {name}" for each in given)
    assert len(given) < 12


def test_a_figure_that_was_changed_has_no_source_any_more() -> None:
    case = scenario.updated(scenario.load("quickstart"), {"mta.ips": 4, "mta.retry.first": "5m"})
    found = by_place(origins(case))
    assert found["mta.ips"] == ("given", "the preset quickstart has 8")
    assert found["mta.retry.first"] == ("given", "the preset quickstart has 20m")
    assert found["mta.retry.max"] == ("source", "Momentum Max_Retry_Interval 43200 s")
    assert found["relay.rate"] == ("assumed", "2.2 M/h")
    # Who renames it has a scenario of his own.
    named = case.model_copy(update={"title": "Mine"})
    assert {each.kind for each in origins(named)} == {"given", "default"}


def test_a_file_says_where_its_figures_are_from(tmp_path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    case = scenario.updated(scenario.load(path), {"deliveries[1].messages": 900})
    found = by_place(origins(case, commented_file(path)))
    assert found["deliveries[0].messages"] == ("source", "as planned")
    assert found["deliveries[0].audience.p"] == ("assumed", "one provider")
    assert found["deliveries[1].messages"] == ("given", "own.toml has 700")
    assert found["providers.p.transaction_time"] == ("source", "main.cf:12")
    assert found["providers.p.hard[1]"] == ("source", "our log")
    assert found["providers.p.transient"] == ("source", 'from provider "x" of y.toml')
    assert found["mta.ips"][0] == "default"


def test_what_was_fitted_to_a_log_is_measured(tmp_path) -> None:
    path = tmp_path / "fitted.toml"
    text = OWN.replace("# A file", "# Fitted by sendcap calibrate. A file")
    path.write_text(
        text.replace("main.cf:12", "mean 1s").replace("our log", "the shape is an assumption")
    )
    found = by_place(origins(scenario.load(path), commented_file(path)))
    assert found["providers.p.transaction_time"] == ("measured", "mean 1s")
    assert found["providers.p.hard[0]"] == ("assumed", "")
    assert found["providers.p.hard[1]"] == ("source", "the shape is an assumption")


def test_the_page_counts_them_and_lists_each(run, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("sendcap.report.page._pictures", lambda *_: iter(()))
    quick = scenario.updated(scenario.load("quickstart"), {"deliveries[0].messages": 2000})
    text = unescape(page([Answers("a", sendcap.simulate(quick))]))
    assert re.search(r"\d+ figures: \d+ from a source, \d+ assumed, 1 given by the", text)
    assert origin_words(origins(quick)) in text
    assert "Source: shaping.toml google provider_connection_limit" in text
    assert "Given: the preset quickstart has 1000000" in text
    with pytest.raises(sendcap.SendcapError, match=r"none\.toml"):
        write_report(run, tmp_path / "a.html", comments=tmp_path / "none.toml")
    assert not (tmp_path / "a.html").exists()
