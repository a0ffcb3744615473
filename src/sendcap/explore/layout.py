"""The what-if page's HTML: sliders beside the picture, below it where the page is narrow."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any, Final, NamedTuple

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
.sc-chart[aria-busy="true"] { opacity: 0.35; }
.sc-note { color: #55606e; font-size: 0.85rem; }
.sc-problem { border-left: 0.3rem solid #c0272d; padding: 0.6rem 1rem; background: #fbeaea; }
@media (max-width: 50rem) { .sc-page { grid-template-columns: minmax(0, 1fr); gap: 1rem; } }
</style>
"""
_HOW: Final = (
    "Expected values, worked out without chance; "
    "<code>sendcap run</code> of the file simulates what can happen."
)


class Controls(NamedTuple):
    """The sliders, the choice of modes and the download, of marimo."""

    moves: Iterable[Any]
    modes: Any
    saved: Any


def page(
    title: str,
    controls: Controls,
    now: Answer,
    before: Answer,
    chart: str,
    *,
    busy: bool = False,
) -> str:
    """Return the page: marimo's controls, the answer, and the chart.

    ``before`` is the answer for the scenario as it is, whose title is ``title``. While it is busy
    drawing, the chart is that of an earlier answer, or none.
    """
    sliders = "".join(f"<div>{slider}</div>" for slider in controls.moves)
    return (
        f'{_STYLE}<div class="sc-page"><h1>{escape(title)}: what if?</h1>'
        f'<div class="sc-moves">{sliders}<div><div>Dashboard</div>{controls.modes}</div>'
        f"<div>{controls.saved}</div></div>"
        f'<div aria-live="polite">{_answered(now, before, chart, busy)}</div></div>'
    )


def _answered(now: Answer, before: Answer, chart: str, busy: bool) -> str:
    if now.problem:
        return f'<p class="sc-problem">{escape(now.problem)}</p>'
    tiles = "".join(
        f'<div class="sc-tile"><dt>{escape(label)}</dt><dd>{escape(value)}'
        f"<small>{_compared(value, before.facts.get(label))}</small></dd></div>"
        for label, value in now.facts.items()
    )
    sentences = "".join(f"<p>{escape(sentence)}</p>" for sentence in now.sentences)
    notes = "".join(f'<p class="sc-note">{escape(note)}</p>' for note in now.notes)
    return (
        f'<dl class="sc-tiles">{tiles}</dl>{sentences}'
        f'<div class="sc-chart" role="img" aria-busy="{str(busy).lower()}" aria-label="Delivered % '
        f'and Bounces + errors % over time">{chart}</div>{notes}<p class="sc-note">{_HOW}</p>'
    )


def _compared(value: str, before: str | None) -> str:
    if before is None or before == value:
        return "as in the scenario"
    return f"in the scenario {escape(before)}"
