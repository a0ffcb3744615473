"""The what-if page served as a user serves it: by a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import contextmanager


def anew(arguments):
    """Start a new Python."""
    return subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@contextmanager
def served(*arguments, start=anew):
    """The process that serves the page, and the address that it printed."""
    process = start(["-m", "sendcap", "explore", *arguments, "--no-open"])
    try:
        line = process.stdout.readline()
        yield process, re.search(r"http://\S+", line).group()
    finally:
        # Gently: it leaves nothing behind then.
        process.terminate()
        process.communicate()
