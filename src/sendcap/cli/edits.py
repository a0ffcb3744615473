"""Changes of a scenario on the command line: ``--set mta.retry.first=10m`` and ``--range``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

import sendcap
from sendcap.errors import ScenarioError, SendcapError
from sendcap.text.quoting import shown

_SETTING: Final = re.compile(r'((?:[^="]|"[^"]*")*)=(.*)', re.DOTALL)
_OPENING: Final = ("{", "[", '"', "'")
_Scenario = TypeVar("_Scenario", "sendcap.Scenario", "sendcap.UncertainScenario")


def edits_of(settings: Sequence[str]) -> dict[str, Any]:
    """Return the values of ``--set`` by path, as ``sendcap.scenario.updated`` takes them.

    Values are written as in a scenario file; text needs no quotes. The last value of a path counts.

    >>> edits_of(["mta.retry.first=10m", "mta.ips = 8"])
    {'mta.retry.first': '10m', 'mta.ips': 8}
    """
    return _values(settings, "--set", "path=value", "mta.retry.first=10m")


def costs_of(costs: Sequence[str]) -> dict[str, Any]:
    """Return the costs of ``--cost`` by path.

    >>> costs_of(["mta.ips=40"])
    {'mta.ips': 40}
    """
    return _values(costs, "--cost", "path=cost", "mta.ips=40")


def chosen(source: str, settings: Sequence[str], seed: int | None) -> sendcap.Scenario:
    """Return the scenario of a command: a file or preset with ``--set`` and ``--seed``."""
    return edited(sendcap.load(source), settings, seed)


def edited(scenario: _Scenario, settings: Sequence[str], seed: int | None = None) -> _Scenario:
    """Return a scenario, with ranges or without, with the changes of ``--set`` and ``--seed``."""
    if changes := edits_of(settings):
        try:
            if isinstance(scenario, sendcap.Scenario):
                scenario = sendcap.updated(scenario, changes)
            else:
                scenario = scenario.updated(changes)
        except ScenarioError as error:
            raise error.within("--set") from None
    return scenario if seed is None else scenario.with_seed(seed)


def uncertain(
    source: str, spans: Sequence[str], settings: Sequence[str], seed: int | None
) -> sendcap.UncertainScenario:
    """Return a scenario with ranges: those of the file and of ``--range``; see `chosen`."""
    scenario = sendcap.load_uncertain(source, ranges_of(spans), needed=False)
    return edited(scenario, settings, seed)


def study_edits(settings: Sequence[str], seed: int | None) -> dict[str, Any]:
    """Return ``--set`` and ``--seed`` as values by path, for the scenario of a study."""
    return edits_of(settings) | ({} if seed is None else {"seed": seed})


def ranges_of(settings: Sequence[str]) -> dict[str, tuple[Any, Any]]:
    """Return the ranges of ``--range`` by path, as ``load_uncertain`` takes them.

    >>> ranges_of(["mta.retry.first=5m..20m", "providers.gmail.transient=0.002..0.02"])
    {'mta.retry.first': ('5m', '20m'), 'providers.gmail.transient': (0.002, 0.02)}
    """
    like = "providers.gmail.transient=0.002..0.02"
    ranges = {}
    for path, value, setting in _parts(settings, "--range", "path=low..high", like):
        low, between, high = (part.strip() for part in value.partition(".."))
        if not (low and between and high):
            raise SendcapError(f'--range: "{setting}" is not path=low..high; write it like {like}')
        what = f"--range: {setting}"
        ends = ranges[path] = _value(low, what), _value(high, what)
        try:
            sendcap.Range(*ends)
        except SendcapError as error:
            # As the command line has it.
            reason = str(error).removeprefix(f"[{', '.join(map(shown, ends))}]: ")
            raise SendcapError(f"{what}: {reason}") from None
    return ranges


def _values(settings: Sequence[str], option: str, form: str, like: str) -> dict[str, Any]:
    return {
        path: _value(value, f"{option}: {setting}")
        for path, value, setting in _parts(settings, option, form, like)
    }


def _parts(
    settings: Sequence[str], option: str, form: str, like: str
) -> Iterator[tuple[str, str, str]]:
    """Yield the path, the value and the text of each setting."""
    for setting in settings:
        match = _SETTING.fullmatch(setting)
        path, value = (part.strip() for part in match.groups()) if match else ("", "")
        if not path or not value:
            raise SendcapError(f'{option}: "{setting}" is not {form}; write it like {like}')
        yield path, value, setting


def _value(text: str, what: str) -> Any:
    from sendcap.scenario.toml import value_of

    try:
        return value_of(text)
    except ValueError as problem:
        if text.startswith(_OPENING):
            raise SendcapError(f"{what}: {problem}") from None
        return text
