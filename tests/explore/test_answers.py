"""The answers of a server: worked out once, shared, numbers before charts."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from sendcap.errors import SendcapError
from sendcap.explore import answers as module
from sendcap.explore.answer import BOTH, answer
from sendcap.explore.answers import Answers
from sendcap.scenario import load
from sendcap.study.replication.processes import Processes


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
        elif function is module._chart:
            self.asked.append(("chart",))
            done.set_result("<svg>")
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
        charts = set(sessions.map(lambda _: answers.chart({"ips": 4}, BOTH), range(40)))

    assert len(found) == 1
    assert charts == {"<svg>"}
    assert work.asked.count(("answer", ("ips", 4))) == 1


def test_the_first_answer_is_there_before_anybody_asks(work, answers):
    answers.start()
    answers.chart({}, BOTH)

    # A browser names every slider, also those that were not moved.
    assert answers.is_drawn({"ips": 8, "messages": 1.0}, BOTH)
    assert work.asked == [("answer",), ("chart",)]


def test_numbers_go_before_charts(work, answers):
    for ips in range(1, 5):
        assert not answers.is_drawn({"ips": ips}, BOTH)

    answers.start()
    answers.chart({}, BOTH)

    assert [kind for kind, *_ in work.asked[:5]] == ["answer"] * 5


def test_what_went_wrong_is_told_and_tried_again(work, answers):
    work.failures = [SendcapError("worker process died 3 times (killed, probably out of memory)")]
    first = answers._at({}, BOTH)
    answers.start()

    assert "out of memory" in first.answer.result().problem
    assert first.chart.result() == ""
    assert not answers.answer({}, BOTH).problem


def test_old_answers_are_forgotten(work, answers, monkeypatch):
    monkeypatch.setattr(module, "_KEPT", 3)
    answers.start()

    for ips in (1, 2, 3, 4, 1):
        answers.chart({"ips": ips}, BOTH)

    assert work.asked.count(("answer", ("ips", 1))) == 2


def test_many_have_their_answers_from_both_workers(answers):
    answers.start()

    with ThreadPoolExecutor(6) as sessions:
        found = list(sessions.map(lambda ips: answers.answer({"ips": ips}, BOTH), range(1, 7)))

    assert answers._begun.is_set()
    for number in (0, 5):
        assert found[number] == answer(load("quickstart"), {"ips": number + 1}, BOTH)[0]
    assert answers.chart({"ips": 4}, BOTH).startswith("<svg")


def test_a_worker_process_answers_as_this_process_does():
    item = (load("quickstart"), {"ips": 4}, BOTH)
    processes = Processes(1, simulates=False)

    there, here = (module._done(its, module._answer, item).result()[0] for its in (processes, None))

    processes.close()
    assert there == here == answer(*item)[0]
