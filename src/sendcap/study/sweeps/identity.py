"""The identity of a run: model version, scenario, seed and measures."""

from __future__ import annotations

import hashlib
import inspect
import json
import textwrap
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from sendcap.errors import SendcapError
from sendcap.scenario import Scenario, to_dict
from sendcap.study.replication.measures import Measure
from sendcap.version import MODEL_VERSION


def scenario_digest(scenario: Scenario) -> str:
    """Return a hash of a resolved scenario, all defaults filled in, without its seed."""
    data = to_dict(scenario)
    data.pop("seed", None)
    return _digest(data)


def run_key(scenario_digest: str, seed: int, measures: Iterable[str]) -> str:
    """Return the key of a run in a store; measures by `measure_identity`."""
    return _digest([MODEL_VERSION, scenario_digest, str(seed), list(measures)])


def _digest(data: Any) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def measure_identity(measure: Measure) -> str:
    """Return the identity of a measure: the name, and the source of the user's function.

    The source is the function's own text, defaults and closure, without the functions that it
    calls.
    """
    if not measure.own:
        return measure.name
    try:
        return f"{measure.name}:{_digest(_function_identity(measure.of))}"
    except (TypeError, ValueError, OSError, RecursionError):
        raise SendcapError(
            f"measure: {measure.name}: cannot be cached: define it with def in a module, closing "
            f"over plain values only"
        ) from None


def _function_identity(function: Any) -> Any:
    if isinstance(function, partial):
        parts = _plain(function.args), _plain(function.keywords)
        return [_function_identity(function.func), *parts]
    if not inspect.isfunction(function):
        raise TypeError
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return [
        function.__module__,
        function.__qualname__,
        textwrap.dedent(inspect.getsource(function)),
        _plain([function.__defaults__, function.__kwdefaults__, cells]),
    ]


def _plain(value: Any) -> Any:
    """Return a value as plain JSON, a function as its identity."""
    if inspect.isfunction(value) or isinstance(value, partial):
        return _function_identity(value)
    if isinstance(value, Mapping):
        return [[str(key), _plain(each)] for key, each in value.items()]
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError
