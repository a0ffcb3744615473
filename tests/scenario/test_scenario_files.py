import json
import os
import pickle
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from scenarios import scenario, small

from sendcap.errors import ScenarioError
from sendcap.scenario import (
    Constant,
    ExponentialRetry,
    Rate,
    dumps,
    from_dict,
    load,
    loads,
    presets,
    schema,
    to_dict,
)


@pytest.mark.filterwarnings("ignore:.* is never sent:sendcap.errors.SendcapWarning")
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(scenario())
def test_a_scenario_reads_back_exactly(data: dict[str, Any]) -> None:
    first = from_dict(data)
    text = dumps(first)
    second = loads(text)
    assert second == first
    assert dumps(second) == text


def test_defaults_are_those_of_the_sources() -> None:
    made = from_dict(small())
    gmail = made.providers["gmail"]
    assert (gmail.connections_per_ip, gmail.messages_per_connection) == (10, 100)
    assert (gmail.idle_timeout, gmail.rate, gmail.transient) == (60, None, 0)
    assert (made.relay.workers, made.relay.batch, made.relay.rate) == (1, 256, None)
    assert (made.mta.ips, made.mta.ingress_rate, made.mta.retry) == (1, None, ExponentialRetry())
    assert (made.time.bin, made.time.window, made.time.horizon) == (60, "auto", None)
    assert (made.deliveries[0].at, made.deliveries[0].validity) == (0, 302_400)
    assert made.feedback.synchronous == made.feedback.asynchronous == Constant(value="0s")
    assert (made.feedback.polling, made.feedback.rate) == (None, None)
    assert (made.engagement.open_rate, made.engagement.click_rate) == (0, 0)
    assert made.reporting.modes == ("without-efs", "efs")
    assert (made.reporting.refresh, made.reporting.engagement_refresh) == (600, 3600)
    assert (made.reporting.denominator, made.seed, made.title) == ("default", 0, "")


def test_a_written_scenario_states_every_default() -> None:
    written = tomllib.loads(dumps(from_dict(small())))
    assert written["relay"]["rate"] == "none"
    assert written["mta"]["retry"] == {
        "policy": "exponential",
        "first": "20m",
        "factor": 2.0,
        "max": "12h",
        "jitter": 0.0,
    }
    assert written["providers"]["gmail"]["connect_time"] == "250ms"
    assert written["providers"]["gmail"]["messages_per_connection"] == 100


def test_words_stand_for_no_limit() -> None:
    data = small()
    data["providers"]["gmail"] |= {"messages_per_connection": "unlimited", "rate": "none"}
    data["mta"] = {"ingress_rate": "2000/s", "retry": {"max": "none"}}
    made = from_dict(data)
    assert made.providers["gmail"].messages_per_connection == "unlimited"
    assert made.mta.ingress_rate == Rate(2000, 1)
    assert isinstance(made.mta.retry, ExponentialRetry)
    assert made.mta.retry.max is None
    assert loads(dumps(made)) == made


def test_a_file_of_times_becomes_part_of_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "times.csv").write_text("t\n1\n2s\n")
    data = small()
    data["relay"]["batch_time"] = {"dist": "empirical", "file": "times.csv", "column": "t"}
    with pytest.raises(ScenarioError, match=r"relay.batch_time: file .* No such file"):
        from_dict(data)
    made = from_dict(data, folder=tmp_path)
    assert loads(dumps(made)) == made
    text = dumps(from_dict(small())).replace(
        'batch_time = "0.7s"',
        'batch_time = { dist = "empirical", file = "times.csv", column = "t" }',
    )
    (tmp_path / "x.toml").write_text(text)
    assert load(tmp_path / "x.toml") == made


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xef\xbb\xbf" + dumps(from_dict(small())).replace("\n", "\r\n").encode())
    assert load(str(path)) == from_dict(small())


def test_a_scenario_can_be_sent_to_another_process() -> None:
    made = load("quickstart")
    assert pickle.loads(pickle.dumps(made)) == made


def test_a_scenario_is_frozen() -> None:
    made = from_dict(small())
    with pytest.raises(ValueError, match="frozen"):
        made.seed = 3  # type: ignore[misc]


def test_the_schema_is_json_and_knows_every_key() -> None:
    found = json.loads(json.dumps(schema()))
    assert set(found["properties"]) >= {"deliveries", "relay", "mta", "providers", "feedback"}
    assert set(found["required"]) == {"relay", "providers"}
    assert found["anyOf"] == [{"required": ["deliveries"]}, {"required": ["backlog"]}]
    provider = found["$defs"]["Provider"]["properties"]
    kinds = provider["rate"]["anyOf"][0]["oneOf"]
    assert kinds[0]["type"] == "string"
    assert [kind["$ref"].split("/")[-1] for kind in kinds[1:-1]] == [
        "FixedWindow",
        "Gap",
        "Schedule",
        "WarmUp",
    ]
    assert kinds[-1]["items"]["oneOf"] == kinds[:-1]
    assert kinds[-1]["minItems"] == 1
    assert provider["rate"]["default"] == "none"
    assert provider["idle_timeout"]["default"] == "1m"
    assert provider["idle_timeout"]["examples"]
    assert {"file", "column", "values"} <= set(found["$defs"]["Empirical"]["properties"])


def test_a_directory_does_not_hide_a_preset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "quickstart").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load("quickstart").title == "Quickstart"


def test_a_file_hides_a_preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "quickstart").write_text(dumps(from_dict(small() | {"title": "mine"})))
    monkeypatch.chdir(tmp_path)
    assert load("quickstart").title == "mine"


@pytest.mark.parametrize("name", presets())
def test_a_preset_is_described_and_reads_back(name: str) -> None:
    assert 20 < len(presets()[name]) < 100
    made = load(name)
    assert loads(dumps(made)) == made
    assert to_dict(made)["deliveries"]


def test_scenarios_are_imported_without_the_slow_libraries() -> None:
    code = (
        "import sys, sendcap.scenario;"
        "print(sorted({'scipy', 'pandas', 'matplotlib', 'numba'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert run.stdout.strip() == "[]"


def test_the_complete_example_is_read() -> None:
    made = load(Path(__file__).with_name("complete.toml"))
    assert [delivery.messages for delivery in made.deliveries] == [200_000, 60_000]
    assert made.deliveries[0].counts() == {
        "gmail": 124_000,
        "yahoo": 28_000,
        "outlook": 24_000,
        "icloud": 14_000,
        "other": 10_000,
    }
    assert made.mta.retry == ExponentialRetry(jitter=0.05)
    assert loads(dumps(made)) == made
