"""Reads lines as a log, for the tests of the readers."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from sendcap.calibration.attempts import Records
from sendcap.calibration.logs.reading import Context
from sendcap.calibration.logs.recognising import FileRead, counted_once, read_logs
from sendcap.calibration.providers import Providers

WRITTEN_S = 1_795_766_400.0  # 2026-11-27T08:00:00Z


def read(
    folder: Path, lines: list[str], format_name: str | None = None, year: int | None = None
) -> tuple[Records, Context, FileRead]:
    """Return the rows in order of time, what all files share, and what was read."""
    path = folder / "a.log"
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))
    os.utime(path, (WRITTEN_S, WRITTEN_S))
    return _read(path, format_name, year)


def read_once(
    folder: Path, *logs: list[str], format_name: str | None = None
) -> tuple[Records, Context, list[FileRead]]:
    """Return the same of several logs, each record once."""
    paths = [folder / f"{number}.log" for number in range(len(logs))]
    for path, lines in zip(paths, logs, strict=True):
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        os.utime(path, (WRITTEN_S, WRITTEN_S))
    context = Context(Providers())
    with context.attempts:
        files = counted_once(read_logs(paths, context, format_name), context)
        rows = np.concatenate(list(context.attempts.parts()))
    return rows[np.argsort(rows["finished_s"], kind="stable")], context, files


def read_file(path: Path) -> tuple[Records, Context]:
    """Return the rows of a file in order of time, and what all files share."""
    return _read(path)[:2]


def _read(
    path: Path, format_name: str | None = None, year: int | None = None
) -> tuple[Records, Context, FileRead]:
    context = Context(Providers(), year)
    (file,) = read_logs([path], context, format_name)
    rows = np.concatenate(list(context.attempts.parts()))
    return rows[np.argsort(rows["finished_s"], kind="stable")], context, file


def reasons(rows: Records) -> list[str]:
    from sendcap.calibration.reasons import REASONS

    return [REASONS[number] for number in rows["reason"]]


def names(rows: Records, context: Context) -> list[str]:
    return [context.providers.names[number] for number in rows["provider"]]
