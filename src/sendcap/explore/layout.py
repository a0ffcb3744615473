"""The what-if page's HTML: sliders beside the picture, below the numbers where it is narrow."""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final, NamedTuple

from sendcap.explore.answer import Answer, Picture
from sendcap.explore.sliders import Slider
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.scenario import Scenario

_DOCUMENT: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: what if?</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="page.css">
<script src="page.js" defer></script>
</head>
<body>
{page}
<script type="application/json" id="data">{data}</script>
</body>
</html>
"""
_EXPECTED: Final = "Expected values, worked out without chance."
_BOUNDS: Final = "How far a simulation may be from this is being worked out."
_SIMULATED: Final = "One exact simulation, as <code>sendcap run</code> of the file gives it."

_ONLY: Final = "What to expect of this scenario is only known from a simulation"
_MODES: Final = {"both": "", "without EFS": "without-efs", "with EFS": "efs"}


class Controls(NamedTuple):
    """The sliders, the choices of modes and delivery, and the buttons, as HTML."""

    moves: Iterable[str]
    modes: str
    saved: str


def document(scenario: Scenario, sliders: Sequence[Slider]) -> str:
    """Return the page, which asks for its first answer itself."""
    names = [delivery.name for delivery in scenario.written()]
    controls = Controls(map(_move, sliders), _modes() + _deliveries(names), _BUTTONS)
    data = [{"key": slider.key, "steps": slider.steps, "own": slider.value} for slider in sliders]
    return _DOCUMENT.format(
        title=escape(scenario.title or "sendcap"),
        page=page(scenario.title or "sendcap", controls, None, None, ""),
        # Within a script, text ends at a tag.
        data=json.dumps(data).replace("<", "\\u003c"),
    )


def page(
    title: str, controls: Controls, now: Answer | None, before: Answer | None, chart: str
) -> str:
    """Return the page: controls, the answer, and the chart.

    ``before`` is the answer for the scenario as it is, whose title is ``title``.
    """
    found = {} if now is None or before is None else answered(now, before)
    moves = "".join(controls.moves)
    return (
        f'<main class="sc-page"><h1>{escape(title)}: what if?</h1>'
        f'<section class="sc-controls" aria-label="Settings">{moves}{controls.modes}'
        f"{controls.saved}</section>"
        f'<div class="sc-numbers" aria-live="polite"><p class="sc-problem" id="problem"'
        f"{'' if found.get('problem') else ' hidden'}>{found.get('problem', '')}</p>"
        f'<dl class="sc-tiles" id="tiles">{found.get("tiles", "")}</dl></div>'
        f'<section class="sc-answer" aria-label="What to expect">'
        f'<div class="sc-chart" id="chart" role="img" aria-busy="{str(not chart).lower()}" '
        f'aria-label="Delivered % and Bounces + errors % over time">{chart}</div>'
        f'<div id="words">{found.get("words", "")}</div></section></main>'
    )


def answered(
    now: Answer,
    before: Answer,
    delivery: str = ALL_DELIVERIES,
    *,
    simulated: bool = False,
) -> dict[str, Any]:
    """Return the parts of the page that change with an answer, as HTML, and the scenario.

    Numbers are those of a delivery; ``before`` is the answer that they are compared with: that of
    the scenario as it is, or what was expected of a simulation. Where nothing can be expected
    without a simulation, the page is told so, and has one.
    """
    if now.only_simulated:
        return {"problem": "", "simulate": _only(now.problem), "scenario": now.scenario}
    if now.problem:
        return {"problem": escape(now.problem)}
    facts = now.deliveries.get(delivery, now.facts)
    others = before.deliveries.get(delivery, before.facts)
    tiles = "".join(
        f'<div class="sc-tile"><dt>{escape(label)}</dt><dd>{escape(value)}'
        f"<small>{_compared(value, others.get(label), simulated)}</small></dd></div>"
        for label, value in facts.items()
    )
    sentences = "".join(f"<p>{escape(sentence)}</p>" for sentence in now.sentences)
    how = _SIMULATED if simulated else _EXPECTED
    bounds = "" if simulated else f'<div id="bounds">{_notes([_BOUNDS])}</div>'
    return {
        "problem": "",
        "tiles": tiles,
        "words": f'<p class="sc-note">{how}</p>{_table(now.deliveries)}{sentences}'
        f"{_notes(now.notes)}{bounds}",
        "scenario": now.scenario,
    }


def pictured(picture: Picture) -> dict[str, str]:
    """Return the chart and the bounds as HTML, or the reason for a simulation in their place."""
    if picture.problem:
        return {"simulate": _only(picture.problem)}
    return {"chart": picture.chart, "bounds": _notes(picture.bounds)}


def _only(problem: str) -> str:
    reason = problem.removeprefix("expected: ").partition(":")[0].partition(" (")[0]
    return f"{_ONLY} ({escape(reason)})."


def _notes(notes: Sequence[str]) -> str:
    return "".join(f'<p class="sc-note">{escape(note)}</p>' for note in notes)


def _compared(value: str, before: str | None, simulated: bool) -> str:
    if simulated:
        if before is None:
            return ""
        return "as expected" if before == value else f"expected {escape(before)}"
    if before is None or before == value:
        return "as in the scenario"
    return f"in the scenario {escape(before)}"


def _table(deliveries: Mapping[str, Mapping[str, str]]) -> str:
    """Return the numbers of each delivery, where there are several."""
    if not deliveries:
        return ""
    labels = next(iter(deliveries.values()))
    head = "".join(f'<th scope="col">{escape(label)}</th>' for label in labels)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{escape(value)}</td>" for value in facts.values())
        + "</tr>"
        for name, facts in deliveries.items()
    )
    return (
        '<div class="sc-table" tabindex="0" role="group" aria-label="Each delivery"><table><thead>'
        f'<tr><th scope="col">Delivery</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        '<p class="sc-note">Times of a delivery count from its own start.</p>'
    )


def _move(slider: Slider) -> str:
    """Return a slider, and a field beside it for any number."""
    key, label = escape(slider.key), escape(slider.label)
    return (
        f'<div class="sc-move" data-key="{key}"><label for="{key}">{label}</label>'
        f'<input type="range" id="{key}" min="0" max="{len(slider.steps) - 1}" step="1" '
        f'value="{slider.steps.index(slider.value)}">'
        f'<input type="number" min="0" step="any" inputmode="decimal" value="{slider.value:.15g}" '
        f'aria-label="{label}, as a number"></div>'
    )


def _modes() -> str:
    choices = "".join(
        f'<label><input type="radio" name="modes" value="{mode}"{"" if mode else " checked"}>'
        f"{name}</label>"
        for name, mode in _MODES.items()
    )
    return f'<fieldset class="sc-modes"><legend>Dashboard</legend>{choices}</fieldset>'


def _deliveries(names: Sequence[str]) -> str:
    if len(names) == 1:
        return ""
    choices = "".join(f'<option value="{escape(name)}">{escape(name)}</option>' for name in names)
    return (
        '<p class="sc-delivery"><label for="delivery">Delivery</label><select id="delivery">'
        f'<option value="{ALL_DELIVERIES}">All deliveries</option>{choices}</select></p>'
    )


_BUTTONS: Final = (
    '<div class="sc-buttons"><button type="button" id="simulate">Simulate exactly</button>'
    '<progress id="progress" max="1" value="0" aria-label="Simulation" hidden></progress>'
    '<button type="button" id="save">This scenario as a file</button>'
    '<button type="button" id="link">Copy a link to these settings</button>'
    '<button type="button" id="reset">As in the scenario</button>'
    '<span id="told" role="status"></span></div>'
)
