"""The answer of the what-if page to a position of its sliders: picture, numbers and sentences."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sendcap.errors import SendcapError
from sendcap.explore.facts import Fact, facts, held_up
from sendcap.explore.sliders import moved

if TYPE_CHECKING:
    from sendcap.readings.modes import Mode
    from sendcap.run import Run
    from sendcap.scenario import Scenario


class Answer(NamedTuple):
    """What is expected.

    Attributes
    ----------
    facts
        Numbers, always the same ones; none if there is a problem.
    sentence
        What holds the deliveries up.
    chart
        Delivered % and Bounces + errors % over time, an SVG picture.
    scenario
        The changed scenario, as a file.
    notes
        What is left out of these figures.
    problem
        Why there is no answer, or nothing.
    """

    facts: Sequence[Fact] = ()
    sentence: str = ""
    chart: str = ""
    scenario: str = ""
    notes: Sequence[str] = ()
    problem: str = ""


def answer(
    scenario: Scenario, values: Mapping[str, float], modes: Sequence[Mode] | None = None
) -> Answer:
    """Return what is expected of a scenario with sliders moved.

    Parameters
    ----------
    values
        Of the sliders, by key; see `sendcap.explore.sliders.moved`.
    modes
        Lines of the chart; the scenario's own modes by default.
    """
    from sendcap.fluid.expected import expected_ledger
    from sendcap.run import Run
    from sendcap.scenario import dumps

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            changed = moved(scenario, values)
            run = Run(changed, expected_ledger(changed))
        except SendcapError as error:
            return Answer(problem=str(error).replace("<updated>: ", ""))
        notes = list(dict.fromkeys(str(note.message) for note in caught))
        return Answer(facts(run), held_up(run), _chart(run, modes), dumps(changed), notes)


def _chart(run: Run, modes: Sequence[Mode] | None) -> str:
    from sendcap.charts.delivered import delivered
    from sendcap.charts.style import save

    picture = io.BytesIO()
    save(delivered(run, modes), picture, "svg")
    text = picture.getvalue().decode()
    return text[text.index("<svg") :]
