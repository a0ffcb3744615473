"""Lists as Momentum 4's documentation shows them: console commands "mailq" and "showqueue", and
HTTP API "Mail Queue".
"""

from __future__ import annotations

import json

import pytest
from queue_lists import MOMENT_S, summed

from sendcap.importers.queue_files import Queued

CONSOLE = """\
10:47:35 /tmp/2025> mailq
Group/Binding                                       Domain      AQ      DQ
--------------------------------------------------------------------------
default/default                                  yahoo.com      11       0
default/gmail                                    gmail.com      25       5
default/#mmove                                   gmail.com       0       0
"""


def test_the_table_of_the_console(listed) -> None:
    queue = listed(CONSOLE)
    assert queue.format == "momentum"
    assert queue.queued == (
        Queued("gmail.com", "gmail", 25, due_s=0.0, pool="default"),
        Queued("yahoo.com", "yahoo", 11, due_s=0.0, pool="default"),
        Queued("gmail.com", "gmail", 5, pool="default"),
    )
    assert queue.notes == ("The file does not say how old the messages are.",)


def test_the_default_limit_of_the_console_is_told(listed) -> None:
    rows = "".join(f"default/x d{number}.example 1 0\n" for number in range(20))
    queue = listed("Group/Binding Domain AQ DQ\n" + rows)
    assert queue.notes[0].startswith("The console lists 20 queues by default, as many as here")


def test_the_json_and_the_tables_made_of_it(listed) -> None:
    one = {"group": "bg_new", "binding": "ip_23.45.67.89", "domain": "me.com", "aq": 1, "dq": 284}
    text = json.dumps({"QueueSummary": [one | {"receptions": 1048}, one | {"aq": 0, "dq": 0}]})
    table = (
        "GROUP   BINDING         DOMAIN  AQ  DQ   RECEPTIONS\n"
        "-----   -------         ------  --  --   ----------\n"
        "bg_new  ip_23.45.67.89  me.com  1   284  1048\n"
    )
    for each in (text, table):
        assert listed(each).queued == (
            Queued("me.com", "icloud", 284, pool="bg_new"),
            Queued("me.com", "icloud", 1, due_s=0.0, pool="bg_new"),
        )
    without_group = "BINDING DOMAIN AQ DQ\nip_1.2.3.4 me.com 1 2\n"
    assert summed(listed(without_group), "pool") == {None: 3}


def test_messages_have_a_time(listed) -> None:
    queue = listed(f"""\
10:47:35 /tmp/2025> showqueue example.com
[active/default] B3/1D-18426-471AACF3 Created: {MOMENT_S - 60}
  From: <sender@postalengine.com> To: <rcpt1@example.com>
[delayed/default] B3/79-18426-4A4BACF3 Created: {MOMENT_S - 7200}
  From: <sender@postalengine.com> To: <rcpt2@example.com>
""")
    assert set(queue.queued) == {
        Queued("example.com", "other", 1, 60.0, 60.0, due_s=0.0),
        Queued("example.com", "other", 1, 7200.0, 7200.0),
    }
    assert queue.notes == ("Ages hold for 2025-11-30 01:26:40 UTC, the last change of the file.",)


@pytest.mark.parametrize("row", ["default/x 5 6", "a/b c.org x 6", "a/b c.org 5 -6"])
def test_a_damaged_row_is_counted(listed, row) -> None:
    queue = listed(CONSOLE + row + "\n")
    assert sum(each.messages for each in queue.queued) == 41
    assert "line 7 first" in queue.notes[-1]
