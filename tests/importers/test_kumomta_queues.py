"""KumoMTA's queue helper: rates of queues, tenants and campaigns, and retries of single domains."""

from __future__ import annotations

import pytest

import sendcap
from sendcap.importers import import_kumomta
from sendcap.scenario import KumomtaRetry

BASE = """
[[deliveries]]
name = "t1"
messages = 1000
audience = { other = 1 }
[[deliveries]]
name = "welcome"
messages = 1000
audience = { other = 1 }
[[deliveries]]
name = "else"
messages = 1000
audience = { other = 1 }
[relay]
batch_time = "1s"
[providers.other]
connect_time = "1s"
transaction_time = "1s"
"""


@pytest.fixture
def imported(put):
    def make(queue: str, audience="gmail.com=0.6,other=0.4", **options):
        shaping = put('["default"]\nconnection_limit = 10', "shaping.toml")
        return import_kumomta(shaping, audience, queue=put(queue, "queue.toml"), **options)

    return make


def limits(made) -> dict[str, tuple]:
    return {
        each.name: (str(each.rate), each.providers, each.deliveries)
        for each in made.scenario.limits
    }


def reasons(made, status: str) -> dict[str, str]:
    rows = made.report[made.report["status"] == status]
    return dict(zip(rows["setting"], rows["why"], strict=True))


def test_a_scheduled_queues_rate_holds_for_the_queue_as_a_whole(shared) -> None:
    # crates/kumod/src/queue/queue.rs, check_message_rate_throttle: by the queue's name alone.
    case = "cases/08-kumo-queue-rate"
    made = import_kumomta(
        shared(f"{case}/shaping.toml"), "gmail.com=1", queue=shared(f"{case}/queue.toml"), ips=8
    )
    assert limits(made) == {"queue gmail.com": ("10/s", ("gmail.com",), ())}
    assert made.scenario.mta.retry.retry_interval == 300


def test_the_default_rate_is_that_of_each_domain(imported, put) -> None:
    # docs/reference/kumo/make_queue_config/max_message_rate.md: "applies to a specific scheduled
    # queue"; docs/userguide/configuration/queuemanagement.md: "on a per-queue basis even when
    # configured for a less specific scope".
    made = imported(
        "[queue.default]\nmax_message_rate = '9/m,max_burst=2'\n"
        "[queue.'*.example.org']\nmax_message_rate = '5/m'\n",
        put("a.example.org,50\ngmail.com,30\ngooglemail.com,10\nb.net,10\n", "audience.csv"),
        other_domains=3,
    )
    assert limits(made)["queue other"] == ("27/m,max_burst=6", ("other",), ())
    assert "differ" in reasons(made, "warning")["other: queue default max_message_rate"]
    alone = imported("[queue.default]\nmax_message_rate = '9/m'\n", other_domains=3)
    assert limits(alone) == {
        "queue gmail.com": ("9/m", ("gmail.com",), ()),
        "queue other": ("27/m", ("other",), ()),
    }


def test_a_tenants_overall_rate_is_over_all_of_its_mail(shared) -> None:
    # assets/policy-extras/queue.lua, throttle_insert_ready_queue: by the tenant's name alone.
    case = "cases/09-kumo-tenant-rate"
    made = import_kumomta(
        shared(f"{case}/shaping.toml"), "gmail.com=1", queue=shared(f"{case}/queue.toml")
    )
    assert limits(made) == {'tenant "t1"': ("50/s", (), ())}
    assert (
        "all mail is taken for it" in reasons(made, "used")['tenant "t1" overall_max_message_rate']
    )


TENANTS = """
default_tenant = "t2"
[tenant.t1]
overall_max_message_rate = "50/s"
max_message_rate = "7/s"
[tenant.t1.campaigns.welcome]
overall_max_message_rate = "20/s"
[tenant.t2]
[tenant.t3]
overall_max_message_rate = "3/s"
[queue.'gmail.com'.t1.welcome]
max_message_rate = "4/s"
"""


def test_deliveries_with_the_names_of_tenants_and_campaigns_are_theirs(imported, put) -> None:
    made = imported(TENANTS, base=put(BASE, "base.toml"), other_domains=1)
    assert limits(made) == {
        'tenant "t1"': ("50/s", (), ("t1", "welcome")),
        'tenant "t1" campaign "welcome"': ("20/s", (), ("welcome",)),
        'queue gmail.com tenant "t1"': ("7/s", ("gmail.com",), ("t1",)),
        'queue gmail.com tenant "t1" campaign "welcome"': ("4/s", ("gmail.com",), ("welcome",)),
        'queue other tenant "t1"': ("7/s", ("other",), ("t1",)),
        'queue other tenant "t1" campaign "welcome"': ("7/s", ("other",), ("welcome",)),
    }
    warning = reasons(made, "warning")['tenant "t3" overall_max_message_rate']
    assert "no delivery is known to be tenant" in warning
    assert sendcap.simulate(made.scenario).summary()


def test_of_several_tenants_without_a_delivery_none_is_guessed(imported) -> None:
    made = imported("[tenant.a]\nmax_message_rate = '5/s'\n[tenant.b]\nmax_age = '1d'\n")
    assert limits(made) == {}
    assert "no delivery" in reasons(made, "warning")['tenant "a" max_message_rate']
    assert "no delivery" in reasons(made, "not used")['tenant "b" max_age']


def test_what_the_helper_never_reads_is_told(imported) -> None:
    # resolve_overall_throttle_specs looks at tenants only.
    made = imported("[queue.'gmail.com']\noverall_max_message_rate = '5/s'\n")
    assert limits(made) == {}
    warning = reasons(made, "warning")['queue "gmail.com" overall_max_message_rate']
    assert "in the table of a tenant only" in warning


def test_a_domain_has_its_own_retries_and_lifetime(imported) -> None:
    made = imported(
        "[queue.default]\nmax_age = '2d'\nretry_interval = '10m'\n"
        "[queue.'gmail.com']\nmax_age = '6 days'\nmax_retry_interval = '2h'\n"
        "[queue.'gone.org']\nmax_age = '1h'\n"
    )
    scenario = made.scenario
    assert scenario.mta.retry == KumomtaRetry(retry_interval="10m", max_age="2d")
    expected = KumomtaRetry(retry_interval="10m", max_retry_interval="2h", max_age="6d")
    assert scenario.providers["gmail.com"].retry == expected
    assert scenario.providers["other"].retry == "mta"
    # No message is cut at three and a half days.
    assert scenario.honoured_validity(scenario.deliveries[0]) == 6 * 86_400
    assert 'queue "gone.org" max_age' in reasons(made, "not used")
    assert 'queue "gmail.com" max_age' in made.text


def test_a_longest_interval_below_the_first_is_the_only_one(imported) -> None:
    # crates/kumod/src/queue/config.rs, delay_for_attempt: min of the two.
    made = imported(
        "[queue.default]\nmax_retry_interval = '7m'\n"
        "[queue.'gmail.com']\nretry_interval = '30m'\nmax_retry_interval = '10m'\n"
    ).scenario
    assert made.mta.retry == KumomtaRetry(retry_interval="7m", max_retry_interval="7m")
    expected = KumomtaRetry(retry_interval="10m", max_retry_interval="10m")
    assert made.providers["gmail.com"].retry == expected


def test_settings_of_queues_say_why_they_are_not_used(imported) -> None:
    made = imported(
        "[queue.default]\nreap_interval = '5m'\nsomething = 'opensesame'\n"
        "[queue.default.protocol.custom_lua]\nconstructor = 'make.queue'\n"
    )
    unused = reasons(made, "not used")
    assert "memory" in unused["reap_interval"]
    assert "this importer does not know it" in unused["something"]
    assert "where mail is sent" in unused["protocol"]
    assert "opensesame" not in made.text + made.report.to_csv()
