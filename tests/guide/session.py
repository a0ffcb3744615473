"""Runs the examples of a page, one after the other, in one directory."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
import tomllib
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

from blocks import Block, file_name
from click.testing import CliRunner

from sendcap import scenario
from sendcap.cli.commands import commands

# What sets up an environment is not run: the gate does so.
_SETS_UP = re.compile(r"(python3 -m venv|pip install|\. \.venv)")


class Session:
    """What a reader does who follows a page: files are written, commands run, Python goes on."""

    def __init__(self) -> None:
        # A module, so that a sweep finds a function that the page defines.
        module = ModuleType("example")
        sys.modules[module.__name__] = module
        self._names: dict[str, Any] = module.__dict__

    def run(self, block: Block) -> None:
        if block.language == "console":
            for command, shown in _commands(block.text):
                self._command(command, shown)
        elif named := file_name(block):
            Path(named).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            exec(compile(block.text, f"<line {block.line}>", "exec"), self._names)
        elif block.language == "toml":
            _fragment(block.text)
        elif block.language == "sh":
            assert all(_SETS_UP.match(line) for line in block.text.splitlines()), block.text
        else:
            assert block.language == "text", block

    def _command(self, command: str, shown: str) -> None:
        line, _, target = command.partition(" > ")
        words = shlex.split(line, comments=True)
        if words[0] == "cat":
            _show(Path(words[1]), shown)
        elif words[0] == "python":
            assert_shown(shown, run_script(Path(words[1])))
        elif not _SETS_UP.match(command):
            assert words[0] == "sendcap", command
            result = CliRunner().invoke(commands, words[1:], prog_name="sendcap")
            if result.exception is not None and not isinstance(result.exception, SystemExit):
                raise result.exception
            assert result.exit_code == 0, f"{command}\n{result.output}"
            if target:
                Path(target).write_text(result.stdout, encoding="utf-8")
            assert_shown(shown, result.output)


def run_script(script: Path) -> str:
    """Run a script as the main program, which processes import anew; return what it prints."""
    with redirect_stdout(StringIO()) as printed:
        runpy.run_path(str(script.absolute()), run_name="__main__")
    return printed.getvalue()


def _commands(text: str) -> list[tuple[str, str]]:
    """Commands with what they show; a line that ends in a backslash goes on."""
    result = []
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.replace("\\\n", " ").partition("\n")
        result.append((command, shown))
    return result


def assert_shown(shown: str, output: str) -> None:
    """Every line that is shown is a line of the output, in this order; … stands for anything.

    How many spaces set columns apart is of no importance.
    """
    rest = [" ".join(line.split()) for line in output.splitlines()]
    for line in filter(None, (" ".join(line.split()) for line in shown.splitlines())):
        if line == "…":
            continue
        pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
        index = next((i for i, one in enumerate(rest) if pattern.fullmatch(one)), None)
        assert index is not None, f"not shown: {line}\n{output}"
        del rest[: index + 1]


def _show(file: Path, text: str) -> None:
    if file.exists():
        assert_shown(text, file.read_text(encoding="utf-8"))
    else:
        file.write_text(text, encoding="utf-8")


def _fragment(text: str) -> None:
    """Read a part of a scenario, which takes the place of that part of a complete one."""
    table = scenario.to_dict(scenario.load("quickstart"))
    part = tomllib.loads(text)
    for section, values in part.items():
        if section == "deliveries":
            table[section] = [table[section][0] | values[0], *values[1:]]
        elif section == "providers":
            for provider, settings in values.items():
                table[section][provider] = table[section].get(provider, {}) | settings
        elif section == "mta":
            table[section] |= values
        elif not isinstance(values, dict):
            table[section] = values
        else:
            table[section] = table.get(section, {}) | values
    scenario.from_dict(table)
