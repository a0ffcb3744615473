from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from queue_lists import MOMENT_S

from sendcap.importers.queue_files import QueueFile, read_queue_file


@pytest.fixture
def listed(put) -> Callable[..., QueueFile]:
    """Write a file and read it as the list of a queue."""

    def read(text: str | bytes, *arguments, moment_s: float = MOMENT_S) -> QueueFile:
        path: Path = put(text, "queue.txt")
        os.utime(path, (moment_s, moment_s))
        return read_queue_file(path, *arguments)

    return read
