"""The chart of bounce reasons: why messages bounced, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sendcap.charts.figures import headed_figure, left_of_rows
from sendcap.charts.layers import Named, name_beside
from sendcap.charts.providers import Group, delivery_of, provider_groups
from sendcap.charts.style import GREY, INK, house_style
from sendcap.charts.timeaxis import width_in
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.text.quantities import compact, counted
from sendcap.text.quoting import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sendcap.ledger import Event
    from sendcap.run import Run

_MOST: Final = 16
_HEIGHT: Final = 0.62
_WORDS_IN: Final = 1.75
"""Room for the words beside the longest bar, in inches."""
_LETTER: Final = 0.0085
"""About how wide a letter beside the axes is, as a share of the figure's width."""
_KINDS: Final[dict[Event, str]] = {
    "hard": "hard",
    "soft_first": "soft",
    "async_bounced": "returned",
    "relay_failed": "relay",
}
"""The events that are a message's bounce, and what they are called in a row."""
_WITHOUT_REASON: Final = {"async_bounced": "asynchronous bounce", "relay_failed": "relay failed"}


class _Row(NamedTuple):
    event: Event
    reason: str
    messages: dict[str, int]
    """By group of providers."""
    told: str

    @property
    def total(self) -> int:
        return sum(self.messages.values())

    @property
    def label(self) -> str:
        kind = _KINDS[self.event]
        return (
            self.reason if kind in ("returned", "relay") else f"{shortened(self.reason)} ({kind})"
        )


def bounce_reasons(run: Run, delivery: str = ALL_DELIVERIES, ax: Axes | None = None) -> Axes:
    """Draw how many messages bounced for each reason, by provider.

    A soft-bounced message counts once, with the reason of its first soft bounce; how many attempts
    bounced for a reason, and how many messages expired with it, is told beside the bar.

    Parameters
    ----------
    delivery
        A delivery's name, or ``"*"`` for all of them together.
    ax
        Draw on these. By default a new figure gets them, which is not attached to pyplot.

    Returns
    -------
    Axes
        Those on which it is drawn.

    Raises
    ------
    SendcapError
        If there is no such delivery.
    """
    from matplotlib.ticker import MaxNLocator

    groups = provider_groups(run.ledger, delivery)
    rows = _rows(run, delivery, groups)
    with house_style():
        axes = _new_axes(run, delivery, rows, groups) if ax is None else ax
        longest = max((row.total for row in rows), default=1)
        room = min(_WORDS_IN / width_in(axes), 0.6)
        axes.set_xlim(0.0, longest / (1.0 - room))
        for number, row in enumerate(rows):
            left = 0
            for group in groups:
                count = row.messages[group.label]
                axes.barh([number], [count], left=left, height=_HEIGHT, color=group.colour)
                left += count
            _label(axes, number, row)
        axes.set_ylim(max(len(rows), 1) - 0.4, -0.6)
        axes.set_yticks(range(len(rows)), [row.label for row in rows])
        axes.xaxis.set_major_formatter(compact)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlabel("messages", loc="left")
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        seen = [group for group in groups if any(row.messages[group.label] for row in rows)]
        name_beside(axes, [Named(group.colour, group.label) for group in seen])
        if not rows:
            text = "Nothing bounced."
            axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", color=GREY)
        return axes


def _rows(run: Run, delivery: str, groups: list[Group]) -> list[_Row]:
    ledger = run.ledger
    its_delivery = delivery_of(ledger, delivery)

    def total(event: Event, reason: str | None, group: Group) -> int:
        return sum(
            round(
                ledger.total(
                    event, clock="happened", delivery=its_delivery, provider=name, reason=reason
                )
            )
            for name in group.providers
        )

    rows = []
    for event in _KINDS:
        for reason in ledger.reasons(event):
            counts = {group.label: total(event, reason, group) for group in groups}
            told = ""
            if event == "soft_first":
                attempts = sum(total("soft", reason, group) for group in groups)
                expired = sum(total("expired", reason, group) for group in groups)
                told = f"{attempts:,} attempts; {expired:,} expired"
            rows.append(_Row(event, _WITHOUT_REASON.get(event, reason), counts, told))
    rows = sorted((row for row in rows if row.total), key=lambda row: -row.total)
    return rows[:_MOST]


def _label(axes: Axes, number: int, row: _Row) -> None:
    lines = [(counted(row.total, "message") if number == 0 else f"{row.total:,}", INK, "bold")]
    if row.told:
        lines.append((row.told, GREY, "normal"))
    for line, (text, colour, weight) in enumerate(lines):
        axes.annotate(
            text,
            xy=(row.total, number),
            xytext=(5.0, (5.5 - 11.0 * line) if row.told else 0.0),
            textcoords="offset points",
            color=colour,
            fontsize=8.5 if line == 0 else 7.5,
            fontweight=weight,
            verticalalignment="center",
        )


def _new_axes(run: Run, delivery: str, rows: list[_Row], groups: list[Group]) -> Axes:
    told = (
        "Messages by the reason of their bounce; of a soft bounce by that of the first one. "
        "Attempts are all that bounced softly for that reason; expired are the messages whose "
        "validity ended with it."
    )
    if delivery != ALL_DELIVERIES:
        told = f"{delivery}: {told[0].lower()}{told[1:]}"
    figure, top = headed_figure(
        run.scenario.title, "Bounce reasons", told, max(0.8 + 0.38 * len(rows), 2.2)
    )
    height = figure.get_figheight()
    left = left_of_rows([row.label for row in rows] or [""])
    longest = max((len(group.label) for group in groups), default=0)
    right = min(0.83, 0.945 - _LETTER * longest)
    return figure.add_axes((left, 0.5 / height, right - left, top - 0.6 / height))
