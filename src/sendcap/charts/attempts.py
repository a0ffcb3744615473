"""The chart of attempts: how often messages were tried until they were final."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes

from sendcap.charts.axes import write_at
from sendcap.charts.figures import Heading, panels_on
from sendcap.charts.labels import name_beside
from sendcap.charts.narrow import Named, is_narrow
from sendcap.charts.providers import delivery_of
from sendcap.charts.style import BLUE, PURPLE, RED, house_style
from sendcap.errors import RunError, SendcapError
from sendcap.files.parquet import opened, reading, whole_numbers
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.text.quantities import compact, counted

if TYPE_CHECKING:
    from sendcap.run import Run

Ints = npt.NDArray[np.int64]

_COLOURS: Final = {"accepted": BLUE, "hard": PURPLE, "expired": RED}
"""The events that end a message's attempts."""
_WORDS: Final = {"accepted": "accepted", "hard": "bounced hard", "expired": "expired"}
_MOST: Final = 24
"""Attempts with a place of their own on the axis."""
_MOST_NARROW: Final = 6
"""The same in a narrow figure."""
_MOST_ATTEMPTS: Final = 1 << 20
"""No log of sendcap has more of a message."""
_WIDTH: Final = 0.84
"""Of all bars at a number of attempts."""


class Attempts(NamedTuple):
    """Messages of a run by their end and the number of their attempts."""

    title: str  # the scenario's
    delivery: str
    counts: dict[str, Ints]  # see `attempts_per_message`


def attempts_of(
    run: Run,
    sending_log: str | os.PathLike[str] | None = None,
    delivery: str = ALL_DELIVERIES,
) -> Attempts:
    """Count how many messages of a run were final after how many attempts, by its sending log.

    The ledger counts events and does not know which of them are of the same message. For the
    options see `sendcap.charts`.
    """
    if sending_log is None:
        raise SendcapError(
            "sending_log: required: the attempts of each message are in the file that "
            "sendcap run --sending-log writes, not in the run"
        )
    counts = attempts_per_message(run, sending_log, delivery)
    return Attempts(run.scenario.title, delivery, counts)


@house_style()
def attempts(counted_attempts: Attempts, ax: Axes | None = None) -> Axes:
    """Draw how many messages were final after how many attempts.

    For ``ax`` see `sendcap.charts`.
    """
    title, delivery, counts = counted_attempts
    words = (
        "How often messages were tried until they were accepted, bounced hard or expired. The axis "
        "is logarithmic: each step is ten times the one before. Above the bars: all together."
    )
    heading = Heading(title, "attempts per message", words).of(delivery)
    (axes,) = panels_on(ax, heading, [3.28], right_in=2.5, above_in=0.12, below_in=0.5)
    most = max([len(column) - 1 for column in counts.values()] + [1])
    last = min(most, _MOST_NARROW if is_narrow() else _MOST)
    more = "" if last == most else "+" if is_narrow() else " or more"
    table = np.zeros((len(counts), last + 1), np.int64)
    for row, column in zip(table, counts.values(), strict=True):
        np.add.at(row, np.minimum(np.arange(len(column)), last), column)
    _bars(axes, table, [_COLOURS[end] for end in counts], more)
    names = []
    for end, column in counts.items():
        mean = float(np.arange(len(column)) @ column) / float(column.sum())
        beside = f"{counted(int(column.sum()), 'message')}\n{mean:.2f} attempts on average"
        names.append(Named(_COLOURS[end], _WORDS[end], beside))
    name_beside(axes, names)
    return axes


def _bars(axes: Axes, table: Ints, colours: list[str], last_words: str) -> None:
    """Draw a bar for each end and number of attempts, with the sum above."""
    last = table.shape[1] - 1
    width = _WIDTH / max(len(colours), 1)
    for number, (colour, row) in enumerate(zip(colours, table, strict=True)):
        left = np.arange(last + 1) + (number - (len(colours) - 1) / 2.0) * width
        axes.bar(left, row, width=0.94 * width, color=colour)
    axes.set_yscale("log")
    axes.set_ylim(0.7, 2.5 * max(float(table.max(initial=0)), 10.0))
    axes.yaxis.set_major_formatter(compact)
    axes.set_yticks([], minor=True)
    # A message that expired untried had no attempt.
    first = 0 if table[:, 0].any() else 1
    axes.set_xlim(first - 0.6, last + 0.6)
    shown = range(first, last + 1)
    axes.set_xticks(shown, [*map(str, shown[:-1]), f"{last}{last_words}"])
    axes.grid(visible=False, axis="x")
    axes.tick_params(axis="x", length=0)
    axes.set_xlabel("attempts until the message was final", loc="left")
    axes.set_ylabel("messages (logarithmic)")
    for number in shown:
        if count := int(table[:, number].sum()):
            top = (number, float(table[:, number].max()))
            look = {"fontsize": 8.0, "ha": "center", "verticalalignment": "baseline"}
            write_at(axes, top, compact(count), (0.0, 3.0), **look)


def attempts_per_message(
    run: Run, sending_log: str | os.PathLike[str], delivery: str = ALL_DELIVERIES
) -> dict[str, Ints]:
    """Return for each end of a message how many were final after 0, 1, 2, … attempts."""
    name = delivery_of(run.ledger, delivery)
    path = Path(sending_log)
    if not path.is_file():
        raise RunError(
            f"{path}: no such file: how often each message was tried is in the sending log only, "
            "which sendcap run --sending-log writes"
        )
    counts = {end: np.zeros(0, np.int64) for end in _COLOURS}
    with reading(path), opened(path) as file:
        for batch in file.iter_batches(columns=["delivery", "event", "attempt"]):
            table: Any = pa.Table.from_batches([batch])
            if name is not None:
                table = table.filter(pc.equal(table["delivery"], name))
            for end in _COLOURS:
                rows = table.filter(pc.equal(table["event"], end))
                number = whole_numbers(rows["attempt"], _MOST_ATTEMPTS)
                more = np.bincount(number, minlength=len(counts[end]))
                more[: len(counts[end])] += counts[end]
                counts[end] = more
    return {end: column for end, column in counts.items() if column.sum()}
