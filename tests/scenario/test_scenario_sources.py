"""Files, presets and text that are no scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from sendcap.errors import ScenarioError
from sendcap.scenario import load, loads, preset_text, updated
from sendcap.scenario.toml import value_of


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"title = \n", "not valid TOML: Invalid value (at line 1"),
        (b"[a]\n[a]\n", "not valid TOML"),
        (b"a = 1\n\xff\xfe", "line 2 is not UTF-8 text"),
        ("title = 1".encode("utf-16"), "is not UTF-8 text"),
        (b"", "is empty; a scenario has [[deliveries"),
        (b"seed = " + b"1" * 5000, "not valid TOML"),
        (b"title = 0x" + b"f" * 9000, "line 1: a number of more than 64 digits"),
        (b"#" * 10_000_001, "enormous"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_scenario_is_refused(tmp_path: Path, content: bytes, part: str) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert part in str(caught.value)


def test_a_missing_file_lists_the_presets() -> None:
    with pytest.raises(ScenarioError) as caught:
        load("quickstrat")
    assert 'no preset of that name; did you mean "quickstart"?' in str(caught.value)
    assert "Presets: black-friday, friday, ip-warm-up, quarter, quickstart" in str(caught.value)


def test_an_unknown_preset_lists_the_presets() -> None:
    with pytest.raises(ScenarioError) as caught:
        preset_text("quickstrat")
    assert 'quickstrat: no preset of that name; did you mean "quickstart"?' in str(caught.value)
    assert "Presets: black-friday, friday, ip-warm-up, quarter, quickstart" in str(caught.value)


@pytest.mark.parametrize("name", ["", "../presets/quickstart", "quickstart.toml", "a\0b"])
def test_only_a_presets_name_names_a_preset(name: str) -> None:
    with pytest.raises(ScenarioError, match="no preset of that name"):
        preset_text(name)


def test_a_files_name_is_shown_without_its_invisible_characters(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m\u202eb.toml"
    path.write_text("seed = -1")
    for source in (path, tmp_path / "no\x1b[31m\u202e.toml"):
        with pytest.raises(ScenarioError) as caught:
            load(source)
        assert r"\u001b[31m\u202e" in str(caught.value)
        assert all(line.isprintable() for line in str(caught.value).splitlines())


@pytest.mark.parametrize("source", ["a/b.toml", "x" * 5000, "a\0b", ""])
def test_an_impossible_path_is_refused(source: str) -> None:
    with pytest.raises(ScenarioError):
        load(source)


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="is a directory"):
        load(tmp_path)


def test_text_is_named_in_errors() -> None:
    with pytest.raises(ScenarioError, match=r"^<string>: deliveries: required"):
        loads("title = 'a'")


def test_a_saved_runs_scenario_is_offered_where_its_directory_is_given(tmp_path) -> None:
    (tmp_path / "scenario.toml").write_text("")
    with pytest.raises(ScenarioError, match=r"is a directory; .*, such as .*scenario\.toml$"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("deliveries[0].messages", "60.000", "60.000 is 60; write 60_000 or 60"),
        (
            "deliveries[0].messages",
            "60.125",
            "must be a whole number, not 60.125; write thousands as 60_125",
        ),
        ("providers.gmail.messages_per_connection", "2.000", "2.000 is 2; write 2_000 or 2"),
    ],
)
def test_a_count_is_not_written_with_a_dot(path: str, value: str, problem: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        updated(load("quickstart"), {path: value_of(value)})
    assert str(caught.value).endswith(f"{path}: {problem}")


def test_other_numbers_may_have_three_digits_behind_the_dot() -> None:
    changed = updated(
        load("quickstart"), {"providers.gmail.transaction_time.cv": value_of("1.000")}
    )
    assert type(changed.providers["gmail"].transaction_time.cv) is float


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("messages = 1,000,000", "line 2: write 1,000,000 as 1_000_000"),
        ("messages = 1.000.000", "line 2: write 1.000.000 as 1_000_000"),
        ("messages = 60 000  # soon", "line 2: write 60 000 as 60_000"),
        ("messages = 60'000", "line 2: write 60'000 as 60_000"),
        ("x = { a = 60’000, b = 2 }", "line 2: write 60’000 as 60_000"),
        ("shares = { gmail = 0,6, other = 0,4 }", "line 2: write 0,6 as 0.6"),
        ("transient = 0,03  # soft", "line 2: write 0,03 as 0.03"),
        ("at = 10m", 'line 2: text needs quotes, such as at = "10m"'),
        ("x = { dist = gamma, mean = '1s' }", 'line 2: text needs quotes, such as at = "10m"'),
        ("rate = 100/s  # soon", 'line 2: text needs quotes, such as at = "10m"'),
        ("title = My campaign", 'line 2: text needs quotes, such as at = "10m"'),
        ("name = “one”", "line 2: “ is a typographic quote; write text in straight ones"),
        ("a." * 20_000 + "a = 1", "line 2: a key of more than 10 parts"),
        ('"a\\"b".' * 12 + "a = 1", "line 2: a key of more than 10 parts"),
        ("seed = 0x" + "f" * 100_000, "line 2: a number of more than 64 digits"),
    ],
)
def test_a_slip_in_toml_says_what_to_write(line: str, hint: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(f"# a.b.c.d.e.f.g.h.i.j.k.l.m\n{line}\n")
    assert str(caught.value).startswith(f"<string>: {hint}")
