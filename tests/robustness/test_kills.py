"""Every command that writes is killed at any of its writes; the next one makes all well.

`SENDCAP_TEST_KILLS` sets the number of kills.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import pytest
from warm import Warm
from writing_commands import COMMANDS, IN_TURN, STUDIES, ended, leftovers, outputs, write_inputs

from sendcap.checking import check

EACH = 3
"""Kills of a command before it may finish."""
KILLS = int(os.environ.get("SENDCAP_TEST_KILLS", "6"))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> Path:
    return write_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def run(warm: Warm) -> Callable[[str, Path, int], tuple[int, str]]:
    """Run a command in a place, which dies before a write; return exit code and messages."""
    return partial(ended, warm)


@pytest.fixture(scope="module")
def undisturbed(run, inputs, tmp_path_factory) -> Callable[[str, str], tuple[Path, int]]:
    """Return the place of a command's undisturbed run with a seed, and the number of writes."""

    @cache
    def finished(name: str, seed: str) -> tuple[Path, int]:
        place = tmp_path_factory.mktemp("undisturbed") / "place"
        shutil.copytree(inputs, place)
        small = place / "small.toml"
        text = small.read_text()
        small.write_text(text.replace("seed = 3", f"seed = {seed}"))
        code, messages = run(name, place, 0)
        assert code == 0, messages
        assert leftovers(place) == []
        small.write_text(text)
        return place, int(re.findall(r"writes: (\d+)", messages)[-1])

    return finished


def require_whole(
    place: Path, name: str, before: dict[str, bytes], after: dict[str, bytes]
) -> None:
    """Each file under a final name is the old or the new one; a directory is one of them."""
    now = {path: text for path, text in outputs(place, name).items() if ".sendcap-" not in path}
    for path, content in now.items():
        assert content in (before.get(path), after.get(path)), path
    if name not in STUDIES and (place / "out").exists():
        assert check(place / "out")[1] == []


@pytest.mark.crash
@pytest.mark.parametrize("number", range(KILLS // EACH))
def test_a_killed_command_leaves_nothing_and_the_next_one_is_as_undisturbed(
    run, inputs, undisturbed, tmp_path, number
) -> None:
    rng = random.Random(f"kill {number}")
    name = IN_TURN[number % len(IN_TURN)]
    place, writes = undisturbed(name, "3")
    after = outputs(place, name)
    source = inputs
    if number // len(COMMANDS) % 2 and "--force" in COMMANDS[name]:
        # There is an older result, which must stay until there is the new one.
        source = undisturbed(name, "4")[0]
        # Removing it has writes of its own.
        writes += 8
    before = outputs(source, name)
    disturbed = tmp_path / "disturbed"
    shutil.copytree(source, disturbed)
    for _ in range(EACH):
        code, messages = run(name, disturbed, rng.randint(1, writes))
        assert code in (-signal.SIGKILL, 0), messages
        require_whole(disturbed, name, before, after)
    code, messages = run(name, disturbed, 0)
    assert code == 0, messages
    assert outputs(disturbed, name) == after
    assert leftovers(disturbed) == []
