"""Whatever a file holds, reading ends in time: with messages, or with a line that says why.

No address is in either.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pace import in_time

from sendcap.errors import ConfigurationError
from sendcap.importers.queue_files import FORMATS, read_queue_file

LONG = 150_000
"""Characters of a very long line."""
LONGEST_S = 1.0
"""CPU for such a line; what takes a time that grows as its square takes hours."""
AT = datetime(2025, 11, 30, 1, 26, 40, tzinfo=UTC)

POSTQUEUE = (
    '{"queue_name": "deferred", "arrival_time": 1764460000, "forced_expire": false, "recipients": '
    '[{"address": "ann@gmail.com", "delay_reason": "said: 421 4.7.28 ann@gmail.com"}]}'
)
PIECES = {
    "postqueue": [
        POSTQUEUE,
        POSTQUEUE.replace("deferred", "hold"),
        POSTQUEUE.replace("1764460000", "1e308"),
        POSTQUEUE.replace("1764460000", "99999999999"),
        POSTQUEUE[:-9],
        "{}",
        "[]",
        '{"recipients": {}, "queue_name": []}',
    ],
    "sendmail": [
        "\t\t/var/spool/mqueue (2 requests)",
        "\t\t/var/spool/mqueue (99999999999 requests, only 1 printed)",
        "-----Q-ID----- --Size-- -----Q-Time----- ------------Sender/Recipient-----------",
        "u8T9idh4006507       27 Thu Feb 29 05:44 <ann@example.com>",
        "u8T9idh4006507* 99999999999999 30030+Sep 99 99:44 <ann@example.com>",
        "u8T9idh4006507  (job completed)",
        "      8BITMIME   (Deferred: 452 4.2.2 ann@gmail.com is full)",
        "      QUARANTINE: ann@example.com",
        "   (---ann@example.com---)",
        "\t\t\t\t\t <ann@gmail.com>",
        "\t\t\t\t\t ann@gmail.com.which.is.longer.than.there.is.room",
        "\t\tTotal requests: 1",
        "/var/spool/mqueue is empty",
    ],
    "mailq": [
        "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------",
        "A1B2C3D4E5*     1234 Sun Nov 30 01:02:03  ann@example.com",
        "A1B2C3D4E5!#    1234 Thu Feb 29 25:02:03  ann@example.com",
        "(said: 421 4.7.0 ann@gmail.com)",
        "        ann@gmail.com",
        "-- 5 Kbytes in 3 Requests.",
        "Mail queue is empty",
    ],
    "qshape": [
        "$ qshape -s ann@example.org",
        "qshape active hold",
        "   T  5 10 10+",
        "   T A 5 10+",
        "   T 0+",
        "TOTAL 6 1 2 3",
        "ann@gmail.com 6 1 2 3",
        "+il.com 6 1 2 3",
        ".com 6 1 2 3",
        "TOTAL 9 9",
    ],
    "kumomta": [
        'scheduled_count{queue="ann@gmail.com"} 5',
        'scheduled_count{queue="a:b@c@d!e"} 5e8',
        'ready_count{service="smtp_client:a@b->c@d@smtp_client"} 1',
        'ready_count{service=":"} 1',
        'queued_count_by_provider{provider="ann@gmail.com"} 3',
        'queued_count_by_provider_and_pool{provider="google",pool="ann@gmail.com"} nan',
        "SITE SOURCE PROTO D T C Q",
        "ann@gmail.com b c 1 2 3 4 suspend: x",
        "SCHEDULED QUEUE COUNT",
        "ann@gmail.com 1,,,,5 bounce: ann@gmail.com",
    ],
    "powermta": [
        "queue           #rcpt kbytes conn st    retry last error",
        "--domain --#rcpt ---kbytes conn last error---",
        "gmail.com/ann@gmail.com 5 1.0 0 P 09:35:42 421 ann@gmail.com",
        "gmail.com 5 1.0 0 99:99:99",
        "20 of 30 domains shown.",
        'queue[0].name="ann@gmail.com/x"',
        'queue[0].rcp="5"',
        'queue[1].retryTime="9999-99-99 00:00:00"',
        "<rsp><queue><name>ann@gmail.com</name><rcp>5</rcp><retryTime>x</retryTime></queue>",
        '{"data": {"queue": [{"name": "ann@gmail.com", "rcp": 1e999}, {"event": [[]]}, 5]}}',
    ],
    "momentum": [
        "Group/Binding Domain AQ DQ",
        "ann@gmail.com/ann@gmail.com ann@gmail.com 5 6",
        "default/x gmail.com 999999999999 -1",
        "-----",
        "[active/default] B3/1D-18426-471AACF3 Created: 1764460000",
        "[delayed/ann@gmail.com] B3/1D-18426-471AACF3 Created: 999999999999999",
        "  From: <ann@gmail.com> To: <ann@gmail.com>",
        '{"QueueSummary": [{"domain": "ann@gmail.com", "aq": 5, "dq": [1]}, 5, {"aq": NaN}]}',
    ],
    "exim": [
        "25m  2.9K 10HmaX-000000005vi-0000 <ann@test.ex>",
        "999999d 10HmaX-0005vi-00 <ann@test.ex> *** frozen ***",
        "          ann@gmail.com",
        "        D ann@gmail.com",
        "exim: ann@gmail.com",
    ],
    "csv": [
        "domain,messages,age,pool",
        "provider;messages;reason",
        "gmail.com,5,2h,a",
        "ann@gmail.com,5,,ann@gmail.com",
        'gmail;5;"ann@gmail.com"',
        "aol.com,-1,1e999s,",
        '"',
    ],
}  # fmt: skip

quiet = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def said(path, name) -> list[str]:
    """Read, check the numbers, and return all words."""
    try:
        queue = read_queue_file(path, name, AT)
    except ConfigurationError as error:
        return [str(error)]
    for each in queue.queued:
        assert each.messages > 0
        for age_s in (each.youngest_s, each.oldest_s, each.due_s):
            assert age_s is None or (math.isfinite(age_s) and age_s >= 0.0)
    words = [(each.domain, each.provider, each.reason, each.pool or "") for each in queue.queued]
    return [*queue.notes, *chain.from_iterable(words)]


def test_every_format_has_pieces() -> None:
    assert set(FORMATS) == set(PIECES)


@pytest.mark.parametrize("name", [*FORMATS, None])
@quiet
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes(put, name, content) -> None:
    for text in said(put(content), name):
        assert text.isprintable()
        assert len(text) < 20_000


@pytest.mark.parametrize("name", FORMATS)
@quiet
@given(data=st.data())
def test_lines_of_the_real_grammar_in_any_order(put, name, data) -> None:
    lines = data.draw(st.lists(st.sampled_from(PIECES[name]), max_size=12))
    path = put("\n".join(lines), "q")
    for text in said(path, name) + said(path, None):
        assert text.isprintable()
        assert len(text) < 20_000
        # The shape of a line has letters as x.
        assert not re.search("ann@|@gmail|@test|@example", text)


HOSTILE: dict[str, Callable[[int], str]] = {
    "letters": lambda many: "a" * many,
    "digits": lambda many: "9" * many,
    "spaces": lambda many: "a" + " " * many + "b",
    "leading spaces": lambda many: " " * many + "b",
    "quotes": lambda many: '"' * many,
    "braces": lambda many: "{" * many,
    "brackets": lambda many: '{"a":' + "[" * many,
    "labels": lambda many: 'scheduled_count{a="' * (many // 19),
    "label": lambda many: "scheduled_count{" + "a" * many + "} 1",
    "escapes": lambda many: 'scheduled_count{queue="' + "\\\\" * (many // 2) + '"} 1',
    "from to": lambda many: "[active/x] a Created: 1\n" + "From: To: " * (many // 10),
    "queues": lambda many: "<queue>" * (many // 7),
    "variables": lambda many: 'queue[0].name="' * (many // 15),
    "numbers": lambda many: "T " + "5 " * (many // 2) + "5+",
    "commas": lambda many: "messages,domain" + "," * many,
    "semicolons": lambda many: "provider;messages\n" + ";" * many,
    "dashes": lambda many: "-" * many,
    "words": lambda many: "a 5 " * (many // 4),
    "rows": lambda many: "SCHEDULED QUEUE COUNT\n" + "a 5 " * (many // 4) + "x",
    "row of spaces": lambda many: "SCHEDULED QUEUE COUNT\na" + " " * many + "b",
    "sites": lambda many: "SITE SOURCE PROTO D T C Q\n" + "1 a " * (many // 4) + "x",
    "site of spaces": lambda many: "SITE SOURCE PROTO D T C Q\na" + " " * many + "b",
    "states": lambda many: "queue #rcpt kbytes conn st retry\na 5 1 0" + " " * many + "x",
    "shown": lambda many: "1 of 1 " * (many // 7),
    "parentheses": lambda many: "A1B2C3D4E5 1 Sun Nov 30 01:02:03  x\n" + "(" * many + ")",
    "recipients": lambda many: POSTQUEUE[:-2] + ',{"address":"a@b"}' * (many // 18) + "]}",
    "line ends": lambda many: "\n" * many,
    "ages": lambda many: "domain,messages,age\na.org,1," + "1" * 100_000 + "h",
}  # fmt: skip


@pytest.mark.parametrize("line", HOSTILE)
def test_a_very_long_line_ends_in_time(put, line) -> None:
    path = put(HOSTILE[line](LONG), "q")
    for name in (*FORMATS, None):
        with in_time(LONGEST_S):
            assert all(len(text) < 20_000 for text in said(path, name))
