"""The providers of a chart: the largest by themselves, the small ones together, each its colour."""

from typing import Final, NamedTuple

from sendcap.charts.style import GREY, PETROFF, SLATE
from sendcap.ledger import Event, Ledger
from sendcap.readings.modes import ALL_DELIVERIES, one_of
from sendcap.text.quoting import shortened

_MOST: Final = 8


class Group(NamedTuple):
    """One provider, or several that are drawn as one."""

    label: str
    providers: tuple[str, ...]
    messages: int
    colour: str  # the same in every chart of a run

    def total(
        self, ledger: Ledger, event: Event, delivery: str | None, reason: str | None = None
    ) -> int:
        """Return how often an event happened to the group's messages."""
        return sum(
            round(
                ledger.total(
                    event, clock="happened", delivery=delivery, provider=name, reason=reason
                )
            )
            for name in self.providers
        )


def delivery_of(ledger: Ledger, delivery: str) -> str | None:
    """Return the name by which the ledger counts a delivery: None for all of them."""
    one_of("delivery", delivery, (*ledger.names, ALL_DELIVERIES))
    return None if delivery == ALL_DELIVERIES else delivery


def provider_groups(
    ledger: Ledger, delivery: str = ALL_DELIVERIES, most: int = _MOST
) -> list[Group]:
    """Return the providers that have messages, the largest first, and the smallest as one."""
    name = delivery_of(ledger, delivery)
    counts = {each: ledger.messages(delivery=name, provider=each) for each in ledger.providers}
    largest = sorted((each for each in counts if counts[each]), key=lambda each: -counts[each])
    colours = _colours(ledger)
    if len(largest) <= most + 1:
        most = len(largest)
    groups = [
        Group(shortened(each), (each,), counts[each], colours[each]) for each in largest[:most]
    ]
    rest = tuple(largest[most:])
    if rest:
        groups.append(Group(f"{len(rest)} others", rest, sum(counts[each] for each in rest), GREY))
    return groups


def _colours(ledger: Ledger) -> dict[str, str]:
    """Return each provider's colour, the same in every chart of a run.

    Of many, the largest of the run have different ones, none of which is close to that of others.
    """
    names, colours = list(ledger.providers), list(PETROFF)
    if len(names) > _MOST + 1:
        names.sort(key=lambda each: -ledger.messages(provider=each))
        colours.remove(SLATE)
    return {each: colours[number % len(colours)] for number, each in enumerate(names)}
