"""The README: its two commands, and the code in its sentences.

Its blocks are run with those of the guide, in tests/guide.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

import sendcap
from sendcap.cli.commands import commands

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
SENTENCES = re.sub(r"^```.*?^```", "", README, flags=re.MULTILINE | re.DOTALL)
INLINE = re.findall(r"`([^`\n]+)`", SENTENCES)
SETUP = "python3 -m venv .venv && .venv/bin/pip install -q "
# These need a file of the reader's, or take a preset of ten million messages.
NAMED_ONLY = ("sendcap import postfix", "sendcap calibrate", "sendcap run black-friday")


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def command_lines() -> list[str]:
    lines = "".join(blocks("console")).splitlines()
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A directory with the README's scenario."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "my-send.toml").write_text(blocks("toml")[0])
    return folder


def test_the_readme_is_short_and_has_one_picture() -> None:
    assert len(README.split()) < 800
    assert README.count("![") == 1


def test_the_scenario_in_the_readme_is_complete(folder: Path) -> None:
    assert sendcap.load(folder / "my-send.toml").deliveries[0].messages == 200_000


def test_commands_in_the_sentences_of_the_readme_run(folder: Path, monkeypatch) -> None:
    monkeypatch.chdir(folder)
    inline = [text for text in INLINE if re.match(r"sendcap [a-z]", text)]
    assert len(inline) >= 5
    for command in inline:
        words = f"{command} --help" if command.startswith(NAMED_ONLY) else command
        result = CliRunner().invoke(commands, words.split()[1:], prog_name="sendcap")
        assert result.exit_code == 0, f"{command}\n{result.output}"


def test_python_in_the_sentences_of_the_readme_runs(folder: Path, monkeypatch) -> None:
    monkeypatch.chdir(folder)
    inline = [text for text in INLINE if text.startswith("sendcap.")]
    assert inline
    for expression in inline:
        assert eval(expression, {"sendcap": sendcap}) is not None


def test_two_commands_set_up_and_do_everything() -> None:
    one, two = (command for command in command_lines() if command.startswith(SETUP))
    assert one == f"{SETUP}. && .venv/bin/sendcap run"
    assert two == f"{SETUP}'.[test]' && .venv/bin/python -m pytest -q"


def test_the_gate_runs_the_readmes_test_command() -> None:
    gate = (ROOT / ".ci" / "run").read_text().splitlines()
    (line,) = (line for line in gate if line.startswith("test_command="))
    found = subprocess.run(
        ["bash", "-c", f'{line}; printf %s "$test_command"'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert found == [command for command in command_lines() if command.startswith(SETUP)][1]
    assert any(line.startswith('bash -c "$test_command" ') for line in gate)
