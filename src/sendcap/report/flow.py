"""Where the messages are at each moment of the slider: the figures behind the picture of the flow.

Every message is at one place, so the places add up to the messages of each provider.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sendcap.ledger import Ledger
from sendcap.readings.modes import KNOWN_EVENTS, Known, known, names_of
from sendcap.readings.truth import fates

Ints = npt.NDArray[np.int64]

PLACES: Final = (
    "not_relayed",
    "relay_failed",
    "waiting",
    "backing_off",
    "accepted",
    "hard",
    "expired",
    "returned",
)
"""Before the MTA; in the MTA (waiting is until the first attempt has ended); and the ends."""
FAILURES: Final = {
    "hard": "hard",
    "expired": "expired",
    "returned": "returned",
    "relay_failed": "relay",
}
"""The places of failed messages, in words."""
_MOST_PROVIDERS: Final = 8


class Flow(NamedTuple):
    """The messages of a delivery by place, in arrays of shape (providers, moments)."""

    totals: Ints  # by provider
    places: Mapping[str, Ints]


def groups(ledger: Ledger) -> dict[str, tuple[str, ...]]:
    """Return the providers by the name that the picture has for them; small ones are together."""
    names = sorted(ledger.providers, key=lambda name: -ledger.messages(provider=name))
    if len(names) <= _MOST_PROVIDERS:
        return {name: (name,) for name in names}
    few, rest = names[: _MOST_PROVIDERS - 1], names[_MOST_PROVIDERS - 1 :]
    return {name: (name,) for name in few} | {f"{len(rest)} others": tuple(rest)}


def flow(ledger: Ledger, delivery: str, edges: Ints, providers: Sequence[tuple[str, ...]]) -> Flow:
    """Return where a delivery's messages are at some edges of the ledger, by provider."""
    columns = [_of(ledger, delivery, edges, names) for names in providers]
    totals = [
        sum(ledger.messages(**names_of(delivery, name)) for name in names) for names in providers
    ]
    return Flow(
        np.array(totals), {place: np.array([each[place] for each in columns]) for place in PLACES}
    )


def _of(ledger: Ledger, delivery: str, edges: Ints, providers: Sequence[str]) -> dict[str, Ints]:
    several = [known(ledger, delivery, name, "happened", edges) for name in providers]
    # Rounded first, expected numbers still add up.
    counts = {
        event: np.rint(sum(getattr(each, event) for each in several)).astype(np.int64)
        for event in KNOWN_EVENTS
    }
    happened = Known(sum(each.to_deliver for each in several), **counts)
    fate = fates(happened)
    return {
        "not_relayed": fate["not_relayed"],
        "relay_failed": happened.relay_failed,
        "waiting": fate["untried"],
        "backing_off": fate["backing_off"],
        "accepted": fate["delivered"],
        "hard": happened.hard,
        "expired": happened.expired,
        "returned": happened.async_bounced,
    }


def packed(whole: Flow) -> dict[str, Any]:
    """Return a flow as JSON can hold it.

    Of each place it has the first moment's counts and then the changes, most of which are 0.
    """
    changes = {place: np.diff(whole.places[place], axis=1, prepend=0).tolist() for place in PLACES}
    return {"totals": whole.totals.tolist(), "places": changes}


def unpacked(packed: Mapping[str, Any]) -> Flow:
    """Return the flow that was packed."""
    places = {place: np.cumsum(changes, axis=1) for place, changes in packed["places"].items()}
    return Flow(np.array(packed["totals"]), places)
