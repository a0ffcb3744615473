"""Lines as Postfix writes them: src/postqueue/showq_json.c, with values from src/showq/showq.c."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

import pytest
from queue_lists import MOMENT_S, summed

from sendcap.errors import ConfigurationError
from sendcap.importers.queue_files import Queued

THROTTLED = (
    "host gmail-smtp-in.l.google.com[192.0.2.26] said: 421-4.7.28 Our system has detected an "
    "unusual rate of unsolicited mail (in reply to end of DATA command)"
)


def line(
    state: str, age_s: float, *recipients: tuple[str, str] | str, expire: bool = False, **changes
) -> str:
    pairs = [(each, "") if isinstance(each, str) else each for each in recipients]
    return json.dumps(
        {
            "queue_name": state,
            "queue_id": "4TfXy01mXJz9rxk",
            "arrival_time": MOMENT_S - age_s,
            "message_size": 5127,
            "forced_expire": expire,
            "sender": "bounces@example.com",
            "recipients": [
                {"orig_address": "", "address": address}
                | ({"delay_reason": reason} if reason else {})
                for address, reason in pairs
            ],
            **changes,
        }
    )


def test_each_recipient_is_a_message_with_its_reason(listed) -> None:
    queue = listed(
        line("deferred", 7200, ("ann@GMail.com", THROTTLED), "bob@example.org")
        + "\n"
        + line("active", 60, "carl@yahoo.co.uk")
        + "\n"
    )
    assert queue.format == "postqueue"
    assert set(queue.queued) == {
        Queued("gmail.com", "gmail", 1, 7200.0, 7200.0, None, None, "throttled"),
        Queued("example.org", "other", 1, 7200.0, 7200.0, None, None, ""),
        Queued("yahoo.co.uk", "yahoo", 1, 60.0, 60.0, None, 0.0, ""),
    }
    assert queue.notes == ("Ages hold for 2025-11-30 01:26:40 UTC, the last change of the file.",)


@pytest.mark.parametrize(
    ("state", "attempts", "due_s", "held"),
    [
        ("maildrop", 0, 0.0, False),
        ("incoming", 0, 0.0, False),
        ("active", None, 0.0, False),
        ("deferred", None, None, False),
        ("hold", None, None, True),
    ],
)
def test_the_queue_says_when_a_message_is_due(listed, state, attempts, due_s, held) -> None:
    (each,) = listed(line(state, 60, "ann@example.org")).queued
    assert (each.attempts, each.due_s, each.held) == (attempts, due_s, held)


def test_what_will_not_be_tried_again_is_left_out_and_counted(listed) -> None:
    # Postfix 3.11 lists recipients that have bounced but are not yet reported.
    bounced = {"address": "ann@example.org", "bounce_reason": "550 5.1.1 unknown"}
    queue = listed(
        "\n".join(
            (
                line("deferred", 60, recipients=[bounced, {"address": "bob@example.org"}]),
                line("deferred", 60, "carl@example.org", "dora@example.org", expire=True),
            )
        )
    )
    assert summed(queue, "domain") == {"example.org": 1}
    assert queue.notes[1:] == (
        "1 recipient was left out: bounced already.",
        "2 recipients were left out: marked to expire.",
    )


def test_the_moment_is_the_files_or_given_and_never_before_the_newest_message(listed) -> None:
    text = line("deferred", 7200, "ann@example.org") + "\n" + line("deferred", 0, "bob@aol.com")
    ages = {each.domain: each.oldest_s for each in listed(text).queued}
    assert ages == {"example.org": 7200.0, "aol.com": 0.0}
    queue = listed(text, None, datetime.fromtimestamp(MOMENT_S + 600, UTC))
    assert {each.domain: each.oldest_s for each in queue.queued} == {
        "example.org": 7800.0,
        "aol.com": 600.0,
    }
    assert queue.notes == ("Ages hold for 2025-11-30 01:36:40 UTC, the moment given.",)
    # A file from an archive, with a date before its messages.
    queue = listed(text, moment_s=315_532_800)
    assert {each.domain: each.oldest_s for each in queue.queued} == ages
    (note,) = queue.notes
    assert note.endswith("the newest arrival, which is after the last change of the file.")


def test_an_arrival_that_cannot_be_makes_no_message_older(listed) -> None:
    text = "\n".join(
        line("deferred", 0, f"{name}@example.org", arrival_time=arrived)
        for name, arrived in (("ann", MOMENT_S - 60), ("bob", 7_258_118_400), ("carl", -5))
    )
    queue = listed(text)
    assert summed(queue, "oldest_s") == {60.0: 1, None: 2}
    assert "2 messages arrived more than a day after that" in queue.notes[1]


def test_ages_are_merged_within_five_minutes_or_a_tenth(listed) -> None:
    ages = random.Random(1).sample(range(400_000), 5000)
    queue = listed("\n".join(line("deferred", age, "ann@gmail.com") for age in ages))
    assert sum(each.messages for each in queue.queued) == 5000
    assert len(queue.queued) < 80
    for each in queue.queued:
        assert each.oldest_s - each.youngest_s <= max(300.0, 0.1 * each.youngest_s)
    assert min(each.youngest_s for each in queue.queued) == min(ages)
    assert max(each.oldest_s for each in queue.queued) == max(ages)


def test_many_small_domains_keep_their_number_but_not_their_names(listed) -> None:
    large = [line("deferred", age, "ann@gmail.com") for age in range(0, 3000, 10)]
    small = [line("deferred", 60, f"ann@d{number}.example") for number in range(9000)]
    queue = listed("\n".join(small + large))
    assert len(queue.queued) <= 4000
    assert summed(queue, "provider") == {"gmail": 300, "other": 9000}
    assert summed(queue, "domain")["gmail.com"] == 300
    (note,) = queue.notes[1:]
    assert note.endswith("messages of small domains are listed by provider only.")


@pytest.mark.parametrize("address", ["root", "", '"a@b"', "x@y z", "ann@ann%40example.org", "a@ "])
def test_what_has_no_domain_is_counted_without_one(listed, address) -> None:
    (each,) = listed(line("deferred", 60, address)).queued
    assert (each.domain, each.provider) == ("", "other")


def test_addresses_in_quotes_and_literals_have_domains(listed) -> None:
    text = line("deferred", 60, '"x@gmail.com"@Example.org.', "bob@[192.0.2.1]", "eva@müller.de")
    assert set(summed(listed(text), "domain")) == {"example.org", "[192.0.2.1]", "xn--mller-kva.de"}


def test_a_cut_or_damaged_line_is_counted(listed) -> None:
    good = line("deferred", 60, "ann@example.org")
    bad = [
        good[:-40],
        "[1, 2]",
        "7",
        "[" * 5000,
        good.replace(str(MOMENT_S - 60), "NaN"),
        good.replace(str(MOMENT_S - 60), "9" * 5000),
        line("lost", 60, "bob@example.org"),
        line("deferred", 60, recipients="bob@example.org"),
        line("deferred", 60, recipients=[[]]),
        line("deferred", 60, recipients=[None]),
        line("deferred", 60, recipients=[{"address": 5}]),
        line("deferred", 60, recipients=[{"address": "a@b.c", "delay_reason": 5}]),
    ]
    queue = listed("\n".join([good, *bad]))
    assert summed(queue, "domain") == {"example.org": 1}
    (note,) = queue.notes[1:]
    assert note == (
        "12 lines left out, line 2 first: it is no message of a queue; write what `postqueue -j` "
        "prints, one message a line."
    )


def test_where_nothing_can_be_read_the_first_line_is_told(listed) -> None:
    text = "\n" + line("deferred", 60, "ann@example.org")[:-40]
    with pytest.raises(ConfigurationError) as caught:
        listed(text)
    assert str(caught.value).endswith(
        "queue.txt: line 2: it is no message of a queue; write what `postqueue -j` prints, one "
        "message a line"
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_of_windows_are_read(listed, encoding, end) -> None:
    text = end.join([line("deferred", 60, "ann@gmail.com"), line("hold", 60, "bob@gmail.com"), ""])
    assert summed(listed(text.encode(encoding)), "provider", "held") == {
        ("gmail", False): 1,
        ("gmail", True): 1,
    }


def test_json_over_several_lines_or_in_a_list_is_read(listed) -> None:
    # As `postqueue -j | jq .`, `jq -s .` and the interfaces of mail servers give it.
    one, two = (json.loads(line(name, 60, "ann@gmail.com")) for name in ("deferred", "active"))
    for text in (
        json.dumps(one, indent=2) + "\n" + json.dumps(two, indent=2) + "\n",
        json.dumps([one, two]),
        json.dumps([one, two], indent=2),
        json.dumps({"total": 2, "data": [one, two]}, indent=2),
        json.dumps({"queue_status": [one, two]}),
    ):
        queue = listed(text)
        assert queue.format == "postqueue"
        assert summed(queue, "due_s") == {None: 1, 0.0: 1}
    cut = json.dumps([one, two], indent=2)[:-40]
    with pytest.raises(
        ConfigurationError, match="is damaged or cut JSON; write what the MTA gives"
    ):
        listed(cut)


def test_recipients_may_be_texts(listed) -> None:
    # As Mailcow's interface gives them.
    texts = ["ann@gmail.com (connect to mx[192.0.2.1]:25: Connection timed out)", "bob@aol.com"]
    queue = listed(line("deferred", 60, recipients=texts))
    assert summed(queue, "domain", "reason") == {
        ("gmail.com", "unreachable"): 1,
        ("aol.com", ""): 1,
    }


def test_an_empty_queue_is_an_answer(listed) -> None:
    queue = listed(line("deferred", 60))
    assert queue.queued == ()
    assert queue.notes[-1] == "The queue is empty."
