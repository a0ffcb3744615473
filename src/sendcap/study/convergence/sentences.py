"""Plain sentences about a convergence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sendcap.readings.modes import ALL_PROVIDERS, MODE_LABELS, Mode
from sendcap.study.replication.estimates import enough_for_a_median, held
from sendcap.study.replication.replications import Replications
from sendcap.text.clock import counted_from
from sendcap.text.measures import banded
from sendcap.text.quantities import capital, elapsed, listed
from sendcap.text.shares import percentage, points, points_in_words, rounded_share, share_text

if TYPE_CHECKING:
    from sendcap.study.convergence.converge import ConvergenceStudy

_SEEN_PT: Final = 5e-4
"""Smallest overshoot worth a sentence."""


def convergence_sentences(study: ConvergenceStudy) -> Iterator[str]:
    """Yield the sentences about a convergence."""
    replications = study.replications
    for mode in study.modes:
        yield _settles(study, mode)
    yield from _expectation(study)
    yield from _cliff(study)
    yield from _overshoots(study)
    yield from _slowest(study)
    if replications.n > 1:
        yield _brackets(replications)
    yield (
        f"{counted_from(replications.scenario.start)}. The dashboard shows each figure up to "
        f"{elapsed(replications.scenario.reporting.refresh)} later."
    )


def _brackets(replications: Replications) -> str:
    """Return what the figures and the brackets are, and how sure they are."""
    n, confidence = replications.n, replications.confidence
    share, enough = held(n, confidence), enough_for_a_median(confidence)
    known = (
        f"The {share_text(confidence)} intervals of the medians are in the tables."
        if n >= enough
        else f"A {share_text(confidence)} interval of a median takes {enough} of them."
    )
    return (
        f"Medians; in brackets, {replications.between} of {n} simulations with different draws: "
        f"one more delivery of this kind lies there in {rounded_share(share)} of the cases. {known}"
    )


def _settles(study: ConvergenceStudy, mode: Mode) -> str:
    settled = [
        f"within {points_in_words(at)} after "
        f"{banded(study.number(mode, 'settling_s', at), elapsed)}"
        for at in study.tolerances_pt
    ]
    reading = capital(MODE_LABELS[mode])
    end = study.number(mode, "delivered_pct")
    if not end["n"]:
        return f"{reading}, Delivered % has no value yet: nothing has been relayed."
    start = f"{reading}, Delivered % ends at {banded(end, percentage)} %"
    return f"{start}; it is {listed(settled)}, and stays so."


def _expectation(study: ConvergenceStudy) -> Iterator[str]:
    replications = study.replications
    if replications.n > 1:
        truth = study.number(study.modes[0], "truth_pct")
        half = (truth["mean_high"] - truth["mean_low"]) / 2.0
        yield (
            f"On average over all deliveries of this kind, {truth['mean']:.3f} % ± {points(half)} "
            f"is delivered in the end ({share_text(replications.confidence)} interval)."
        )
    horizon = replications.scenario.time.horizon
    if horizon is not None:
        yield (
            f"The run stops at the horizon ({elapsed(horizon)}); final and true values are as of "
            f"then, and messages still in flight count as not delivered."
        )


def _cliff(study: ConvergenceStudy) -> Iterator[str]:
    if "without-efs" not in study.modes:
        return
    height = study.number("without-efs", "cliff_height_pt")
    if not height["median"] > 0.0:
        return
    begins = study.number("without-efs", "cliff_begins_s")
    width = study.number("without-efs", "cliff_width_s")
    yield (
        f"{capital(MODE_LABELS['without-efs'])}, Delivered % falls by {banded(height, points)} "
        f"points when the validity ends: from {banded(begins, elapsed)} on, within "
        f"{banded(width, elapsed)}. Until then it shows that much too high."
    )


def _overshoots(study: ConvergenceStudy) -> Iterator[str]:
    for mode in study.modes:
        if mode not in ("efs", "legacy"):
            continue
        above = study.number(mode, "overshoot_pt")
        if not above["median"] > _SEEN_PT:
            continue
        gone = [
            f"within {points_in_words(at)} after {banded(time, elapsed)}"
            for at in study.tolerances_pt
            if (time := study.number(mode, "overshoot_gone_s", at))["n"]
        ]
        peak = banded(study.number(mode, "peak_pct"), percentage)
        when = banded(study.number(mode, "peak_s"), elapsed)
        yield (
            f"{capital(MODE_LABELS[mode])}, Bounces + errors % peaks at {peak} % after {when}, "
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
    last = []
    for mode in study.modes:
        settled_s = {name: times[mode, name] for name in providers if (mode, name) in times}
        if settled_s:
            slowest = max(settled_s, key=settled_s.__getitem__)
            last.append(f"{MODE_LABELS[mode]}, {slowest} after {elapsed(settled_s[slowest])}")
    yield f"The last to be within {points_in_words(finest)} of its end: {'; '.join(last)}."
