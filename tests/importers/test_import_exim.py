"""Exim: its retry rules."""

from __future__ import annotations

from typing import Any

import pytest

import sendcap
from sendcap.errors import SendcapError
from sendcap.importers import import_exim
from sendcap.importers.exim.transports import MOST_RUNNERS
from sendcap.scenario import EximRetry, SharedLimit

WHOLE = """
primary_hostname = mx.example.org
retry_interval_max = 12h
remote_max_parallel = 10
hide mysql_servers = localhost/db/user/secret_password

begin acl
acl_check_rcpt:
  accept hosts = :

begin transports
remote_smtp:
  driver = smtp

begin retry
# Address or Domain    Error       Retries
aol.com                *           F,24h,30m; F,4d,6h
*                      quota
*                      rcpt_4xx    senders=: F,1h,10m
*                      *           F,2h,15m; \\
                                   G,16h,1h,1.5; F,5d,8h

begin rewrite
"""


def test_the_rule_for_all_mail_becomes_the_policy(put) -> None:
    made = import_exim(put("*  *  F,2h,15m; G,16h,1h,1.5; F,4d,6h"))
    assert made.scenario.mta.retry == EximRetry()


def test_a_whole_configuration_is_read(put) -> None:
    made = import_exim(put(WHOLE))
    expected = EximRetry(rule="F,2h,15m; G,16h,1h,1.5; F,5d,8h", retry_interval_max="12h")
    assert made.scenario.mta.retry == expected
    # The last failure may come a delay after the last cutoff.
    assert made.scenario.honoured_validity(made.scenario.deliveries[0]) == (5 + 0.5) * 86_400
    unused = made.report[made.report["status"] == "not used"]
    assert {"retry aol.com *", "retry * quota", "remote_max_parallel"} <= set(unused["setting"])
    assert "mysql_servers" in set(unused["setting"])
    assert "secret_password" not in made.report.to_csv() + made.text
    assert made.report.set_index("setting").loc["retry * *"]["where"].endswith("configuration:20")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  connection_max_messages = 50", 50),
        ("  connection_max_messages = 0", "unlimited"),
        ("", 500),
    ],
)
def test_messages_per_connection_are_those_of_the_smtp_transport(put, line, expected) -> None:
    other = (
        "local:\n  driver = appendfile\nlater:\n  driver = smtp\n  connection_max_messages = 7\n"
    )
    text = WHOLE.replace("  driver = smtp\n", f"  driver = smtp\n{line}\n{other}")
    made = import_exim(put(text), "gmail=0.7,hotmail=0.3")
    for name in ("gmail", "hotmail"):
        assert made.scenario.providers[name].messages_per_connection == expected
    unused = made.report[made.report["status"] == "not used"].set_index("setting")["why"]
    assert (
        unused["connection_max_messages"] == "transport later; the scenario has that of remote_smtp"
    )


def test_providers_keep_the_bases_limits(put) -> None:
    made = import_exim(put("* * F,4d,6h"), "gmail=0.7,hotmail=0.3").scenario
    base = sendcap.load("quickstart")
    assert made.providers["gmail"] == base.providers["gmail"]
    assert made.providers["hotmail"] == base.providers["outlook"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("begin retry", "has no retry rule for all mail"),
        ("aol.com * F,4d,6h", "has no retry rule for all mail"),
        ("* *", "line 1: this rule retries nothing"),
        ("*", "line 1: is not a retry rule"),
        ("\n* * X,4d,6h", 'conf:2: rule: "X,4d,6h" must start with F, G or H'),
        ("* * F,4d", "must have the form F,cutoff,interval"),
        ("* * F,4d,6", '"6" is not a duration'),
        ('"* * F,4d,6h', "unclosed quotation mark"),
        (
            "begin transports\na:\ndriver = smtp\nconnection_max_messages = many\nbegin retry\n",
            'conf:4: connection_max_messages: "many" is not a whole number',
        ),
        ("retry_interval_max = x\nbegin retry\n* * F,4d,6h", "conf:1: retry_interval_max: "),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(put, text, message) -> None:
    with pytest.raises(SendcapError) as caught:
        import_exim(put(text, "conf"))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


RUNNERS = SharedLimit(name="queue runners", attempts="retries", connections=5, one_more_every="30m")
"""Those of an Exim that says nothing of them, with -q30m."""


def test_queue_runners_are_a_limit_on_retries_under_every_rule(put) -> None:
    text = "gmail.com * F,1h,5m\n* * F,2h,15m; F,4d,6h\n"
    made = import_exim(put(text), "gmail=0.5,other=0.5", queue_interval="30m")
    assert made.scenario.mta.retry == EximRetry(rule="F,2h,15m; F,4d,6h")
    assert made.scenario.providers["gmail"].retry == EximRetry(rule="F,1h,5m")
    assert made.scenario.limits == (RUNNERS,)
    # The last failure may come a delay and a run after the last cutoff.
    assert made.scenario.mta.longest_validity == (4 + 1) * 86_400 + 1800
    assert not (made.report["status"] == "warning").any()
    without = import_exim(put(text), "gmail=0.5,other=0.5")
    assert not (without.report["status"] == "warning").any()
    assert without.scenario.limits == ()
    told = without.report.set_index("setting").loc["queue runs"]
    assert "--queue-interval" in told["why"]


@pytest.mark.parametrize("interval", ["", "30", "1ms", "soon"])
def test_an_interval_of_queue_runs_is_a_time(put, interval) -> None:
    with pytest.raises(SendcapError, match="queue_interval: "):
        import_exim(put("* * F,4d,6h"), queue_interval=interval)


@pytest.mark.parametrize(
    ("options", "connections"),
    [
        ("queue_only\nqueue_run_max = 3\n", 3),
        ("queue_only\n", 5),
        ("queue_only\nqueue_run_max = 0\n", None),
        ("no_queue_only\nqueue_run_max = 3\n", None),
        ("queue_run_max = 3\n", None),
    ],
)
def test_where_queue_runners_alone_send_their_number_is_a_limit(put, options, connections) -> None:
    """daemon.c, daemon_qrun: a runner delivers one message after the other."""
    made = import_exim(put(options + WHOLE), "gmail=0.7,hotmail=0.3")
    found = [limit.connections for limit in made.scenario.limits]
    assert found == ([] if connections is None else [connections])


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        ("", {}),
        ("queue_run_max = 12\n", {"connections": 12}),
        ("queue_run_max = 0\n", {"connections": MOST_RUNNERS}),
        ("queue_run_max = ${if eq{a}{b}{3}{4}}\n", {}),
        ("queue_only\nqueue_run_max = 3\n", {"connections": 3, "attempts": "all"}),
    ],
)
def test_each_queue_run_starts_one_more_runner(put, options: str, changes: dict[str, Any]) -> None:
    """queue.c, queue_run: a runner goes through the queue, one message after the other."""
    made = import_exim(put(options + WHOLE), "gmail=0.7,hotmail=0.3", queue_interval="30m")
    assert made.scenario.limits == (RUNNERS.model_copy(update=changes),)


@pytest.mark.parametrize(("accepts", "connections"), [(3, 3), ("none", 8)])
def test_who_is_refused_goes_by_a_connection_that_is_open(put, accepts, connections) -> None:
    """transport.c, transport_check_waiting: one is used for messages that wait for the host."""
    own = {"providers.gmail.connections_per_ip": 8, "providers.gmail.accepts_connections": accepts}
    base = put(sendcap.dumps(sendcap.updated(sendcap.load("quickstart"), own)), "base.toml")
    gmail = import_exim(put(WHOLE), "gmail=1", base=base).scenario.providers["gmail"]
    assert (gmail.connections_per_ip, gmail.accepts_connections) == (connections, None)


def test_no_connection_is_idle(put) -> None:
    """smtp.c: a connection is used again for a message that waits for the host, or closed."""
    made = import_exim(put(WHOLE), "gmail=0.7,hotmail=0.3")
    assert {each.idle_timeout for each in made.scenario.providers.values()} == {0.0}


def test_messages_that_wait_for_a_runner_are_warned_of(put) -> None:
    for number, warned in ((0, False), (10, True)):
        made = import_exim(put(f"smtp_accept_queue_per_connection = {number}\n{WHOLE}"))
        own = made.report[made.report["setting"] == "smtp_accept_queue_per_connection"]
        assert list(own["status"] == "warning") == [warned]
