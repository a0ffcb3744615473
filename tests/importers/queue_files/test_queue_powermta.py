"""Tables of the PowerMTA 5.0 User's Guide, 6.3.12 and 6.3.13; fields of the other outputs as public
programs read them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from queue_lists import MOMENT_S, summed

from sendcap.importers.queue_files import Queued

DOMAINS = """\
$ pmta show domains
-----------------------------domain --#rcpt ---kbytes conn last error----------
                          gmail.com   30007      30.6    2
                            aol.com       8      30.6    0 421 4.7.0 [TSS04] temporarily deferred
                  test18.port25.com       3      30.6    0 ETIMEDOUT connect...

20 of 30 domains shown.
"""


def test_domains(listed) -> None:
    queue = listed(DOMAINS.partition("\n")[2])
    assert queue.format == "powermta"
    assert set(queue.queued) == {
        Queued("gmail.com", "gmail", 30_007, due_s=0.0),
        Queued("aol.com", "yahoo", 8, due_s=0.0, reason="throttled"),
        Queued("test18.port25.com", "other", 3, due_s=0.0, reason="unreachable"),
    }
    assert queue.notes == (
        "Only 20 of 30 queues are listed: --maxitems=100000 lists all.",
        "The file does not say how old the messages are.",
    )


def clock(seconds: float) -> str:
    return f"{datetime.fromtimestamp(MOMENT_S) + timedelta(seconds=seconds):%H:%M:%S}"


def queues() -> str:
    return f"""\
queue           #rcpt kbytes conn st    retry last error
--------------- ----- ------ ---- -- -------- ----------
*/*
gmail.com/vmta1   2    0.2    0    {clock(600)} 452 4.2.2 over quota
aol.rollup/vmta2  5    0.2    0 B  {clock(-60)}
yahoo.com/vmta1  40    0.2    3    {clock(600)}
me.com/vmta1     50    0.2    0 P
web.de           60    0.2    0

Recipient Events (deliveries:4, bounces:1, deferrals:1)
-------------------------------------------------------
delivered | 2014-11-24 09:35:09 | 10.25.25.235 | kf@example.com | jobid1 | smtp;250 DATA ok
bounced | 2014-11-24 09:36:09 | 10.25.25.235 | vc@example.com | smtp;550 No3 of 3 matching queues.
"""


def test_queues_have_a_pool_a_state_and_a_next_retry(listed) -> None:
    queue = listed(queues())
    assert set(queue.queued) == {
        Queued("gmail.com", "gmail", 2, due_s=600.0, reason="mailbox full", pool="vmta1"),
        Queued("aol.rollup", "yahoo", 5, due_s=0.0, pool="vmta2"),
        Queued("yahoo.com", "yahoo", 40, due_s=0.0, pool="vmta1"),
        Queued("me.com", "icloud", 50, due_s=0.0, pool="vmta1", held=True),
        Queued("web.de", "gmx", 60, due_s=0.0),
    }
    assert queue.notes[0].startswith("1 queue with a next retry, read as local time after ")
    assert queue.notes[1:] == (
        "1 paused queue: held until somebody resumes it.",
        "The file does not say how old the messages are.",
    )


@pytest.mark.parametrize("seconds", [1, 3599, 39_600])
def test_the_next_retry_may_be_after_midnight(listed, seconds) -> None:
    for moment in range(0, 86_400, 7200):
        text = queues().replace(clock(600), f"{shifted(moment + seconds):%H:%M:%S}")
        queue = listed(text, moment_s=MOMENT_S + moment)
        assert summed(queue, "domain", "due_s")["gmail.com", float(seconds)] == 2


def shifted(seconds: float) -> datetime:
    return datetime.fromtimestamp(MOMENT_S) + timedelta(seconds=seconds)


DOM = """\
rsp.status="success"
data.queue[0].name="gmail.com/vmta1"
data.queue[0].rcp="35000"
data.queue[0].kb="12.5"
data.queue[0].conn="0"
data.queue[0].paused="false"
data.queue[0].mode="backoff"
data.queue[0].retryTime="{retry}"
data.queue[0].event[0].time="2025-11-30 01:20:00"
data.queue[0].event[0].text="452 4.2.2 over quota"
data.queue[0].event[1].time="2025-11-30 01:10:00"
data.queue[0].event[1].text="connection timed out"
data.queue[1].name="aol.com/vmta2"
data.queue[1].rcp="12"
data.queue[1].paused="true"
"""
XML = (
    '<?xml version="1.0"?><rsp><data><queue><name>gmail.com/vmta1</name><rcp>35000</rcp><kb>12.5'
    "</kb><conn>0</conn><paused>false</paused><mode>backoff</mode><retryTime>{retry}</retryTime>"
    "<event><time>2025-11-30 01:20:00</time><text>452 4.2.2 &lt;over quota&gt;</text></event>"
    "</queue><queue><name>aol.com/vmta2</name><rcp>12</rcp><paused>true</paused></queue></data></rsp>"
)
JSON = (
    '{"data": {"queue": [{"name": "gmail.com/vmta1", "rcp": 35000, "conn": 0, "paused": "false",'
    ' "retryTime": "RETRY", "event": [{"time": "1", "text": "452 4.2.2 over quota"}]},'
    ' {"name": "aol.com/vmta2", "rcp": "12", "paused": "true"}]}}'
)


@pytest.mark.parametrize("text", [DOM, XML, JSON], ids=["dom", "xml", "json"])
def test_the_outputs_for_programs(listed, text) -> None:
    retry = f"{shifted(1200):%Y-%m-%d %H:%M:%S}"
    queue = listed(text.replace("{retry}", retry).replace("RETRY", retry))
    assert queue.format == "powermta"
    assert queue.queued == (
        Queued("gmail.com", "gmail", 35_000, due_s=1200.0, reason="mailbox full", pool="vmta1"),
        Queued("aol.com", "yahoo", 12, due_s=0.0, pool="vmta2", held=True),
    )


def test_what_cannot_be_read_is_counted(listed) -> None:
    queue = listed(DOMAINS + "PowerMTA ann@example.org\n" + f"x.org {'9' * 20} 1 0\n")
    assert queue.notes[-2].startswith("2 lines left out, line 1 first: it is no row of a table of")
    assert queue.notes[-1] == (
        "1 line left out, line 9 first: its number of messages or its next retry cannot be read."
    )
    assert "ann@" not in "".join(queue.notes)


def test_an_address_is_no_pool(listed) -> None:
    (each,) = listed("queue #rcpt kbytes conn\nann@example.org/bob@example.org 5 1.0 0\n").queued
    assert each[:3] == ("", "other", 5)
    assert each.pool is None
