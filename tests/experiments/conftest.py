from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from warm import Warm

EXPERIMENTS = Path(__file__).parents[2] / "experiments"

# The interpreter is not taken apart, which takes as long as a small study.
PROGRAM = """
import atexit, os, runpy, sys

del sys.argv[0]
sys.path[0] = os.path.dirname(sys.argv[0])
code = None
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as ended:
    code = ended.code
    if isinstance(code, str):
        raise
sys.stdout.flush()
atexit._run_exitfuncs()
os._exit(code or 0)
"""


@pytest.fixture(scope="session")
def run_script(warm: Warm) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Function that runs a script with arguments to its end, as `Warm.run` does."""

    def run(script: Path, *arguments: Any, **more: Any) -> subprocess.CompletedProcess[str]:
        return warm.run(["-c", PROGRAM, script, *arguments], **more)

    return run


@pytest.fixture(scope="module")
def benchmark(request) -> ModuleType:
    """The script that a test is about, by the test's name, as a module."""
    name = request.path.stem.removeprefix("test_")
    spec = importlib.util.spec_from_file_location(name, EXPERIMENTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
