"""Scenario files: read, write and describe."""

import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

import tomli_w
from pydantic import ValidationError

from sendcap.errors import ScenarioError
from sendcap.files import kinds
from sendcap.files.reading import opened
from sendcap.scenario import problems
from sendcap.scenario.ranges import split
from sendcap.scenario.scenario import Scenario
from sendcap.scenario.toml import table_of
from sendcap.text.quoting import did_you_mean, shown, visible

SCENARIO: Final = "scenario.toml"
"""Name of the scenario's file in the directory of a result."""

_LARGEST_BYTES: Final = 10_000_000
_PRESETS: Final = resources.files("sendcap.scenario").joinpath("presets")


def load(source: str | Path) -> Scenario:
    """Read a scenario file, or a preset by its name.

    Parameters
    ----------
    source
        Path of a TOML file; where there is none, the name of a preset (see `presets`).

    Raises
    ------
    ScenarioError
        With one line per problem, each with the file and the field.
    """
    return from_dict(*read(source))


def scenario_of(source: Scenario | str | os.PathLike[str]) -> Scenario:
    """Return a scenario as it is, or that of a file or a preset; see `load`."""
    if isinstance(source, Scenario):
        return source
    return load(source if isinstance(source, str) else Path(source))


class Source(NamedTuple):
    """A scenario as TOML gives it."""

    data: dict[str, Any]
    name: str  # in error messages
    folder: Path | None  # of the measured files


def read(source: str | Path) -> Source:
    """Read a scenario file or preset as nested dictionaries, unchecked; see `load`."""
    path, name = Path(source), visible(str(source))
    try:
        if path.exists() and not (path.is_dir() and name in presets()):
            return Source(parsed(read_text(path, name, "scenario"), name), name, path.parent)
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else None
        raise ScenarioError(f"{name}: {reason or problem}") from None
    if name in presets():
        return Source(parsed(preset_text(name), name), name, None)
    raise ScenarioError(f"{name}: no such file, and {_no_preset(path.name)}")


def read_text(path: Path, name: str, kind: str) -> str:
    """Read a text file of a kind, such as ``"scenario"``; the name is that in error messages."""
    if path.is_dir():
        own = path / f"{kind}.toml"
        such_as = f", such as {visible(str(own))}" if own.is_file() else ""
        raise ScenarioError(f"{name}: is a directory; give {kinds.as_file(kind)}{such_as}")
    with opened(path, once=True) as stream:
        content = stream.read(_LARGEST_BYTES + 1)
    if len(content) > _LARGEST_BYTES:
        problem = f"enormous (more than 10 MB); this is not {kinds.as_file(kind)}"
        raise ScenarioError(f"{name}: {kinds.mistaken(content, kind) or problem}")
    try:
        # Some editors on Windows begin a file with a byte order mark.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"line {line} is not UTF-8 text"
        raise ScenarioError(f"{name}: {kinds.mistaken(content, kind) or problem}") from None


def parsed(text: str, name: str, kind: str = "scenario") -> dict[str, Any]:
    """Read the text of a TOML file of a kind; errors name it."""
    try:
        return table_of(text)
    except ValueError as problem:
        raise ScenarioError(f"{name}: {kinds.mistaken(text, kind) or problem}") from None


def loads(text: str, name: str = "<string>", folder: Path | None = None) -> Scenario:
    """Read a scenario from the text of a TOML file.

    Parameters
    ----------
    text
        The scenario.
    name
        The name in error messages.
    folder
        The folder of measured files; None for the working directory.

    Raises
    ------
    ScenarioError
        With one line per problem.
    """
    return from_dict(parsed(text, name), name=name, folder=folder)


def from_dict(
    data: Mapping[str, Any], name: str = "<scenario>", folder: Path | None = None
) -> Scenario:
    """Make a scenario from nested dictionaries with the keys and values of a scenario file.

    Parameters
    ----------
    data
        The scenario, as TOML gives it: durations and rates are text.
    name, folder
        As for `loads`.

    Raises
    ------
    ScenarioError
        With one line per problem.
    """
    if not isinstance(data, Mapping):
        raise ScenarioError(f"{name}: must be a table, not {shown(data)}")
    try:
        return Scenario.model_validate(data, context={"folder": folder})
    except ValidationError as error:
        mistaken = kinds.other_kind(data, kinds.SCENARIO)
        ranges = [
            f"{path}: is a range, which only `sendcap forecast` accepts; give one value"
            for path in split(data).ranges
        ]
        lines = [mistaken] if mistaken else ranges or problems.lines(error, data)
        raise problems.refused(name, lines) from None


def to_dict(scenario: Scenario, *, defaults: bool = True) -> dict[str, Any]:
    """Return the scenario as nested dictionaries.

    Parameters
    ----------
    defaults
        Fill in every default; otherwise only the keys that the author has set.
    """
    data: dict[str, Any] = _without_none(scenario.model_dump(exclude_unset=not defaults))
    return data


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value


def dumps(scenario: Scenario) -> str:
    """Write a scenario as complete TOML, with every default and without other files.

    ``loads(dumps(scenario)) == scenario``, to the last bit.
    """
    return tomli_w.dumps(to_dict(scenario))


def presets() -> dict[str, str]:
    """Return the built-in scenarios: name and one-line description."""
    files = sorted(_PRESETS.iterdir(), key=lambda file: file.name)
    return {
        file.name.removesuffix(".toml"): file.read_text(encoding="utf-8")
        .splitlines()[0]
        .removeprefix("# ")
        for file in files
        if file.name.endswith(".toml")
    }


def preset_text(name: str) -> str:
    """Return the text of a preset, with the comments that explain each number.

    Parameters
    ----------
    name
        One of `presets`.

    Raises
    ------
    ScenarioError
        If there is no such preset.

    Examples
    --------
    >>> preset_text("quickstart").splitlines()[0]
    '# One million messages in one delivery to five providers: a first look'
    """
    if name not in presets():
        raise ScenarioError(f"{visible(name)}: {_no_preset(name)}")
    return _PRESETS.joinpath(f"{name}.toml").read_text(encoding="utf-8")


def _no_preset(name: str) -> str:
    known = presets()
    hint = did_you_mean(name, known) or "."
    return f"no preset of that name{hint} Presets: {', '.join(known)}"
