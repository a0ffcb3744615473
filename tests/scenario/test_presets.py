import re

import pytest

from sendcap.scenario import load, loads, preset_text, presets


def ceiling_per_s(name: str, provider: str) -> float:
    scenario = load(name)
    settings = scenario.providers[provider]
    assert settings.messages_per_connection != "unlimited"
    service_s = (
        settings.transaction_time.mean_s
        + settings.connect_time.mean_s / settings.messages_per_connection
    )
    connections = settings.connections_per_ip * scenario.mta.ips
    assert settings.rate is not None
    return min(connections / service_s, settings.rate.per_s * scenario.mta.ips)


@pytest.mark.parametrize("name", presets())
def test_every_number_of_a_preset_names_its_source_or_is_an_assumption(name: str) -> None:
    for line in preset_text(name).splitlines():
        code, _, comment = line.partition("#")
        labels = ("title", "seed", "name", "at ", "modes", "policy", "[", "{ reason", "#")
        if not re.search(r"= *[\"\d{\[]", code) or code.strip().startswith(labels[:-2]):
            continue
        if code.strip() in {"hard = [", "faults = ["}:
            continue
        assert comment.strip(), line


@pytest.mark.parametrize("name", presets())
def test_the_text_of_a_preset_explains_it_and_is_the_preset(name: str) -> None:
    text = preset_text(name)
    assert text.startswith(f"# {presets()[name]}\n")
    assert loads(text) == load(name)


def test_black_friday_takes_several_hours() -> None:
    scenario = load("black-friday")
    assert sum(delivery.messages for delivery in scenario.deliveries) == 10_000_000
    counts = scenario.deliveries[0].counts()
    hours = {name: counts[name] / ceiling_per_s("black-friday", name) / 3600 for name in counts}
    assert max(hours, key=lambda name: hours[name]) == "gmail"
    assert 4 < hours["gmail"] < 5
    assert all(hours[name] < 1 for name in hours if name != "gmail")


@pytest.mark.parametrize(
    ("provider", "connections", "per_connection", "idle_s"),
    [
        ("gmail", 5, 50, 60),
        ("yahoo", 10, 20, 60),
        ("outlook", 5, 50, 60),
        ("icloud", 10, 5, 60),
        ("comcast", 25, 1000, 30),
    ],
)
def test_black_friday_has_kumomtas_shipped_limits(
    provider: str, connections: int, per_connection: int, idle_s: float
) -> None:
    scenario = load("black-friday").providers[provider]
    assert scenario.connections_per_ip == connections
    assert scenario.messages_per_connection == per_connection
    assert scenario.idle_timeout == idle_s
    assert str(scenario.rate) == "100/s"
