"""The main results of a run in plain sentences: the end, the way there, and when to trust it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sendcap.ledger import Ledger
from sendcap.model.confirmation import confirmations
from sendcap.readings.bottleneck import held_up
from sendcap.readings.convergence import Convergence, convergence
from sendcap.readings.delays import delay_figures
from sendcap.readings.load import loaded_stages
from sendcap.readings.modes import MODE_LABELS, Mode
from sendcap.readings.people import people_sentences
from sendcap.readings.summary import ACCEPTED_PCT, accepted_at_s
from sendcap.scenario.operators import held
from sendcap.text.clock import brief_moment
from sendcap.text.quantities import capital, counted, elapsed, listed

if TYPE_CHECKING:
    from sendcap.run import Run


def sentences(run: Run, modes: Sequence[Mode]) -> Iterator[str]:
    """Yield the main results of a run, one after the other."""
    if run.ledger.people is not None:
        yield from people_sentences(run)
        if not run.ledger.messages():
            return
    yield _delivered(run)
    yield _accepted(run)
    if (delayed := delay_sentence(run.ledger)) is not None:
        yield delayed
    yield held_up(run.as_sent, loaded_stages(run.ledger, run.as_sent), run.ledger)
    for mode in modes:
        yield trust_sentence(run, mode)
    if run.readings.engagement:
        yield from _engaged(run)


def _delivered(run: Run) -> str:
    ledger, held_back = run.ledger, _held_back(run)
    to_deliver = ledger.messages()
    failed = {
        event: ledger.total(event, clock="happened")
        for event in ("relay_failed", "hard", "expired")
    }
    accepted, came_back = (
        ledger.total(event, clock="happened") for event in ("accepted", "async_bounced")
    )
    # Expected counts need not be whole: what is left is that of them as they are.
    final = accepted + sum(failed.values()) + sum(held_back.values())
    relay_failed, hard, expired = map(round, failed.values())
    returned, delivered = round(came_back), accepted - came_back
    under_way = round(to_deliver - final)
    losses = (
        (relay_failed, "failed before the MTA had them"),
        (hard, "bounced hard"),
        (expired, "expired without being accepted"),
        (returned, "were accepted and came back later"),
        *((count, what) for what, count in held_back.items()),
        (under_way, "were still under way when the simulation was cut off"),
    )
    told = [f"{count:,} {_of_one(what) if count == 1 else what}" for count, what in losses if count]
    text = (
        f"Of {counted(to_deliver, 'message')}, {delivered:,.0f} "
        f"{'is' if round(delivered) == 1 else 'are'} delivered in the end: "
        f"{100.0 * delivered / to_deliver:.2f} %."
    )
    return f"{text} {listed(told)}." if told else text


def _of_one(what: str) -> str:
    """Return what became of several messages, of a single one."""
    return what.replace("were ", "was ").replace(" them", " it")


def _held_back(run: Run) -> Counter[str]:
    """Return how many messages people have held back for good, by what they did."""
    counts: Counter[str] = Counter()
    asked = confirmations(run.scenario)
    given_up = {name for name, each in asked.items() if math.isinf(each.confirmed_s)}
    for sent in run.as_sent.deliveries:
        *_, (from_s, until_s) = [(math.inf, 0.0), *held(sent)]
        if from_s >= (run.scenario.time.horizon or math.inf) or until_s < math.inf:
            continue
        handed = sum(
            round(run.ledger.total(event, clock="happened", delivery=sent.name))
            for event in ("relayed", "relay_failed")
        )
        what = "were paused for good" if sent.stop is None else "were stopped before the hand-over"
        if sent.name in given_up:
            what = "were never confirmed"
        counts[what] += sent.messages - handed
    return counts


def _accepted(run: Run) -> str:
    reached_s = [accepted_at_s(run.ledger, pct) for pct in ACCEPTED_PCT]
    times_s = [time_s for time_s in reached_s if time_s is not None]
    if not times_s:
        return "No message was ever accepted."
    half, most, nearly_all = map(elapsed, times_s)
    text = (
        f"Half of all that is ever accepted has been accepted after {half}, 90 % after {most} and "
        f"99 % after {nearly_all}."
    )
    start = run.scenario.common_start
    if start is None:
        return text
    moments = [brief_moment(time_s, start, times_s[-1]) for time_s in times_s]
    return f"{text} By the clock that is {listed(moments)}."


def delay_sentence(ledger: Ledger, delivery: str | None = None) -> str | None:
    """Return how long messages take, or None where nothing was accepted or delays are unknown."""
    figures = delay_figures(ledger, delivery=delivery)
    times = [elapsed(value) for value in figures.values() if value is not None]
    if not times:
        return None
    mean, half, most, nearly_all, longest = times
    return (
        f"A message takes {mean} on average from ready to accepted; half take {half} at most, "
        f"95 % {most}, 99 % {nearly_all}, and the longest takes {longest}."
    )


def _engaged(run: Run) -> Iterator[str]:
    """Yield the shares of the delivered messages that are opened and clicked, if there are any."""
    shown = run.truth(run.ledger.end_s)
    opened, clicked = (run.ledger.total(event, clock="happened") for event in ("opened", "clicked"))
    if shown.delivered and opened:
        shares = (f"{100.0 * count / shown.delivered:.2f} %" for count in (opened, clicked))
        yield "Of the delivered messages, {} are opened in the end, and {} clicked.".format(*shares)


# When Delivered % can be believed.

_TOLERANCES_PT: Final = (0.5, 0.1)
_EARLY_S: Final = 3600.0
_SEEN_PT: Final = 0.005
"""A smaller difference is not seen in figures with two decimals."""


def trust_sentence(run: Run, mode: Mode) -> str:
    """Return how far Delivered % can be trusted over time in a reporting mode.

    Of one delivery times count from t = 0; several go by the clock, where there is one.
    """
    early_s = () if len(run.scenario.deliveries) > 1 else (_EARLY_S,)
    found = convergence(run, mode, tolerances_pt=_TOLERANCES_PT, moments_s=early_s)
    label = capital(MODE_LABELS[mode])
    if math.isnan(found.final_pct):
        return f"{label}, there is no Delivered % at all."
    text = f"{label}, Delivered % ends at {found.final_pct:.2f} %."
    return " ".join([text, *_on_the_way(found, run.scenario.common_start)])


def _on_the_way(found: Convergence, start: datetime | None) -> Iterator[str]:

    def at(seconds: float) -> str:
        if start is None:
            return f"after {elapsed(seconds)}"
        return f"at {brief_moment(seconds, start, max(found.settling_s.values()))}"

    def since(seconds: float) -> str:
        return at(seconds) if start is None else f"from {at(seconds).removeprefix('at ')} on"

    for moment_s, error_pt in found.errors_pt.items():
        if abs(error_pt) >= _SEEN_PT:
            side = "above" if error_pt > 0 else "below"
            off = f"{abs(error_pt):.2f} points {side} that"
            yield f"{capital(at(moment_s))} it is {off}."
    (close_pt, close_s), (closer_pt, closer_s) = found.settling_s.items()
    yield (
        f"It stays within {close_pt:g} points of its end {since(close_s)}, and within "
        f"{closer_pt:g} {since(closer_s)}."
    )
    fall = found.cliff
    if fall is not None and fall.height_pt >= _SEEN_PT:
        begins = at(fall.begins_s).removeprefix("after ").removeprefix("at ")
        yield (
            f"When the validity ends, from {begins} on, it falls by {fall.height_pt:.2f} points."
        )
    above = found.overshoot
    if above is not None and above.above_final_pt >= _SEEN_PT:
        yield (
            f"Bounces + errors % is highest {at(above.peak_s)}, with {above.peak_pct:.2f} %: "
            f"{above.above_final_pt:.2f} points above its end, since soft bounces count as failed "
            "until a retry succeeds."
        )
