"""An option means the same in every command."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from sendcap.cli.commands import commands

ONE = frozenset({"--set", "--seed"})
SIMULATE = {
    **dict.fromkeys(("run", "calibrate", "drain"), ONE),
    **dict.fromkeys(
        ("limits", "calendar", "converge", "compare", "forecast", "sweep", "sensitivity"),
        ONE | {"--workers", "--dask"},
    ),
    **dict.fromkeys(
        ("optimise",),
        ONE | {"--workers", "--dask"},
    ),
}
"""The commands that simulate, and the options for it."""

COMMANDS = {
    "run": "-o --force --set --seed --mode --window --threads --sending-log --excel",
    "limits": "-o --force --set --seed --within --share --sustained --levers --cost --confidence"
    " --workers --dask",
    "calendar": "-o --force --set --seed --deadline --at --share --replications --confidence"
    " --workers --dask",
    "people": "--profile",
    "dashboard": "--at --mode --delivery --report --explain --compute-stats --csv --force",
    "plot": "-o --force --list --mode --delivery --start --from --to --scale --measure --over --by",
    "report": "-o --force --title --comments --excel",
    "converge": "-o --force --set --seed --mode --tolerance --confidence --replications"
    " --precision --workers --dask",
    "compare": "-o --force --set --seed --mode --tolerance --confidence --replications"
    " --workers --dask",
    "forecast": "--observed --at --delivered --range --only-given -o --force --set --seed"
    " --mode --delivery --tolerance --confidence --simulations --workers --dask",
    "drain": "--queue --format --as-of --pool --release --beside -o --force --set --seed",
    "sweep": "-o --store --set --seed --workers --dask --status --list-measures",
    "sensitivity": "-o --store --set --seed --confidence --workers --dask --method --status",
    "optimise": "-o --store --set --seed --workers --dask",
    "explore": "--set --port --host --open",
    "scenario list": "",
    "scenario show": "--resolved --effective --set",
    "scenario check": "--set",
    "scenario schema": "",
    "import kumomta": "-o --force --report --audience --messages --base --ips --other-domains"
    " --source --mx --queue --pools",
    "import postfix": "-o --force --report --audience --messages --base --ips --other-domains"
    " --master --transport",
    "import opensmtpd": "-o --force --report --audience --messages --base --ips --other-domains",
    "import exim": "-o --force --report --audience --messages --base --ips --other-domains "
    "--queue-interval",
    "import powermta": "-o --force --report --audience --messages --base --ips --other-domains"
    " --source --mx",
    "calibrate": "-o --force --report --format --providers --year --feedback --verify --set --seed",
}
"""Every command with its options, in the order of its help."""

OTHER_MEANING = {
    ("dashboard", "--report"),
    ("forecast", "--at"),
    ("drain", "--queue"),
    ("drain", "--format"),
}
"""Campaign calls what it shows on a delivery a report; elsewhere the option is a directory's. Of
several readings typed for a forecast, each has its moment; elsewhere there is one. A queue that is
drained has messages, one that is imported has settings; and it has formats of its own."""

OWN_WORDS = {"--source", "--replications", "--at", "--delivery", "--share"}
"""Options of one meaning whose help names the command's own things."""


def every(group: click.Group = commands, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from every(command, f"{prefix}{name} ")
        elif command is not None:
            yield f"{prefix}{name}", command


def options(command: click.Command) -> list[click.Option]:
    return [it for it in command.params if isinstance(it, click.Option)]


def test_every_command_has_these_options() -> None:
    table = {name: " ".join(it.opts[0] for it in options(command)) for name, command in every()}
    assert {name: table[name] for name in COMMANDS} == COMMANDS


def test_every_simulation_takes_the_same_options() -> None:
    for name, command in every():
        names = {it.opts[0] for it in options(command)}
        assert SIMULATE.get(name, frozenset()) <= names, name


def test_an_option_is_the_same_in_every_command() -> None:
    looks: dict[str, dict[tuple[object, ...], str]] = {}
    for name, command in every():
        for it in options(command):
            if {"--out", "--force", "--store"} & set(it.opts):
                continue  # the text depends on what is written
            if (name, it.opts[0]) in OTHER_MEANING:
                continue
            text = (it.help or "").split(" (default")[0]
            look = (
                tuple(it.opts),
                it.name,
                it.multiple,
                it.is_flag,
                it.metavar,
                "" if it.opts[0] in OWN_WORDS else text,
            )
            looks.setdefault(it.opts[0], {})[look] = name
    assert {option: found for option, found in looks.items() if len(found) > 1} == {}


def test_results_go_where_out_says() -> None:
    for name, command in every():
        for it in options(command):
            if it.name == "out" or "-o" in it.opts:
                assert it.opts == ["-o", "--out"], name
                assert it.metavar in ("DIR", "FILE"), name
            if "--report" in it.opts and (name, "--report") not in OTHER_MEANING:
                assert it.metavar == "DIR", name


def test_every_option_says_what_it_is_in_a_sentence() -> None:
    for name, command in every():
        for it in options(command):
            assert it.help, (name, it.opts)
            assert it.help[0].isupper() or it.help.startswith(("postfix", "master.cf")), it.help
            assert it.help.endswith("."), it.help


@pytest.mark.parametrize("option", ["-o", "--out", "--output"])
def test_the_old_spelling_goes_on_working(sendcap, saved_run, place, option) -> None:
    assert sendcap("plot", str(saved_run), "delivered", option, "a.svg").exit_code == 0
    assert (place / "a.svg").exists()
    assert sendcap("run", "small.toml", option, "a").exit_code == 0
    assert (place / "a").is_dir()


@pytest.mark.parametrize("command", ["run", "limits", "converge", "compare", "forecast"])
def test_a_directory_that_exists_is_refused_before_a_scenario_is_read(sendcap, place, command):
    (place / "here").mkdir()
    asked = ["--observed", "absent.csv"] if command == "forecast" else []
    result = sendcap(command, "absent.toml", *asked, "--out", "here")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: here: already exists; choose another directory or add --force\n"
    )
