"""Whatever an option or an argument is given, a command ends well: with 0, or with 2 and a reason.

Names and types are those of click's own commands, so that a new option is tried, too. The suite
tries one value for each; SENDCAP_TEST_CAMPAIGN=all tries all of them.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

import click
import pytest
from click.testing import CliRunner
from writing_commands import COMMANDS as WRITING
from writing_commands import TINY

import sendcap
from sendcap.cli import computing
from sendcap.cli.commands import commands
from sendcap.explore import server

ALL: Final = os.environ.get("SENDCAP_TEST_CAMPAIGN") == "all"
LONGEST_S: Final = 60.0
"""CPU of one command."""
LONGEST_LINE: Final = 1600

# No device: a test that fails as root would replace it.
EXTREMES: Final = (
    *("", " ", "-", "--", "nan", "inf", "-inf", "-1", "0", "1e308", "-1e308", "1e-320", "0.5"),
    *(str(2**31), str(2**63), "9" * 400, "9" * 5000, "x" * 100_000, "0" * 100_000),
    *("\x1b[31m\x07", "a\nb", "\t", "\u202eabc", "\udc80", "\N{PILE OF POO}", "%s{0}$(id)`id`"),
    *(".", "..", "/", "folder", "folder/none", "none/none", "file", "file/none", "none.toml"),
    *("=", "a=", "=1", "a=1", "mta.ips=nan", "mta.ips=" + "9" * 400, "a" + ".a" * 3000 + "=1"),
    *(",", "..", "1..", "mta.ips=1..1e308", "[]", "{}", '"', "'", "true", "none", "*", "@x@y.z"),
    *(
        "0s",
        "1ms",
        "1e9d",
        "99999999999d",
        "-5m",
        "0%",
        "100%",
        "1e-300%",
        "1e308%",
        "0pt",
        "1e308pt",
    ),
    *("9999-12-31T23:59:59", "0001-01-01T00:00:00+14:00", "localhost:1", "tcp://127.0.0.1:1"),
)

SCENARIO: Final = (
    f'{TINY}faults = [{{ reason = "greylisted", share = 0.1, clears_after = "5m" }}]\n'
)
PEOPLE: Final = (
    SCENARIO.replace("messages = 60\n", "").replace("audience = { gmail = 1.0 }\n", "")
    + "[population]\nsize = 60\nproviders = { gmail = 1.0 }\n"
)
SWEEP: Final = 'scenario = "tiny.toml"\n'
OVER: Final = '[over]\n"mta.ips" = [1, 2]\n'
DESIGN: Final = """
[design]
kind = "sobol"
points = 2
[design.ranges]
"mta.ips" = [1, 4]
"relay.batch" = [1, 4]
"""
OPTIMISE: Final = """
scenario = "tiny.toml"
replications = 2
[levers]
"mta.ips" = { from = 1, to = 4, cost = 1 }
[target]
measure = "accepted_99_pct_s"
at_most = "1h"
[search]
trials = 4
replications = 1
"""
LINE: Final = (
    "2026-11-26T09:{:02d}:{:02d}.5+00:00 mx1 postfix/smtp[7]: 4X{}: to=<a{}@gmail.com>, "
    "relay=gmail-smtp-in.l.google.com[192.0.2.1]:25, delay=1, delays=0.1/0.2/0.3/0.4, "
    "dsn=2.0.0, status=sent (250 2.0.0 OK)\n"
)


class Call(NamedTuple):
    """A command line that works; names in capitals are inputs."""

    arguments: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


_ONE: Final = ("--workers", "1")
CALLS: Final = {
    "run": Call(("TINY",), ("--out", "out")),
    "limits": Call(("TINY",), ("--out", "out")),
    "calendar": Call(("TINY",), ("--out", "out")),
    "check": Call(("RUN",)),
    "dashboard": Call(("RUN",)),
    "people": Call(("RUN_OF_PEOPLE",)),
    "plot": Call(("RUN", "delivered"), ("--out", "out.png")),
    "report": Call(("RUN",), ("--out", "out.html")),
    "converge": Call(("TINY",), ("--out", "out", "--replications", "2", *_ONE)),
    "compare": Call(("TINY", "TINY"), ("--out", "out", "--replications", "2", *_ONE)),
    "forecast": Call(
        ("TINY",),
        (
            *("--observed", "OBSERVED", "--range", "providers.gmail.transient=0.01..0.2"),
            *("--simulations", "64", "--out", "out", *_ONE),
        ),
    ),
    "drain": Call(("TINY",), ("--queue", "QUEUE", "--out", "out")),
    "sweep": Call(("SWEEP",), ("--out", "out", *_ONE)),
    "sensitivity": Call(("DESIGN",), ("--out", "out", *_ONE)),
    "optimise": Call(("OPTIMISE",), ("--out", "out", *_ONE)),
    "explore": Call(("TINY",)),
    "scenario check": Call(("TINY",)),
    "scenario keys": Call(("mta",)),
    "scenario list": Call(),
    "scenario schema": Call(),
    "scenario show": Call(("TINY",)),
    "import exim": Call(("EXIM",)),
    "import kumomta": Call(("SHAPING",)),
    "import opensmtpd": Call(("OPENSMTPD",)),
    "import postfix": Call(("POSTFIX",)),
    "import powermta": Call(("POWERMTA",)),
    "calibrate": Call(("LOG",), ("--out", "out.toml", "--report", "out")),
    "guide": Call(("sweep",)),
}


def leaves(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for each in command.list_commands(context):
        inner = command.get_command(context, each)
        assert inner is not None
        yield from leaves(inner, f"{name} {each}".strip())


COMMANDS: Final = dict(leaves(commands))
PARAMETERS: Final = [
    (name, number, parameter.opts[-1])
    for name, command in COMMANDS.items()
    for number, parameter in enumerate(command.params)
    if not getattr(parameter, "is_flag", False)
]


@pytest.fixture(scope="session")
def inputs(tmp_path_factory) -> dict[str, str]:
    """The path of each input by name; not to be changed."""
    folder: Path = tmp_path_factory.mktemp("inputs")
    texts = {
        "TINY": ("tiny.toml", SCENARIO),
        "PEOPLE": ("people.toml", PEOPLE),
        "SWEEP": ("sweep.toml", SWEEP + OVER),
        "DESIGN": ("design.toml", SWEEP + DESIGN),
        "OPTIMISE": ("optimise.toml", OPTIMISE),
        "OBSERVED": ("observed.csv", "mode,time,delivered_pct\nefs,0s,0\nefs,10m,95\n"),
        "EXIM": ("exim.conf", "* * F,4d,6h\n"),
        "OPENSMTPD": ("smtpd.conf", "queue ttl 2d\n"),
        "SHAPING": ("shaping.toml", '["default"]\nconnection_limit = 3\n'),
        "POSTFIX": ("main.cf", "default_destination_concurrency_limit = 3\n"),
        "POWERMTA": ("powermta.conf", "<domain *>\nmax-smtp-out 3\n</domain>\n"),
        "QUEUE": ("queue.csv", "domain,messages,age\ngmail.com,30,1h\n"),
        "LOG": ("mail.log", "".join(LINE.format(n // 60, n % 60, n, n) for n in range(300))),
    }
    paths = {}
    for name, (file, text) in texts.items():
        (folder / file).write_text(text)
        paths[name] = str(folder / file)
    paths["RUN_OF_PEOPLE"] = str(sendcap.simulate(paths["PEOPLE"]).save(folder / "people"))
    paths["RUN"] = str(sendcap.simulate(paths["TINY"]).save(folder / "run"))
    return paths


@pytest.fixture
def place(tmp_path, monkeypatch) -> Iterator[Path]:
    """An empty working directory, in which no command waits for a network or serves pages."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(computing, "_PATIENCE", "100ms")
    for name in ("start", "wait"):
        monkeypatch.setattr(server.Server, name, lambda _: None)
    monkeypatch.setattr(click, "launch", lambda *_: 0)
    listen = server._listening
    with ExitStack() as opened:
        monkeypatch.setattr(
            server, "_listening", lambda *where: opened.enter_context(listen(*where))
        )
        yield tmp_path


def given(name: str, number: int, value: str, inputs: dict[str, str]) -> list[str]:
    """The command line with another value for one of the parameters."""
    call, command = CALLS[name], COMMANDS[name]
    parameter = command.params[number]
    arguments = [inputs.get(each, each) for each in call.arguments]
    options = [inputs.get(each, each) for each in call.options]
    if isinstance(parameter, click.Option):
        options += [f"{parameter.opts[-1]}={value}"]
    else:
        positions = [each for each in command.params if isinstance(each, click.Argument)]
        position = positions.index(parameter)
        arguments[position : position + 1] = [value]
    return [*name.split(), *options, "--", *arguments]


def problem_of(arguments: list[str], codes: tuple[int, ...] = (0, 2)) -> str:
    """Run a command; return what is wrong with how it ends, or nothing."""
    before = time.process_time()
    result = CliRunner().invoke(commands, arguments, prog_name="sendcap")
    took_s = time.process_time() - before
    lines = result.stderr.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return f"raises {result.exception!r}"
    if result.exit_code not in codes:
        return f"ends with {result.exit_code}: {errors[:3]}"
    if bool(errors) != (result.exit_code == 2):
        return f"ends with {result.exit_code} and {errors[:3]}"
    strange = [line for line in lines if not line.startswith(("error: ", "warning: "))]
    if result.exit_code == 2 and strange:
        return f"says {strange[0][:300]!r}"
    if not all(line.isprintable() for line in lines):
        return f"says {lines!r}"
    if max(map(len, lines), default=0) > LONGEST_LINE:
        return f"says {max(map(len, lines)):,} characters: {max(lines, key=len)[:300]}"
    if took_s > LONGEST_S:
        return f"takes {took_s:.0f} s"
    left = [path.name for path in Path().rglob(".sendcap-*")]
    return f"leaves {left}" if left else ""


def test_every_command_that_writes_is_among_those_that_are_killed() -> None:
    writing = {
        name.split()[0]
        for name, command in COMMANDS.items()
        if any("--out" in parameter.opts for parameter in command.params)
    }
    assert {arguments[0] for arguments in WRITING.values()} == writing


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_works_as_it_is_tried(name, inputs, place) -> None:
    assert name in CALLS, "a new command: say how it is called"
    call = CALLS[name]
    line = [inputs.get(each, each) for each in (*call.options, *call.arguments)]
    assert problem_of([*name.split(), *line], codes=(0,)) == ""


@pytest.mark.parametrize(
    ("name", "number", "option"),
    PARAMETERS,
    ids=[f"{name}-{option}" for name, _, option in PARAMETERS],
)
def test_a_command_ends_well_whatever_it_is_given(name, number, option, inputs, place) -> None:
    values = EXTREMES
    if not ALL:
        # A seed of one's own for each, so that a new option changes none of the others.
        values = (random.Random(f"{name} {option}").choice(EXTREMES),)
    wrong = []
    for count, value in enumerate(values):
        folder = place / str(count)
        (folder / "folder").mkdir(parents=True)
        (folder / "file").write_text("text\n")
        os.chdir(folder)
        problem = problem_of(given(name, number, value, inputs))
        if problem:
            wrong.append(f"{value[:60]!r}: {problem}")
    assert wrong == []
