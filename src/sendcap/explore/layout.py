"""The what-if page's HTML: sliders beside the picture, below it where the page is narrow."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any, Final

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
    title: str, moves: Iterable[Any], modes: Any, saved: Any, now: Answer, before: Answer
) -> str:
    """Return the page: marimo's sliders, choice of modes and download, and the answer.

    ``before`` is the answer for the scenario as it is, whose title is ``title``.
    """
    sliders = "".join(f"<div>{slider}</div>" for slider in moves)
    return (
        f'{_STYLE}<div class="sc-page"><h1>{escape(title)}: what if?</h1>'
        f'<div class="sc-moves">{sliders}<div><div>Dashboard</div>{modes}</div>'
        f"<div>{saved}</div></div>"
        f'<div aria-live="polite">{_answered(now, before)}</div></div>'
    )


def _answered(now: Answer, before: Answer) -> str:
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
        f'<div class="sc-chart" role="img" aria-label="Delivered % and Bounces + errors % over '
        f'time">{now.chart}</div>{notes}<p class="sc-note">{_HOW}</p>'
    )


def _compared(value: str, before: str | None) -> str:
    if before is None or before == value:
        return "as in the scenario"
    return f"in the scenario {escape(before)}"
