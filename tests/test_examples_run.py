"""Every example in the README is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import sendcap

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
SETUP = "python3 -m venv .venv && .venv/bin/pip install -q "


def blocks(language: str) -> list[str]:
    return [text for its, text in BLOCKS if its == language]


def the_one_with(section: str) -> str:
    (text,) = (text for text in blocks("toml") if section in text)
    return text


def commands() -> list[str]:
    lines = "".join(blocks("console")).splitlines()
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


def test_python_examples_of_the_readme_run(tmp_path: Path) -> None:
    examples = blocks("python")
    assert examples
    for example in examples:
        done = subprocess.run(
            [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


def test_the_scenario_in_the_readme_is_complete(tmp_path: Path) -> None:
    (tmp_path / "send.toml").write_text(blocks("toml")[0])
    assert sendcap.load(tmp_path / "send.toml").deliveries[0].messages == 200_000


def test_commands_of_the_readme_run_in_their_order(tmp_path: Path) -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    (tmp_path / "study.toml").write_text(the_one_with("[over]"))
    (tmp_path / "cheapest.toml").write_text(the_one_with("[levers]"))
    ran = 0
    for command in commands():
        if command.startswith(SETUP):
            continue
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        ran += 1
    assert ran >= 5


def test_two_commands_set_up_and_do_everything() -> None:
    one, two = (command for command in commands() if command.startswith(SETUP))
    assert one == f"{SETUP}. && .venv/bin/sendcap run"
    assert two == f"{SETUP}'.[test]' && .venv/bin/python -m pytest -q"


def test_links_of_the_readme_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


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
    assert found == [command for command in commands() if command.startswith(SETUP)][1]
    assert 'bash -c "$test_command"' in gate
