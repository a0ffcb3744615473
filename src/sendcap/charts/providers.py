"""The providers of a chart: the largest by themselves, the small ones together, each its colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sendcap.charts.style import GREY, PETROFF
from sendcap.readings.modes import ALL_DELIVERIES, one_of
from sendcap.text.quoting import shortened

if TYPE_CHECKING:
    from sendcap.ledger import Ledger

_MOST: Final = 8


class Group(NamedTuple):
    """One provider, or several that are drawn as one.

    Attributes
    ----------
    label
        What it is called.
    providers
        Names of the providers.
    messages
        To deliver to them.
    colour
        The same in every chart of a run.
    """

    label: str
    providers: tuple[str, ...]
    messages: int
    colour: str


def delivery_of(ledger: Ledger, delivery: str) -> str | None:
    """Return the name by which the ledger counts a delivery: None for all of them.

    Raises
    ------
    SendcapError
        If there is no such delivery.
    """
    one_of("delivery", delivery, (*ledger.deliveries, ALL_DELIVERIES))
    return None if delivery == ALL_DELIVERIES else delivery


def provider_groups(
    ledger: Ledger, delivery: str = ALL_DELIVERIES, most: int = _MOST
) -> list[Group]:
    """Return the providers that have messages, the largest first, and the smallest as one."""
    its_delivery = delivery_of(ledger, delivery)
    counts = {
        name: ledger.messages(delivery=its_delivery, provider=name) for name in ledger.providers
    }
    largest = sorted((name for name in counts if counts[name]), key=lambda name: -counts[name])
    colours = {name: PETROFF[number % 10] for number, name in enumerate(ledger.providers)}
    if len(largest) <= most + 1:
        most = len(largest)
    groups = [
        Group(shortened(name), (name,), counts[name], colours[name]) for name in largest[:most]
    ]
    rest = tuple(largest[most:])
    if rest:
        groups.append(Group(f"{len(rest)} others", rest, sum(map(counts.get, rest)), GREY))  # type: ignore[arg-type]
    return groups
