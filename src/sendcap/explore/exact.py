"""Exact simulations that the page asks for: in a process of their own, with their progress."""

import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import Queue
from tempfile import mkdtemp
from typing import Any, Final

from sendcap.errors import SendcapError
from sendcap.explore.answer import Answer, Look, answer, chart
from sendcap.files.cleaning import cleaned_by
from sendcap.ledger import Ledger
from sendcap.model.engine import Progress, simulate_ledger
from sendcap.readings.modes import Mode
from sendcap.scenario import Scenario
from sendcap.study.replication.processes import Processes, compiled

_KEPT: Final = 50
_FORGOTTEN_AFTER_S: Final = 5.0
"""A simulation about which nobody asks any more is given up."""
_TOLD_EVERY_S: Final = 0.1

Done = tuple[Answer, str]
"""An answer and its chart."""


class _Job:
    def __init__(self, item: Any, told: Path) -> None:
        self.item, self.told = item, told
        self.done: Future[Done] = Future()
        self.asked_s = time.monotonic()
        self._share = 0.0

    def share(self) -> float:
        """Return how much of it is done, as last told."""
        # It may be written just now, or given up.
        with suppress(OSError, ValueError):
            self._share = max(self._share, float(self.told.read_text()))
        return self._share


class Exact:
    """Simulates a scenario with sliders moved, one simulation after the other."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._jobs: OrderedDict[Any, _Job] = OrderedDict()
        self._waiting: Queue[_Job | None] = Queue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._folder: Path | None = None  # with a file for each job, until it is given up

    def asked(
        self, values: Mapping[str, float], modes: Sequence[Mode], look: Look
    ) -> tuple[float, Done | None]:
        """Return how much of a simulation is done, and its answer and chart once it is.

        Whoever asks for the first time starts it.
        """
        position = (tuple(sorted(values.items())), tuple(modes), look)
        with self._lock:
            self._give_up(position)
            job = self._jobs.get(position)
            if job is None:
                told = self._started() / f"{time.monotonic_ns()}"
                told.write_text("0")
                item = (self._scenario, dict(values), tuple(modes), look, told)
                job = self._jobs[position] = _Job(item, told)
                self._waiting.put(job)
            job.asked_s = time.monotonic()
            self._jobs.move_to_end(position)
            if len(self._jobs) > _KEPT:
                self._jobs.popitem(last=False)
        if not job.done.done():
            return job.share(), None
        if job.done.exception() is not None:
            with self._lock:
                self._jobs.pop(position, None)
        return 1.0, job.done.result()

    def warm(self) -> None:
        """Start the process, so that the first simulation need not wait for it."""
        with self._lock:
            self._started()

    def _started(self) -> Path:
        """Return the folder of what is told, once the process is under way."""
        if self._folder is None:
            self._folder = Path(mkdtemp(prefix="sendcap-explore-"))
            self._thread = threading.Thread(target=self._work, args=(self._folder,), daemon=True)
            self._thread.start()
        return self._folder

    def stop(self) -> None:
        """Give up what is under way, and end."""
        with self._lock:
            for job in self._jobs.values():
                job.told.unlink(missing_ok=True)
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()

    def _give_up(self, position: Any) -> None:
        """Let simulations end about which nobody has asked for a while."""
        now_s = time.monotonic()
        for other, job in list(self._jobs.items()):
            waits = not job.done.done() and now_s - job.asked_s > _FORGOTTEN_AFTER_S
            if other != position and waits:
                job.told.unlink(missing_ok=True)
                del self._jobs[other]

    def _work(self, folder: Path) -> None:
        processes = Processes(1, simulates=False)

        def abandon() -> None:
            processes.abandon()
            shutil.rmtree(folder, ignore_errors=True)

        with cleaned_by(abandon):
            # Without it the first simulation waits, or tells what is wrong.
            with suppress(Exception):
                next(processes.finished(_warmed, iter([None]), lambda: 0))
            while (job := self._waiting.get()) is not None:
                if job.told.exists():
                    self._simulate(processes, job)
            processes.close()
            abandon()

    def _simulate(self, processes: Processes, job: _Job) -> None:
        try:
            done = next(processes.finished(_simulated, iter([job.item]), lambda: 0))[0][1]
            error = done.exception()
        except (SendcapError, OSError) as problem:
            error = problem
        if error is not None:
            job.done.set_result((Answer(problem=str(error) or type(error).__name__), ""))
        else:
            job.done.set_result(done.result())


# In the process.


def _warmed(_item: None) -> None:
    compiled()


def _simulated(
    item: tuple[Scenario, dict[str, float], tuple[Mode, ...], Look, Path],
) -> Done:
    scenario, values, modes, look, told = item
    found, run = answer(scenario, values, modes, partial(_ledger, told))
    return found, "" if run is None else chart(run, modes, look)


def _ledger(told: Path, scenario: Scenario) -> Ledger:
    last_s = time.monotonic()

    def tell(progress: Progress) -> None:
        nonlocal last_s
        if time.monotonic() - last_s < _TOLD_EVERY_S:
            return
        last_s = time.monotonic()
        if not told.exists():
            raise SendcapError("the simulation was given up")
        told.write_text(f"{progress.told()[0]:.4f}")

    return simulate_ledger(scenario, progress=tell)
