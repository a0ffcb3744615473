"""Who is sent to: shares, counts and tables of domains."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sendcap
from sendcap.errors import SendcapError
from sendcap.importers import import_exim
from sendcap.importers.plan import (
    Audience,
    Group,
    audience_of,
    effective_number,
    mail_exchangers,
)
from sendcap.scenario.delivery import Delivery


def test_shares_that_sum_to_one_are_shares() -> None:
    expected = Audience({"gmail": 0.6, "other": 0.4}, None, domains=False)
    assert audience_of(" gmail = 0.6 , other=.4") == expected
    assert audience_of({"gmail": 0.6, "other": 0.4}) == expected


def test_whole_numbers_are_counts() -> None:
    assert audience_of("gmail=600,other=200") == Audience(
        {"gmail": 600, "other": 200}, 800, domains=False
    )
    assert audience_of("gmail=1") == Audience({"gmail": 1}, None, domains=False)


def test_a_table_has_domains_and_counts_with_or_without_a_heading(put) -> None:
    rows = 'GMail.com.,60\n\n"yahoo.com", 40 ,more\ngmail.com,5\nnobody.org,0\n'
    expected = Audience({"gmail.com": 65, "yahoo.com": 40}, 105, domains=True)
    assert audience_of(put(rows)) == expected
    assert audience_of(put("domain,count\n" + rows)) == expected
    assert audience_of(put("domain;count\n" + rows.replace(",", ";"))) == expected
    assert audience_of(put(rows.replace(",", "\t"))) == expected
    assert audience_of(put("\ufeffdomain,count\r\n" + rows.replace("\n", "\r\n"))) == expected


def test_an_international_domain_may_be_spelt_either_way(put) -> None:
    name = "xn--bcher-kva.example"
    assert audience_of(put(f"Bücher.example,6\n{name},5\n")).weights == {name: 11}
    assert mail_exchangers({"bücher.example": ["mx.bücher.example"]}) == {name: (f"mx.{name}",)}
    assert Group("Bücher.example", 1.0, {}).domain == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("gmail", "is neither a file nor a list of shares"),
        ("gmail=0.6,other", '"other" is not a share'),
        ("gmail=x", '"gmail=x" is not a share'),
        ("gmail=-1", '"gmail=-1" is not a share'),
        ("=1", '"=1" is not a share'),
        ("gmail=0.5,gmail=0.5", '"gmail" appears twice'),
        ("gmail=0.6,other=0.3", "the shares sum to 0.9"),
        ("gmail=0,other=1", '"gmail" has 0.0; write more than 0'),
        ("gmail=nan", "is not a share"),
        ("x" * 5000, "is neither a file nor a list of shares"),
        ("gmail=1\x1b[31m", "is not a share"),
    ],
)
def test_what_is_wrong_with_shares_is_told(text, message) -> None:
    with pytest.raises(SendcapError) as caught:
        audience_of(text)
    assert message in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no domains"),
        ("domain,count", "has no domains"),
        ("gmail.com", "line 1: has one column"),
        ("gmail.com,1\nyahoo.com,many", 'line 2: the count "many" is not a whole number'),
        ("gmail.com,-5", 'the count "-5"'),
        ("gmail.com,1.5", 'the count "1.5"'),
        ("two words,5", '"two words" is not a domain'),
        ("a\x01b,5", "is not a domain"),
        (b"\xff\xfe", "is not UTF-8 text"),
        ("a\0b,5", "has a NUL character"),
    ],
)
def test_what_is_wrong_with_a_table_is_told(put, text, message) -> None:
    with pytest.raises(SendcapError) as caught:
        audience_of(put(text, "audience.csv"))
    assert message in str(caught.value)
    assert "audience.csv" in str(caught.value)


def test_an_address_is_refused_and_not_repeated(put) -> None:
    with pytest.raises(SendcapError, match="line 2: has an address") as caught:
        audience_of(put("gmail.com,1\nsomebody@gmail.com,1\n"))
    assert "somebody" not in str(caught.value)


def test_mail_exchangers_are_a_table_of_domains_and_hosts(put) -> None:
    path = put("domain,mx\nA.org.,MX1.a.org.\na.org,mx2.a.org\n")
    assert mail_exchangers(path) == {"a.org": ("mx1.a.org", "mx2.a.org")}
    with pytest.raises(SendcapError, match=r"line 1: .*is not a domain and a host"):
        mail_exchangers(put("a.org"))


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=50))
def test_the_effective_number_is_between_one_and_how_many_there_are(weights) -> None:
    assert 1.0 - 1e-9 <= effective_number(weights) <= len(weights) + 1e-9


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 10**9), min_size=1))
def test_counts_become_shares_that_a_delivery_takes(counts) -> None:
    from sendcap.importers.plan import Plan, addressed_by

    base = sendcap.load("quickstart")
    shares = addressed_by(Plan(counts), base, str).shares
    assert Delivery(name="d", messages=1, audience=shares)


def test_messages_are_those_asked_for_else_the_counts_else_the_bases(put) -> None:
    rule = put("* * F,4d,6h", "rule")

    def messages(**options) -> int:
        return import_exim(rule, **options).scenario.deliveries[0].messages

    assert messages() == 1_000_000
    assert messages(audience="gmail=1.0") == 1_000_000
    assert messages(audience="gmail=700,other=300") == 1000
    assert messages(audience="gmail=700,other=300", messages=50) == 50
    assert messages(messages=60) == 60


def test_of_several_deliveries_all_get_the_audience_and_keep_their_messages(put) -> None:
    base = put(
        """
        relay = { batch_time = "1s" }
        deliveries = [{ name = "a", messages = 10, audience = { x = 1.0 } },
                      { name = "b", messages = 20, at = "5m", audience = { x = 1.0 } }]
        [providers.x]
        connect_time = "1s"
        transaction_time = "2s"
        [providers.other]
        connect_time = "3s"
        transaction_time = "4s"
        """,
        "base.toml",
    )
    rule = put("* * F,4d,6h", "rule")
    made = import_exim(rule, "x=70,y=30", base=base).scenario
    assert [(each.messages, each.at, each.audience) for each in made.deliveries] == [
        (10, 0, {"x": 0.7, "y": 0.3}),
        (20, 300, {"x": 0.7, "y": 0.3}),
    ]
    assert [made.providers[name].connect_time.mean_s for name in "xy"] == [1, 3]
    with pytest.raises(SendcapError, match="has 2 deliveries"):
        import_exim(rule, base=base, messages=5)


def test_a_base_that_knows_no_such_provider_is_told(put) -> None:
    base = put(
        """
        relay = { batch_time = "1s" }
        deliveries = [{ name = "a", messages = 10, audience = { x = 1.0 } }]
        providers = { x = { connect_time = "1s", transaction_time = "2s" } }
        """,
        "base.toml",
    )
    with pytest.raises(SendcapError, match=r'neither provider "y" nor "other".*only "x"'):
        import_exim(put("* * F,4d,6h", "rule"), "y=1.0", base=base)


@pytest.mark.parametrize(
    ("own", "why"),
    [
        ('backlog = [{ provider = "x", messages = 9, age = "1h" }]', r"has no \[\[deliveries\]\]"),
        (
            """
            population = { size = 100, providers = { x = 1.0 } }
            deliveries = [{ name = "a" }]
            """,
            r"has a \[population\], whose people are the audience; leave out the audience",
        ),
    ],
)
def test_a_base_without_an_audience_to_replace_is_told(put, own, why) -> None:
    rest = """
        relay = { batch_time = "1s" }
        providers = { x = { connect_time = "1s", transaction_time = "2s" } }
        """
    base = put(own + rest, "base.toml")
    with pytest.raises(SendcapError, match=why):
        import_exim(put("* * F,4d,6h", "rule"), "x=1.0", base=base)


@pytest.mark.parametrize("key", ["messages", "ips", "other_domains"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "3", 2**40])
def test_numbers_are_checked(put, key, value) -> None:
    with pytest.raises(SendcapError, match=f"{key} must be a whole number from 1"):
        import_exim(put("* * F,4d,6h"), **{key: value})
