"""Progress bars of simulations on a terminal's stderr; silent anywhere else.

Each yields a callable that takes the progress, or None where nobody needs it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sendcap.cli.environment import has_escape_codes
from sendcap.files.cleaning import cleaned_by
from sendcap.text.quantities import elapsed

if TYPE_CHECKING:
    from sendcap.model.engine import Progress
    from sendcap.study.sweeps.sweep import Progress as SweepProgress

_REDRAW_S: Final = 0.1
_WIPE: Final = b"\r\x1b[2K\x1b[?25h"
"""Clears the line and shows the cursor, which the bar has hidden."""


@contextmanager
def _bar(*columns: str, total: int | None = None, **fields: Any) -> Iterator[Any]:
    """Show a line of rich's columns, by name, and of texts with fields; yield what updates it."""
    # A line cannot be drawn anew where the terminal has no escape codes.
    if sys.stderr is None or not (sys.stderr.isatty() and has_escape_codes()):
        yield None
        return
    from rich import progress
    from rich.console import Console

    bars = progress.Progress(
        *(
            getattr(progress, column)()
            if column.endswith("Column")
            else progress.TextColumn(column)
            for column in columns
        ),
        console=Console(stderr=True),
        transient=True,
    )
    with cleaned_by(lambda: os.write(2, _WIPE)), bars:
        task = bars.add_task("", total=total, **fields)
        yield lambda **values: bars.update(task, **values)


@contextmanager
def progress_bar() -> Iterator[Callable[[Progress], None] | None]:
    """Show the progress of one simulation."""
    began = drawn = time.monotonic()
    with _bar(
        "{task.fields[simulated]:>18}",
        "BarColumn",
        "{task.percentage:>3.0f} %  {task.completed:,.0f} messages final",
        "{task.fields[speed]}",
        simulated="0s simulated",
        speed="",
    ) as update:

        def show(progress: Progress) -> None:
            nonlocal drawn
            now = time.monotonic()
            # Windows can be far shorter than what the eye sees.
            if now - drawn < _REDRAW_S:
                return
            drawn = now
            update(
                total=progress.messages,
                completed=progress.final,
                simulated=f"{elapsed(progress.time_s)} simulated",
                speed=f"{progress.final / (now - began):,.0f} messages/s",
            )

        if update is not None:
            from sendcap.model.kernel.compiled import before_compiling

            before_compiling[:] = [lambda: update(simulated="compiling (once)")]
        yield update and show


@contextmanager
def simulations_bar(total: int | None) -> Iterator[Callable[[int], None] | None]:
    """Show the number of finished simulations, of ``total`` if known."""
    with _bar(
        "{task.completed:,.0f} simulations", "BarColumn", "TimeElapsedColumn", total=total
    ) as update:
        yield update and (lambda done: update(completed=done))


@contextmanager
def bytes_bar() -> Iterator[Callable[[int], None] | None]:
    """Show how many bytes of the logs have been read."""
    with _bar("read", "DownloadColumn", "TransferSpeedColumn", "TimeElapsedColumn") as update:
        yield update and (lambda done: update(completed=done))


@contextmanager
def runs_bar(directory: Path) -> Iterator[Callable[[SweepProgress], None]]:
    """Show the runs of a study and, if it is stopped, how to resume it in a directory.

    On a terminal: the runs done and failed, their rate and the time left.
    """
    latest: list[SweepProgress] = []
    began: list[tuple[float, int]] = []

    def say_how_to_resume() -> None:
        if latest:
            done = latest[-1].done - latest[-1].failed
            os.write(
                2,
                f"{done:,} of {latest[-1].runs:,} runs are done and saved in {directory}; "
                f"run the same command again to resume\n".encode(),
            )

    with (
        cleaned_by(say_how_to_resume),
        _bar(
            "{task.completed:,.0f} of {task.total:,.0f} runs",
            "BarColumn",
            "{task.fields[failed]}{task.fields[pace]}",
            total=0,
            failed="",
            pace="starting",
        ) as update,
    ):

        def show(progress: SweepProgress) -> None:
            latest[:] = [progress]
            if update is None:
                return
            now = time.monotonic()
            if not began:
                # Runs of an earlier command say nothing about the rate.
                began.append((now, progress.done))
            began_s, before = began[0]
            update(
                total=progress.runs,
                completed=progress.done,
                failed=f"{progress.failed:,} failed  " if progress.failed else "",
                pace=pace(progress.done - before, progress.runs - progress.done, now - began_s),
            )

        yield show


def pace(done: int, left: int, seconds: float) -> str:
    """Return the rate of the runs done in some seconds, and the time for those left.

    >>> pace(30, 90, 10.0), pace(1, 90, 10.0), pace(0, 90, 10.0)
    ('3.0 runs/s  30s left', '6.0 runs/min  15m left', 'starting')
    """
    if not done or seconds <= 0.0:
        return "starting"
    per_s = done / seconds
    rate = f"{per_s:,.1f} runs/s" if per_s >= 1.0 else f"{60.0 * per_s:,.1f} runs/min"
    return f"{rate}  {elapsed(round(left / per_s))} left"
