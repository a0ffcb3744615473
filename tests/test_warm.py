"""Programs that a warm Python starts leave no process behind."""

from __future__ import annotations

import signal

import pytest
from warm import Warm


def test_what_a_killed_program_has_forked_ends_with_it(warm) -> None:
    program = """
import os, signal, time
if os.fork():
    os.kill(os.getpid(), signal.SIGKILL)
time.sleep(60)
print("still here")
"""
    process = warm.start(["-c", program], forks=True)
    # The forked process has the output open, too.
    assert process.communicate() == ("", "")


@pytest.mark.parametrize("forks", [False, True])
def test_what_still_runs_ends_with_the_warm_python(forks) -> None:
    program = """
import os, sys, time
if sys.argv[1] == "True":
    os.fork()
print("begun", flush=True)
time.sleep(60)
print("still here")
"""
    python = Warm("")
    process = python.start(["-c", program, forks], forks=forks)
    assert process.stdout.readline() == "begun\n"
    python.close()
    assert process.wait() == -signal.SIGKILL
    assert "still here" not in process.stdout.read()
    process.close()
