"""The pages of the guide, as ``README.md`` in this folder lists them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sendcap.errors import SendcapError
from sendcap.text.quoting import did_you_mean, shown

GUIDE: Final = Path(__file__).parent
"""The folder of the pages."""

_ENTRY: Final = re.compile(r"- \[(?P<title>[^]]+)\]\((?P<path>[^)]+)\): (?P<sentence>.+)")


@dataclass(frozen=True)
class Topic:
    """A page of the guide."""

    name: str  # the file's name, for `sendcap guide`
    kind: str  # heading in the index: tutorial, how-to, reference, why
    title: str
    sentence: str  # in the index
    path: Path

    @property
    def text(self) -> str:
        """The page, as Markdown."""
        return self.path.read_text(encoding="utf-8")


def topics() -> list[Topic]:
    """Return all pages, in the order of the index."""
    result: list[Topic] = []
    kind = ""
    for line in (GUIDE / "README.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            kind = line.removeprefix("## ")
        elif entry := _ENTRY.fullmatch(line):
            path = GUIDE / entry["path"]
            result.append(Topic(path.stem, kind, entry["title"], entry["sentence"], path))
    return result


def introduction() -> str:
    """Return what the index says before its list, as Markdown."""
    text = (GUIDE / "README.md").read_text(encoding="utf-8")
    return text.partition("\n\n")[2].partition("\n## ")[0]


def topic(name: str) -> Topic:
    """Return the page of a topic, such as ``limits``.

    The error about an unknown one names the nearest topic, or the pages with the word.
    """
    pages = topics()
    word = name.lower().removesuffix(".md").rpartition("/")[2]
    for page in pages:
        if page.name == word:
            return page
    raise SendcapError(f"the guide has no topic {shown(name)}{_hint(word, pages)}")


def _hint(word: str, pages: list[Topic]) -> str:
    if guess := did_you_mean(word, [page.name for page in pages]):
        return guess
    if re.fullmatch(r"[\w-]{3,}", word):
        mentions = {page.name: page.text.lower().count(word) for page in pages}
        best = sorted((name for name in mentions if mentions[name]), key=mentions.__getitem__)
        if best:
            return f"; pages with this word: {', '.join(best[:-5:-1])}"
    return "; `sendcap guide` lists them"
