from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.mark.extra("explore")
def test_sessions_at_once_have_their_pages_numbers_and_charts() -> None:
    command = [sys.executable, str(EXPERIMENTS / "explore_sessions.py")]
    command += ["--sessions", "3", "--lingers-s", "0"]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert len(re.findall(r"^\| .* \| \d+\.\d s \| \d+\.\d s \|$", done.stdout, re.MULTILINE)) == 3
    assert "MiB before" in done.stdout
