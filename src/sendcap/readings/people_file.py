"""What has become of a population, in a file of a saved run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sendcap.errors import RunError
from sendcap.files.figures import write_json
from sendcap.ledger.people import EXCLUSIONS, Health, People, Preparation


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


def read_people(path: Path) -> People:
    """Return what `write_people` wrote; a `RunError` says what is wrong with the file."""
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
        people = People(
            tuple(Preparation(**each) for each in figures["preparations"]),
            tuple(Health(**each) for each in figures["health"]),
            {
                int(week): {int(number): int(count) for number, count in counts.items()}
                for week, counts in figures["accepted"].items()
            },
        )
        reasons = [[each.excluded[name] for name in EXCLUSIONS] for each in people.preparations]
    except FileNotFoundError:
        raise RunError(f"{path}: is missing") from None
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise RunError(f"{path}: is damaged: it is not what became of a population") from error
    if any(sum(each) < 0 for each in reasons):
        raise RunError(f"{path}: is damaged: a count is below 0")
    return people
