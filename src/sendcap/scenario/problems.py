"""Validation errors in plain words: one line per problem, with path, value and what is right."""

import re
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sendcap.errors import ScenarioError
from sendcap.scenario.moments import NEEDS_START
from sendcap.scenario.random_time import RandomTime
from sendcap.scenario.repetition import EQUAL, LISTED
from sendcap.scenario.retry import MTAS_RETRY, OWN_RETRY, RetryPolicy
from sendcap.scenario.scenario import Scenario
from sendcap.scenario.section import Place, Section
from sendcap.scenario.throttle import LIST
from sendcap.text.quoting import did_you_mean, dotted, shown

_MOST_LINES: Final = 20
_LONGEST_PATH: Final = 200
_MOST_KEYS: Final = 8
"""So many keys of a table are listed beside those of others."""
_ELSEWHERE: Final = {
    "connections_per_ip": "connection_limit provider_connection_limit max_smtp_out "
    "max_outbound_connections smtp_destination_concurrency_limit "
    "default_destination_concurrency_limit",
    "messages_per_connection": "max_deliveries_per_connection "
    "provider_max_deliveries_per_connection max_msg_per_connection connection_max_messages",
    "connection_rate": "max_connection_rate max_connect_rate",
    "rate": "max_message_rate provider_max_message_rate max_msg_rate",
}
"""Keys of a scenario, and those of MTAs that mean the same."""
_TAGS: Final[tuple[tuple[str, type[BaseModel]], ...]] = (
    ("dist", RandomTime),
    ("policy", RetryPolicy),
    ("kind", Section),
)
_MARKS: Final = ("[key]", LIST, MTAS_RETRY, OWN_RETRY, LISTED, EQUAL)
"""Pieces that stand for nothing in a scenario."""


def refused(name: str, lines: Iterable[str]) -> ScenarioError:
    """Return the error of a file, or of data without a name, with a line for each problem."""
    problems = list(dict.fromkeys(lines))
    shown_lines = problems[:_MOST_LINES]
    if len(problems) > _MOST_LINES:
        shown_lines.append(f"and {len(problems) - _MOST_LINES:,} problems more")
    return ScenarioError("\n".join(f"{name}: {line}" if name else line for line in shown_lines))


def lines(error: ValidationError, data: Any, root: type[BaseModel] = Scenario) -> list[str]:
    """Write each problem of a scenario, or another model, as ``path: message``.

    The data as it was given tells its keys from the tags that pydantic adds.
    """
    problems = error.errors()
    # Where start or zone is wrong, the moments by that clock may be right.
    if any(details["loc"] in (("start",), ("zone",)) for details in problems):
        problems = [details for details in problems if details["type"] != NEEDS_START]
    # A value of the wrong kind fails once for each kind that it could have been.
    return list(dict.fromkeys(_line(details, data, root) for details in problems))


def _line(details: ErrorDetails, data: Any, root: type[BaseModel]) -> str:
    place = _written(details["loc"], data)
    explain = _EXPLANATIONS.get(details["type"])
    message = explain(details) if explain else details["msg"].removeprefix("Value error, ")
    if details["type"] == "extra_forbidden":
        message = _unknown_key(details["loc"], root)
    path = dotted(place)
    if len(path) > _LONGEST_PATH:
        path = f"{path[: _LONGEST_PATH - 1]}…"
    return f"{path}: {message}" if path else message


def _written(place: Place, data: Any) -> Place:
    """Leave out the pieces that are not in the scenario: tags of unions, and marks."""
    pieces: list[str | int] = []
    at: Any = data
    for piece in place:
        if piece in _MARKS or (isinstance(at, dict) and _is_tag(piece, at)):
            continue
        pieces.append(piece)
        if isinstance(at, dict):
            at = at.get(piece)
        elif isinstance(at, list | tuple) and isinstance(piece, int) and piece < len(at):
            at = at[piece]
        else:
            at = None
    return tuple(pieces)


def _is_tag(piece: str | int, table: dict[str, Any]) -> bool:
    if piece in table:
        return False
    return piece in (
        table.get("dist"),
        table.get("kind"),
        table.get("policy", "exponential"),
        "constant",
    )


def annotation_at(place: Place, root: type[BaseModel] = Scenario) -> Any:
    """Return the type that a scenario has at a place, tags included, or None."""
    kind: Any = root
    for piece in place:
        if piece not in _MARKS:
            kind = _step(kind, piece)
    return _bare(kind)


def _bare(kind: Any) -> Any:
    """Return a type without annotations."""
    return _bare(get_args(kind)[0]) if get_origin(kind) is Annotated else kind


def _members(kind: Any) -> Iterator[Any]:
    """Yield the types that a type stands for, which may be unions of unions."""
    kind = _bare(kind)
    if get_origin(kind) in (Union, types.UnionType):
        for each in get_args(kind):
            yield from _members(each)
    else:
        yield kind


def _step(kind: Any, piece: str | int) -> Any:
    kind = _bare(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        members = [member for member in arguments if member is not type(None)]
        tagged = [member for member in members if _tag(_bare(member)) == piece]
        return tagged[0] if tagged else next(filter(None, (_step(m, piece) for m in members)), None)
    if origin is tuple or origin is dict:
        return arguments[0] if origin is tuple else arguments[1]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(str(piece))
        return field.annotation if field else None
    return None


def _tag(kind: Any) -> Any:
    for key, family in _TAGS:
        if isinstance(kind, type) and issubclass(kind, family) and key in kind.model_fields:
            return kind.model_fields[key].default
    return None


def keys_of_kind(place: Place, key: str | int, value: Any) -> frozenset[str]:
    """Return the keys of a table whose policy, dist or kind becomes this, or none."""
    if not isinstance(value, str) or all(key != tag for tag, _ in _TAGS):
        return frozenset()
    chosen = annotation_at((*place, value))
    return frozenset(chosen.model_fields) if _tag(chosen) == value else frozenset()


def _unknown_key(place: Place, root: type[BaseModel]) -> str:
    at = annotation_at(place[:-1], root)
    # A table may stand for other things, too: a name, or a list of tables.
    tables = [
        each for each in _members(at) if isinstance(each, type) and issubclass(each, BaseModel)
    ]
    known = [key for table in tables for key in table.model_fields]
    known += [key for table in tables if issubclass(table, Section) for key in table.read_away]
    key = str(place[-1]).casefold().replace("-", "_")
    for ours, theirs in _ELSEWHERE.items():
        if ours in known and key in theirs.split():
            return f"unknown key; a scenario calls it {ours}"
    elsewhere = list(_paths_of(key)) if root is Scenario else []
    # A key that another table has is hardly a slip of the pen.
    close = did_you_mean(place[-1], known, least=0.75 if elsewhere else 0.6)
    if close:
        return f"unknown key{close}"
    short = not elsewhere or len(known) <= _MOST_KEYS
    names = f"; known: {', '.join(known)}" if short else ""
    return f"unknown key{names}" + (f"; elsewhere: {', '.join(elsewhere)}" if elsewhere else "")


def _paths_of(key: str) -> Iterator[str]:
    """Yield the paths of a key at the top of a scenario, and in the tables there."""
    if key in Scenario.model_fields:
        yield f"{key}, above all tables"
    for name, field in Scenario.model_fields.items():
        for kind in _members(field.annotation):
            entry = {tuple: f"{name}[]", dict: f"{name}.NAME"}.get(get_origin(kind), name)
            table = _bare(_step(kind, 0)) if get_args(kind) else kind
            if isinstance(table, type) and issubclass(table, BaseModel):
                yield from [f"{entry}.{key}"] if key in table.model_fields else []


def _choice(details: ErrorDetails) -> str:
    given = details["input"]
    expected = str(details.get("ctx", {}).get("expected", "")).replace(" or ", ", ")
    known = re.findall(r"'([^']*)'", expected)
    hint = did_you_mean(given, known) if isinstance(given, str) else ""
    return f"{shown(given)} is not possible{hint or '; one of ' + _quoted(known)}"


def _tag_unknown(details: ErrorDetails) -> str:
    ctx = details.get("ctx", {})
    known = re.findall(r"'([^']*)'", str(ctx.get("expected_tags", "")))
    hint = did_you_mean(ctx.get("tag"), known) or f"; one of {_quoted(known)}"
    key = str(ctx.get("discriminator", "")).strip("'")
    return f"{key} = {shown(ctx.get('tag'))} is unknown{hint}"


def _tag_missing(details: ErrorDetails) -> str:
    if not isinstance(details["input"], dict):
        return f"must be a table, not {shown(details['input'])}"
    key = str(details.get("ctx", {}).get("discriminator", "")).strip("'")
    return f'needs {key} to say which kind it is, for example {{ {key} = "exponential", … }}'


def _list(details: ErrorDetails) -> str:
    given = details["input"]
    if not isinstance(given, dict):
        return f"must be a list, not {shown(given)}; write [{shown(given)}]"
    name = dotted([piece for piece in details["loc"] if isinstance(piece, str)])
    return f"must be a list of tables, not a table; write [[{name}]] or [{{ … }}]"


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def _bound(words: str, key: str) -> Callable[[ErrorDetails], str]:
    return lambda details: (
        f"must be {words} {details.get('ctx', {}).get(key)}, not {shown(details['input'])}"
    )


def _must_be(what: str) -> Callable[[ErrorDetails], str]:
    return lambda details: f"must be {what}, not {shown(details['input'])}"


_EXPLANATIONS: Final[dict[str, Callable[[ErrorDetails], str]]] = {
    "missing": lambda _: "required, but missing",
    "literal_error": _choice,
    "union_tag_invalid": _tag_unknown,
    "union_tag_not_found": _tag_missing,
    "greater_than": _bound("more than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("less than", "lt"),
    "less_than_equal": _bound("at most", "le"),
    "finite_number": _must_be("a finite number"),
    "string_type": _must_be("text"),
    "bool_type": _must_be("true or false"),
    "too_short": lambda _: "needs at least one entry",
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), _must_be("a table")),
    **dict.fromkeys(("tuple_type", "list_type"), _list),
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing"),
        _must_be("a date and time such as 2026-11-27T09:00:00+01:00"),
    ),
}
