"""`sendcap guide` and `sendcap scenario keys`."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from contextlib import suppress

import pytest
from blocks import GUIDE
from click.testing import CliRunner, Result

from sendcap.cli.commands import commands
from sendcap.errors import ScenarioError
from sendcap.guide.keys import scenario_keys
from sendcap.guide.pages import topics


def sendcap(*arguments: str) -> Result:
    return CliRunner().invoke(commands, list(arguments), prog_name="sendcap")


def test_the_list_has_a_line_for_each_topic() -> None:
    output = sendcap("guide").output
    lines = output.splitlines()
    for page in topics():
        assert any(line.split()[:1] == [page.name] for line in lines)
        assert f"{page.name} {page.sentence}" in " ".join(output.split())
    assert max(map(len, lines[lines.index("Tutorial:") :])) <= 80


def test_the_list_begins_with_what_the_pages_need() -> None:
    output = sendcap("guide").output
    head = output.partition("Tutorial:")[0]
    assert "my-send.toml" in head
    assert "(`sendcap guide your-own-send`)" in head
    assert "\n    $ sendcap run my-send.toml --out my-run\n" in head
    assert max(len(line) for line in output.splitlines()) <= 120
    assert "](" not in output


def test_a_page_is_plain_markdown_when_piped() -> None:
    assert sendcap("guide", "limits").output == (GUIDE / "how-to" / "limits.md").read_text()


def test_a_page_is_drawn_in_a_terminal() -> None:
    pages, terminal = pty.openpty()
    environment = {**os.environ, "COLUMNS": "80", "TERM": "xterm-256color"}
    subprocess.run(
        [sys.executable, "-m", "sendcap", "guide", "retries"],
        stdout=terminal,
        env=environment,
        check=True,
    )
    os.close(terminal)
    written = b""
    with suppress(OSError):  # how a terminal ends
        while chunk := os.read(pages, 100_000):
            written += chunk
    os.close(pages)
    drawn = written.decode()
    assert "\x1b[" in drawn
    assert "```" not in drawn
    assert ".md" not in drawn
    plain = re.sub(r"\x1b\[[\d;]*m", "", drawn)
    assert "sendcap guide retry-policies" in " ".join(plain.split())
    assert max(len(line) for line in plain.splitlines()) <= 80


def test_an_unknown_topic_ends_with_two() -> None:
    result = sendcap("guide", "limts")
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert 'did you mean "limits"' in result.stderr


def test_the_list_imports_nothing_that_is_slow() -> None:
    code = (
        "import sys\nfrom sendcap.cli import main\n"
        "try:\n    main(['guide'])\nexcept SystemExit as end:\n    assert not end.code\n"
        "print({'numpy', 'pandas', 'pydantic', 'rich', 'numba'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "set()"


def test_keys_have_type_default_and_meaning() -> None:
    output = sendcap("scenario", "keys", "mta.ips").output
    assert output.splitlines()[0] == "mta.ips"
    assert "whole number, addresses; default 1" in output
    output = sendcap("scenario", "keys", "time.window").output
    assert '    duration (ms … w) or "auto"; default "auto"\n' in output


@pytest.mark.parametrize(
    ("path", "first", "count"),
    [
        ("relay", "relay.workers", 5),
        ("deliveries[0].messages", "deliveries[].messages", 1),
        ("providers.gmail.rate.limit", "providers.NAME.rate.limit", 1),
        ('providers."comcast.net".faults', "providers.NAME.faults[].reason", 4),
        ("providers", "providers.NAME.connections_per_ip", 20),
        ("distribution.mean", "distribution.mean", 4),
    ],
)
def test_a_path_selects_keys(path, first, count) -> None:
    keys = scenario_keys(path)
    assert keys[0].path == first
    assert len(keys) >= count


def test_an_unknown_path_is_answered_by_a_suggestion() -> None:
    with pytest.raises(ScenarioError, match=r'no scenario key "mta.ipz"; did you mean "mta.ips"'):
        scenario_keys("mta.ipz")


def test_every_key_has_a_type_and_a_meaning() -> None:
    for key in scenario_keys():
        assert key.type, key
        assert key.meaning, key


def test_every_whole_number_has_a_unit() -> None:
    for key in scenario_keys():
        if "whole number" in key.type and key.path != "seed":
            assert key.unit, key


def test_every_key_of_a_complete_scenario_is_listed() -> None:
    from sendcap.scenario import load, to_dict

    def paths(value, path):
        if isinstance(value, dict):
            for name, inner in value.items():
                below = f"{path}.{name}" if path else name
                yield from paths(inner, re.sub(r"^providers\.\w+", "providers.NAME", below))
        elif isinstance(value, list) and (not value or isinstance(value[0], dict)):
            for inner in value:
                yield from paths(inner, f"{path}[]")
        else:
            yield path

    known = {key.path for key in scenario_keys()}
    times = {key.path.removeprefix("distribution.") for key in scenario_keys("distribution")}
    for path in paths(to_dict(load("black-friday")), ""):
        audience = path.startswith("deliveries[].audience.")
        head, _, last = path.rpartition(".")
        assert path in known or audience or (head in known and last in times), path
