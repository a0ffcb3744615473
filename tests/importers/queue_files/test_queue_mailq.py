"""Blocks as Postfix prints them: src/postqueue/showq_compat.c."""

from __future__ import annotations

from datetime import datetime

import pytest
from queue_lists import MOMENT_S, summed

from sendcap.errors import ConfigurationError
from sendcap.importers.queue_files import Queued


def stamp(age_s: float) -> str:
    moment = datetime.fromtimestamp(MOMENT_S - age_s)
    return f"{moment:%a %b} {moment.day:2d} {moment:%H:%M:%S}"


SHORT = f"""\
-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------
A1B2C3D4E5*    1234 {stamp(60)}  bounces@example.com
                                         ann@gmail.com

B1B2C3D4E5!    1234 {stamp(600)}  MAILER-DAEMON
                                         bob@example.org

C1B2C3D4E5     1234 {stamp(7200)}  bounces@example.com
(host mx.aol.com[192.0.2.1] said: 421 4.7.0 [TSS04] Messages temporarily deferred (in reply to \
MAIL FROM command))
                                         carl@aol.com
                                         dora@aol.com
                                              (connect to mx.example[192.0.2.9]:25: Connection \
timed out)
                                         eve@example.net

-- 5 Kbytes in 3 Requests.
"""


def test_the_marks_name_the_queue_and_reasons_stand_before_recipients(listed) -> None:
    queue = listed(SHORT)
    assert queue.format == "mailq"
    assert set(queue.queued) == {
        Queued("gmail.com", "gmail", 1, 60.0, 60.0, None, 0.0),
        Queued("example.org", "other", 1, 600.0, 600.0, held=True),
        Queued("aol.com", "yahoo", 2, 7200.0, 7200.0, reason="throttled"),
        Queued("example.net", "other", 1, 7200.0, 7200.0, reason="unreachable"),
    }
    assert queue.notes[1:] == (
        "Times of arrival are read as local time, of the last twelve months.",
    )


def test_long_identities(listed) -> None:
    text = f"""\
----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------
4TfXy01mXJz9rxk*#     1234 {stamp(60)} bounces@example.com
                                               ann@gmail.com
"""
    queue = listed(text)
    assert summed(queue, "provider", "due_s") == {("gmail", 0.0): 1}
    assert queue.notes[2] == "1 message marked to expire are read like the others."


def test_an_arrival_after_the_moment_is_of_the_year_before(listed) -> None:
    (each,) = listed("A1B2C3D4E5 12 Sun Dec 14 01:26:40 x@example.com\n   ann@gmail.com\n").queued
    assert 350 * 86_400 < each.oldest_s < 352 * 86_400


def test_a_list_that_lost_its_indents_or_got_some(listed) -> None:
    # As web pages and tickets show them.
    flat = "\n".join(map(str.strip, SHORT.splitlines()))
    indented = "\n".join("    " + text for text in SHORT.splitlines())
    for text in ("root@mx1:~# mailq\n" + flat, indented):
        assert set(listed(text).queued) == set(listed(SHORT).queued)


def test_an_empty_queue(listed) -> None:
    assert listed("Mail queue is empty\n").queued == ()


def test_lines_that_belong_to_nothing_are_counted(listed) -> None:
    queue = listed(SHORT + "postqueue: fatal: ann@example.org\n   ann@example.org\n")
    assert sum(each.messages for each in queue.queued) == 5
    begins, belongs = queue.notes[2:]
    assert begins.startswith("1 line left out, line 16 first: it begins no message of a queue; wri")
    assert belongs == "1 line left out, line 17 first: it belongs to no message."
    with pytest.raises(ConfigurationError, match="line 1: it begins no message of a queue"):
        listed("postqueue: fatal: Queue report unavailable\n", "mailq")
