"""The chart of attempts: how often messages were tried until they were final."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sendcap.charts.figures import LEFT, headed_figure
from sendcap.charts.layers import Named, name_beside
from sendcap.charts.providers import delivery_of
from sendcap.charts.style import INK, house_style
from sendcap.errors import RunError, SendcapError
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.text.quantities import compact, counted

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from sendcap.run import Run

    Ints = npt.NDArray[np.int64]

_ENDS: Final = {"accepted": "#3f90da", "hard": "#832db6", "expired": "#bd1f01"}
"""The events that end a message's attempts."""
_WORDS: Final = {"accepted": "accepted", "hard": "bounced hard", "expired": "expired"}
_MOST: Final = 24
_WIDTH: Final = 0.84


def attempts(
    run: Run,
    sending_log: str | os.PathLike[str] | None = None,
    delivery: str = ALL_DELIVERIES,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many messages were final after how many attempts.

    Parameters
    ----------
    run
        The run that the log is of.
    sending_log
        The file that ``sendcap run --sending-log`` has written: the ledger counts events and does
        not know which of them are of the same message.
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
    RunError
        If the log is missing or cannot be read.
    SendcapError
        If there is no log, or no such delivery.
    """
    import numpy as np

    if sending_log is None:
        raise SendcapError(
            "sending_log: required: the attempts of each message are in the file that "
            "sendcap run --sending-log writes, not in the run"
        )
    counts = attempts_per_message(run, sending_log, delivery)
    with house_style():
        axes = _new_axes(run, delivery) if ax is None else ax
        most = max([len(its) for its in counts.values()] + [2])
        together = np.array([np.pad(its, (0, most - len(its))) for its in counts.values()])
        last = min(most - 1, _MOST)
        if last < most - 1:
            together[:, last] = together[:, last:].sum(axis=1)
        together = together[:, : last + 1]
        tried = np.flatnonzero(together.sum(axis=0))
        first = int(tried[0]) if len(tried) else 1
        width = _WIDTH / len(counts)
        for number, (end, its) in enumerate(zip(counts, together, strict=True)):
            left = np.arange(last + 1) + (number - (len(counts) - 1) / 2.0) * width
            axes.bar(left, its, width=0.94 * width, color=_ENDS[end])
        highest = max(float(together.max()), 10.0)
        axes.set_yscale("log")
        axes.set_ylim(0.7, 2.5 * highest)
        axes.yaxis.set_major_formatter(compact)
        axes.set_yticks([], minor=True)
        axes.set_xlim(min(first, 1) - 0.6, last + 0.6)
        places = list(range(min(first, 1), last + 1))
        labels = [str(its) for its in places]
        if last < most - 1:
            labels[-1] += " or more"
        axes.set_xticks(places, labels)
        axes.grid(visible=False, axis="x")
        axes.tick_params(axis="x", length=0)
        axes.set_xlabel("attempts until the message was final", loc="left")
        axes.set_ylabel("messages (logarithmic)")
        for place_, count in zip(places, together[:, places[0] :].sum(axis=0), strict=True):
            if count:
                axes.annotate(
                    compact(float(count)),
                    xy=(place_, float(together[:, place_].max())),
                    xytext=(0.0, 3.0),
                    textcoords="offset points",
                    horizontalalignment="center",
                    fontsize=8.0,
                    color=INK,
                )
        name_beside(
            axes, [Named(_ENDS[end], _WORDS[end], _told(its)) for end, its in counts.items()]
        )
        return axes


def attempts_per_message(
    run: Run, sending_log: str | os.PathLike[str], delivery: str = ALL_DELIVERIES
) -> dict[str, Ints]:
    """Return for each end of a message how many were final after 0, 1, 2, … attempts.

    Raises
    ------
    RunError
        If the log is missing or cannot be read.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    its_delivery = delivery_of(run.ledger, delivery)
    path = Path(sending_log)
    if not path.is_file():
        raise RunError(
            f"{path}: no such file: how often each message was tried is in the sending log only, "
            "which sendcap run --sending-log writes"
        )
    found = {end: np.zeros(0, np.int64) for end in _ENDS}
    try:
        file = pq.ParquetFile(path)
        for batch in file.iter_batches(columns=["delivery", "event", "attempt"]):
            table: Any = pa.Table.from_batches([batch])
            if its_delivery is not None:
                table = table.filter(pc.equal(table["delivery"], its_delivery))
            for end in _ENDS:
                rows = table.filter(pc.equal(table["event"], end))
                counts = np.bincount(np.asarray(rows["attempt"], np.int64))
                size = max(len(counts), len(found[end]))
                one, other = (np.pad(its, (0, size - len(its))) for its in (counts, found[end]))
                found[end] = one + other
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"{path}: cannot be read, it may be damaged: {reason}") from error
    return {end: its for end, its in found.items() if its.sum()}


def _told(counts: Ints) -> str:
    import numpy as np

    mean = float(np.arange(len(counts)) @ counts) / float(counts.sum())
    return f"{counted(int(counts.sum()), 'message')}\n{mean:.2f} attempts on average"


def _new_axes(run: Run, delivery: str) -> Axes:
    told = (
        "How often messages were tried until they were accepted, bounced hard or expired. The axis "
        "is logarithmic: each step is ten times the one before. Above the bars: all together."
    )
    if delivery != ALL_DELIVERIES:
        told = f"{delivery}: {told[0].lower()}{told[1:]}"
    figure, top = headed_figure(run.scenario.title, "Attempts per message", told, 3.9)
    height = figure.get_figheight()
    return figure.add_axes((LEFT, 0.5 / height, 0.67, top - 0.62 / height))
