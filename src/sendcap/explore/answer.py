"""What the page answers to a position of the sliders: numbers and sentences, then the picture.

Numbers come first, because they take a third of the time: with the chart comes how far a simulation
may be from them, or that they are of no use.
"""

import io
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from html import escape
from typing import Final, NamedTuple

from sendcap.analysis import bounded, expected_counts
from sendcap.charts.delivered import delivered
from sendcap.charts.narrow import Legend, narrow
from sendcap.charts.style import save
from sendcap.errors import SendcapError, SendcapWarning
from sendcap.explore.sliders import moved
from sendcap.ledger import Ledger
from sendcap.readings.convergence import convergence
from sendcap.readings.modes import ALL_DELIVERIES, MODE_LABELS, Mode
from sendcap.readings.summary import accepted_at_s
from sendcap.run import Run
from sendcap.scenario import Scenario, dumps
from sendcap.text.clock import brief_moment
from sendcap.text.quantities import elapsed

BOTH: Final[tuple[Mode, ...]] = ("without-efs", "efs")
_TOLERANCE_PT: Final = 0.1
_MOST_DELIVERIES: Final = 12
"""With numbers of their own."""


class Look(NamedTuple):
    """Whose chart it is, and whether for a narrow screen."""

    delivery: str = ALL_DELIVERIES
    narrow: bool = False


WIDE: Final = Look()


class Picture(NamedTuple):
    """The chart of an answer as SVG, and how far a simulation may be from the answer."""

    chart: str = ""  # none without an answer
    bounds: Sequence[str] = ()
    problem: str = ""  # a simulation may be too far: it has to be asked


class Answer(NamedTuple):
    """The expected course of a scenario, or the reason for none."""

    facts: Mapping[str, str] = {}  # numbers as text, by label, always the same ones
    deliveries: Mapping[str, Mapping[str, str]] = {}  # the same of each, where there are several
    sentences: Sequence[str] = ()
    scenario: str = ""  # the changed scenario, as a file
    notes: Sequence[str] = ()  # on what these figures leave out
    problem: str = ""
    only_simulated: bool = False  # the problem is that of the expected course alone


def answer(
    scenario: Scenario,
    values: Mapping[str, float],
    modes: Sequence[Mode] | None = None,
    simulated: Callable[[Scenario], Ledger] | None = None,
) -> tuple[Answer, Run | None]:
    """Return the answer to a scenario with sliders moved, see `moved`, and the run.

    The sentences are about ``modes``, by default those of the scenario. The run is that of the
    ledger that ``simulated`` makes, by default the expected one; see `picture`, too.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        changed = None
        try:
            changed = moved(scenario, values)
            run = Run(changed, (simulated or expected_counts)(changed))
        except SendcapError as error:
            if changed is None or simulated is not None:
                return Answer(problem=str(error)), None
            return Answer(scenario=dumps(changed), problem=str(error), only_simulated=True), None
        # Others, such as Python's about the browser that was opened, are none of the reader's.
        ours = [note for note in caught if issubclass(note.category, SendcapWarning)]
        notes = list(dict.fromkeys(str(note.message) for note in ours))
        starts_s = _starts_s(run)
        of_each = {name: _facts(run, name, start_s) for name, start_s in starts_s.items()}
        return Answer(_facts(run), of_each, run.sentences(modes), dumps(changed), notes), run


def picture(run: Run, modes: Sequence[Mode] | None, look: Look = WIDE) -> Picture:
    """Return the chart of a run that `answer` expects, and how far a simulation may be from it."""
    try:
        bounds = bounded(run.scenario, run.ledger).sentences()
    except SendcapError as error:
        return Picture(problem=str(error))
    return Picture(chart(run, modes, look), bounds)


def chart(run: Run, modes: Sequence[Mode] | None, look: Look = WIDE) -> str:
    """Draw Delivered % and Bounces + errors % over time, as SVG; narrow, with the legends below."""
    picture = io.BytesIO()
    none: list[Legend] = []
    looking: AbstractContextManager[list[Legend]] = narrow() if look.narrow else nullcontext(none)
    with looking as legends:
        save(delivered(run, modes, look.delivery), picture, "svg")
    text = picture.getvalue().decode()
    return text[text.index("<svg") :] + "".join(map(_legend, legends))


def _legend(legend: Legend) -> str:
    rows = "".join(
        f'<li><span style="background: {escape(name.colour)}"></span>'
        f"{escape(name.label)} {escape(name.words)}</li>"
        for name in legend.names
    )
    return f'<div class="sc-legend">{escape(legend.title)}<ul>{rows}</ul></div>'


def _starts_s(run: Run) -> dict[str, float]:
    """Return when each delivery starts, if there are several, but not too many."""
    names = run.ledger.written
    if not 1 < len(names) <= _MOST_DELIVERIES:
        return {}
    parents = {child: name for name, parts in run.ledger.parents.items() for child in parts}
    starts_s: dict[str, float] = {}
    for part in run.as_sent.deliveries:
        name = parents.get(part.name, part.name)
        starts_s[name] = min(starts_s.get(name, math.inf), part.at)
    return {name: starts_s[name] for name in names}


def _facts(run: Run, delivery: str = ALL_DELIVERIES, start_s: float = 0.0) -> dict[str, str]:
    """Return times of acceptance, the final Delivered %, and the times after which it holds.

    Those of a delivery count from its own start. Of all together, where there are several, they
    have the time by the clock, too: nobody counts from the start of the simulation.
    """
    clock = run.scenario.common_start if delivery == ALL_DELIVERIES else None

    def time(seconds: float | None) -> str:
        if seconds is None or math.isnan(seconds):
            return "never"
        text = elapsed(max(seconds - start_s, 0.0))
        return (
            text if clock is None else f"{text}, {brief_moment(seconds, clock, run.ledger.end_s)}"
        )

    name = None if delivery == ALL_DELIVERIES else delivery
    facts = {
        f"{pct} % of all that is ever accepted after": time(
            accepted_at_s(run.ledger, pct, delivery=name)
        )
        for pct in (50, 99)
    }
    courses = {
        mode: convergence(run, mode, delivery, tolerances_pt=(_TOLERANCE_PT,)) for mode in BOTH
    }
    final_pct = courses["efs"].final_pct
    facts["Delivered % in the end"] = "none" if math.isnan(final_pct) else f"{final_pct:.2f} %"
    for mode, course in courses.items():
        label = f"within {_TOLERANCE_PT:g} points of it {MODE_LABELS[mode]} after"
        facts[label] = time(course.settling_s[_TOLERANCE_PT])
    return facts
