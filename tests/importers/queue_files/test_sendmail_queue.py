"""Lists as sendmail prints them: sendmail/queue.c, print_single_queue; mailq(1) of sendmail 8."""

from __future__ import annotations

from datetime import datetime

import pytest
from queue_lists import MOMENT_S, summed

from sendcap.errors import ConfigurationError
from sendcap.importers.queue_files import Queued

MINUTE_S = MOMENT_S - MOMENT_S % 60.0


def stamp(age_s: float, form: str = "%a %b %e %H:%M") -> str:
    return datetime.fromtimestamp(MINUTE_S - age_s).strftime(form)


LIST = f"""\
MSP Queue status...
/var/spool/mqueue-client is empty
\t\tTotal requests: 0
MTA Queue status...
\t\t/var/spool/mqueue (4 requests)
-----Q-ID----- --Size-- -----Q-Time----- ------------Sender/Recipient-----------
u8T9idh4006507       27 {stamp(7200)} <bounces@example.com>
                 (Deferred: 452 4.2.2 The email account is over quota)
\t\t\t\t\t <ann@gmail.com>
\t\t\t\t\t <bob@gmail.com>
u8T9dlP7006496*      62 {stamp(600)} MAILER-DAEMON
      8BITMIME   (Deferred: Connection timed out with mx.example.org.)
\t\t\t\t\t <carl@example.org>
u8T9dlP7006497     1062 {stamp(120)} <bounces@example.com>
\t\t\t\t\t <dora@yahoo.com>
u8T9dlP7006498      900 {stamp(3600)} <bounces@example.com>
      QUARANTINE: by hand
\t\t\t\t\t eve@example.net
\t\tTotal requests: 4
"""


def test_a_list_of_sendmail(listed) -> None:
    queue = listed(LIST)
    assert queue.format == "sendmail"
    late_s = MOMENT_S - MINUTE_S

    def between(age_s: float) -> tuple[float, float]:
        return age_s + late_s - 60.0, age_s + late_s

    assert set(queue.queued) == {
        Queued("gmail.com", "gmail", 2, *between(7200), reason="mailbox full"),
        Queued("example.org", "other", 1, *between(600), due_s=0.0, reason="unreachable"),
        Queued("yahoo.com", "yahoo", 1, *between(120), attempts=0, due_s=0.0),
        Queued("example.net", "other", 1, *between(3600), held=True),
    }
    assert not [note for note in queue.notes if "left out" in note]


def test_with_priorities(listed) -> None:
    text = f"""\
\t\t/var/spool/mqueue (1 request)
-----Q-ID----- --Size-- -Priority- ---Q-Time--- ---------Sender/Recipient--------
u8T9idh4006507       27     120030+{stamp(7200, "%b %e %H:%M")} <bounces@example.com>
                 (Deferred: 421 4.7.0 [TSS04] Messages temporarily deferred)
\t\t\t\t\t\t\t\t      (---ann---)
\t\t\t\t\t\t\t\t\t <ann@aol.com>
u8T9idh4006508-      27      30030 {stamp(7200, "%b %e %H:%M")} <bounces@example.com>
\t\t\t\t\t\t\t\t\t <ann@aol.com>
\t\tTotal requests: 2
"""
    queue = listed(text)
    assert queue.format == "sendmail"
    assert summed(queue, "provider", "reason") == {("yahoo", "throttled"): 1, ("yahoo", ""): 1}


def test_several_queues_and_what_is_not_printed(listed) -> None:
    text = (
        LIST
        + f"""\
/var/spool/mqueues/q.1 is empty
\t\t/var/spool/mqueues/q.2 (41291 requests, only 1 printed)
----Q-ID---- --Size-- -----Q-Time----- ------------Sender/Recipient------------
dB9Fdaa06420  (job completed)
dB9Fdaa06421     4567 {stamp(60)} you@your.example
\t\t\t\t\t a.very.long.name.of.an.address@a.very.lo
dB9Fdaa06422  (no control file)
"""
    )
    queue = listed(text)
    assert sum(each.messages for each in queue.queued) == 6
    assert "The file lists 1 of 41,291 messages of a queue." in queue.notes
    # The address is cut, so that nobody knows the domain.
    assert ("", 1) in {(each.domain, each.messages) for each in queue.queued}


@pytest.mark.parametrize(
    "text",
    ["/var/spool/mqueue is empty\n\t\tTotal requests: 0\n", "MSP Queue status...\nx is empty"],
)
def test_an_empty_queue_of_sendmail(listed, text) -> None:
    queue = listed(text)
    assert (queue.format, queue.queued) == ("sendmail", ())


def test_lines_that_belong_to_no_message_of_sendmail(listed) -> None:
    flat = "\n".join(map(str.strip, LIST.splitlines()))
    assert set(listed(flat).queued) == set(listed(LIST).queued)
    queue = listed(LIST + "sendmail: no such queue\n <x@gmail.com>\n")
    assert sum(each.messages for each in queue.queued) == 5
    assert len([note for note in queue.notes if "left out" in note]) == 2
    with pytest.raises(ConfigurationError, match="line 1: it begins no message of a queue"):
        listed("sendmail: Queue report unavailable\n", "sendmail")
