"""The what-if page's HTML: sliders beside the picture, below it where the page is narrow."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sendcap.explore.answer import Answer

_STYLE: Final = """
<style>
.sc-page { display: grid; grid-template-columns: minmax(15rem, 21rem) minmax(0, 1fr); gap: 2rem;
  max-width: 90rem; margin: 0 auto; }
.sc-page h1 { grid-column: 1 / -1; font-size: 1.4rem; font-weight: 700; margin: 0; }
.sc-moves { display: flex; flex-direction: column; gap: 0.9rem; }
.sc-tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
  gap: 0.6rem; margin: 0 0 0.8rem; }
.sc-tile { border: 1px solid #d5d9df; border-radius: 0.5rem; padding: 0.5rem 0.8rem; }
.sc-tile dt { font-size: 0.8rem; color: #55606e; }
.sc-tile dd { margin: 0; font-size: 1.35rem; font-weight: 700; }
.sc-tile dd small { display: block; font-size: 0.75rem; font-weight: 400; color: #55606e; }
.sc-chart svg { width: 100%; height: auto; }
.sc-note { color: #55606e; font-size: 0.85rem; }
.sc-problem { border-left: 0.3rem solid #c0272d; padding: 0.6rem 1rem; background: #fbeaea; }
@media (max-width: 50rem) { .sc-page { grid-template-columns: minmax(0, 1fr); gap: 1rem; } }
</style>
"""
_HOW: Final = (
    "Expected values, worked out without chance; "
    "<code>sendcap run</code> of the file simulates what can happen."
)


def page(
    title: str,
    moves: Iterable[Any],
    modes: Any,
    saved: Any,
    found: Answer,
    before: Answer,
) -> str:
    """Return the page.

    Parameters
    ----------
    title
        Of the scenario.
    moves, modes, saved
        Elements of marimo: the sliders, what is shown, the download.
    found, before
        What is expected now, and of the scenario as it is.
    """
    sliders = "".join(f"<div>{slider}</div>" for slider in moves)
    return (
        f'{_STYLE}<div class="sc-page"><h1>{escape(title)}: what if?</h1>'
        f'<div class="sc-moves">{sliders}<div><div>Dashboard</div>{modes}</div>'
        f"<div>{saved}</div></div>"
        f'<div aria-live="polite">{_answered(found, before)}</div></div>'
    )


def _answered(found: Answer, before: Answer) -> str:
    if found.problem:
        return f'<p class="sc-problem">{escape(found.problem)}</p>'
    was = {its.label: its.value for its in before.facts}
    tiles = "".join(
        f'<div class="sc-tile"><dt>{escape(its.label)}</dt><dd>{escape(its.value)}'
        f"<small>{_compared(its.value, was.get(its.label))}</small></dd></div>"
        for its in found.facts
    )
    notes = "".join(f'<p class="sc-note">{escape(note)}</p>' for note in found.notes)
    return (
        f'<dl class="sc-tiles">{tiles}</dl><p>{escape(found.sentence)}</p>'
        f'<div class="sc-chart" role="img" aria-label="Delivered % and Bounces + errors % over '
        f'time">{found.chart}</div>{notes}<p class="sc-note">{_HOW}</p>'
    )


def _compared(value: str, was: str | None) -> str:
    if was is None or was == value:
        return "as in the scenario"
    return f"in the scenario {escape(was)}"
