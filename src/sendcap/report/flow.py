"""The picture of the flow: from Campaign through the MTA to what becomes of the messages.

Every message is at one place, so the places add up to the messages of each provider. Python says
where everything stands, and draws one moment for a page whose script does not run. The script
(`flow.js`) draws the others by the same rules: a band is as thick as its messages.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sendcap.charts.figures import cut
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


# The picture.

OUTCOMES: Final = {"accepted": "Accepted", "backing_off": "Backing off", "failed": "Failed"}
_THINNEST: Final = 0.7
"""Pixels of a band that has any messages."""


class Layout(NamedTuple):
    """Where the columns of a picture stand, in pixels."""

    width: int
    columns: tuple[int, int, int]  # the left edges of the bars
    bar: int  # how wide a bar is
    tall: int  # how tall all the messages are together
    line: int  # from one line of text to the next
    letters: int  # for which a line has room
    name_letters: int  # of a provider


LAYOUTS: Final = {
    "wide": Layout(880, (0, 320, 720), 18, 260, 19, 100, 32),
    "narrow": Layout(350, (0, 112, 226), 12, 220, 16, 44, 11),
}


def flows(ledger: Ledger, deliveries: Mapping[str, str], rows: Ints) -> dict[str, Any]:
    """Return the figures of all pictures of a run, as JSON can hold them.

    ``deliveries`` has the title of each picture by the delivery's name, the first being all of
    them; ``rows`` are the edges of the ledger that the page knows.
    """
    providers = groups(ledger)
    several = [flow(ledger, name, rows, list(providers.values())) for name in deliveries]
    failed = failures(several[0])
    return {
        "providers": list(providers),
        "failures": failed,
        "deliveries": [
            {
                **packed(one),
                "shapes": {key: shape(each, one, len(failed)) for key, each in LAYOUTS.items()},
                "name": {key: cut(title, each.letters) for key, each in LAYOUTS.items()},
            }
            for title, one in zip(deliveries.values(), several, strict=True)
        ],
    }


def stills(
    figures: Mapping[str, Any], now: Sequence[int], moments: Sequence[str]
) -> dict[str, Any]:
    """Return what is drawn of a run whose script does not run: the moment when all is relayed.

    ``figures`` are those of `flows`, ``now`` the row of each step of the slider, and ``moments``
    its texts.
    """
    whole = figures["deliveries"][0]
    all_of_them = unpacked(whole)
    waiting = all_of_them.places["not_relayed"].sum(axis=0)
    step = next(step for step, row in enumerate(now) if waiting[row] == waiting[-1])
    row = now[step]
    return {
        key: {
            "layout": layout,
            "shape": whole["shapes"][key],
            "bands": bands(layout, whole["shapes"][key], all_of_them, row),
            "texts": texts(all_of_them, row)
            | {"name": whole["name"][key], "moment": moments[step]},
        }
        for key, layout in LAYOUTS.items()
    }


def shape(layout: Layout, flow: Flow, failures: int) -> dict[str, Any]:
    """Return where a delivery's bars begin, and how many pixels a message is tall.

    They stay there, and have room for as many messages as ever come, and for the lines of so many
    kinds of failures.
    """
    top = 5.5 * layout.line
    pixels = layout.tall / max(sum(flow.totals), 1)
    providers, y = [], top
    for total in flow.totals:
        providers.append(y + 0.5 * layout.line)
        y += 1.5 * layout.line + total * pixels
    outcomes, bottom = [], top
    for outcome in OUTCOMES:
        outcomes.append(bottom)
        most = int(_ended(flow.places, outcome).sum(axis=0).max())
        lines = 3.5 + (failures if outcome == "failed" else 0)
        bottom += max(most * pixels + 0.5 * layout.line, lines * layout.line)
    return {
        "pixels": pixels,
        "top": top,
        "providers": providers,
        "outcomes": outcomes,
        "height": math.ceil(max(top + layout.tall, y, bottom)),
    }


def failures(flow: Flow) -> list[str]:
    """Return the places of failed messages that there ever are."""
    return [place for place in FAILURES if flow.places[place].any()]


def _ended(places: Mapping[str, Ints], outcome: str) -> Ints:
    """Return the messages with an outcome, by provider."""
    if outcome != "failed":
        return places[outcome]
    failed: Ints = np.add.reduce([places[place] for place in FAILURES])
    return failed


def texts(flow: Flow, moment: int) -> dict[str, str]:
    """Return the numbers of a moment, by what has them."""
    counts = {place: each[:, moment] for place, each in flow.places.items()}
    sums = {place: int(each.sum()) for place, each in counts.items()}
    ended = {outcome: int(_ended(counts, outcome).sum()) for outcome in OUTCOMES}
    total = max(sum(flow.totals), 1)
    return (
        {place: f"{count:,}" for place, count in (sums | ended).items()}
        | {f"{outcome}-share": f"{100 * ended[outcome] / total:.2f} %" for outcome in ended}
        | {f"waiting{p}": f"{count:,}" for p, count in enumerate(counts["waiting"].tolist())}
    )


def bands(layout: Layout, placed: Mapping[str, Any], flow: Flow, moment: int) -> dict[str, str]:
    """Return the paths of a moment: bands, and the bars from which and to which they go."""
    left, middle, right = layout.columns
    counts = {place: each[:, moment] for place, each in flow.places.items()}
    ended = {outcome: _ended(counts, outcome) for outcome in OUTCOMES}
    relayed = flow.totals - counts["not_relayed"] - counts["relay_failed"]
    drawn: dict[str, str] = {}

    def put(key: str, x0: float, y0: float, x1: float, y1: float, messages: int) -> float:
        tall = float(messages * placed["pixels"])
        drawn[key] = band(x0, y0, x1, y1, max(tall, _THINNEST)) if messages else ""
        return tall

    y, ends = placed["top"], list(placed["outcomes"])
    for p, start in enumerate(placed["providers"]):
        y += put(f"in{p}", left + layout.bar, y, middle, start, relayed[p])
        put(f"relayed{p}", middle, start, middle + layout.bar, start, relayed[p])
        for k, outcome in enumerate(OUTCOMES):
            # What failed at the relay has not been here.
            messages = ended[outcome][p] - (counts["relay_failed"][p] if outcome == "failed" else 0)
            tall = put(f"{outcome}{p}", middle + layout.bar, start, right, ends[k], messages)
            start += tall
            ends[k] += tall
        put(f"waiting{p}", middle, start, middle + layout.bar, start, counts["waiting"][p])
    y += put("lost", left + layout.bar, y, right, ends[2], counts["relay_failed"].sum())
    put("not_relayed", left, y, left + layout.bar, y, counts["not_relayed"].sum())
    for k, outcome in enumerate(OUTCOMES):
        start = placed["outcomes"][k]
        put(outcome, right, start, right + layout.bar, start, ended[outcome].sum())
    return drawn


def band(x0: float, y0: float, x1: float, y1: float, tall: float) -> str:
    """Return the path of a band from the left to the right; at one height it is a bar."""
    from_x, middle, to_x = _number(x0), _number((x0 + x1) / 2), _number(x1)
    top, bottom, to_top, to_bottom = map(_number, (y0, y0 + tall, y1, y1 + tall))
    return (
        f"M{from_x} {top}C{middle} {top} {middle} {to_top} {to_x} {to_top}"
        f"V{to_bottom}C{middle} {to_bottom} {middle} {bottom} {from_x} {bottom}Z"
    )


def _number(pixels: float) -> str:
    """Return a number to a tenth, as the script writes it."""
    return f"{math.floor(10.0 * pixels + 0.5) / 10.0:g}"
