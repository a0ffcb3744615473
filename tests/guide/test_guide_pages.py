"""The guide as a whole: its index, links, and the names in its sentences."""

from __future__ import annotations

import inspect
import pkgutil
import re
import shlex
from collections import Counter
from pathlib import Path

import click
import pytest
from blocks import (
    GUIDE,
    PAGES,
    README,
    ROOT,
    blocks,
    file_name,
    inline_code,
    links,
    name,
    names_written,
)

import sendcap
from sendcap.cli.commands import commands
from sendcap.errors import SendcapError
from sendcap.guide import pages
from sendcap.guide.keys import scenario_keys
from sendcap.guide.pages import topic, topics

_PATH = re.compile(r"(?:src/sendcap|tests|experiments|notebooks|\.ci)(?:/[\w.-]+)+(?:::\w+)?")
_SECTION = re.compile(
    r"(?:time|deliveries|relay|mta|providers|feedback|engagement|reporting)[.\[][\w.\[\]]+"
)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page) -> None:
    for link in links(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_path_in_a_sentence_exists(page) -> None:
    for code in inline_code(page.read_text(encoding="utf-8")):
        if _PATH.fullmatch(code):
            path, _, test = code.partition("::")
            assert (ROOT / path).exists(), code
            assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), code


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_in_a_sentence_exists_with_its_options(page) -> None:
    for code in inline_code(page.read_text(encoding="utf-8")):
        if re.match(r"sendcap [a-z]", code):
            assert_command(shlex.split(code)[1:])


def assert_command(words: list[str]) -> None:
    command: click.Command = commands
    context = click.Context(commands)
    while isinstance(command, click.Group) and words and words[0].isidentifier():
        found = command.get_command(context, words[0])
        assert found is not None, words
        command, words = found, words[1:]
    known = {text for parameter in command.params for text in parameter.opts}
    for word in words:
        if word.startswith("-"):
            assert word in known, word


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_name_of_the_package_in_a_sentence_is_importable(page) -> None:
    for code in inline_code(page.read_text(encoding="utf-8")):
        if match := re.match(r"sendcap((?:\.\w+)+)", code):
            # Modules count, too, whether or not something has imported them.
            pkgutil.resolve_name(f"sendcap{match[1]}")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_scenario_key_in_a_sentence_exists(page) -> None:
    for code in inline_code(page.read_text(encoding="utf-8")):
        if _SECTION.fullmatch(code):
            scenario_keys(code)


def test_the_index_lists_every_page_once() -> None:
    # The package is installed elsewhere, so this also tells whether it has every page.
    installed = Path(pages.__file__).parent
    listed = [page.path.relative_to(installed) for page in topics()]
    assert sorted(listed) == sorted(
        page.relative_to(GUIDE) for page in GUIDE.rglob("*.md") if page != GUIDE / "README.md"
    )
    names = [page.name for page in topics()]
    assert len(names) == len(set(names))


def test_every_page_begins_with_a_heading_and_is_short() -> None:
    for page in topics():
        lines = [line for line in page.text.splitlines() if line and not line.startswith("<!--")]
        assert lines[0].startswith("# "), page.name
        if page.kind.startswith("How-to"):
            assert len(page.text.split()) < 400, page.name
            assert blocks(page.text), page.name


def test_every_invariant_names_a_test_and_a_bug() -> None:
    _, *invariants = re.split(r"^## INV-", topic("invariants").text, flags=re.MULTILINE)
    assert [int(text.split()[0]) for text in invariants] == list(range(1, len(invariants) + 1))
    for text in invariants:
        named = re.findall(r"^- Test: `(.+)`$", text, re.MULTILINE)
        assert named, text
        assert all("::" in test for test in named), text
        assert re.search(r"^- Bug: .+", text, re.MULTILINE), text


def test_every_promise_names_its_tests() -> None:
    promised, _, _ = topic("promises").text.partition("## What is not promised")
    promises = re.split(r"^- ", promised, flags=re.MULTILINE)[1:]
    assert len(promises) > 10
    for promise in promises:
        assert any(_PATH.fullmatch(code) for code in inline_code(promise)), promise


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("limts", 'did you mean "limits"?'),
        ("converge", "believe"),
        ("greylisting", "bounces"),
        ("xyz", "`sendcap guide` lists them"),
    ],
)
def test_an_unknown_topic_is_answered_by_a_suggestion(word, answer) -> None:
    with pytest.raises(SendcapError) as error:
        topic(word)
    assert answer in str(error.value)


STARTS_WITH = {"my-send.toml", "my-run"}
"""What the pages start with: several may show how it is made."""


def test_no_two_pages_write_the_same_file() -> None:
    count = Counter(written for page in PAGES for written in names_written(page) - STARTS_WITH)
    assert len(count) > 30
    assert {written for written, pages in count.items() if pages > 1} == set()


def test_what_the_pages_start_with_is_the_same_everywhere() -> None:
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    every = [block for text in texts for block in blocks(text)]
    send = next(block.text for block in blocks(README.read_text()) if block.language == "toml")
    assert {
        block.text.partition("\n")[2] for block in every if file_name(block) == "my-send.toml"
    } == {send}
    assert {
        line for text in texts for line in text.splitlines() if line.endswith("--out my-run")
    } == {"$ sendcap run my-send.toml --out my-run"}


def test_the_python_page_names_the_functions_that_use_processes() -> None:
    using = {
        f"sendcap.{public}"
        for public in sendcap.__all__
        if inspect.isfunction(function := getattr(sendcap, public))
        and "workers" in inspect.signature(function).parameters
    }
    assert using <= set(inline_code(topic("python").text))
