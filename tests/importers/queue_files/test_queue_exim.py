"""Blocks as Exim prints them: src/src/queue.c, and lines of test/stdout."""

from __future__ import annotations

from queue_lists import summed

from sendcap.importers.queue_files import Queued
from sendcap.importers.queue_files.exim import _age_s

LIST = """\
25m  2.9K 10HmaX-000000005vi-0000 <CALLER@test.ex>
        D ann@gmail.com
          bob@gmail.com

 2h       10HmbA-0005vi-00 <> *** frozen ***
          userx@test.ex
       +D system-filter

 3d  5120 10HmbB-000000005vi-0000 <x@y> (uucp)
          carl@aol.com
          dora@aol.com
"""


def test_each_recipient_without_delivery_is_a_message(listed) -> None:
    queue = listed(LIST)
    assert queue.format == "exim"
    assert set(queue.queued) == {
        Queued("gmail.com", "gmail", 1, 1500.0, 1560.0),
        Queued("test.ex", "other", 1, 5460.0, 9000.0, held=True),
        Queued("aol.com", "yahoo", 2, 261_000.0, 300_600.0),
    }
    assert queue.notes == ("2 recipients left out: delivered already.",)


def test_the_age_is_within_its_bounds() -> None:
    for minutes in range(50_000):
        # As queue_list rounds.
        hours = (minutes + 30) // 60
        if minutes <= 90:
            text = f"{minutes}m"
        elif hours > 72:
            text = f"{(hours + 12) // 24}d"
        else:
            text = f"{hours}h"
        bounds = _age_s(text)
        assert bounds is not None
        youngest_s, oldest_s = bounds
        assert youngest_s <= 60 * minutes < 60 * (minutes + 1) <= oldest_s


def test_the_mark_of_a_frozen_message_may_have_a_line(listed) -> None:
    text = LIST.replace(" *** frozen ***", "\n          *** frozen ***")
    assert set(listed(text).queued) == set(listed(LIST).queued)


def test_what_belongs_to_nothing_is_counted(listed) -> None:
    queue = listed(
        LIST + "9999d 1 10HmbB-000000005vi-0000 <x@y>\n          a@b.c\nexim: 5\n          a@b.c"
    )
    assert summed(queue, "provider") == {"gmail": 1, "other": 2, "yahoo": 2}
    queue = listed("99m 1 10HmbB-000000005vi-0000 <x@y>\n          a@b.c\n" + LIST + "exim: 5\n")
    assert [note[:26] + note.partition(":")[2] for note in queue.notes[1:]] == [
        "1 line left out, line 1 fi its age is none that Exim writes.",
        "1 line left out, line 2 fi it belongs to no message.",
        "1 line left out, line 14 f it is no message of a queue; write what `exim -bp` prints.",
    ]
