"""``sendcap guide``: list the pages of the guide, or show one."""

import re
import sys
import textwrap
from itertools import groupby
from typing import Final

import click

from sendcap.cli.tables import show_list

_LINK: Final = re.compile(r"\[([^]]+)\]\((?:[\w./-]*/)?([\w-]+)\.md(?:#[\w-]+)?\)")

_BLOCK: Final = re.compile(r"^```\w*\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


@click.command()
@click.argument("topic", required=False)
def guide(topic: str | None) -> None:
    """List the topics of the guide, or show one.

    Piped into a file or another program, a page is plain Markdown.
    """
    from sendcap.guide import pages

    if topic is None:
        click.echo(_plain(pages.introduction()))
        topics = pages.topics()
        width = max(len(page.name) for page in topics)
        for kind, members in groupby(topics, lambda page: page.kind):
            click.echo(f"{kind}:")
            show_list({page.name: page.sentence for page in members}, width, margin="  ")
            click.echo()
    elif sys.stdout.isatty():
        _render(pages.topic(topic).text)
    else:
        click.echo(pages.topic(topic).text, nl=False)


def _without_links(text: str) -> str:
    """Name a link's topic: a terminal follows no link between files."""
    return _LINK.sub(r"\1 (`sendcap guide \2`)", text)


def _plain(text: str) -> str:
    """Return Markdown with code set in, and without the marks of blocks."""
    pieces = _BLOCK.split(_without_links(text))
    pieces[1::2] = [textwrap.indent(code, "    ") for code in pieces[1::2]]
    return "".join(pieces)


def _render(text: str) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(_without_links(text), hyperlinks=False))
