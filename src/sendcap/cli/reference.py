"""The reference pages that are made from the code: keys, commands, presets, settings of MTAs.

``python -m sendcap.cli.reference`` writes them anew.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import click

from sendcap.cli.commands import commands
from sendcap.guide.keys import Key, by_section, scenario_keys
from sendcap.guide.pages import GUIDE
from sendcap.importers.exim import table as exim
from sendcap.importers.kumomta import settings as kumomta
from sendcap.importers.opensmtpd import table as opensmtpd
from sendcap.importers.postfix import table as postfix
from sendcap.importers.powermta import settings as powermta
from sendcap.scenario import load, presets

_MADE: Final = "<!-- Made by `python -m sendcap.cli.reference`. -->\n"
_KEY_HEAD: Final = ("key", "type", "unit", "default", "meaning", "source")
_SELECTORS: Final = (".policy", ".kind", ".dist")
"""Keys whose value chooses the table."""


def keys_page() -> str:
    """Return the page of the scenario keys."""
    text = f"""{_MADE}
# Scenario keys

Every key of a scenario file. `sendcap scenario keys PATH` prints the same in a terminal, and
`sendcap scenario schema` writes a JSON schema for an editor.

- A *duration* is text with units, the larger first: `"300ms"`, `"20m"`, `"4d12h"`, `"3.5d"`.
- A *distribution* is a table for a random time; see [the last section](#distribution).
- A *rate* is text such as `"100/s"`, `"1,000/hr"` or `"100/15m,max_burst=1"`. The limit may go at
  once unless `max_burst` says otherwise, as in KumoMTA.
- `NAME` stands for the name of a provider, `[]` for each entry of a list.
- A dash under *source* means a choice of sendcap.
"""
    for section, keys in by_section(scenario_keys()).items():
        rows = [_row(key) for key in keys]
        text += f"\n## {section}\n\n{_table(_KEY_HEAD, rows)}"
    return text


def _row(key: Key) -> tuple[str, ...]:
    where = f" (`{key.variant}`)" if key.variant and not key.path.endswith(_SELECTORS) else ""
    default = key.default if key.default in ("", "required", "none") else f"`{key.default}`"
    cells = (f"`{key.path}`{where}", key.type, key.unit, default, key.meaning, key.source)
    return tuple(cell or "–" for cell in cells)


def commands_page() -> str:
    """Return the page of the commands."""
    text = f"""{_MADE}
# Commands

Every command with its options, as `sendcap COMMAND --help` prints them. The exit code is 0 for
success, 2 for anything that you can put right, and 130 for Ctrl-C; where that is the end that the
command asks for, as with `explore`, it is 0.

Commands with many simulations have `--workers` and `--dask`; `run` and `calibrate --verify` are one
simulation, on one core. `run`, `limits` and `explore` without a scenario take the preset
`quickstart`; `converge`, `compare` and `forecast`, which take longer, ask for one.
"""
    # A command keeps the help option of the first context that asks: without -h for good.
    context = click.Context(commands, info_name="sendcap", **commands.context_settings)
    for command, below in _below(context):
        text += f"\n## {below.command_path}\n\n{_paragraphs(command.help or '')}\n"
        arguments = " ".join(command.collect_usage_pieces(below))
        text += f"\n`{below.command_path} {arguments}`\n"
        options = [option for option in command.params if isinstance(option, click.Option)]
        rows = [record for option in options if (record := option.get_help_record(below))]
        if rows:
            table = [(f"`{names}`", about) for names, about in rows]
            text += f"\n{_table(('option', 'meaning'), table)}"
    return text


def _below(context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Yield the commands in the order of the help, each with its context; groups opened."""
    group = context.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        below = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _below(below)
        else:
            yield command, below


def presets_page() -> str:
    """Return the page of the presets."""
    text = f"""{_MADE}
# Presets

`sendcap scenario show NAME` prints a preset with its comments: each number names its source or
says *assumption*.
"""
    for name, description in presets().items():
        scenario = load(name)
        rows = [
            ("messages", f"{sum(delivery.messages for delivery in scenario.deliveries):,}"),
            ("deliveries", str(len(scenario.deliveries))),
            ("providers", ", ".join(scenario.providers)),
            ("IPs", str(sum(scenario.pools().values()))),
            ("relay workers", str(scenario.relay.workers)),
            ("relay rate", str(scenario.relay.rate or "none")),
            ("retry policy", scenario.mta.retry.policy),
        ]
        text += f"\n## {name}\n\n{description}.\n\n{_table(('what', 'value'), rows)}"
    return text


_IMPORTERS: Final = {
    "KumoMTA, shaping files": kumomta.PATH_TABLE,
    "KumoMTA, files of the queue helper": kumomta.QUEUE_TABLE,
    "PowerMTA": powermta.TABLE,
    "Postfix": postfix.TABLE,
    "Exim": exim.TABLE,
    "OpenSMTPD": opensmtpd.TABLE,
}


def importers_page() -> str:
    """Return the page of the settings of MTAs."""
    text = f"""{_MADE}
# Settings of MTAs

What `sendcap import` makes of each setting that decides connections, rates, retries or lifetimes,
and why it does not use the others. The report of an import says the same, with file and line.
"""
    for title, settings in _IMPORTERS.items():
        rows = [
            (_codes(each.names), _codes(each.keys) or "–", each.how.replace("|", "\\|"))
            for each in settings
        ]
        text += f"\n## {title}\n\n{_table(('setting', 'in the scenario', 'how, or why not'), rows)}"
    return text


def _codes(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


PAGES: Final[dict[str, Callable[[], str]]] = {
    "keys": keys_page,
    "commands": commands_page,
    "presets": presets_page,
    "importers": importers_page,
}
"""What makes each page of ``guide/reference`` that is made."""


def _paragraphs(text: str) -> str:
    blocks = text.replace("\b", "").strip().split("\n\n")
    return "\n\n".join(" ".join(block.split()) for block in blocks)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    cells = ([re.sub(r"\s+", " ", cell).replace("|", "\\|") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def main() -> None:
    """Write the pages."""
    for name, page in PAGES.items():
        (GUIDE / "reference" / f"{name}.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
