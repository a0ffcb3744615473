"""What a convergence tells, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sendcap.charts.style import MODE_LOOKS
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS
from sendcap.study.replication.recording import Quantity
from sendcap.study.replication.replications import spread
from sendcap.text.bands import banded
from sendcap.text.points import points, points_in_words
from sendcap.text.quantities import elapsed, listed
from sendcap.text.shares import percentage, share_text

if TYPE_CHECKING:
    from sendcap.readings.modes import Mode
    from sendcap.study.convergence.converge import ConvergenceStudy

_SEEN_PT: Final = 5e-4
"""An overshoot of less is not worth a sentence."""


def sentences(study: ConvergenceStudy) -> Iterator[str]:
    """Yield what a convergence tells, a sentence each."""
    its = study.replications
    for mode in study.modes:
        yield _settles(study, mode)
    yield from _expectation(study)
    yield from _cliff(study)
    yield from _overshoots(study)
    yield from _slowest(study)
    if its.n > 1:
        yield (
            f"Medians; in brackets, the middle {share_text(its.confidence)} of {its.n} simulations "
            f"with different draws."
        )
    yield (
        f"Times count from t = 0, the start of the simulation. The dashboard shows each figure up "
        f"to {elapsed(its.scenario.reporting.refresh)} later."
    )


def number(study: ConvergenceStudy, mode: str, name: str, at: float = 0.0) -> dict[str, float]:
    """Return how a number of all messages is spread over the replications."""
    its = study.replications
    about = Quantity(mode, ALL_DELIVERIES, ALL_PROVIDERS, name, at)
    return spread(its.numbers[about], its.confidence)


def label(mode: Mode) -> str:
    """Return what a mode is called: with EFS."""
    return MODE_LOOKS[mode].label


def _settles(study: ConvergenceStudy, mode: Mode) -> str:
    told = [
        f"within {points_in_words(at)} after "
        f"{banded(number(study, mode, 'settling_s', at), elapsed)}"
        for at in study.tolerances_pt
    ]
    end = number(study, mode, "delivered_pct")
    if not end["n"]:
        return f"{_capital(label(mode))}, Delivered % has no value yet: nothing has been relayed."
    final = banded(end, percentage)
    start = f"{_capital(label(mode))}, Delivered % ends at {final} %"
    return f"{start}; it is {listed(told)}, and stays so."


def _expectation(study: ConvergenceStudy) -> Iterator[str]:
    its = study.replications
    if its.n > 1:
        truth = number(study, study.modes[0], "truth_pct")
        half = (truth["mean_high"] - truth["mean_low"]) / 2.0
        yield (
            f"On average over all deliveries of this kind, {truth['mean']:.3f} % ± {points(half)} "
            f"is delivered in the end ({share_text(its.confidence)} interval)."
        )
    horizon = its.scenario.time.horizon
    if horizon is not None:
        yield (
            f"The horizon cuts it off: the end and the truth are those of {elapsed(horizon)}; "
            f"messages under way then count as not delivered."
        )


def _cliff(study: ConvergenceStudy) -> Iterator[str]:
    if "without-efs" not in study.modes:
        return
    height = number(study, "without-efs", "cliff_height_pt")
    if not height["median"] > 0.0:
        return
    begins = number(study, "without-efs", "cliff_begins_s")
    width = number(study, "without-efs", "cliff_width_s")
    yield (
        f"{_capital(label('without-efs'))}, Delivered % falls by {banded(height, points)} points "
        f"when the validity ends: from {banded(begins, elapsed)} on, within "
        f"{banded(width, elapsed)}. Until then it shows that much too high."
    )


def _overshoots(study: ConvergenceStudy) -> Iterator[str]:
    for mode in study.modes:
        if mode not in ("efs", "legacy"):
            continue
        above = number(study, mode, "overshoot_pt")
        if not above["median"] > _SEEN_PT:
            continue
        gone = [
            f"within {points_in_words(at)} after {banded(found, elapsed)}"
            for at in study.tolerances_pt
            if (found := number(study, mode, "overshoot_gone_s", at))["n"]
        ]
        peak = banded(number(study, mode, "peak_pct"), percentage)
        when = banded(number(study, mode, "peak_s"), elapsed)
        yield (
            f"{_capital(label(mode))}, Bounces + errors % peaks at {peak} % after {when}, "
            f"{banded(above, points)} points above its end"
            + (f"; it has come down to {listed(gone)}." if gone else ".")
        )


def _slowest(study: ConvergenceStudy) -> Iterator[str]:
    finest = study.tolerances_pt[-1]
    rows = study.settling()
    rows = rows[(rows["provider"] != ALL_PROVIDERS) & (rows["tolerance_pt"] == finest)]
    times = {
        (row["mode"], row["provider"]): row["median"] for row in rows.to_dict("records") if row["n"]
    }
    providers = dict.fromkeys(provider for _, provider in times)
    if len(providers) < 2:
        return
    told = []
    for mode in study.modes:
        its = {name: times[mode, name] for name in providers if (mode, name) in times}
        if its:
            slowest = max(its, key=its.__getitem__)
            told.append(f"{label(mode)}, {slowest} after {elapsed(its[slowest])}")
    yield f"The last to be within {points_in_words(finest)} of its end: {'; '.join(told)}."


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
