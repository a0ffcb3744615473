"""The examples of a Markdown page: code blocks and inline code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GUIDE = ROOT / "src" / "sendcap" / "guide"
PAGES = [README, *sorted(GUIDE.rglob("*.md"))]

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int


def blocks(text: str) -> list[Block]:
    return [
        Block(match[1], match[2], text.count("\n", 0, match.start()) + 1)
        for match in _BLOCK.finditer(text)
    ]


def inline_code(text: str) -> list[str]:
    return [" ".join(match.split()) for match in _INLINE.findall(_BLOCK.sub("", text))]


_NAMED = re.compile(r"# ([\w-]+\.(?:toml|cf|conf|config|csv|py))\b.*\n")
_OUTPUT = re.compile(r"(?:--out|-o|--report|>) ([\w.-]+)|\.save(?:fig)?\(\"([\w.-]+)\"\)")


def file_name(block: Block) -> str | None:
    """The file that a block is, if its first line names one."""
    named = _NAMED.match(block.text)
    return named[1] if named else None


def names_written(page: Path) -> set[str]:
    """The files and directories that the examples of a page write."""
    found = set()
    for block in blocks(page.read_text(encoding="utf-8")):
        if name := file_name(block):
            found.add(name)
        elif block.language in ("console", "python"):
            found |= {one or other for one, other in _OUTPUT.findall(block.text)}
            found |= set(re.findall(r"^\$ cat ([\w.-]+)", block.text, re.MULTILINE))
    return found


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", _BLOCK.sub("", text))


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()
