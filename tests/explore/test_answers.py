"""The answers of a server: worked out once, shared, numbers before charts."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from sendcap.errors import SendcapError
from sendcap.explore import answers as module
from sendcap.explore.answer import BOTH, Picture, answer
from sendcap.explore.answers import Answers
from sendcap.scenario import load, loads
from sendcap.study.replication.processes import Processes

SMALL = loads("""
relay.batch_time = "1s"
providers.p = { connect_time = "0s", transaction_time = "1s", transient = 0.1 }
deliveries = [{ name = "d", messages = 2000, audience = { p = 1.0 } }]
""")
"""Is answered in a hundredth of a second."""


class Work:
    """In place of worker processes: does nothing much, and notes what it was asked for."""

    def __init__(self):
        self.asked, self.failures = [], []

    def __call__(self, _processes, function, item):
        done = Future()
        if function is module._answer:
            _, moved, _ = item
            self.asked.append(("answer", *moved.items()))
            if self.failures:
                done.set_exception(self.failures.pop())
            else:
                done.set_result((module.Answer(sentences=[str(moved)]), b"a run"))
        elif function is module._picture:
            self.asked.append(("picture",))
            done.set_result(Picture("<svg>"))
        return done


@pytest.fixture
def work(monkeypatch):
    work = Work()
    monkeypatch.setattr(module, "_done", work)
    monkeypatch.setattr(module, "_WORKERS", 1)
    return work


@pytest.fixture
def answers():
    answers = Answers(load("quickstart"))
    yield answers
    answers.stop()


def test_sessions_share_an_answer(work, answers):
    answers.start()

    with ThreadPoolExecutor(8) as sessions:
        found = set(sessions.map(lambda _: id(answers.answer({"ips": 4}, BOTH)), range(40)))
        pictures = sessions.map(lambda _: answers.picture({"ips": 4}, BOTH), range(40))
        charts = {picture.chart for picture in pictures}

    assert len(found) == 1
    assert charts == {"<svg>"}
    assert work.asked.count(("answer", ("ips", 4))) == 1


def test_the_first_answer_is_there_before_anybody_asks(work, answers):
    answers.start()
    answers.picture({}, BOTH)

    # A browser names every slider, also those that were not moved.
    assert answers.is_drawn({"ips": 8, "messages": 1.0}, BOTH)
    assert work.asked == [("answer",), ("picture",)]


def test_numbers_go_before_charts(work, answers):
    for ips in range(1, 5):
        assert not answers.is_drawn({"ips": ips}, BOTH)

    answers.start()
    answers.picture({}, BOTH)

    assert [kind for kind, *_ in work.asked[:5]] == ["answer"] * 5


def test_what_went_wrong_is_told_and_tried_again(work, answers):
    work.failures = [SendcapError("worker process died 3 times (killed, probably out of memory)")]
    first = answers._at({}, BOTH)
    answers.start()

    assert "out of memory" in first.answer.result().problem
    assert first.picture.result() == Picture()
    assert not answers.answer({}, BOTH).problem


def test_old_answers_are_forgotten(work, answers, monkeypatch):
    monkeypatch.setattr(module, "_KEPT", 3)
    answers.start()

    for ips in (1, 2, 3, 4, 1):
        answers.picture({"ips": ips}, BOTH)

    assert work.asked.count(("answer", ("ips", 1))) == 2


def test_many_have_their_answers_from_both_workers():
    two = Answers(SMALL)
    two.start()

    with ThreadPoolExecutor(6) as sessions:
        found = list(sessions.map(lambda ips: two.answer({"ips": ips}, BOTH), range(2, 8)))

    assert two._begun.is_set()
    for number in (0, 5):
        assert found[number] == answer(SMALL, {"ips": number + 2}, BOTH)[0]
    assert two.picture({"ips": 2}, BOTH).chart.startswith("<svg")
    two.stop()


class Starts:
    """In place of processes: how many were started and ended."""

    def __init__(self):
        self.begun, self.ended = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, *_, **__):
        self.begun.release()
        return self

    def close(self):
        self.ended.release()

    abandon = close


def test_the_second_worker_begins_with_the_third_page_and_ends_when_nobody_asks(work, monkeypatch):
    starts = Starts()
    monkeypatch.setattr(module, "_WORKERS", 2)
    monkeypatch.setattr(module, "Processes", starts)
    monkeypatch.setattr(module, "_RESTS_AFTER_S", 0.01)
    monkeypatch.setattr(module, "_ENDS_AFTER_S", 0.01)
    two = Answers(load("quickstart"))
    two.start()

    for _ in range(2):
        for _ in range(2):
            two.opened()
        assert not starts.begun.acquire(timeout=0.05)
        two.opened()
        assert starts.begun.acquire(timeout=30.0)
        assert starts.ended.acquire(timeout=30.0)
        assert two.answer({"ips": 4}, BOTH).sentences
    two.stop()
    assert not starts.begun.acquire(blocking=False)


def test_a_worker_process_answers_as_this_process_does():
    item = (SMALL, {"ips": 4}, BOTH)
    processes = Processes(1, simulates=False)

    there, here = (
        module._done(each, module._answer, item).result()[0] for each in (processes, None)
    )

    processes.close()
    assert there == here == answer(*item)[0]
