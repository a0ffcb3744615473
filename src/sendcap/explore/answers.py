"""The answers of a server: each is worked out once, and shared by all browsers.

A thread of this process does the work, and a process that starts once much waits or several look.
All else waits in one queue. There, answers go before pictures, which take longer: many who move a
slider at once have their numbers soon.
"""

import ctypes
import gc
import os
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from queue import Empty, PriorityQueue
from typing import Any, Final, NamedTuple

from sendcap.errors import SendcapError
from sendcap.explore.answer import BOTH, WIDE, Answer, Look, Picture, answer, picture
from sendcap.explore.sliders import sliders
from sendcap.files.cleaning import cleaned_by
from sendcap.readings.modes import Mode
from sendcap.scenario import Scenario
from sendcap.study.replication.processes import Processes

_WORKERS: Final = min(os.cpu_count() or 1, 2)
"""More would answer sooner, but each process takes some 200 MB."""
_MUCH: Final = 3
"""Jobs that wait, or pages that have been opened, when the second worker starts."""
_KEPT: Final = 200
"""Answers; a chart has 100 kB."""

_RESTS_AFTER_S: Final = 10.0
_ENDS_AFTER_S: Final = 60.0
"""Times without a job after which a worker returns its memory, and the second one ends."""

_FIRST, _LATER = range(2)
_Position = tuple[tuple[tuple[str, float], ...], tuple[Mode, ...], Look]
_Take = Callable[[Future[Any]], None]
_Job = tuple[int, int, Callable[[Any], Any] | None, Any, _Take | None]


class _Answered(NamedTuple):
    answer: Future[Answer]
    picture: Future[Picture]


class Answers:
    """Answers what happens to a scenario if sliders are moved, to many threads."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._own = {slider.key: slider.value for slider in sliders(scenario)}
        self._answered: OrderedDict[_Position, _Answered] = OrderedDict()
        self._jobs: PriorityQueue[_Job] = PriorityQueue()
        self._numbers = count()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._begun = threading.Event()  # the second worker
        self._opened = 0
        self._stops = False
        self._threads = [
            threading.Thread(target=self._work, args=(number == 0,), daemon=True)
            for number in range(_WORKERS)
        ]

    def start(self) -> None:
        """Start the workers, and with the answer that everybody sees first."""
        self._at({}, BOTH)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the workers, once they have finished what is under way."""
        self._stops = True
        for _ in self._threads:
            self._put(_FIRST, None, None, None)
        self._begun.set()
        for thread in self._threads:
            thread.join()

    def opened(self) -> None:
        """Note that the page was opened: several who look may soon move something at once."""
        with self._lock:
            self._opened += 1
            if self._opened >= _MUCH:
                self._begun.set()

    def answer(
        self, values: Mapping[str, float], modes: Sequence[Mode], look: Look = WIDE
    ) -> Answer:
        """Return the answer to a position of the sliders, whose picture is asked for soon."""
        return self._at(values, modes, look).answer.result()

    def picture(
        self, values: Mapping[str, float], modes: Sequence[Mode], look: Look = WIDE
    ) -> Picture:
        """Return the picture of a position of the sliders."""
        return self._at(values, modes, look).picture.result()

    def is_drawn(self, values: Mapping[str, float], modes: Sequence[Mode]) -> bool:
        """Tell whether the picture is there already."""
        return self._at(values, modes).picture.done()

    def _at(
        self, values: Mapping[str, float], modes: Sequence[Mode], look: Look = WIDE
    ) -> _Answered:
        moved = {key: value for key, value in values.items() if value != self._own.get(key)}
        position = (tuple(sorted(moved.items())), tuple(modes), look)
        with self._lock:
            answered = self._answered.get(position)
            if answered is None:
                answered = self._answered[position] = _Answered(Future(), Future())
                item = (self.scenario, moved, position[1])
                self._put(_FIRST, _answer, item, lambda done: self._take(position, answered, done))
            self._answered.move_to_end(position)
            if len(self._answered) > _KEPT:
                self._answered.popitem(last=False)
        return answered

    def _take(self, position: _Position, answered: _Answered, done: Future[Any]) -> None:
        """Take an answer, and have the picture drawn."""
        if (error := done.exception()) is not None:
            self._forget(position, answered, error)
            return
        found, run = done.result()
        answered.answer.set_result(found)
        if run is None:
            answered.picture.set_result(Picture())
            return

        def take_picture(done: Future[Any]) -> None:
            if (error := done.exception()) is not None:
                self._forget(position, answered, error)
            else:
                answered.picture.set_result(done.result())

        self._put(_LATER, _picture, (run, *position[1:]), take_picture)

    def _forget(self, position: _Position, answered: _Answered, error: BaseException) -> None:
        """Say what went wrong instead; whoever asks again has it tried again."""
        with self._lock:
            self._answered.pop(position, None)
        if not answered.answer.done():
            answered.answer.set_result(Answer(problem=str(error) or type(error).__name__))
        answered.picture.set_result(Picture())

    def _put(
        self,
        priority: int,
        function: Callable[[Any], Any] | None,
        item: Any,
        take: _Take | None,
    ) -> None:
        self._jobs.put((priority, next(self._numbers), function, item, take))
        if self._jobs.qsize() > _MUCH:
            self._begun.set()

    def _work(self, here: bool) -> None:
        if here:
            self._do_jobs(None)
            return
        while self._begun.wait() and not (self._stops or self._ended.is_set()):
            processes = Processes(1, simulates=False)

            def abandon(started: Processes = processes) -> None:
                self._ended.set()
                started.abandon()

            with cleaned_by(abandon):
                _done(processes, _warmed, self.scenario)
                self._do_jobs(processes)
                processes.close()

    def _do_jobs(self, processes: Processes | None) -> None:
        """Do jobs until the end, or in a process until nothing has come for a while."""
        while not self._ended.is_set():
            try:
                job = self._next_job(processes)
            except Empty:
                with self._lock:
                    self._begun.clear()
                    self._opened = 0
                return
            _, _, function, item, take = job
            if function is None or take is None:
                return
            take(_done(processes, function, item))

    def _next_job(self, processes: Processes | None) -> _Job:
        try:
            return self._jobs.get(timeout=_RESTS_AFTER_S)
        except Empty:
            _done(processes, _rested, None)
        return self._jobs.get(timeout=None if processes is None else _ENDS_AFTER_S)


def _done(processes: Processes | None, function: Callable[[Any], Any], item: Any) -> Future[Any]:
    """Have a process evaluate a function, or do it here, and return when it is done."""
    if processes is None:
        done: Future[Any] = Future()
        try:
            done.set_result(function(item))
        except Exception as error:
            done.set_exception(error)
        return done
    try:
        return next(processes.finished(function, iter([item]), lambda: 0))[0][1]
    except (SendcapError, OSError) as error:
        failed: Future[Any] = Future()
        failed.set_exception(error)
        return failed


# In a worker process.


def _warmed(scenario: Scenario) -> None:
    """Load what answers need, which takes longer than an answer."""
    _, run = answer(scenario, {})
    if run is not None:
        picture(run, BOTH)


def _rested(_item: None) -> None:
    """Return freed memory, of which glibc keeps a hundred megabytes between pieces in use."""
    gc.collect()
    # Elsewhere there is no such function, or no library by the name of None.
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _answer(item: tuple[Scenario, dict[str, float], tuple[Mode, ...]]) -> tuple[Answer, Any]:
    found, run = answer(*item)
    # Megabytes, which pass through the server unopened.
    return found, None if run is None else pickle.dumps(run)


def _picture(item: tuple[bytes, tuple[Mode, ...], Look]) -> Picture:
    run, modes, look = item
    return picture(pickle.loads(run), modes, look)
