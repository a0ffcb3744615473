"""KumoMTA's metrics as docs/reference/metrics/kumod and docs/reference/http/sample-metrics.* have
them, names of queues as docs/reference/queues.md, tables as crates/kcli/src/queue_summary.rs.
"""

from __future__ import annotations

import json
import re

import pytest
from queue_lists import summed

from sendcap.errors import ConfigurationError
from sendcap.importers.queue_files import Queued

METRICS = """\
# HELP disk_free_bytes number of available bytes in a monitored location
# TYPE disk_free_bytes gauge
disk_free_bytes{name="data spool"} 15658725376
# HELP ready_count number of messages in the ready queue
# TYPE ready_count gauge
ready_count{service="smtp_client"} 46
ready_count{service="smtp_client:ip-1->(alt1|alt2)?.gmail-smtp-in.l.google.com@smtp_client"} 40
ready_count{service="smtp_client:ip-2->mx_list:mx1.example.org,mx2.example.org@smtp_client"} 6
ready_count{service="lua:unspecified->hook.tsa.kumomta@lua:tsa.hook"} 7
# HELP scheduled_count number of messages in the scheduled queue
# TYPE scheduled_count gauge
scheduled_count{queue="newsletter:acme@gmail.com"} 30000
scheduled_count{queue="acme@example.org!smarthost.example"} 1.5e3
scheduled_count{queue="yahoo.co.uk"} 12
scheduled_count{queue="127.0.0.1:8008.tsa.kumomta"} 3
scheduled_count_total 31515
queued_count_by_provider{provider="Google"} 30040
"""


def test_ready_messages_are_due_and_scheduled_ones_wait(listed) -> None:
    queue = listed(METRICS)
    assert queue.format == "kumomta"
    site = "(alt1|alt2)?.gmail-smtp-in.l.google.com"
    assert set(queue.queued) == {
        Queued("gmail.com", "gmail", 30_000),
        Queued("example.org", "other", 1500),
        Queued("yahoo.co.uk", "yahoo", 12),
        Queued(site, "gmail", 40, due_s=0.0),
        Queued("mx1.example.org", "other", 6, due_s=0.0),
    }
    assert queue.notes == (
        "10 messages of KumoMTA's own queues left out, such as those of log hooks.",
        "The file does not say how old the messages are.",
    )


def test_metrics_of_a_server_of_metrics(listed) -> None:
    # Federated: labels of the job, a time stamp.
    text = (
        'scheduled_count{instance="mx1:8000",job="kumomta",queue="a\\"@gmail.com"} 5 1764466000\n'
        'scheduled_count{instance="mx2:8000",job="kumomta",queue="b@gmail.com"} 6 1764466000000\n'
    )
    assert summed(listed(text), "domain") == {"gmail.com": 11}


def test_names_may_have_a_prefix(listed) -> None:
    # As /metrics?prefix=kumomta_ gives them.
    text = re.sub(r"^([a-z])", r"kumomta_\1", METRICS, flags=re.MULTILINE)
    text += "tokio_io_driver_ready_count 0\n"
    assert set(listed(text).queued) == set(listed(METRICS).queued)


def test_without_queues_the_providers_count(listed) -> None:
    text = (
        'queued_count_by_provider{provider="google"} 7\n'
        'queued_count_by_provider{provider="mta5.am0.yahoodns.net"} 4\n'
    )
    queue = listed(text)
    assert summed(queue, "provider", "due_s") == {("gmail", None): 7, ("yahoo", None): 4}
    assert queue.notes[0].startswith("Ready and scheduled messages are counted together")
    pooled = 'queued_count_by_provider_and_pool{provider="google",pool="warm"} 7\n'
    assert summed(listed(text + pooled), "provider", "pool") == {("gmail", "warm"): 7}


def test_metrics_as_json(listed) -> None:
    metrics = {
        "memory_limit": {"type": "gauge", "value": 1.0},
        "scheduled_count": {"value": {"queue": {"acme@gmail.com": 12.0, "a@b@me.com": 1}}},
        "ready_count": {"value": {"service": {"smtp_client:source1->mx.aol.com": 46.0}}},
    }
    for indent in (None, 2):
        queue = listed(json.dumps(metrics, indent=indent))
        assert summed(queue, "domain") == {"gmail.com": 12, "me.com": 1, "mx.aol.com": 46}
    with pytest.raises(
        ConfigurationError, match="is damaged or cut JSON; write what the MTA gives"
    ):
        listed(json.dumps(metrics, indent=2)[:-30])


SUMMARY = """\
SITE                                  SOURCE PROTO           D     T  C      Q
(alt1|alt2)?.gmail-smtp-in.google.com ip-1   smtp_client 1,000     0 10  1,024 delayed: 5 @ 2025
163mx01.mxmail.netease.com            ip-1   smtp_client     0     0  0      9 🛑suspend: 421 too
hook.example                          any    lua:hook        0     0  0      3

SCHEDULED QUEUE COUNT
acme@163.com    7
acme@gmail.com  1,234,567
old@aol.com     88 🗑️ bounce: cleaning up
acme@me.com     5 🛑suspend: 20 complaints
"""


def test_the_tables_of_kcli_say_what_is_suspended(listed) -> None:
    queue = listed(SUMMARY)
    assert summed(queue, "provider", "due_s", "held") == {
        ("gmail", None, False): 1_234_567,
        ("gmail", 0.0, False): 1024,
        ("163", 0.0, True): 9,
        ("163", None, False): 7,
        ("icloud", None, True): 5,
    }
    assert summed(queue, "pool") == {None: 1_235_612}
    assert queue.notes[:2] == (
        "88 messages left out, as their queues are being bounced.",
        "3 messages of KumoMTA's own queues left out, such as those of log hooks.",
    )


@pytest.mark.parametrize("value", ["NaN", "-1", "+Inf", "1e300", "x", "2e9"])
def test_values_that_count_nothing_are_left_out(listed, value) -> None:
    queue = listed(f'{METRICS}scheduled_count{{queue="a.org"}} {value}\n')
    assert "a.org" not in summed(queue, "domain")
    assert "its value is no number of messages from 0 to 1,000,000,000" in queue.notes[-1]


def test_no_queue_is_an_empty_one(listed) -> None:
    assert listed("# HELP lua_count the number\n# TYPE lua_count gauge\nlua_count 1\n").queued == ()
    assert listed('scheduled_count{queue="gmail.com"} 0\n').queued == ()


def test_a_damaged_line_is_counted(listed) -> None:
    queue = listed(f'{METRICS}scheduled_count{{queue="a.o')
    assert queue.notes[-1].startswith("1 line left out, line 18 first: it is no value of a metric")
