"""Every field of the JSON schema of scenario files, with a way to set it in a busy scenario."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from sendcap.scenario.json_schema import schema

SCHEMA = schema()
TAGS = ("dist", "kind", "policy")
NAME = "gmail"
"""Stands for the author's names."""

BUSY: dict[str, Any] = {
    "start": "2026-11-27T09:00:00",
    "time": {"horizon": "2d"},
    "deliveries": [
        {
            "name": "one",
            "messages": 40,
            "audience": {NAME: 1.0},
            "spread": "1m",
            "pattern": [0.5] * 24,
            "pause": "30s",
            "resume": "40s",
            "confirm": {"within": "10s", "hours": "09:00-18:00"},
        }
    ],
    "relay": {"batch": 16, "batch_time": "1s", "rate": "10/s", "error_rate": 0.1},
    "mta": {"ips": 2, "ingress_rate": "20/s", "spool": 30},
    "providers": {
        NAME: {
            "connections_per_ip": 2,
            "connect_time": "200ms",
            "transaction_time": {"dist": "gamma", "mean": "300ms", "cv": 1.0},
            "tolerance": "5/s",
            "transient": 0.2,
            "async_bounce": 0.1,
            "hard": [{"reason": "user unknown", "share": 0.1}],
            "faults": [{"reason": "greylisted", "share": 0.2, "clears_after": "5m"}],
            "outages": [{"at": "10s", "lasts": "10s"}],
        }
    },
    "feedback": {"synchronous": "1m", "asynchronous": "2h", "polling": "30s", "rate": "20/s"},
    "engagement": {
        "open_rate": 0.5,
        "open_delay": {"dist": "exponential", "mean": "3h"},
        "click_rate": 0.5,
        "click_delay": "1m",
    },
}
"""A small scenario with something of everything."""

SIMPLE: dict[str, Any] = {
    "at": "0s",
    "audience": {NAME: 1.0},
    "column": "time",
    "factor": 2.0,
    "hours": "09:00-18:00",
    "file": "times.csv",
    "interval": "1h",
    "max_retries": 3,
    "p95": "1h",
    "reason": "full",
    "retry_after": "10m",
    "rule": "F,2h,15m; G,16h,1h,1.5; F,4d,6h",
    "spool": 30,
    "start": "2026-11-27T09:00:00+01:00",
}
"""Values of keys whose type says too little."""

ENTRIES = {"Delivery.pattern": 24}
"""Entries of a list that has to have more than one."""

TOGETHER = {
    "Lognormal": {
        **dict.fromkeys(("dist", "cv"), ("mean", "cv")),
        "mean": ("cv",),
        "median": ("p95",),
        "p95": ("median",),
    },
    "Weibull": {
        "dist": ("mean", "shape"),
        "shape": ("mean",),
        **dict.fromkeys(("mean", "scale"), ("shape",)),
    },
    "Fault": dict.fromkeys(("reason", "share", "never"), ("reason", "share", "clears_after")),
    "Disturbance": dict.fromkeys(
        ("every", "lasts", "transient", "tolerance"), ("every", "lasts", "transient")
    )
    | {"unreachable": ("every", "lasts")},
    "Suspend": {"lasts": (), **dict.fromkeys(("of", "slow_to"), ("share", "lasts"))},
    "Empirical": {"dist": ("values",), "file": ("column",), "column": ("file",), "values": ()},
}
"""Keys that a table needs beside a key; of other tables, those that are required."""


class Field(NamedTuple):
    """A place in a scenario file, the schema of one kind of value there, and how to set it."""

    path: str  # with the variant of the table, such as mta.retry(exim).rule
    owner: str  # table and key, the same wherever the table may stand
    about: Mapping[str, Any]
    scenario: Callable[[Any], dict[str, Any]]  # from a value of the field

    @property
    def example(self) -> Any:
        return example(self.about, self.owner.rpartition(".")[2])


def options(about: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the kinds of value that a field may have."""
    alternatives = about.get("oneOf") or (about.get("anyOf") if "type" not in about else None)
    if alternatives is not None:
        for option in alternatives:
            yield from options(option)
    elif "$ref" in about:
        title = about["$ref"].rpartition("/")[2]
        yield {**about, **SCHEMA["$defs"][title], "title": title}
    elif about.get("type") != "null":
        yield about


def type_of(about: Mapping[str, Any]) -> str:
    kind = about.get("type", "")
    return kind if isinstance(kind, str) else str(kind[0])


def example(about: Mapping[str, Any], key: str = "") -> Any:
    """Return a simple value that is valid."""
    about = next(options(about))
    if "const" in about:
        return about["const"]
    if "enum" in about:
        return about["enum"][0]
    if "properties" in about:
        needed = TOGETHER.get(about["title"], {})
        first = next(iter(needed), "")
        return table(about, first)
    if key in SIMPLE:
        return SIMPLE[key]
    match type_of(about):
        case "string":
            titled = {"Duration": "20m", "Moment": "20m", "Rate": "10/s"}
            return titled.get(about.get("title", ""), NAME)
        case "integer":
            return max(2, about.get("minimum", 0))
        case "number" if key == NAME:
            return 1.0
        case "number":
            return max(0.25, about.get("minimum", 0.0))
        case "boolean":
            return True
        case "array":
            return [example(about["items"], key)]
        case "object":
            return {NAME: example(about["additionalProperties"], NAME)}
    raise AssertionError(about)


def table(about: Mapping[str, Any], key: str = "") -> dict[str, Any]:
    """Return a table with the keys that it needs, and those that go with a key."""
    properties = about["properties"]
    beside = TOGETHER.get(about["title"], {}).get(key, about.get("required", ()))
    tags = [tag for tag in TAGS if tag in properties]
    keys = dict.fromkeys([*tags, *filter(None, [key]), *beside])
    return {each: example(properties[each], each) for each in keys}


def fields(
    about: Mapping[str, Any] = SCHEMA,
    path: str = "",
    owner: str = "",
    scenario: Callable[[Any], dict[str, Any]] = lambda data: data,
    busy: Any = BUSY,
) -> Iterator[Field]:
    """Yield a field for each kind of value at a place, and then the fields within it."""
    for option in options(about):
        yield Field(path, owner, option, scenario)
        if "properties" in option:
            yield from _of_table(option, path, scenario, busy)
        elif type_of(option) == "array":
            busy_entry = busy[0] if isinstance(busy, list) else None
            yield from fields(
                option["items"],
                f"{path}[]",
                owner,
                lambda value: scenario([value] * ENTRIES.get(owner, 1)),
                busy_entry,
            )
        elif type_of(option) == "object":
            yield from fields(
                option["additionalProperties"],
                f"{path}.NAME",
                f"{owner}.NAME",
                lambda value: scenario({NAME: value}),
                busy.get(NAME) if isinstance(busy, dict) else None,
            )


def _of_table(
    option: Mapping[str, Any],
    path: str,
    scenario: Callable[[Any], dict[str, Any]],
    busy: Any,
) -> Iterator[Field]:
    tag = next(
        (option["properties"][key]["const"] for key in TAGS if key in option["properties"]), ""
    )
    path = f"{path}({tag})" if tag else path
    for key, inner in option["properties"].items():
        beside = busy if isinstance(busy, dict) and not tag else table(option, key)

        def within(
            value: Any, key: str = key, beside: Mapping[str, Any] = beside
        ) -> dict[str, Any]:
            return scenario({**beside, key: value})

        yield from fields(
            inner,
            f"{path}.{key}".removeprefix("."),
            f"{option['title']}.{key}",
            within,
            beside.get(key),
        )
