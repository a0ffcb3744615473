"""Exim: which retry rule, which router and which transport hold for which provider."""

from __future__ import annotations

import pytest

from sendcap.importers import import_exim
from sendcap.importers.exim.lists import has_domain, matches
from sendcap.scenario import EximRetry, MomentumRetry

USUAL = "* * F,2h,15m; F,4d,6h\n"


def retries(made) -> dict[str, str]:
    """Return the rule of each provider that has its own."""
    own = {name: each.retry for name, each in made.scenario.providers.items()}
    return {name: each.rule for name, each in own.items() if isinstance(each, EximRetry)}


def warnings_of(made) -> dict[str, str]:
    report = made.report[made.report["status"] == "warning"]
    return dict(zip(report["setting"], report["why"], strict=True))


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("gmail.com * F,1h,5m\n", {"gmail": "F,1h,5m"}),
        ("GMail.com rcpt_4xx F,1h,5m\n", {"gmail": "F,1h,5m"}),
        ("*@gmail.com * F,1h,5m\n", {"gmail": "F,1h,5m"}),
        ("*.com * F,1h,5m\n", {"gmail": "F,1h,5m", "yahoo": "F,1h,5m"}),
        ("*mail.com * F,1h,5m\nyahoo.com * F,3h,5m\n", {"gmail": "F,1h,5m", "yahoo": "F,3h,5m"}),
        ("!gmail.com * F,1h,5m\n", {"gmail": "F,2h,15m; F,4d,6h"}),
        ("^.*@gmail\\.com$ * F,1h,5m\n", {"gmail": "F,1h,5m"}),
        (
            "^\\N[^@]+@(gmail|yahoo)\\.com$\\N * F,9h,5m\n",
            dict.fromkeys(["gmail", "yahoo"], "F,9h,5m"),
        ),
        # For one address, another error, some senders, or hosts: not for replies to RCPT.
        ("a@gmail.com * F,1h,5m\n", {}),
        ("gmail.com timeout F,1h,5m\n", {}),
        ("gmail.com * senders=: F,1h,5m\n", {}),
        ("*.google.com * F,1h,5m\n", {}),
        ("^gmail\\.com$ * F,1h,5m\n", {}),
    ],
)
def test_the_first_rule_that_matches_holds(put, rules, expected) -> None:
    """retry.c, retry_find_config; specification, "Choosing which retry rule to use"."""
    made = import_exim(put(rules + USUAL), "gmail=0.5,yahoo=0.3,other=0.2")
    assert retries(made) == expected
    usual = "F,1h,5m" if rules.startswith("!") else "F,2h,15m; F,4d,6h"
    assert made.scenario.mta.retry.rule == usual


def test_a_rule_without_steps_tries_once(put) -> None:
    made = import_exim(put("gmail.com *\n" + USUAL), "gmail=0.5,yahoo=0.5")
    assert made.scenario.providers["gmail"].retry == MomentumRetry(max_retries=0)
    assert made.scenario.mta.retry == EximRetry(rule="F,2h,15m; F,4d,6h")


def test_messages_live_as_long_as_the_longest_rule_lets_them(put) -> None:
    text = "retry_interval_max = 12h\nbegin retry\ngmail.com * F,9d,6h\n* * F,5d,8h\n"
    scenario = import_exim(put(text), "gmail=0.5,yahoo=0.5").scenario
    assert scenario.mta.longest_validity == 9.5 * 86_400
    assert scenario.providers["gmail"].retry.retry_interval_max == 12 * 3600


def test_named_lists_are_looked_up(put) -> None:
    text = (
        "domainlist big = gmail.com : *.yahoo.com\naddresslist those = <; yahoo.com ; a@b.org\n"
        "domainlist more = +big : ! aol.com : aol.com\n"
        "begin retry\n*@+more * F,1h,5m\n+those * F,3h,5m\n" + USUAL
    )
    made = import_exim(put(text), "gmail=0.5,yahoo=0.3,other=0.2")
    assert retries(made) == {"gmail": "F,1h,5m", "yahoo": "F,3h,5m"}


@pytest.mark.parametrize(
    "pattern",
    ["lsearch;/etc/slow", "${lookup{x}lsearch{/etc/a}}", "+unknown", "^(a+)+(b*)*(c?)+gmail.com$"],
)
def test_a_pattern_that_only_exim_can_read_is_told(put, pattern) -> None:
    made = import_exim(put(f'"{pattern}" * F,1h,5m\n{USUAL}'), "gmail=1")
    assert retries(made) == {}
    assert "cannot be read here" in warnings_of(made)[f"retry {pattern} *"]


@pytest.mark.parametrize(
    ("text", "domain", "expected"),
    [
        ("a.org : b.org", "b.org", True),
        ("a.org : b.org", "c.org", False),
        ("! a.org", "c.org", True),
        ("! a.org : *", "a.org", False),
        ("!a.org : b.org", "c.org", False),
        ("<; a.org ; c.org", "c.org", True),
        ("+local", "c.org", None),
        ("c.org : +local", "c.org", True),
        ("+local : c.org", "c.org", None),
        ("dsearch;/etc/x", "c.org", None),
        ("*.org", "c.org", True),
        ("@ : @[]", "c.org", False),
        ("^c\\.", "c.org", True),
        ("", "c.org", False),
    ],
)
def test_a_list_decides_by_its_first_match(text, domain, expected) -> None:
    assert has_domain(text, domain, {}) is expected


def test_a_long_expression_ends_in_time() -> None:
    assert matches("^(.*a)*$", "a" * 250, {}) is not None
    assert matches("^" + "(a*)*" * 40 + "$", "a" * 250, {}) is None


ROUTES = """
begin routers
slow:
  driver = dnslookup
  domains = gmail.com : googlemail.com
  transport = slow_smtp
asking:
  driver = dnslookup
  condition = ${if eq {$sender_address_domain}{a.org}}
  fallback_hosts = mail.example.org
  transport = other_smtp
rest:
  driver = dnslookup
  domains = ! +local_domains
  transport = remote_smtp
begin transports
other_smtp:
  driver = smtp
remote_smtp:
  driver = smtp
slow_smtp:
  driver = smtp
  connection_max_messages = 5
  max_parallel = 3
  serialize_hosts = *
  hosts_max_try = 3
begin retry
* * F,4d,6h
"""


def test_a_router_leads_to_the_transport_of_a_domain(put) -> None:
    text = "domainlist local_domains = @ : local.org\n" + ROUTES
    made = import_exim(put(text), "gmail=0.5,yahoo=0.5")
    gmail, yahoo = made.scenario.providers.values()
    assert (gmail.messages_per_connection, gmail.connections_per_ip) == (5, 1)
    assert (yahoo.messages_per_connection, yahoo.connections_per_ip > 1) == (500, True)
    (limit,) = made.scenario.limits
    assert (limit.connections, limit.providers) == (3, ("gmail",))
    assert "condition" in warnings_of(made)["router asking"]
    assert "not accepted at first" in warnings_of(made)["router asking: fallback_hosts"]


@pytest.mark.parametrize(
    ("option", "setting", "why"),
    [
        ("queue_only\n", "queue_only", "queue runner"),
        ("queue_smtp_domains = *\n", "queue_smtp_domains", "queue runner"),
        ("hold_domains = gmail.com\n", "hold_domains", "no mail is sent"),
        ("deliver_queue_load_max = 8\n", "deliver_queue_load_max", "load"),
    ],
)
def test_options_that_keep_mail_back_are_told(put, option, setting, why) -> None:
    """Specification, chapter "Main configuration"."""
    made = import_exim(put(f"{option}begin retry\n{USUAL}"))
    assert why in warnings_of(made)[setting]
    off = import_exim(put(f"queue_only = false\nno_queue_only_file\nbegin retry\n{USUAL}"))
    assert not warnings_of(off)


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("max_parallel = ${lookup{x}lsearch{/y}}", "no whole number"),
        ("serialize_hosts = *.google.com", "one connection at a time"),
        ("hosts_nopass_tls = 192.0.2.0/24", "one message"),
        ("interface = ${if eq{$sender_address_domain}{a.org}{192.0.2.1}{192.0.2.2}}", "--ips"),
    ],
)
def test_options_of_a_transport_that_are_not_read_are_told(put, option, why) -> None:
    text = f"begin transports\nout:\n  driver = smtp\n  {option}\nbegin retry\n{USUAL}"
    made = import_exim(put(text), "gmail=1")
    assert why in warnings_of(made)[f"out: {option.partition(' ')[0]}"]


def test_connections_with_tls_may_be_kept_for_one_message(put) -> None:
    text = (
        "begin transports\nout:\n  driver = smtp\n  hosts_nopass_tls = *\n  interface = 192.0.2.1\n"
    )
    made = import_exim(put(f"{text}begin retry\n{USUAL}"), "gmail=1")
    assert made.scenario.providers["gmail"].messages_per_connection == 1
    assert not warnings_of(made)


def test_a_table_of_domains_keeps_those_apart_that_a_rule_names(put) -> None:
    table = put("gmail.com,50\na.example.org,30\nb.example.net,20\n", "audience.csv")
    made = import_exim(put("*.example.org * F,1h,5m\n" + USUAL), table)
    assert made.scenario.deliveries[0].audience == {
        "gmail": 0.5,
        "a.example.org": 0.3,
        "other": 0.2,
    }
    assert retries(made) == {"a.example.org": "F,1h,5m"}


UNCLEAR = "cannot be read here, so that mail which no other router takes goes by this one in the"


def test_mail_goes_by_a_router_that_cannot_be_read_where_no_other_takes_it(put) -> None:
    # It was said that no mail goes by the transport whose limits the scenario has.
    text = ROUTES.replace("slow:", "slow_:").replace("  domains = ! +local", "  domains = ! +un")
    made = import_exim(put(text), "gmail=0.5,yahoo=0.5")
    warnings = warnings_of(made)
    assert f"its condition {UNCLEAR} scenario" in warnings["router asking"]
    assert "so that no mail of the scenario goes by this router" in warnings["router rest"]
    why = dict(zip(made.report["scenario"], made.report["why"], strict=True))
    assert why["providers.yahoo.messages_per_connection = 500"] == "transport other_smtp"


def test_a_router_to_the_transport_that_all_mail_has_is_not_told(put) -> None:
    text = """
begin routers
signing:
  driver = dnslookup
  condition = ${if eq {$sender_address_domain}{a.org}}
  transport = remote_smtp
rest:
  driver = dnslookup
  transport = remote_smtp
begin transports
remote_smtp:
  driver = smtp
begin retry
* * F,4d,6h
"""
    assert not warnings_of(import_exim(put(text), "gmail=0.5,yahoo=0.5"))
    # Without the other router, it takes all mail, and that is told.
    alone = text[: text.index("rest:")] + text[text.index("begin transports") :]
    warning = warnings_of(import_exim(put(alone), "gmail=1"))["router signing"]
    assert UNCLEAR in warning
