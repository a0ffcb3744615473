"""Small file systems to fill up."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk_at(place: Path, size: str) -> Iterator[Path]:
    """Mount a file system of a size such as 64k; skip a test that may not."""
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None:
        pytest.skip("no mount")
    arguments = [mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    if subprocess.run(arguments, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a file system here")
    try:
        yield place
    finally:
        _unmount(place)


def _unmount(place: Path) -> None:
    """Unmount, within seconds: a process that has just been killed may still be on it."""
    for _ in range(50):
        done = subprocess.run(["umount", str(place)], capture_output=True, text=True, check=False)
        if not done.returncode:
            return
        time.sleep(0.1)
    raise AssertionError(done.stderr)
