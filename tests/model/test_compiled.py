"""Machine code on disk, of a small package with the product's decorator."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.cpu import CPUContext

from sendcap.model.kernel import compiled

INNER = "from kernels.compiled import compiled\n@compiled\ndef inner(x):\n    return x + 1\n"
OUTER = (
    "from kernels.compiled import compiled\n"
    "from kernels.inner import inner\n"
    "@compiled\n"
    "def outer(x):\n    return 10 * inner(x)\n"
)


class Kernels:
    """Two functions, one compiled into the other, imported as a new process does."""

    def __init__(self, root: Path) -> None:
        self.root, self.inner = root, root / "kernels" / "inner.py"
        self.inner.parent.mkdir()
        shutil.copy(compiled.__file__, self.inner.parent)
        for name, text in {"__init__": "", "inner": INNER, "outer": OUTER}.items():
            self.inner.with_stem(name).write_text(text)

    def run(self) -> tuple[int, int]:
        """Return the result and the number of functions found on disk."""
        for name in [name for name in sys.modules if name.startswith("kernels")]:
            del sys.modules[name]
        outer = importlib.import_module("kernels.outer").outer
        return outer(1), sum(outer.stats.cache_hits.values())

    def kept(self, ending: str) -> Path:
        (path,) = self.root.rglob(f"outer.outer*.{ending}")
        return path


@pytest.fixture(params=["", "cache"], ids=["beside the sources", "in NUMBA_CACHE_DIR"])
def kernels(request, tmp_path, monkeypatch) -> Kernels:
    monkeypatch.setattr(numba.config, "CACHE_DIR", request.param and str(tmp_path / request.param))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(tmp_path)
    return Kernels(tmp_path)


def test_a_changed_source_is_compiled_anew_wherever_it_was_compiled_into(kernels) -> None:
    assert [kernels.run(), kernels.run()] == [(20, 0), (20, 1)]
    # A change of neither size nor time, as an installer may make it.
    before = kernels.inner.stat()
    kernels.inner.write_text(INNER.replace("+ 1", "+ 2"))
    os.utime(kernels.inner, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [kernels.run(), kernels.run()] == [(30, 0), (30, 1)]


def test_a_large_function_is_compiled_once_for_python_and_for_those_that_call_it(kernels) -> None:
    kernels.inner.write_text(INNER.replace("compiled\n@compiled", "separate\n@separate"))

    def run() -> tuple[int, int]:
        # In a process of its own: machine code that has been loaded stays where it is.
        with multiprocessing.get_context("fork").Pool(1) as pool:
            return pool.apply(kernels.run)

    assert [run(), run()] == [(20, 0), (20, 1)]
    assert len(list(kernels.root.rglob("inner.inner*.nbc"))) == 1


def test_machine_code_that_calls_what_is_compiled_anew_is_compiled_anew(kernels) -> None:
    """What it calls has another name then: calling the old one ends the process."""
    kernels.inner.write_text(INNER.replace("compiled\n@compiled", "separate\n@separate"))

    def run_in_a_process() -> int:
        with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
            return pool.submit(_run_later, kernels).result()[0]

    assert run_in_a_process() == 20
    for kept in kernels.root.rglob("inner.inner*.nb?"):
        kept.unlink()
    assert [run_in_a_process() for _ in range(3)] == [20, 20, 20]


def _run_later(kernels: Kernels) -> tuple[int, int]:
    """Run in a process that has compiled other functions before, each time some more."""
    for _ in range(len(list(kernels.root.rglob("*.nbc"))) + 1):
        numba.njit(lambda number: number)(1)
    return kernels.run()


def test_a_function_is_compiled_once_for_whole_numbers_of_any_size(kernels) -> None:
    kernels.run()
    outer = sys.modules["kernels.outer"].outer
    assert outer(np.int32(1)) == 20
    (inner,) = sys.modules["kernels.inner"].inner.part.signatures
    assert inner == (numba.int64,)


def test_machine_code_on_disk_is_used_without_what_compiling_needs(kernels, monkeypatch) -> None:
    kernels.run()

    def refuse(_context) -> None:
        raise AssertionError("numba prepares itself to compile, for a third of a second")

    monkeypatch.setattr(CPUContext, "refresh", refuse)
    assert kernels.run() == (20, 1)


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
def test_damaged_machine_code_is_compiled_anew(kernels, ending) -> None:
    kernels.run()
    kept = kernels.kept(ending)
    kept.write_bytes(kept.read_bytes()[:40])
    assert [kernels.run(), kernels.run()] == [(20, 0), (20, 1)]


def test_machine_code_that_cannot_be_kept_is_no_failure(kernels) -> None:
    kernels.run()
    kept = kernels.kept("nbi")
    kept.unlink()
    kept.mkdir()  # a file that neither opens nor gives way
    assert kernels.run() == (20, 0)
