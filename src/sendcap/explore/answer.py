"""What the page answers to a position of the sliders: numbers and sentences, then the chart."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sendcap.charts.delivered import delivered
from sendcap.charts.style import save
from sendcap.errors import SendcapError
from sendcap.explore.sliders import moved
from sendcap.fluid.expected import expected_ledger
from sendcap.readings.convergence import convergence
from sendcap.readings.modes import MODE_LABELS, Mode
from sendcap.readings.summary import accepted_at_s
from sendcap.run import Run
from sendcap.scenario import Scenario, dumps
from sendcap.text.quantities import elapsed

BOTH: Final[tuple[Mode, ...]] = ("without-efs", "efs")
_TOLERANCE_PT: Final = 0.1


class Answer(NamedTuple):
    """The expected course of a scenario, or the reason for none."""

    facts: Mapping[str, str] = {}  # numbers as text, by label, always the same ones
    sentences: Sequence[str] = ()
    scenario: str = ""  # the changed scenario, as a file
    notes: Sequence[str] = ()  # on what these figures leave out
    problem: str = ""


def answer(
    scenario: Scenario, values: Mapping[str, float], modes: Sequence[Mode] | None = None
) -> tuple[Answer, Run | None]:
    """Return the answer to a scenario with sliders moved, see `moved`, and the expected run.

    The sentences are about ``modes``, by default those of the scenario.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            changed = moved(scenario, values)
            run = Run(changed, expected_ledger(changed))
        except SendcapError as error:
            return Answer(problem=str(error).replace("<updated>: ", "")), None
        notes = list(dict.fromkeys(str(note.message) for note in caught))
        return Answer(_facts(run), run.sentences(modes), dumps(changed), notes), run


def chart(run: Run, modes: Sequence[Mode] | None) -> str:
    """Draw Delivered % and Bounces + errors % over time, as SVG."""
    picture = io.BytesIO()
    save(delivered(run, modes), picture, "svg")
    text = picture.getvalue().decode()
    return text[text.index("<svg") :]


def _facts(run: Run) -> dict[str, str]:
    """Return times of acceptance, the final Delivered %, and the times after which it holds."""
    facts = {f"{pct} % accepted after": _time(accepted_at_s(run.ledger, pct)) for pct in (50, 99)}
    courses = {mode: convergence(run, mode, tolerances_pt=(_TOLERANCE_PT,)) for mode in BOTH}
    final_pct = courses["efs"].final_pct
    facts["Delivered % in the end"] = "none" if math.isnan(final_pct) else f"{final_pct:.2f} %"
    for mode, course in courses.items():
        label = f"within {_TOLERANCE_PT:g} points of it {MODE_LABELS[mode]} after"
        facts[label] = _time(course.settling_s[_TOLERANCE_PT])
    return facts


def _time(seconds: float | None) -> str:
    return "never" if seconds is None or math.isnan(seconds) else elapsed(seconds)
