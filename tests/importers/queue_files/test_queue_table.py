from __future__ import annotations

import pytest
from queue_lists import summed

from sendcap.errors import ConfigurationError
from sendcap.importers.queue_files import Queued


def test_a_table_of_providers(listed) -> None:
    queue = listed("provider,messages,age,attempts\ngmail,35000,2h,3\nyahoo,120,1h30m,\n")
    assert queue.format == "csv"
    assert queue.queued == (
        Queued("", "gmail", 35_000, 7200.0, 7200.0, 3),
        Queued("", "yahoo", 120, 5400.0, 5400.0),
    )
    assert queue.notes == ()


def test_a_table_of_domains_with_everything(listed) -> None:
    queue = listed(
        '"Domain";"Messages";"Age";"Oldest";"Attempts";"Due";"Reason";"Pool";"Held"\r\n'
        "gmail.com;10;1m;2h;2;0s;452 4.2.2 The mailbox is over quota;ip-1;no\r\n"
        "example.org;5;;2h;;20m;throttled;;yes\r\n"
    )
    assert queue.queued == (
        Queued("gmail.com", "gmail", 10, 60.0, 7200.0, 2, 0.0, "mailbox full", "ip-1"),
        Queued("example.org", "other", 5, 0.0, 7200.0, None, 1200.0, "throttled", held=True),
    )


def test_times_may_be_numbers_of_seconds(listed) -> None:
    (each,) = listed("provider,messages,age_s,oldest_s,due_s\ngmail,5,90.5,7200,0\n").queued
    assert (each.youngest_s, each.oldest_s, each.due_s) == (90.5, 7200.0, 0.0)
    with pytest.raises(ConfigurationError, match='age_s: "-1" is not a number of seconds; write o'):
        listed("provider,messages,age_s\ngmail,5,-1\n")
    with pytest.raises(
        ConfigurationError, match="line 1: has the columns age and age_s; write one"
    ):
        listed("provider,messages,age,age_s\ngmail,5,2h,7200\n")


def test_rows_alike_are_one_and_the_provider_may_be_named(listed) -> None:
    queue = listed(
        "domain,provider,messages\na.org,corp,3\n\nb.org,corp,4\na.org,corp,5\nc.org,,0\n"
    )
    assert summed(queue, "domain", "provider") == {("a.org", "corp"): 8, ("b.org", "corp"): 4}


HEADING = "provider,domain,messages,age,oldest,attempts,due,reason,pool,held"
WRONG = {
    "gmail,,x,,,,,,,": 'messages: "x" is not a whole number; write one as 35000',
    "gmail,,-5,,,,,,,": 'messages: "-5" is not a whole number; write one as 35000',
    "gmail,,nan,,,,,,,": 'messages: "nan" is not a whole number; write one as 35000',
    "gmail,,,,,,,,,": "messages: is empty; write a whole number",
    "gmail,,9999999999999,,,,,,,": 'messages: "9999999999999" is not a whole number; write one as '
    "35000",
    ",,5,,,,,,,": "provider: is empty; write a provider or a domain",
    ",ann@example.org,5,,,,,,,": 'domain: "(address)" is not a domain; write one as example.org',
    "ann@example.org,,5,,,,,,,": 'provider: "(address)" is not a name; write one of up to 100 '
    "letters, without @",
    "gmail,,5,7200,,,,,,": 'age: "7200" is not a duration; give a number with a unit (ms, s, m, h, '
    'd or w), for example "20m" or "4d12h"',
    "gmail,,5,2h,1h,,,,,": "oldest: 1h is less than the age 2h; age is that of the "
    "youngest message",
    "gmail,,5,-1h,,,,,,": 'age: "-1h" is negative; a duration is zero or more',
    "gmail,,5,,,1.5,,,,": 'attempts: "1.5" is not a whole number; write one as 35000',
    "gmail,,5,,,,,,,maybe": 'held: "maybe" is neither yes nor no',
    "gmail,,5": "has 3 cells, and the heading 10; write as many",
    'gmail,,"5': "is no row of a CSV file: unexpected end of data",
}


@pytest.mark.parametrize("row", WRONG)
def test_a_wrong_row_is_told_with_its_line(listed, row) -> None:
    with pytest.raises(ConfigurationError) as caught:
        listed(f"{HEADING}\ngmail,,1,,,,,,,\n{row}\n")
    assert str(caught.value).endswith(f"queue.txt: line 3: {WRONG[row]}")
    assert "ann" not in str(caught.value)


@pytest.mark.parametrize(
    ("heading", "message"),
    [
        ("provider,message", 'the column "message" is not known; did you mean "messages"?'),
        ("provider,messages,x", 'the column "x" is not known; columns are provider, domain, me'),
        ("provider,messages,ann@example.org", 'the column "(address)" is not known'),
        ("messages,age", "must name the columns: messages, and provider or domain, such as"),
        ("provider,messages,messages", "the column messages appears twice; write it once"),
    ],
)
def test_a_wrong_heading_says_what_is_right(listed, heading, message) -> None:
    with pytest.raises(ConfigurationError) as caught:
        listed(f"{heading}\ngmail,1,1\n", "csv")
    assert f"line 1: {message}" in str(caught.value)


def test_more_than_can_be_simulated_is_refused(listed) -> None:
    (most,) = listed("provider,messages\ngmail,1000000000\n").queued
    assert most.messages == 1_000_000_000
    words = "lists 1,000,000,001 messages; at most 1,000,000,000 can be"
    with pytest.raises(ConfigurationError, match=words):
        listed("provider,messages\ngmail,1000000001\n")


def test_as_many_providers_as_there_are(listed) -> None:
    rows = "".join(f"p{number},1\n" for number in range(1001))
    with pytest.raises(ConfigurationError, match=r"line 1002: has the provider number 1,001; writ"):
        listed(f"provider,messages\n{rows}")
