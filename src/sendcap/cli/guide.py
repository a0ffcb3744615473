"""``sendcap guide``: list the pages of the guide, or show one."""

from __future__ import annotations

import re
import sys
from itertools import groupby
from typing import Final

import click

_LINK: Final = re.compile(r"\[([^]]+)\]\((?:[\w./-]*/)?([\w-]+)\.md(?:#[\w-]+)?\)")


@click.command()
@click.argument("topic", required=False)
def guide(topic: str | None) -> None:
    """List the topics of the guide, or show the page of one.

    Piped into a file or another program, a page is plain Markdown.
    """
    from sendcap.guide import pages

    if topic is None:
        topics = pages.topics()
        width = max(len(page.name) for page in topics)
        for kind, members in groupby(topics, lambda page: page.kind):
            click.echo(f"{kind}:")
            for page in members:
                click.echo(f"  {page.name:<{width}}  {page.sentence}")
            click.echo()
        click.echo("`sendcap guide TOPIC` shows a page.")
    elif sys.stdout.isatty():
        _render(pages.topic(topic).text)
    else:
        click.echo(pages.topic(topic).text, nl=False)


def _render(text: str) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    # A terminal follows no link between files; the topic's name is of use.
    text = _LINK.sub(r"\1 (`sendcap guide \2`)", text)
    Console().print(Markdown(text, hyperlinks=False))
