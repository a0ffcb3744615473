from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import agreed
import numpy as np
import pytest
from agreed import (
    ANSWERED,
    FILE,
    HASH_BYTES,
    ORACLE,
    REFRESH,
    ROOTS,
    TEXTBOOK,
    Remembered,
    Slow,
    digest_of,
)
from oracle import Oracle
from oracle_scenarios import scenario_of
from small_scenarios import EVERYTHING
from test_people_agree_with_the_textbook import TOML

from sendcap import textbook
from sendcap.scenario import Scenario, from_dict, loads, updated

COUNTS = {("a", "accepted"): {1: 2, 5: 3}}
SCENARIO = from_dict(EVERYTHING)


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., bool]]:
    """One that remembers a single comparison."""
    monkeypatch.delenv("SENDCAP_TEST_ANEW", raising=False)
    monkeypatch.setattr(agreed, "FILE", tmp_path / "agreed.bin")
    monkeypatch.setattr(agreed, "ASKED", set())
    (tmp_path / "model.py").write_text("slow")
    (tmp_path / "test.py").write_text("compared")

    def known(scenario: Scenario = SCENARIO, counts: object = COUNTS) -> bool:
        agreed.stored.cache_clear()
        digest_of.cache_clear()
        slow = Slow(("*del.py",), roots=(tmp_path,))
        return Remembered(tmp_path / "test.py")(slow, scenario, counts)

    assert not known()
    (tmp_path / "agreed.bin").write_bytes(b"".join(agreed.ASKED))
    yield known
    agreed.stored.cache_clear()


def test_what_has_agreed_is_known(memory: Callable[..., bool]) -> None:
    assert memory()
    assert memory(from_dict(EVERYTHING), {("a", "accepted"): {1: 2, 5: 3}})


@pytest.mark.parametrize(
    "counts",
    [
        {("a", "accepted"): {1: 2, 5: 4}},
        {("a", "accepted"): {1: 2, 6: 3}},
        {("a", "accepted"): {1: 2}},
        {("b", "accepted"): {1: 2, 5: 3}},
        COUNTS | {("a", "hard"): {}},
        {},
    ],
)
def test_another_result_is_not_known(memory: Callable[..., bool], counts: object) -> None:
    assert not memory(counts=counts)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"providers.slow.transient": 0.05000000000000001},
        {"mta.retry.first": "10.000000001m"},
        {"deliveries[0].name": "a"},
        {"limits": [{"name": "one", "connections": 1}]},
    ],
)
def test_another_scenario_is_not_known(memory: Callable[..., bool], change: dict) -> None:
    assert not memory(updated(SCENARIO, change))


@pytest.mark.parametrize("file", ["model.py", "test.py"])
def test_another_slow_model_or_comparison_is_not_known(
    memory: Callable[..., bool], tmp_path: Path, file: str
) -> None:
    (tmp_path / file).write_text("changed")
    assert not memory()


def test_another_source_of_the_slow_model_is_not_known(
    memory: Callable[..., bool], tmp_path: Path
) -> None:
    (tmp_path / "other model.py").write_text("")
    assert not memory()


def test_nothing_is_known_anew(
    memory: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENDCAP_TEST_ANEW", "1")
    assert not memory()


def test_of_a_long_row_every_count_matters() -> None:
    counts = np.arange(5000)
    other = counts.copy()
    other[2500] += 1
    assert agreed.written({"a": counts}) != agreed.written({"a": other})


def test_the_file_has_each_hash_once_and_is_small() -> None:
    data = FILE.read_bytes()
    hashes = [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
    assert hashes == sorted(set(hashes))
    assert len(data) % HASH_BYTES == 0
    assert len(data) < 50_000


@contextmanager
def code_that_runs(answered: Collection[str]) -> Iterator[set[str]]:
    """Gather the files of the package and of this folder whose functions are called.

    What a function calls whose answer is part of the comparison does not matter.
    """
    files: set[str] = set()
    answering: FrameType | None = None

    def look(frame: FrameType, event: str, _: object) -> None:
        nonlocal answering
        if answering is not None:
            answering = None if frame is answering and event == "return" else answering
        elif event == "call" and frame.f_code.co_qualname in answered:
            answering = frame
        elif event == "call":
            files.add(frame.f_code.co_filename)

    gc.collect()  # nothing that others have left goes on as it is collected
    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield files
    finally:
        sys.setprofile(before)
    files &= {str(path) for root in ROOTS for path in root.rglob("*.py")} - {__file__}


KINDS = (
    {},
    {"shares": True},
    {"orders": True},
    {"operators": True},
    {"runners": True},
    {"ties": False},
)
MODELS: dict[str, tuple[Slow, Callable[[Scenario], object], Callable[[], list[Scenario]]]] = {
    "the oracle": (
        ORACLE,
        lambda scenario: Oracle(scenario).run(),
        lambda: [scenario_of(number, **kind) for kind in KINDS for number in range(25)],
    ),
    "the textbook": (
        TEXTBOOK,
        textbook.simulate_ledger,
        lambda: (
            [scenario_of(number, **kind) for kind in KINDS for number in range(8)]
            + [SCENARIO, loads(TOML["people and a programme"])]
        ),
    ),
}


@pytest.mark.parametrize("model", MODELS)
def test_all_that_runs_with_a_slow_model_is_a_source_of_it(
    model: str, remembered: Remembered
) -> None:
    slow, simulate, chosen = MODELS[model]
    scenarios = chosen()
    if not remembered(slow, scenarios, sorted(ANSWERED)):
        with code_that_runs(ANSWERED if slow is ORACLE else ()) as files:
            for scenario in scenarios:
                simulate(scenario)
        assert files - set(map(str, slow.sources())) == set()


@pytest.mark.parametrize("slow", [ORACLE, TEXTBOOK], ids=MODELS)
def test_what_is_remembered_is_of_the_slow_models_of_today(
    slow: Slow, remembered: Remembered
) -> None:
    """If not, nothing is wrong: all is compared anew, which takes a minute."""
    if not remembered(slow) and not agreed.is_anew():
        pytest.skip(f"a slow model has changed: {REFRESH} remembers what agrees with it")
