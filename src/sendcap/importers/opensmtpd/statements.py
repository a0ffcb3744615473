"""The statements of ``smtpd.conf``: words, quoted strings, macros, comments and included files.

The rules are those of ``yylex`` and the grammar in ``usr.sbin/smtpd/parse.y``: a line is a
statement, but within braces; a backslash continues it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sendcap.importers.reading import Entry, Including, Text
from sendcap.text.quoting import shown

_TOKEN: Final = re.compile(
    r"""(?P<skip>(?:[ \t\f\v]|\\\n)+|\#(?:\\\n|[^\n])*)
    |(?P<end>\n)
    |"(?P<double>(?:[^"\\]|\\.)*)"
    |'(?P<single>(?:[^'\\]|\\.)*)'
    |\$(?P<macro>\w+)
    |(?P<word>[^\s(){}<>!=\#,"'$][^\s(){}<>!=\#,]*)
    |(?P<sign>[(){}<>!=,])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_MOST_WORDS: Final = 200_000
"""Of all statements together, with the values of macros."""


class Statement(NamedTuple):
    """A statement, and the place at which it begins."""

    text: Text
    line: int
    words: tuple[str, ...]  # signs such as "{" are words, too

    @property
    def where(self) -> str:
        """The file and line of the place."""
        return self.text.where(self.line)


@dataclass
class Statements(Including):
    """The statements of a configuration, and what was found on the way."""

    _macros: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _count: int = 0

    def of(self, text: Text, depth: int = 0) -> Iterator[Statement]:
        """Yield the statements of a file and those that it includes."""
        self.files.append(text.name)
        line, first, braces = 1, 0, 0
        words: list[str] = []
        for kind, value, lines in self._tokens(text):
            if kind == "end" and not braces:
                yield from self._finished(Statement(text, first, tuple(words)), depth)
                words = []
            elif kind not in ("end", "skip"):
                if not words:
                    first = line
                found = self._expanded(text, line, value) if kind == "macro" else (value,)
                words += found
                self._count += len(found)
                braces += {"{": 1, "}": -1}.get(value, 0) if kind == "sign" else 0
                if braces < 0 or self._count > _MOST_WORDS:
                    why = "a } without its {" if braces < 0 else f"more than {_MOST_WORDS:,} words"
                    raise text.error(line, why)
            line += lines
        if braces:
            raise text.error(first, "a { without its }")
        yield from self._finished(Statement(text, first, tuple(words)), depth)

    def _tokens(self, text: Text) -> Iterator[tuple[str, str, int]]:
        """Yield the kind of each token, its text, and the line ends within."""
        place, content = 0, text.content
        while place < len(content):
            token = _TOKEN.match(content, place)
            if token is None:
                line = content.count("\n", 0, place) + 1
                what = (
                    "unclosed quotation mark" if content[place] in "\"'" else "a $ without a name"
                )
                raise text.error(line, what)
            kind = str(token.lastgroup)
            value = token[kind]
            if kind in ("double", "single"):
                value = _ESCAPED.sub(r"\1", value)
            yield kind, value, token[0].count("\n")
            place = token.end()

    def _expanded(self, text: Text, line: int, name: str) -> tuple[str, ...]:
        if name not in self._macros:
            raise text.error(line, f"macro {shown(name)} is not defined before")
        return self._macros[name]

    def _finished(self, statement: Statement, depth: int) -> Iterator[Statement]:
        words = statement.words
        if words[1:2] == ("=",):
            value = Text(statement.text.path, statement.text.name, " ".join(words[2:]))
            kinds = ("end", "skip", "macro")  # a macro within a macro stays as it is
            found = tuple(word for kind, word, _ in self._tokens(value) if kind not in kinds)
            self._macros[words[0]] = found
        elif words[:1] == ("include",) and len(words) == 2:
            entry = Entry("include", shown(words[1]), statement.where)
            path = statement.text.path.parent / words[1]
            included = self.included(entry, path, "OpenSMTPD configuration", depth)
            if included is not None:
                yield from self.of(included, depth + 1)
        elif words:
            yield statement
