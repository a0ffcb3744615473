"""Postfix: main.cf, master.cf and the map of transports."""

from __future__ import annotations

import pytest

from sendcap.errors import SendcapError
from sendcap.importers import import_postfix
from sendcap.scenario import Gap, PostfixRetry

MAIN = """
# How we send
myhostname = mx.example.org
default_destination_concurrency_limit = 30
smtp_destination_concurrency_limit = $default_destination_concurrency_limit
slow_destination_concurrency_limit = 4
careful_destination_rate_delay = 1s
minimal_backoff_time = 600
maximal_backoff_time = 2h
maximal_queue_lifetime = 2
smtp_connection_reuse_count_limit = 50
connection_cache_ttl_limit = 1m
"""
MASTER = """
smtp      inet  n       -       y       -       -       smtpd
smtp      unix  -       -       y       -       -       smtp
slow      unix  -       -       y       -       3       smtp
  -o smtp_connection_cache_on_demand=no -o { smtp_connection_cache_time_limit = 9s }
careful   unix  -       -       y       -       -       smtp
"""
TRANSPORT = """
gmail.com     slow:
yahoo.com\tcareful:
.example.org  slow:[mx.example.org]
"""


def rows(made, status: str):
    return made.report[made.report["status"] == status].set_index("setting")


def test_what_nothing_replaces_is_not_called_replaced(put) -> None:
    text = "myhostname = mx.example.org\nmyorigin = example.org\ndefault_process_limit = 900\n"
    why = import_postfix(put(text), {"gmail": 1.0}).report.set_index("setting")["why"]
    assert why["myhostname"] == why["myorigin"] == "does not decide how fast mail is sent"
    assert "other limits are lower" in why["default_process_limit"]


def test_without_settings_postfixs_defaults_hold(put) -> None:
    made = import_postfix(put("mail_name = Postfix\n"), {"gmail": 1.0})
    gmail = made.scenario.providers["gmail"]
    assert (gmail.connections_per_ip, gmail.messages_per_connection) == (20, "unlimited")
    assert (gmail.idle_timeout, gmail.rate) == (2, None)
    assert made.scenario.mta.retry == PostfixRetry()
    assert made.scenario.mta.ips == 1
    assert made.scenario.mta.suspend is None
    assert rows(made, "used").empty
    assert "default_destination_concurrency_limit" in rows(made, "default").index


def test_a_transports_own_parameters_come_before_the_defaults(put) -> None:
    made = import_postfix(put(MAIN), {"slow": 0.5, "other": 0.5}, other_domains=1)
    providers = made.scenario.providers
    assert providers["slow"].connections_per_ip == 4
    assert providers["other"].connections_per_ip == 30
    assert providers["other"].messages_per_connection == 51


def test_messages_live_as_long_as_postfix_lets_them(put) -> None:
    made = import_postfix(put("maximal_queue_lifetime = 6d\n"), {"gmail": 1.0})
    # The last failure may come a backoff and a scan of the queue after the lifetime.
    lives_s = 6 * 86_400 + 4000 + 300
    assert made.scenario.mta.longest_validity == lives_s
    assert [delivery.validity for delivery in made.scenario.deliveries] == [lives_s]
    assert "validity" not in " ".join(made.report["why"])


def test_backoff_is_read_with_each_parameters_own_unit(put) -> None:
    retry = import_postfix(put(MAIN), {"gmail": 1.0}).scenario.mta.retry
    assert retry == PostfixRetry(
        minimal_backoff_time="600s", maximal_backoff_time="2h", maximal_queue_lifetime="2d"
    )
    one_attempt = import_postfix(put("maximal_queue_lifetime = 0"), {"gmail": 1.0}).scenario
    assert 0 < one_attempt.mta.retry.maximal_queue_lifetime < 1


def test_the_map_of_transports_and_master_cf_decide_for_a_domain(put) -> None:
    made = import_postfix(
        put(MAIN),
        {"gmail": 0.4, "yahoo": 0.4, "a.example.org": 0.1, "other": 0.1},
        master_cf=put(MASTER, "master.cf"),
        transport=put(TRANSPORT, "transport"),
        other_domains=1,
    )
    providers = made.scenario.providers
    # Four are allowed, but there are three processes; and they keep no connections.
    for name in ("gmail", "a.example.org"):
        assert providers[name].connections_per_ip == 3
        assert (providers[name].messages_per_connection, providers[name].idle_timeout) == (1, 9)
    # A delay makes it one delivery at a time.
    assert providers["yahoo"].connections_per_ip == 1
    assert providers["yahoo"].rate == Gap(pause="1s")
    assert providers["other"].connections_per_ip == 30


def test_a_table_of_domains_is_put_together_by_transport(put) -> None:
    table = "domain,count\ngmail.com,50\nb.example.org,10\nc.example.org,20\nhotmail.com,10\n"
    table += "outlook.com,5\nsome.net,5\n"
    made = import_postfix(
        put(MAIN), put(table, "audience.csv"), transport=put(TRANSPORT, "transport")
    )
    delivery = made.scenario.deliveries[0]
    assert delivery.audience == {"slow": 0.8, "outlook": 0.15, "other": 0.05}
    assert delivery.messages == 100
    # gmail.com and the one next hop of example.org: two destinations of four each.
    assert made.scenario.providers["slow"].connections_per_ip == 8
    assert made.scenario.providers["outlook"].connections_per_ip == 60


def test_processes_bound_connections_and_what_transports_share_is_told(put) -> None:
    main = put("default_process_limit = 50\ndefault_destination_concurrency_limit = 40")
    made = import_postfix(main, {"gmail": 0.5, "other": 0.5})
    providers = made.scenario.providers
    assert providers["gmail"].connections_per_ip == 40
    assert providers["other"].connections_per_ip == 50
    assert "90 connections" in rows(made, "warning").loc["process limit"]["why"]


def test_slips_are_told(put) -> None:
    text = (
        "relayhost = [smtp.example.org]\nminimal_backoff_time = 1\nminimal_backoff_time = 400s\n"
        "default_destination_recipient_limit = 1\n"
    )
    warnings = rows(import_postfix(put(text), {"gmail": 1.0}), "warning")["why"]
    assert "all mail goes to this host" in warnings["relayhost"]
    assert "that value counts" in warnings["minimal_backoff_time"]
    assert "to each recipient" in warnings["default_destination_recipient_limit"]


def test_lines_continue_with_comments_between(put) -> None:
    text = "default_destination_concurrency_limit =\n  7\n# a comment\n\n  0\n"
    with pytest.raises(SendcapError, match=r':1: .*_concurrency_limit: "7 0" is no'):
        import_postfix(put(text), {"gmail": 1.0})
    made = import_postfix(put(text.replace("\n  0", "")), {"gmail": 1.0})
    assert made.scenario.providers["gmail"].connections_per_ip == 7


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("$a", 7),
        ("${a}", 7),
        ("$(a)", 7),
        ("1$a", 17),
        ("${a?5}", 5),
        ("${a:5}6", 6),
        ("${nothing:5}", 5),
        ("${nothing?5}6", 6),
        ("$b", 7),
        ("$default_destination_recipient_limit", 50),
    ],
)
def test_parameters_refer_to_others(put, value, expected) -> None:
    text = f"default_destination_concurrency_limit = {value}\na = 7\nb = ${{a}}\n"
    made = import_postfix(put(text), {"gmail": 1.0})
    assert made.scenario.providers["gmail"].connections_per_ip == expected


@pytest.mark.parametrize(
    ("destinations", "messages"),
    [("gmail.com, a.org", "unlimited"), ("a.org", 1), ("hash:/etc/kept", "unlimited"), ("", 1)],
)
def test_without_demand_connections_are_kept_for_listed_destinations(
    put, destinations, messages
) -> None:
    text = (
        "smtp_connection_cache_on_demand = no\n"
        f"smtp_connection_cache_destinations = {destinations}\n"
    )
    made = import_postfix(put(text), {"gmail": 1.0})
    assert made.scenario.providers["gmail"].messages_per_connection == messages


def test_the_output_of_postconf_is_read_too(put) -> None:
    text = "smtp_destination_concurrency_limit = 9\nsmtp_tls_ciphers = medium\nempty =\n"
    text += "postconf: warning: /etc/postfix/main.cf: unused parameter: a=b\n"
    made = import_postfix(put(text), {"gmail": 1.0})
    assert made.scenario.providers["gmail"].connections_per_ip == 9
    assert "TLS" in rows(made, "not used").loc["smtp_tls_ciphers"]["why"]


def test_every_parameter_is_in_the_report_once(put) -> None:
    made = import_postfix(put(MAIN), {"slow": 0.5, "careful": 0.3, "other": 0.2})
    reported = made.report[made.report["where"] != ""]
    names = {line.partition(" =")[0] for line in MAIN.splitlines() if " = " in line}
    assert names <= set(reported["setting"])
    assert not set(rows(made, "used").index) & set(rows(made, "not used").index)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "main.cf: line 1: is not a parameter"),
        ("a = 1\n\nb c = 2", "main.cf: line 3: is not a parameter"),
        ("  a = 1", "main.cf: line 1: begins with a space"),
        (
            "minimal_backoff_time = soon",
            'main.cf:1: minimal_backoff_time: "soon" is not a duration',
        ),
        ("default_process_limit = -1", '"-1" is not a whole number'),
        ("smtp_connection_cache_on_demand = 1", "is neither yes nor no"),
        ("queue_run_delay = $queue_run_delay", "queue_run_delay: refers to itself"),
        ("a = $b\nb = $a\nqueue_run_delay = $a", "main.cf:1: a: refers to itself"),
        ("minimal_backoff_time = 2h", "is less than minimal_backoff_time"),
        (
            "".join(f"a{n} = $a{n + 1}$a{n + 1}\n" for n in range(40))
            + "a40 = xxxxxxxxxxxxxxx\nqueue_run_delay = $a0",
            "expands to more than 10,000 characters",
        ),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(put, text, message) -> None:
    with pytest.raises(SendcapError) as caught:
        import_postfix(put(text, "main.cf"), {"gmail": 1.0})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("master", "transport", "message"),
    [
        ("smtp unix - -", "", "master.cf: line 1: is not a service"),
        (
            "smtp unix - - n - x smtp",
            "",
            'master.cf: line 1: maxproc must be a number or -, not "x"',
        ),
        ("", "gmail.com", "transport: line 1"),
    ],
)
def test_the_other_files_are_checked_too(put, master, transport, message) -> None:
    with pytest.raises(SendcapError) as caught:
        import_postfix(
            put("mail_name = Postfix\n"),
            master_cf=put(master or "smtp unix - - n - - smtp", "master.cf"),
            transport=put(transport or "gmail.com slow:", "transport"),
        )
    assert message in str(caught.value)
