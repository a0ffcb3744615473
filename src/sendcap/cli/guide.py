"""``sendcap guide``: list the pages of the guide, or show one."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sendcap.guide.pages import Topic


@click.command()
@click.argument("topic", required=False)
def guide(topic: str | None) -> None:
    """List the topics of the guide, or show the page of one.

    Piped into a file or another program, a page is plain Markdown.
    """
    from sendcap.guide import pages

    if topic is None:
        _list(pages.topics())
    elif sys.stdout.isatty():
        _render(pages.topic(topic).text)
    else:
        click.echo(pages.topic(topic).text, nl=False)


def _list(topics: list[Topic]) -> None:
    width = max(len(topic.name) for topic in topics)
    for kind, members in groupby(topics, lambda topic: topic.kind):
        click.echo(f"{kind}:")
        for topic in members:
            click.echo(f"  {topic.name:<{width}}  {topic.sentence}")
        click.echo()
    click.echo("`sendcap guide TOPIC` shows a page.")


def _render(text: str) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))
