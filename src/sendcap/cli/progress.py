"""Progress bars of simulations, on a terminal's stderr; silent anywhere else."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sendcap.files.cleaning import cleaned_by

if TYPE_CHECKING:
    from sendcap.model.engine import Progress
    from sendcap.study.sweeps.sweep import Progress as SweepProgress

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

    from sendcap.text.quantities import elapsed

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


@contextmanager
def bytes_bar() -> Iterator[Callable[[int], None] | None]:
    """Show how much of logs has been read.

    Yields
    ------
    callable or None
        What is to be called with the bytes so far; ``None`` when nobody would see it.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import DownloadColumn, TextColumn, TimeElapsedColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    bars = Bars(
        TextColumn("read"),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with cleaned_by(lambda: os.write(2, _WIPE)), bars:
        task = bars.add_task("", total=None)
        yield lambda done: bars.update(task, completed=done)


@contextmanager
def runs_bar() -> Iterator[Callable[[SweepProgress], None] | None]:
    """Show how far a sweep is: its runs done and failed, their rate and the time left.

    Yields
    ------
    callable or None
        What is to be called with its progress; ``None`` when nobody would see it.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    bars = Bars(
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} runs"),
        BarColumn(),
        TextColumn("{task.fields[failed]}{task.fields[pace]}"),
        console=Console(stderr=True),
        transient=True,
    )
    began: list[tuple[float, int]] = []
    with cleaned_by(lambda: os.write(2, _WIPE)), bars:
        task = bars.add_task("", total=0, failed="", pace="starting")

        def show(its: SweepProgress) -> None:
            now = time.monotonic()
            if not began:
                # What was done before tells nothing of the rate.
                began.append((now, its.done))
            began_s, before = began[0]
            bars.update(
                task,
                total=its.runs,
                completed=its.done,
                failed=f"{its.failed:,} failed  " if its.failed else "",
                pace=pace(its.done - before, its.runs - its.done, now - began_s),
            )

        yield show


def pace(done: int, left: int, seconds: float) -> str:
    """Tell how fast it goes, and how long it takes.

    Parameters
    ----------
    done
        What was done in these seconds.
    left
        What is left to do.

    Examples
    --------
    >>> pace(30, 90, 10.0), pace(1, 90, 10.0), pace(0, 90, 10.0)
    ('3.0 runs/s  30s left', '6.0 runs/min  15m left', 'starting')
    """
    from sendcap.text.quantities import elapsed

    if not done or seconds <= 0.0:
        return "starting"
    per_s = done / seconds
    rate = f"{per_s:,.1f} runs/s" if per_s >= 1.0 else f"{60.0 * per_s:,.1f} runs/min"
    return f"{rate}  {elapsed(round(left / per_s))} left"
