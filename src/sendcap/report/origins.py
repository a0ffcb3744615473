"""Where each figure of a scenario is from: a source, a measurement, an assumption, or its author.

A saved run has no comments. They are looked up in the file that the run was made from, where that
is named, or in the preset of the same title. Only a figure that is the same there has the comment.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from sendcap.errors import ScenarioError
from sendcap.report.settings import Table, written
from sendcap.scenario import Scenario, loads, preset_text, presets, to_dict
from sendcap.scenario.files import read_text
from sendcap.scenario.section import Place
from sendcap.scenario.toml import table_of
from sendcap.text.quantities import capital, counted, listed
from sendcap.text.quoting import dotted, visible

_KINDS: Final = {
    "source": "from a source",
    "measured": "measured",
    "assumed": "assumed",
    "given": "given by the scenario's author",
    "default": "sendcap's defaults",
}
_NO_FIGURES: Final = {"title", "name", "seed", "start", "zone"}
_WHOLE: Final = {"dist", "kind"}
"""Keys of a table that is one figure, such as a distribution."""
_MEASURED: Final = "Fitted by sendcap calibrate"
_REST: Final = "values without a comment are "
"""So an importer's comment on a provider begins."""


class Commented(NamedTuple):
    """A scenario with comments."""

    name: str
    data: dict[str, Any]
    comments: Mapping[Place, str]
    measured: bool


class Origin(NamedTuple):
    """Where a figure is from."""

    place: Place
    value: str
    kind: str
    words: str


@cache
def _titles() -> dict[str, str]:
    return {table_of(preset_text(name))["title"]: name for name in presets()}


def preset_titled(title: str) -> str | None:
    """Return the name of the preset that has a title."""
    return _titles().get(title)


def commented_file(path: Path) -> Commented:
    """Return the scenario of a file with its comments."""
    name = visible(str(path))
    try:
        text = read_text(path, name, "scenario")
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else None
        raise ScenarioError(f"{name}: {reason or problem}") from None
    return _commented(visible(path.name), text, path.parent)


@cache
def _preset(name: str) -> Commented:
    return _commented(f"the preset {name}", preset_text(name), None)


def _commented(name: str, text: str, folder: Path | None) -> Commented:
    data = to_dict(loads(text, name, folder))
    return Commented(name, data, comments(text), _MEASURED in text.partition("\n")[0])


def origins(scenario: Scenario, file: Commented | None = None) -> list[Origin]:
    """Return where each figure of a scenario is from."""
    preset = preset_titled(scenario.title)
    known = [*([file] if file else []), *([_preset(preset)] if preset else [])]
    return [
        Origin(place, written(value), *_origin(place, value, default, known))
        for place, value, default in _figures(to_dict(scenario), scenario, ())
    ]


def origin_table(found: list[Origin]) -> Table:
    """Return a table of the origins, a figure a row."""
    rows = [
        {
            "Figure": dotted(each.place),
            "Value": each.value,
            "From": capital(f"{each.kind}: {each.words}" if each.words else each.kind),
        }
        for each in found
    ]
    return Table("Where each figure is from", rows)


def origin_words(found: list[Origin]) -> str:
    """Return a sentence that counts the figures by their origin."""
    counts = Counter(each.kind for each in found)
    parts = [f"{counts[kind]} {words}" for kind, words in _KINDS.items() if counts[kind]]
    return f"{counted(len(found), 'figure')}: {listed(parts)}."


def _figures(
    data: Mapping[str, Any], model: Any, place: Place
) -> Iterator[tuple[Place, Any, str | None]]:
    """Yield each figure below a table, and for a default its source, which may be empty."""
    for key, value in data.items():
        here = (*place, key)
        own = model.get(key) if isinstance(model, Mapping) else getattr(model, key, None)
        # Each pool has its own addresses, and mta.ips says nothing.
        if key in _NO_FIGURES or (here == ("mta", "ips") and model.pools):
            continue
        if key == "deliveries":
            relayed = (each for each in model.written() if not each.is_held)
            for number, (entry, delivery) in enumerate(zip(value, relayed, strict=True)):
                yield from _figures(entry, delivery, (*here, number))
        elif isinstance(value, dict) and not _WHOLE & value.keys():
            yield from _figures(value, own, here)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield from (((*here, number), entry, None) for number, entry in enumerate(value))
        elif _has_figure(value):
            yield here, value, _default(model, key)


def _has_figure(value: Any) -> bool:
    return not isinstance(value, bool) and bool(re.search(r"\d", written(value)))


def _default(model: Any, key: str) -> str | None:
    """Return the source of a field's default, where that is its value."""
    field = type(model).model_fields.get(key) if isinstance(model, BaseModel) else None
    if field is None or field.is_required():
        return None
    if getattr(model, key) != field.get_default(call_default_factory=True):
        return None
    extra = field.json_schema_extra
    return str(extra.get("source", "")) if isinstance(extra, dict) else ""


def _origin(
    place: Place, value: Any, default: str | None, known: list[Commented]
) -> tuple[str, str]:
    """Return the kind of an origin, and what is said of it."""
    for file in known:
        comment = _comment(file.comments, place)
        if _value_at(file.data, place) == value and comment:
            return _told(comment, file.measured)
    if default is not None:
        return "default", default
    there = [(file.name, _value_at(file.data, place)) for file in known]
    words = [
        f"as in {name}" if other == value else f"{name} has {written(other)}"
        for name, other in there
        if other is not None
    ]
    return "given", "; ".join(words)


def _comment(found: Mapping[Place, str], place: Place) -> str:
    """Return the comment behind a value, or behind the list or table that it is a part of."""
    for length in range(len(place), 1, -1):
        comment = found.get(place[:length], "")
        # What is said of a provider is about its name.
        of_provider = length == 2 and place[0] == "providers"
        if comment and (not of_provider or comment.startswith(_REST)):
            return comment.removeprefix(_REST)
    return ""


def _told(comment: str, measured: bool) -> tuple[str, str]:
    if comment.startswith("assumption"):
        return "assumed", comment.removeprefix("assumption").lstrip(":;, ")
    if measured and "assumption" not in comment:
        return "measured", comment
    return "source", comment


def _value_at(data: Any, place: Place) -> Any:
    for key in place:
        if isinstance(data, dict):
            data = data.get(key)
        elif isinstance(data, list) and isinstance(key, int) and key < len(data):
            data = data[key]
        else:
            return None
    return data


# The comments of a scenario file.

_STRING: Final = re.compile(r'"(?:\\.|[^"\\])*"' + r"|'[^']*'")
_OVER_LINES: Final = ('"""', "'''")


def comments(text: str) -> dict[Place, str]:
    """Return the comments behind the values and headings of a valid TOML file, by their places.

    A comment behind an entry of a list that has a line of its own is the entry's. A file with a
    text over several lines has none: a # in it could be anything.
    """
    if any(quotes in text for quotes in _OVER_LINES):
        return {}
    found: dict[Place, str] = {}
    tables: Counter[Place] = Counter()
    table: Place = ()
    value: Place = ()
    depth = entries = 0
    for line in text.splitlines():
        # As long as the line, and without the signs that stand in a string.
        code = _STRING.sub(lambda string: "x" * len(string[0]), line).partition("#")[0]
        written, comment = line[: len(code)].strip(), line[len(code) + 1 :].strip()
        if not written:
            continue
        if depth:
            entries += written.startswith("{")
            place = (*value, max(entries - 1, 0)) if written.startswith("{") else value
        elif written.startswith("["):
            place = table = _heading(written, tables)
        else:
            place = value = (*table, *_path(table_of(f"{line[: code.index('=')]} = 0")))
            entries = 0
        depth += sum(map(code.count, "[{")) - sum(map(code.count, "]}"))
        if comment:
            found[place] = comment
    return found


def _heading(written: str, tables: Counter[Place]) -> Place:
    """Return the place of a table; those of a list are numbered by the order of their headings."""
    place: list[str | int] = []
    is_entry = written.startswith("[[")
    keys = _path(table_of(written))
    for number, key in enumerate(keys, start=1):
        place.append(key)
        here = tuple(place)
        if is_entry and number == len(keys):
            tables[here] += 1
        if tables[here]:
            place.append(tables[here] - 1)
    return tuple(place)


def _path(table: dict[str, Any]) -> Place:
    """Return the keys of a table that has one at each level."""
    keys: list[str] = []
    inner: Any = table
    while inner and isinstance(inner, dict | list):
        inner = inner[0] if isinstance(inner, list) else inner
        if not inner:
            break
        (key,) = inner
        keys.append(key)
        inner = inner[key]
    return tuple(keys)
