from __future__ import annotations

from functools import partial

import pytest
from swept import delivered, small

from sendcap.errors import SendcapError
from sendcap.scenario import dumps, loads, updated
from sendcap.study.replication.measures import measures_of
from sendcap.study.sweeps import plan
from sendcap.study.sweeps.plan import measure_identity, run_key, scenario_digest


def of(function) -> str:
    (measure,) = measures_of({"mine": function})
    return measure_identity(measure)


def test_the_same_scenario_has_the_same_digest_however_it_was_made() -> None:
    scenario = small()
    assert scenario_digest(loads(dumps(scenario))) == scenario_digest(scenario)
    there_and_back = updated(updated(scenario, {"mta.ips": 4}), {"mta.ips": scenario.mta.ips})
    assert scenario_digest(there_and_back) == scenario_digest(scenario)
    assert scenario_digest(scenario.with_seed(99)) == scenario_digest(scenario)


@pytest.mark.parametrize(
    "change",
    [{"mta.ips": 4}, {"deliveries[0].messages": 501}, {"providers.p.transient": 0.1000000001}],
)
def test_any_other_value_gives_another_digest(change) -> None:
    assert scenario_digest(updated(small(), change)) != scenario_digest(small())


def test_seed_and_measures_are_part_of_a_key(monkeypatch) -> None:
    keys = {
        run_key("a", 1, ["x"]),
        run_key("a", 2, ["x"]),
        run_key("a", 1, ["y"]),
        run_key("a", 1, ["x", "y"]),
        run_key("b", 1, ["x"]),
    }
    monkeypatch.setattr(plan, "MODEL_VERSION", 99)
    assert len(keys | {run_key("a", 1, ["x"])}) == 6


def test_a_function_is_known_by_its_source_its_defaults_and_what_it_closes_over() -> None:
    def within(tolerance):
        def mine(run, factor=2):
            return tolerance * factor

        return mine

    assert of(within(1)) == of(within(1))
    assert of(within(1)) != of(within(2))
    one, other = within(1), within(1)
    other.__defaults__ = (3,)
    assert of(one) != of(other)
    assert of(partial(delivered, 1)) != of(partial(delivered, 2)) != of(delivered)
    assert of(partial(delivered, 1)) == of(partial(delivered, 1))


def test_an_edited_function_is_another_one(tmp_path, monkeypatch) -> None:
    import importlib
    import linecache
    import sys

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    found = []
    for text in ("return 1", "return 2"):
        (tmp_path / "edited_measure.py").write_text(f"def mine(run):\n    {text}\n")
        linecache.clearcache()
        sys.modules.pop("edited_measure", None)
        importlib.invalidate_caches()
        found.append(of(importlib.import_module("edited_measure").mine))
    assert found[0] != found[1]


class Callable:
    def __call__(self, run):
        return 1


@pytest.mark.parametrize(
    "function", [len, Callable(), partial(delivered, object()), eval("lambda run: 1")]
)
def test_what_cannot_be_told_from_another_is_refused(function) -> None:
    with pytest.raises(SendcapError, match="measure: mine: cannot be cached: define it with def"):
        of(function)
