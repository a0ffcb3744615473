"""KumoMTA's throttles: those of a path, those with a name, and those of a provider's sites."""

from __future__ import annotations

import pytest

import sendcap
from sendcap.importers import import_kumomta

GOOGLE = '[provider."google"]\nmatch = [{MXSuffix = ".google.com"}]\n'
OUTLOOK = '[provider."outlook"]\nmatch = [{MXSuffix = ".olc.protection.outlook.com"}]\n'
NAMED = "additional_message_rate_throttles"


@pytest.fixture
def imported(put):
    def make(text: str, audience, **options):
        return import_kumomta(put(text, "shaping.toml"), audience, **options)

    return make


def limits(scenario) -> dict[str, tuple]:
    return {
        each.name: (each.connections or str(each.rate), each.providers) for each in scenario.limits
    }


def test_a_daily_allowance_holds_beside_the_rate_of_each_second(shared) -> None:
    # KumoMTA, docs/faq/rate_limits.md, "Daily caps".
    shaping = shared("cases/06-kumo-daily-allowance/shaping.toml")
    made = import_kumomta(shaping, "gmail=0.5,yahoo=0.5", messages=900_000, ips=1).scenario
    assert [str(each.rate) for each in made.providers.values()] == ["500/s", "500/s"]
    assert limits(made) == {"day": ("1000000/d", ())}
    assert made.providers["gmail"].connections_per_ip == 400
    # The allowance is not used up, and 900,000 go at once: the relay takes half an hour.
    providers = sendcap.simulate(made).summary()["providers"]
    assert providers["gmail"]["accepted_99_pct_s"] < 3600


def test_a_name_is_shared_by_all_who_name_it_and_the_source_has_no_part_in_it(imported) -> None:
    # docs/reference/kumo/make_egress_path/additional_message_rate_throttles.md: "cut across the
    # per-site-per-source scoping".
    text = f'{GOOGLE}{NAMED} = {{all = "50/s"}}\n{OUTLOOK}{NAMED} = {{all = "50/s"}}\n'
    made = imported(text, {"gmail": 0.4, "outlook": 0.3, "other": 0.3}, ips=4).scenario
    assert limits(made) == {"all": ("50/s", ("gmail", "outlook"))}
    assert made.providers["gmail"].rate is None


def test_one_name_with_two_rates_is_two_throttles(imported) -> None:
    # crates/throttle/src/lib.rs, throttle_quantity: the key has the limit, burst and period.
    text = f'{GOOGLE}{NAMED} = {{all = "50/s"}}\n{OUTLOOK}{NAMED} = {{all = "20/s"}}\n'
    made = imported(text, {"gmail": 0.5, "outlook": 0.5}).scenario
    assert limits(made) == {
        "all, 50/s": ("50/s", ("gmail",)),
        "all, 20/s": ("20/s", ("outlook",)),
    }


def test_one_name_counts_all_connections_and_each_path_has_its_limit(imported) -> None:
    # crates/kumod/src/ready_queue.rs, maintain: a lease by the label alone.
    name = "additional_connection_limits"
    text = f"{GOOGLE}{name} = {{all = 9}}\n{OUTLOOK}{name} = {{all = 4}}\n"
    made = imported(text, {"gmail": 0.5, "outlook": 0.5}).scenario
    assert limits(made) == {
        "all, 9": (9, ()),
        "all, 4": (4, ("outlook",)),
    }


def test_any_name_is_one_of_a_limit_and_an_address_is_not_shown(imported) -> None:
    names = {"*": 1, "x@a.org": 2, "y@a.org": 3, " z ": 4, "w" * 300: 5, "\\u0007": 6}
    text = ", ".join(f'"{name}" = "{number}/s"' for name, number in names.items())
    made = imported(f'["default"]\n{NAMED} = {{ {text} }}', {"gmail": 1.0})
    assert [str(each.rate) for each in made.scenario.limits] == [f"{n}/s" for n in range(1, 7)]
    assert "@a.org" not in made.text + made.report.to_csv()


PROVIDER = f'{GOOGLE}provider_connection_limit = 6\nprovider_max_message_rate = "90/m"\n'


def test_a_providers_own_limits_are_those_of_each_source(imported) -> None:
    # crates/kumo-api-types/src/shaping.rs, apply_provider_params_to: the name has the source.
    made = imported(PROVIDER, {"gmail": 1.0}, ips=3).scenario
    gmail = made.providers["gmail"]
    assert (gmail.connections_per_ip, str(gmail.rate), made.limits) == (6, "90/m", ())


def test_a_providers_own_limits_hold_over_several_of_the_scenarios(imported) -> None:
    made = imported(PROVIDER, {"gmail": 0.6, "googlemail.com": 0.3, "yahoo": 0.1}, ips=3).scenario
    providers = ("gmail", "googlemail.com")
    assert limits(made) == {
        'provider "google" provider_connection_limit': (18, providers),
        'provider "google" provider_max_message_rate': ("270/m", providers),
    }
    assert made.providers["gmail"].connections_per_ip == 32


def test_throttles_of_each_kind_hold_together(imported) -> None:
    text = (
        '["default"]\nmax_message_rate = "10/s,max_burst=2"\nmax_connection_rate = "30/m"\n'
        'source_selection_rate = "5000/d,max_burst=1"\nmax_deliveries_per_connection = 7\n'
    )
    made = imported(text, {"other": 1.0}, other_domains=3)
    other = made.scenario.providers["other"]
    # Three sites, each with its own limits.
    assert list(map(str, other.rate)) == ["30/s,max_burst=6", "15000/d,max_burst=3"]
    assert (str(other.connection_rate), other.messages_per_connection) == ("90/m", 7)
    assert "max_message_rate; 10/s,max_burst=2 for each of 3 sites; shaping.toml" in made.text


def test_the_largest_rate_of_several_sites_is_no_more(imported) -> None:
    text = '["default"]\nmax_message_rate = "999999999999/s"'
    made = imported(text, {"other": 1.0}, other_domains=5).scenario
    assert str(made.providers["other"].rate) == "1000000000000/s"


def test_the_report_says_that_messages_follow_the_schedule_meanwhile(shared) -> None:
    # docs/changelog/2024.11.08-d383b033.md: "suspensions will now always respect the normal
    # exponential backoff retry schedule".
    made = import_kumomta(shared("cases/54-kumo-suspend-5m/shaping.toml"), {"gmail": 1.0})
    (suspend,) = made.scenario.suspend_of("gmail")
    assert (suspend.meanwhile, suspend.lasts) == ("retry", 300)
    used = made.report.set_index("setting").loc["default automation"]
    assert "2024.11.08" in used["why"]
    # crates/tsa-daemon/src/http_server.rs: a suspension is that of a source and a site.
    assert "for each source by itself" in used["why"]
    alone = import_kumomta(shared("cases/54-kumo-suspend-5m/shaping.toml"), {"gmail": 1.0}, ips=1)
    assert (
        "for each source" not in alone.report.set_index("setting").loc["default automation"]["why"]
    )


RULE = """
[["default".automation]]
regex = "{regex}"
action = {action}
trigger = {{Threshold="{after}"}}
duration = "1h"
"""


@pytest.mark.parametrize("action", ["SuspendTenant", "SuspendCampaign"])
def test_a_tenants_or_campaigns_suspension_is_told(imported, action) -> None:
    made = imported(RULE.format(regex="busy", action=f'"{action}"', after="2/h"), {"gmail": 1.0})
    (suspend,) = made.scenario.suspend_of("gmail")
    assert (suspend.meanwhile, suspend.after) == ("retry", 2)
    why = made.report.set_index("setting").loc["default automation"]["why"]
    whose = action.removeprefix("Suspend").casefold()
    assert f"pauses a {whose}'s mail, the scenario all mail" in why


def test_two_rules_for_the_same_answers_both_hold(imported) -> None:
    slower = '{SetConfig={name="max_message_rate", value="1/m"}}'
    text = RULE.format(regex="busy", action=slower, after="2/h")
    text += RULE.format(regex="busy", action='"Suspend"', after="9/h")
    text += RULE.format(regex="too many connections", action='"Suspend"', after="3/h")
    made = imported(text, {"gmail": 1.0})
    assert [(each.after, str(each.rate)) for each in made.scenario.suspend_of("gmail")] == [
        (2, "1/m"),
        (9, "closed"),
    ]
    unused = made.report[made.report["status"] == "not used"].set_index("setting")
    assert "answers of one kind" in unused.loc["default automation"]["why"]
