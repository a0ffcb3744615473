"""Every key of a scenario file, read from the models: type, unit, default, meaning, source."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sendcap.errors import ScenarioError
from sendcap.scenario.durations import DURATION_SCHEMA
from sendcap.scenario.json_schema import schema
from sendcap.text.quoting import did_you_mean, shown

_DURATION_UNITS: Final = "ms, s, m, h, d, w"
_UNITS: Final = {"per_day": "attempts per day", "max_retries": "retries"}
"""Units that the models do not name."""
_SOURCES: Final = {
    "Delivery.validity": "Adobe: longest validity that the Enhanced MTA honours",
    "Mta.longest_validity": "Adobe: longest validity that the Enhanced MTA honours",
    "Delivery.batch": 'Adobe Campaign v8, "Configure and send": a 1024th of the messages, 8 to 256',
    "Relay.batch": 'Adobe Campaign v8, "Configure and send": largest delivery part',
    "Provider.connection_scaling": "KumoMTA, `ready_queue.rs`, `ideal_connection_count`",
    "Reporting.refresh": "Adobe, technical workflows: `updateDeliveryExecInfo`",
    "Reporting.engagement_refresh": "Adobe: tracking indicators are computed hourly",
    "Feedback.asynchronous": "Adobe: asynchronous bounces take up to 7 days",
    "FixedWindow": 'Adobe Campaign Classic, "Email deliverability"',
    "Gap": "Postfix, `qmgr_entry.c`: `destination_rate_delay`",
    "ExponentialRetry": "Momentum, `Retry_Interval` and `Max_Retry_Interval`",
}
"""Sources that the models do not name, by table and key."""
_SHARES: Final = "a share per"
_SHARED: Final = {"Audience": "provider", "Providers": "provider", "Zones": "time zone"}
"""What a table has shares of, by the title of its field."""
_HUGE: Final = 10**12
"""Of larger bounds the meaning speaks."""
_GENERIC: Final = str(DURATION_SCHEMA["description"])


@dataclass(frozen=True)
class Key:
    """A key of a scenario file."""

    path: str  # such as providers.NAME.rate or deliveries[].messages
    type: str  # what a file may write
    unit: str  # empty where the type says it
    default: str  # as a file writes it; "required" where no default exists
    meaning: str
    source: str  # of the rule or the default; empty for a choice of sendcap
    variant: str = ""  # the table with this key, such as policy = "exim"; empty for every table

    @property
    def values(self) -> str:
        """The type and the unit, in a line."""
        if self.unit == _DURATION_UNITS:
            return re.sub(r"durations?", r"\g<0> (ms … w)", self.type, count=1)
        return f"{self.type}, {self.unit}" if self.unit else self.type


def scenario_keys(path: str = "") -> list[Key]:
    """Return the keys of a scenario file, or those at and below a path.

    A path is such as ``providers``, ``mta.retry`` or ``deliveries[0].messages``; a provider's name
    stands for any. ``distribution`` has the keys of a random time.

    >>> [key.default for key in scenario_keys("mta.ips")]
    ['1']
    """
    keys = _all_keys()
    wanted = _pieces(path)
    result = [key for key in keys if _below(_pieces(key.path), wanted)]
    if not result:
        known = {key.path for key in keys}
        raise ScenarioError(
            f"no scenario key {shown(path)}"
            f"{did_you_mean(path, known) or '; `sendcap scenario keys` lists them'}"
        )
    return result


@cache
def _all_keys() -> tuple[Key, ...]:
    return tuple(_Walk(schema()).all())


def _pieces(path: str) -> list[str]:
    path = re.sub(r"\[\d*\]", "[]", path.strip())
    return re.findall(r'"[^"]*"|[^.]+', path)


def _below(pieces: list[str], wanted: list[str]) -> bool:
    return len(pieces) >= len(wanted) and all(
        have in ("NAME", want) or have.removesuffix("[]") == want.removesuffix("[]")
        for have, want in zip(pieces, wanted, strict=False)
    )


class _Walk:
    """Goes through the tables of the JSON schema."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._tables: Mapping[str, Any] = root["$defs"]
        self._distributions = [
            name for name, table in self._tables.items() if "dist" in table.get("properties", {})
        ]

    def all(self) -> Iterator[Key]:
        yield from self._table("Scenario", self._root, "")
        for name in self._distributions:
            yield from self._table(name, self._tables[name], "distribution", "dist")

    def _table(
        self, name: str, table: Mapping[str, Any], path: str, selector: str = ""
    ) -> Iterator[Key]:
        fields: Mapping[str, Any] = table["properties"]
        variant = f'{selector} = "{fields[selector]["const"]}"' if selector else ""
        required = table.get("required", ())
        for field, about in fields.items():
            here = f"{path}.{field}" if path else field
            if field == selector:
                yield Key(
                    here, _type(about), "", "", _summary(table), _source(table, name), variant
                )
                continue
            if not _only_tables(about):
                yield Key(
                    here,
                    self._written(about),
                    _unit(field, about),
                    "required" if field in required else self._default(about),
                    _meaning(about),
                    _source(about, f"{name}.{field}") or self._source_of_table(about),
                    variant,
                )
            yield from self._within(about, here)

    def _within(self, about: Mapping[str, Any], path: str) -> Iterator[Key]:
        """Yield the keys of the tables that a field may have."""
        for option in _options(about):
            if "items" in option:
                if not _of_the_same(option["items"], about):
                    yield from self._within(option["items"], f"{path}[]")
            elif isinstance(option.get("additionalProperties"), dict):
                yield from self._within(option["additionalProperties"], f"{path}.NAME")
            elif "$ref" in option:
                name = option["$ref"].rpartition("/")[2]
                if name not in self._distributions:
                    table = self._tables[name]
                    yield from self._table(name, table, path, _selector(table))

    def _written(self, about: Mapping[str, Any]) -> str:
        """Return the types that a file may write."""
        names: dict[str, None] = {}
        for option in _options(about):
            if "$ref" in option:
                table = option["$ref"].rpartition("/")[2]
                names["distribution" if table in self._distributions else "table"] = None
            elif option.get("type") == "object":
                names[f"{_SHARES} {_SHARED[about['title']]}"] = None
            elif "items" in option and _of_the_same(option["items"], about):
                names["list of these"] = None
            else:
                names[_type(option)] = None
        return " or ".join(names)

    def _tables_of(self, about: Mapping[str, Any]) -> list[str]:
        """Return the names of the tables that a field may have, without distributions."""
        names = [option.get("$ref", "").rpartition("/")[2] for option in _options(about)]
        return [name for name in names if name and name not in self._distributions]

    def _default(self, about: Mapping[str, Any]) -> str:
        tables = self._tables_of(about)
        if "default" not in about and tables and (selector := _selector(self._tables[tables[0]])):
            return f'{selector} = "{self._tables[tables[0]]["properties"][selector]["const"]}"'
        return _default(about)

    def _source_of_table(self, about: Mapping[str, Any]) -> str:
        tables = self._tables_of(about)
        return _source(self._tables[tables[0]], tables[0]) if len(tables) == 1 else ""


def _only_tables(about: Mapping[str, Any]) -> bool:
    """Tell whether a field is a table, or a list or table of tables, and nothing else."""
    inner = about.get("items", about.get("additionalProperties", about))
    return "$ref" in about or (isinstance(inner, dict) and "$ref" in inner)


def _of_the_same(items: Mapping[str, Any], about: Mapping[str, Any]) -> bool:
    """Tell whether a list has what its field may be without a list, too."""
    options = list(_options(about))
    return all(option in options for option in _options(items))


def _options(about: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the alternatives of a field, without null, which no TOML file can write."""
    alternatives = about.get("anyOf", about.get("oneOf"))
    if alternatives is None:
        if about.get("type") != "null":
            yield about
        return
    for option in alternatives:
        yield from _options(option)


def _selector(table: Mapping[str, Any]) -> str:
    return next((name for name in ("policy", "kind") if name in table["properties"]), "")


def _type(about: Mapping[str, Any]) -> str:
    kind = about.get("type", "")
    if "const" in about:
        return json.dumps(about["const"])
    if "enum" in about:
        return " or ".join(map(json.dumps, about["enum"]))
    if kind == "array":
        return f"list of {_plural(about['items'])}"
    if kind == "object":
        return _SHARES
    if about.get("title") == "Moment":
        return "duration or time by the clock"
    if about.get("title") in ("Duration", "Rate"):
        words = [f'"{text}"' for text in about.get("examples", ()) if not text[0].isdigit()]
        return " or ".join([about["title"].lower(), *words])
    if about.get("format") == "date-time":
        return "date and time"
    if about.get("title") == "Share":
        return "share"
    return {"integer": "whole number", "number": "number", "string": "text"}.get(kind, "table")


def _plural(items: Mapping[str, Any]) -> str:
    if "enum" in items:
        return _type(items)
    kind = _type(items)
    if kind in ("duration", "whole number", "number"):
        return f"{kind}s"
    return "names" if kind == "text" else "tables"


def _unit(field: str, about: Mapping[str, Any]) -> str:
    if "unit" in about:
        return str(about["unit"])
    kinds = {_type(option).partition(" or ")[0] for option in _options(about)}
    if kinds & {"share", _SHARES}:
        return "0 to 1, or %"
    if kinds & {"duration", "list of durations"}:
        return _DURATION_UNITS
    if "rate" in kinds:
        return "per s, m, h, d"
    return _UNITS.get(field, "")


def _default(about: Mapping[str, Any]) -> str:
    default = about.get("default")
    if default is None or default in ([], ""):
        return "none"
    if isinstance(default, list) and len(default) > 4:
        return f"{json.dumps(default[:3])[:-1]}, …]"
    return f"{default:g}" if isinstance(default, float) else json.dumps(default, ensure_ascii=False)


def _meaning(about: Mapping[str, Any]) -> str:
    text = str(about.get("description", ""))
    meaning = "" if text.startswith(_GENERIC) else _plain(text)
    return " ".join(filter(None, (meaning, _bounds(about))))


def _bounds(about: Mapping[str, Any]) -> str:
    """Return the bounds of a number as a sentence."""
    for option in _options(about):
        low = option.get("minimum", option.get("exclusiveMinimum"))
        high = option.get("exclusiveMaximum", option.get("maximum"))
        if _type(option) in ("whole number", "number") and None not in (low, high):
            return f"{low:,g} to {high:,}." if high < _HUGE else ""
    return ""


def _summary(table: Mapping[str, Any]) -> str:
    return _plain(str(table.get("description", "")).partition("\n\nReferences")[0])


def _source(about: Mapping[str, Any], name: str) -> str:
    if "source" in about:
        return _plain(str(about["source"]))
    if name in _SOURCES:
        return _plain(_SOURCES[name])
    references = str(about.get("description", "")).partition("References\n----------\n")[2]
    return _plain(references.split("\n\n")[0]).rstrip(".")


def _plain(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def by_section(keys: Iterable[Key]) -> dict[str, list[Key]]:
    """Group keys by their first piece; ``general`` has those without a table."""
    result: dict[str, list[Key]] = {}
    for key in keys:
        first, dot, _ = key.path.partition(".")
        result.setdefault(first.removesuffix("[]") if dot else "general", []).append(key)
    return result
