"""The chart of bounce reasons: why messages bounced, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from matplotlib.axes import Axes

from sendcap.charts.axes import count_axis, name_rows, say, write_at
from sendcap.charts.figures import WIDTH_IN, Heading, left_of_rows, panels_on, rows_in, width_in
from sendcap.charts.labels import name_beside, names_in
from sendcap.charts.narrow import Named
from sendcap.charts.providers import Group, delivery_of, provider_groups
from sendcap.charts.style import GREY, house_style
from sendcap.ledger import Event
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.text.quantities import counted
from sendcap.text.quoting import shortened

if TYPE_CHECKING:
    from sendcap.run import Run

_MOST: Final = 16
_WORDS_IN: Final = 1.75
"""Room for the words beside the longest bar."""
_LETTER_IN: Final = 0.085
"""About the width of a letter beside the axes."""
_KINDS: Final[dict[Event, str]] = {
    "hard": "hard",
    "soft_first": "soft",
    "async_bounced": "",
    "relay_failed": "",
}
"""The events that are a message's bounce, and their kind beside the reason."""
_WITHOUT_REASON: Final = {"async_bounced": "asynchronous bounce", "relay_failed": "relay failed"}


class _Row(NamedTuple):
    label: str
    counts: list[int]  # of each group of providers
    words: str

    @property
    def total(self) -> int:
        return sum(self.counts)


@house_style()
def bounce_reasons(run: Run, delivery: str = ALL_DELIVERIES, ax: Axes | None = None) -> Axes:
    """Draw how many messages bounced for each reason, by provider.

    A soft-bounced message counts once, with the reason of its first soft bounce; beside the bar
    stand the attempts that bounced for a reason, and the messages that expired with it.

    For the options see `sendcap.charts`.
    """
    groups = provider_groups(run.ledger, delivery)
    rows = _rows(run, delivery, groups)
    names = [row.label for row in rows]
    words = (
        "Bounced messages by reason; for soft bounces the reason of a message's first one. "
        "Attempts: all soft bounces for the reason. Expired: messages with the reason at their "
        "last soft bounce."
    )
    seen = [group for index, group in enumerate(groups) if any(row.counts[index] for row in rows)]
    longest = max((len(group.label) for group in groups), default=0)
    (axes,) = panels_on(
        ax,
        Heading(run.scenario.title, "bounce reasons", words).of(delivery),
        [max(0.2 + rows_in(len(rows), 0.38), names_in(len(seen)), 1.6)],
        left_in=left_of_rows(names),
        right_in=max(0.17 * WIDTH_IN, 0.55 + _LETTER_IN * longest),
        above_in=0.1,
        below_in=0.5,
    )
    room = min(_WORDS_IN / width_in(axes), 0.6)
    axes.set_xlim(0.0, max((row.total for row in rows), default=1) / (1.0 - room))
    for number, row in enumerate(rows):
        left = 0
        for group, count in zip(groups, row.counts, strict=True):
            axes.barh([number], [count], left=left, height=0.62, color=group.colour)
            left += count
        _label(axes, number, row)
    axes.set_ylim(max(len(rows), 1) - 0.4, -0.6)
    name_rows(axes, names)
    count_axis(axes.xaxis)
    axes.set_xlabel("messages", loc="left")
    name_beside(axes, [Named(group.colour, group.label) for group in seen])
    if not rows:
        say(axes, "Nothing bounced.")
    return axes


def _rows(run: Run, delivery: str, groups: list[Group]) -> list[_Row]:
    name = delivery_of(run.ledger, delivery)

    def totals(event: Event, reason: str | None) -> list[int]:
        return [group.total(run.ledger, event, name, reason) for group in groups]

    rows = []
    for event, kind in _KINDS.items():
        for reason in run.ledger.reasons(event):
            label = _WITHOUT_REASON.get(event) or f"{shortened(reason)} ({kind})"
            words = ""
            if event == "soft_first":
                attempts, expired = sum(totals("soft", reason)), sum(totals("expired", reason))
                words = f"{attempts:,} attempts; {expired:,} expired"
            rows.append(_Row(label, totals(event, reason), words))
    return sorted((row for row in rows if row.total), key=lambda row: -row.total)[:_MOST]


def _label(axes: Axes, number: int, row: _Row) -> None:
    total = counted(row.total, "message") if number == 0 else f"{row.total:,}"
    end = (row.total, number)
    up = 5.5 if row.words else 0.0
    write_at(axes, end, total, (5.0, up), fontsize=8.5, fontweight="bold")
    if row.words:
        write_at(axes, end, row.words, (5.0, up - 11.0), fontsize=7.5, color=GREY)
