"""What becomes of a population: preparations, the state of the list, messages for each person."""

from collections.abc import Mapping
from typing import Final, NamedTuple

WEEK_S: Final = 7 * 86_400.0
EXCLUSIONS: Final = ("denylisted", "quarantined", "control group", "fatigue")
"""Why a person is excluded from a delivery, in the order in which it is asked."""


class Preparation(NamedTuple):
    """The preparation of a sending: targeted less excluded is to deliver.

    ``mistaken`` are those who are excluded as quarantined, though their addresses are good.
    """

    sending: str  # name of the delivery, or of the repetition with all its parts
    at_s: float
    targeted: int
    excluded: Mapping[str, int]  # by reason, each of `EXCLUSIONS`
    mistaken: int
    to_deliver: int


class Health(NamedTuple):
    """The state of the list at a moment: people on it, and what Campaign knows of them."""

    at_s: float
    people: int
    good: int
    erroneous: int
    quarantined: int
    denylisted: int
    dead_unknown: int  # dead, and Campaign does not know it yet
    mistaken: int  # quarantined, though the address is good


class People(NamedTuple):
    """What has become of a population.

    Attributes
    ----------
    preparations
        In the order in which the sendings were prepared.
    health
        At the end of each week, and at the end of the run.
    accepted
        For each week from t = 0 in which messages were accepted: how many people got so many, by
        the number of messages, from 1.
    """

    preparations: tuple[Preparation, ...]
    health: tuple[Health, ...]
    accepted: Mapping[int, Mapping[int, int]]
