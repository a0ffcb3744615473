"""Progress bars of simulations, on a terminal's stderr; silent anywhere else."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sendcap.cli.stops import cleaned_by

if TYPE_CHECKING:
    from sendcap.model.engine import Progress

_REDRAW_S: Final = 0.1
_WIPE: Final = b"\r\x1b[2K\x1b[?25h"
"""Clears the line and shows the cursor, which the bar has hidden."""


@contextmanager
def progress_bar() -> Iterator[Callable[[Progress], None] | None]:
    """Show how far a simulation is.

    Yields
    ------
    callable or None
        What the simulation is to call with its progress; ``None`` when nobody would see it.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    from sendcap.reporting.elapsed import elapsed

    bars = Bars(
        TextColumn("{task.fields[simulated]:>8} simulated"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.completed:,.0f} messages final"),
        TextColumn("{task.fields[speed]}"),
        console=Console(stderr=True),
        transient=True,
    )
    began = time.monotonic()
    drawn = began
    with cleaned_by(lambda: os.write(2, _WIPE)), bars:
        task = bars.add_task("", total=None, simulated="0s", speed="")

        def show(progress: Progress) -> None:
            nonlocal drawn
            now = time.monotonic()
            # Windows can be far shorter than what the eye sees.
            if now - drawn < _REDRAW_S:
                return
            drawn = now
            bars.update(
                task,
                total=progress.messages,
                completed=progress.final,
                simulated=elapsed(progress.time_s),
                speed=f"{progress.final / (now - began):,.0f} messages/s",
            )

        yield show


@contextmanager
def simulations_bar(total: int | None) -> Iterator[Callable[[int], None] | None]:
    """Show how many simulations are done.

    Parameters
    ----------
    total
        How many there will be; ``None`` if nobody knows.

    Yields
    ------
    callable or None
        What is to be called with the number so far; ``None`` when nobody would see it.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    bars = Bars(
        TextColumn("{task.completed:,.0f} simulations"),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with cleaned_by(lambda: os.write(2, _WIPE)), bars:
        task = bars.add_task("", total=total)
        yield lambda done: bars.update(task, completed=done)
