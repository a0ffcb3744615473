"""What tells one result from another: scenario, seed, measures and the model that computed it."""

from __future__ import annotations

import hashlib
import inspect
import json
import textwrap
from collections.abc import Iterable, Mapping
from functools import cache, partial
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any, Final

from sendcap.errors import SendcapError

if TYPE_CHECKING:
    from sendcap.scenario import Scenario
    from sendcap.study.sweeps.measure import Measure

_DECIDES: Final = (
    "scenario",
    "model",
    "ledger.py",
    "run.py",
    "reporting",
    "analysis",
    "study/capacity/acceptance.py",
    "study/sweeps/measure.py",
    "study/sweeps/measures.py",
)
"""The parts of sendcap that a result depends on."""


@cache
def model_version() -> str:
    """Return what changes whenever the model does: sendcap's version and a digest of its source.

    The version alone would not do: who works on the model would be shown results of the old one.
    """
    from sendcap import __version__

    digest = hashlib.sha256()
    package = resources.files("sendcap")
    for part in _DECIDES:
        for name, text in _sources(package.joinpath(part), part):
            digest.update(f"{name}\n{len(text)}\n{text}".encode())
    return f"{__version__}+{digest.hexdigest()[:16]}"


def _sources(place: Traversable, name: str) -> Iterable[tuple[str, str]]:
    if place.is_file():
        if name.endswith(".py"):
            yield name, place.read_text(encoding="utf-8")
        return
    for its in sorted(place.iterdir(), key=lambda entry: entry.name):
        yield from _sources(its, f"{name}/{its.name}")


def scenario_digest(scenario: Scenario) -> str:
    """Return a hash of a resolved scenario, all defaults filled in, without its seed."""
    from sendcap.scenario import to_dict

    data = to_dict(scenario)
    data.pop("seed", None)
    return _digest(data)


def run_key(scenario_digest: str, seed: int, measures: Iterable[str]) -> str:
    """Return the key of a run in a store.

    Parameters
    ----------
    scenario_digest
        See `scenario_digest`.
    seed
        Of the replication.
    measures
        Their identities, see `measure_identity`.
    """
    return _digest([model_version(), scenario_digest, str(seed), list(measures)])


def _digest(data: Any) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def measure_identity(measure: Measure) -> str:
    """Return what a measure is known by: its name, and the source of the user's function.

    Of a function it is the text of the function itself, its defaults and what it closes over.
    What it calls is not looked at.

    Raises
    ------
    SendcapError
        If it cannot be told from another one.
    """
    if not measure.own:
        return measure.name
    try:
        return f"{measure.name}:{_digest(_function_identity(measure.of))}"
    except (TypeError, ValueError, OSError, RecursionError):
        raise SendcapError(
            f"measure: {measure.name}: a store cannot tell whether this function has changed; "
            f"write it with def, in a file, using plain values"
        ) from None


def _function_identity(function: Any) -> Any:
    if isinstance(function, partial):
        return [
            _function_identity(function.func),
            _plain(function.args),
            _plain(function.keywords),
        ]
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
    """Return a value that JSON writes as what it is; functions by what they are."""
    if inspect.isfunction(value) or isinstance(value, partial):
        return _function_identity(value)
    if isinstance(value, Mapping):
        return [[str(key), _plain(its)] for key, its in value.items()]
    if isinstance(value, list | tuple):
        return [_plain(its) for its in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError
