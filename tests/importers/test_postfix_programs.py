"""Postfix: which program reads a parameter, and what lasts how long."""

from __future__ import annotations

import pytest

from sendcap.importers import import_postfix
from sendcap.scenario import PostfixScaling

DAY = 86_400


def made_of(put, main, master, audience="gmail=1", **options):
    return import_postfix(
        put(main, "main.cf"), audience, master_cf=put(master, "master.cf"), **options
    )


def warnings_of(made) -> dict[str, str]:
    report = made.report[made.report["status"] == "warning"]
    return dict(zip(report["setting"], report["why"], strict=True))


def test_the_case_that_was_shown(shared) -> None:
    """postconf(5): the concurrency limit "is enforced by the queue manager"."""
    case = shared("cases/36-postfix-o-concurrency/main.cf")
    made = import_postfix(case, "gmail=1", master_cf=case.with_name("master.cf"))
    assert made.scenario.providers["gmail"].connections_per_ip == 10
    assert "no effect" in warnings_of(made)["smtp: smtp_destination_concurrency_limit"]


@pytest.mark.parametrize(
    "option",
    [
        "default_destination_concurrency_limit=3",
        "smtp_destination_rate_delay=1s",
        "default_transport_rate_delay=2s",
        "minimal_backoff_time=1s",
        "maximal_queue_lifetime=1h",
        "queue_run_delay=1s",
        "default_process_limit=2",
        "relayhost=[mail.example.org]",
        "qmgr_message_active_limit=10",
    ],
)
def test_an_option_of_a_client_changes_nothing_that_others_read(put, option) -> None:
    """qmgr.c, trivial-rewrite.c and master read these, each from main.cf or its own line."""
    plain = made_of(put, "mail_name = Postfix", "smtp unix - - n - - smtp")
    made = made_of(put, "mail_name = Postfix", f"smtp unix - - n - - smtp -o {option}")
    assert made.scenario == plain.scenario
    assert "has no effect" in warnings_of(made)[f"smtp: {option.partition('=')[0]}"]


def test_options_of_the_queue_manager_and_the_router_hold(put) -> None:
    master = (
        "qmgr fifo n - n 300 1 qmgr -o smtp_destination_concurrency_limit=6\n"
        "  -o { maximal_queue_lifetime = 1d } -o minimal_backoff_time=100s\n"
        "rewrite unix - - n - - trivial-rewrite -o relayhost=[mail.example.org]\n"
        "smtp unix - - n - - smtp\n"
    )
    made = made_of(put, "smtp_destination_concurrency_limit = 10", master, "gmail=0.5,yahoo=0.5")
    scenario = made.scenario
    assert [each.connections_per_ip for each in scenario.providers.values()] == [6, 6]
    assert [limit.connections for limit in scenario.limits] == [6]
    assert scenario.mta.retry.minimal_backoff_time == 100
    assert scenario.mta.longest_validity == DAY + 4000 + 300


def test_options_of_every_program_are_in_the_report(put) -> None:
    master = (
        "qmgr unix n - n 300 1 qmgr -o qmgr_message_recipient_limit=9 -o queue_run_delay=1m\n"
        "smtp unix - - n - - smtp -o smtp_helo_timeout=9 -o syslog_name=out\n"
        "other unix - - n - - smtp -o smtp_helo_timeout=9\n"
    )
    made = made_of(put, "mail_name = Postfix", master)
    report = made.report.set_index("setting")
    assert report.loc["queue_run_delay", "status"] == "used"
    names = ("qmgr: qmgr_message_recipient_limit", "smtp: smtp_helo_timeout", "smtp: syslog_name")
    assert set(report.loc[list(names), "status"]) == {"not used"}
    assert "other: smtp_helo_timeout" not in report.index


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("smtp unix - - n - 4 smtp", 4),
        ("smtp unix - - n - 0 smtp", 20),
        ("smtp unix - - n - - smtp -o smtp_connect_timeout=5s -v", 20),
    ],
)
def test_the_processes_of_a_client_count(put, line, expected) -> None:
    """master(5), maxproc."""
    made = made_of(put, "mail_name = Postfix", line)
    assert made.scenario.providers["gmail"].connections_per_ip == expected


def test_a_lifetime_beyond_adobes_holds(shared) -> None:
    made = import_postfix(shared("cases/03-postfix-lifetime-5d/main.cf"), "gmail=1")
    (delivery,) = made.scenario.deliveries
    assert made.scenario.honoured_validity(delivery) >= 5 * DAY


def test_a_lifetime_beyond_the_models_is_told(put) -> None:
    made = import_postfix(put("maximal_queue_lifetime = 60w"), "gmail=1")
    assert made.scenario.mta.longest_validity == 366 * DAY
    assert "at most 366d" in warnings_of(made)["maximal_queue_lifetime"]


@pytest.mark.parametrize(
    ("text", "lives_s"),
    [
        # qmgr_active.c: only a message without a sender lives for bounce_queue_lifetime.
        ("bounce_queue_lifetime = 1h", 5 * DAY),
        ("maximal_queue_lifetime = 2w", 14 * DAY),
        ("maximal_queue_lifetime = 12h\nbounce_queue_lifetime = 9d", DAY / 2),
    ],
)
def test_a_message_lives_as_long_as_postfix_says(put, text, lives_s) -> None:
    made = import_postfix(put(text), "gmail=1")
    assert made.scenario.mta.longest_validity == lives_s + 4000 + 300
    assert made.scenario.mta.retry.maximal_queue_lifetime == lives_s


FEEDBACK = """
default_destination_concurrency_positive_feedback = 1/concurrency
smtp_destination_concurrency_negative_feedback = 1 / sqrt_concurrency
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail_name = Postfix", PostfixScaling()),
        ("smtp_initial_destination_concurrency = 2", PostfixScaling(initial=2)),
        # qmgr_transport.c: no more at first than at most.
        ("smtp_destination_concurrency_limit = 3", PostfixScaling(initial=3)),
        (
            FEEDBACK,
            PostfixScaling(positive="1/concurrency", negative="1/sqrt_concurrency"),
        ),
        ("other_initial_destination_concurrency = 2", PostfixScaling()),
        # qmgr_queue.c: qmgr_queue_throttle.
        ("minimal_backoff_time = 20s", PostfixScaling(dead_for="20s")),
        (
            "default_destination_concurrency_failed_cohort_limit = 0",
            PostfixScaling(failed_cohorts=None),
        ),
        ("smtp_destination_concurrency_failed_cohort_limit = 9", PostfixScaling(failed_cohorts=9)),
    ],
)
def test_the_window_of_deliveries_is_postfixs(put, text, expected) -> None:
    """SCHEDULER_README; qmgr_feedback.c."""
    made = import_postfix(put(text), "gmail=1")
    assert made.scenario.providers["gmail"].connection_scaling == expected


@pytest.mark.parametrize("value", ["0.5", "0.5/concurrency", "1/8", "often"])
def test_a_feedback_that_the_model_has_not_is_told(put, value) -> None:
    name = "default_destination_concurrency_negative_feedback"
    made = import_postfix(put(f"{name} = {value}"), "gmail=1")
    assert "the model" in warnings_of(made)[name]


@pytest.mark.parametrize(
    ("main", "option", "told"),
    [
        ("smtp_fallback_relay = b.org", "", True),
        ("smtp_fallback_relay = b.org", "-o smtp_fallback_relay=", False),
        ("a = b", "-o smtp_fallback_relay=b.org", True),
        ("soft_bounce = no", "", False),
        ("soft_bounce = yes", "", True),
        ("smtp_reply_filter = pcre:/x", "", True),
    ],
)
def test_what_the_scenario_leaves_out_is_told_if_it_is_in_use(put, main, option, told) -> None:
    made = made_of(put, main, f"smtp unix - - n - - smtp {option}")
    assert bool(warnings_of(made)) is told
