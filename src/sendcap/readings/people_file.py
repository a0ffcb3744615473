"""What has become of a population, in a file of a saved run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sendcap.errors import RunError
from sendcap.files.figures import write_json
from sendcap.ledger.people import EXCLUSIONS, Health, People, Preparation
from sendcap.text.quoting import shown

_LATEST_S: Final = 1e12
"""More seconds than any simulation has."""


def write_people(path: Path, people: People) -> None:
    """Write it as JSON."""
    figures: dict[str, Any] = {
        "preparations": [each._asdict() for each in people.preparations],
        "health": [each._asdict() for each in people.health],
        "accepted": {
            str(week): {str(number): count for number, count in counts.items()}
            for week, counts in people.accepted.items()
        },
    }
    write_json(path, figures)


def read_people(path: Path, to_deliver: Mapping[str, int]) -> People:
    """Return what `write_people` wrote; a `RunError` says what is wrong with the file.

    ``to_deliver`` are the messages of each sending of the run's ledger that has any.
    """
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
        preparations = tuple(Preparation(**each) for each in figures["preparations"])
        health = tuple(Health(**each) for each in figures["health"])
        accepted = {
            int(week): {int(number): _count(count) for number, count in counts.items()}
            for week, counts in figures["accepted"].items()
        }
        for each in preparations:
            _require_preparation(each)
        # There is a last one.
        for state in (*health[:-1], health[-1]):
            _require_health(state)
        for week, counts in accepted.items():
            _count(min(week, *counts))
    except FileNotFoundError:
        raise RunError(f"{path}: is missing") from None
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise RunError(f"{path}: is damaged: it is not what became of a population") from error
    if {each.sending: each.to_deliver for each in preparations if each.to_deliver} != to_deliver:
        raise RunError(f"{path}: is not of this ledger: their messages to deliver differ")
    return People(preparations, health, accepted)


def _require_preparation(preparation: Preparation) -> None:
    """Refuse what no preparation can have been."""
    excluded = preparation.excluded
    if not isinstance(preparation.sending, str) or sorted(excluded) != sorted(EXCLUSIONS):
        raise ValueError(f"{shown(preparation.sending)} is not a preparation")
    _moment(preparation.at_s)
    left = _count(preparation.targeted) - sum(map(_count, excluded.values()))
    if left != _count(preparation.to_deliver):
        raise ValueError("targeted less excluded is not to deliver")
    if _count(preparation.mistaken) > excluded["quarantined"]:
        raise ValueError("more are quarantined by mistake than at all")


def _require_health(health: Health) -> None:
    """Refuse a state that no list can have been in."""
    at_s, *counts = health
    _moment(at_s)
    people, *states = map(_count, counts)
    if sum(states[:4]) != people:
        raise ValueError("the states do not sum to the people")


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{shown(value)} is no number of people")
    return value


def _moment(value: Any) -> None:
    if type(value) not in (int, float) or not 0.0 <= value <= _LATEST_S:
        raise ValueError(f"{shown(value)} is no moment")
