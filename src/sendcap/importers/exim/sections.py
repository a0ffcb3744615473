"""The sections of Exim's configuration: options, routers, transports and retry rules."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sendcap.importers.exim.lines import Line
from sendcap.importers.reading import UNITS_S, Entry
from sendcap.scenario.durations import format_duration

_BEGIN: Final = re.compile(r"begin\s+(\w{1,50})\s*", re.ASCII | re.IGNORECASE)
_OPTION: Final = re.compile(r"(?:hide\s+)?([a-z][a-z0-9_]{0,80})\s*=\s*(.*)", re.ASCII | re.DOTALL)
_SWITCH: Final = re.compile(r"(?:hide\s+)?(no_|not_)?([a-z][a-z0-9_]{0,80})", re.ASCII)
_NAMED_LIST: Final = re.compile(
    r"(?:hide\s+)?(?:domain|address)list(?:_cache)?\s+(\w{1,64})\s*=\s*(.*)", re.ASCII | re.DOTALL
)
_DRIVER: Final = re.compile(r"([A-Za-z0-9_-]{1,80})\s*:", re.ASCII)
_ERROR: Final = re.compile(r"\*|[A-Za-z][A-Za-z0-9_]{2,40}(?::\S{1,40})?", re.ASCII)
_SENDERS: Final = re.compile(r"senders\s*=\s*(.*)", re.DOTALL)
_TIMES: Final = re.compile(r"(?:\d{1,9}[wdhms]){1,10}", re.ASCII)
_TIME: Final = re.compile(r"(\d+)([wdhms])", re.ASCII)
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)

Options = dict[str, Entry]


class Rule(NamedTuple):
    """A retry rule."""

    pattern: str
    error: str
    senders: str
    schedule: str
    line: Line

    @property
    def entry(self) -> Entry:
        """The rule as a setting of the report."""
        senders = f"senders={self.senders}" if self.senders else ""
        title = " ".join(filter(None, ("retry", self.pattern, self.error, senders)))
        return Entry(title, self.schedule, self.line.where)


@dataclass
class Sections:
    """What a configuration holds."""

    options: Options = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)  # of domains and addresses, by name
    routers: dict[str, Options] = field(default_factory=dict)
    transports: dict[str, Options] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)


def sections_of(lines: Iterable[Line]) -> Sections:
    """Read the sections; without any, and without an option first, all lines are retry rules."""
    every, sections = list(lines), Sections()
    first = every[0].content if every else ""
    options = any(form.fullmatch(first) for form in (_OPTION, _NAMED_LIST))
    in_main = options or any(_BEGIN.fullmatch(line.content) for line in every)
    section = "main" if in_main else "retry"
    drivers = {"routers": sections.routers, "transports": sections.transports}
    target: Options | None = sections.options
    for line in every:
        begin = _BEGIN.fullmatch(line.content)
        driver = _DRIVER.fullmatch(line.content) if section in drivers else None
        if begin is not None:
            section, target = begin[1].casefold(), None
        elif section == "retry":
            sections.rules.append(_rule(line))
        elif driver is not None:
            target = drivers[section].setdefault(driver[1], {})
        elif target is not None:
            _option(line, target, sections.lists if section == "main" else {})
    return sections


def _option(line: Line, target: Options, lists: dict[str, str]) -> None:
    named = _NAMED_LIST.fullmatch(line.content)
    if named is not None:
        lists[named[1].casefold()] = _value(line, named[2])
        return
    option, switch = _OPTION.fullmatch(line.content), _SWITCH.fullmatch(line.content)
    if option is not None:
        target[option[1]] = Entry(option[1], _value(line, option[2]), line.where)
    elif switch is not None:
        target[switch[2]] = Entry(switch[2], "false" if switch[1] else "true", line.where)


def _value(line: Line, text: str) -> str:
    """Return the value of an option, which may be in quotation marks (``read_string``)."""
    text = text.strip()
    return _dequoted(line, text)[0] if text.startswith('"') else text


def _rule(line: Line) -> Rule:
    """Read a retry rule (``readconf_retries`` in ``src/src/readconf.c``)."""
    pattern, rest = _dequoted(line, line.content)
    error, rest = (*rest.split(None, 1), "", "")[:2]
    if not _ERROR.fullmatch(error):
        form = "write pattern, error and F,2h,15m; …"
        raise line.text.error(line.number, f"is not a retry rule; {form}")
    senders, rest = "", rest.strip()
    match = _SENDERS.fullmatch(rest)
    if match is not None:
        senders, rest = _dequoted(line, match[1])
    steps = [_step(step) for step in rest.strip().removesuffix(";").split(";")]
    return Rule(pattern, error.casefold(), senders, "; ".join(steps), line)


def _step(text: str) -> str:
    """Write a step as the scenario does: the letter large, the times with the larger unit first."""
    letter, *arguments = (part.strip() for part in text.split(","))
    return ",".join((letter.upper(), *map(_time, arguments)))


def _time(text: str) -> str:
    if not _TIMES.fullmatch(text) or _TIME.fullmatch(text):
        return text
    total_s = sum(int(number) * UNITS_S[unit] for number, unit in _TIME.findall(text))
    return format_duration(total_s)


def _dequoted(line: Line, text: str) -> tuple[str, str]:
    """Split off the first word, or what stands in quotation marks (``string_dequote``)."""
    if not text.startswith('"'):
        pieces = text.split(None, 1)
        return (pieces[0] if pieces else "", pieces[1] if len(pieces) > 1 else "")
    quoted = _QUOTED.match(text)
    if quoted is None:
        raise line.text.error(line.number, "unclosed quotation mark")
    return _ESCAPE.sub(r"\1", quoted[1]), text[quoted.end() :].strip()
