from __future__ import annotations

import re
import tomllib

import pytest

from sendcap.calibration.outcomes import packed, read_reply
from sendcap.calibration.providers import Providers, read_map
from sendcap.calibration.reasons import REASONS
from sendcap.errors import SendcapError


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("said: 550 5.1.1 The account that you tried to reach does not exist", "user unknown"),
        ("said: 550 5.4.1 Recipient address rejected: Access denied. AS(2018)", "user unknown"),
        ("said: 452-4.2.2 The recipient's inbox is out of storage space", "mailbox full"),
        ("said: 450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted", "greylisted"),
        ("said: 421 4.7.28 [TSS04] Messages temporarily deferred due to volume", "throttled"),
        ("said: 421 4.7.0 Our system has detected an unusual rate of mail", "throttled"),
        ("said: 550 5.7.1 Service unavailable, Client host blocked using Spamhaus", "blocked"),
        ("said: 550 5.7.26 This mail is unauthenticated", "authentication"),
        ("said: 550 5.7.22 No valid author-matched signature found", "authentication"),
        ("said: 550 5.7.25 Reverse DNS validation failed", "blocked"),
        ("said: 451 4.3.0 Temporary lookup failure", "try again later"),
        ("Host or domain name not found. Name service error for name=x type=MX", "invalid domain"),
        ("connect to mx.example.org[192.0.2.1]:25: Connection timed out", "unreachable"),
        ("lost connection with mx.example.org while receiving the greeting", "unreachable"),
        ("said: 552 5.3.4 Message too big for system", "message too large"),
        ("said: 554 5.7.1 Message rejected as spam by Content Filtering", "spam content"),
        ("said: 550 5.2.1 The account is disabled", "account disabled"),
        ("said: 503 5.5.1 Bad sequence", "protocol error"),
        ("said: 599 nothing that anybody knows", "other"),
    ],
)  # fmt: skip
def test_the_reason_of_a_reply(text, reason) -> None:
    reply = read_reply(text.encode())
    assert REASONS[reply.reason] == reason


def test_codes_of_a_reply_are_found_behind_the_hosts_name() -> None:
    text = b"host mx[192.0.2.250] said: 450-4.7.1 later (in reply to RCPT TO command)"
    reply = read_reply(text)
    assert (reply.code, reply.enhanced) == (450, packed(4, 7, 1))


def test_what_was_answered_is_no_word_of_the_reply() -> None:
    assert REASONS[read_reply(b"hm (in reply to MAIL FROM command)").reason] == "other"


# Patterns in the form of KumoMTA's community rules, written for this test.
PATTERNS = {
    "QuotaIssues": [
        r"^4(22|52)[ -]4\.2\.2 .*over quota",
        r"mailbox is full$",
        r"user has exceeded .* storage allocation",
    ],
    "InvalidRecipient": [
        r"^550[ -]5\.1\.1 .*user unknown",
        r"no such recipient here",
        r"recipient .* does not exist\.?$",
    ],
}


def test_patterns_for_full_and_unknown_mailboxes_have_these_reasons() -> None:
    assert_same_reasons(PATTERNS, 1.0, 1.0)


def test_kumomtas_patterns_for_full_and_unknown_mailboxes_have_these_reasons(shared) -> None:
    path = shared("data/kumomta/community-bounces.toml")
    assert_same_reasons(tomllib.loads(path.read_text())["rules"], 0.6, 0.5)


def assert_same_reasons(rules: dict[str, list[str]], full: float, unknown: float) -> None:
    for kind, reason, least in (
        ("QuotaIssues", "mailbox full", full),
        ("InvalidRecipient", "user unknown", unknown),
    ):
        # A pattern without signs is about like a text that it matches.
        texts = [re.sub(r"[\\^$()|]|\.[+*]", " ", pattern) for pattern in rules[kind]]
        same = [REASONS[read_reply(text.encode()).reason] == reason for text in texts]
        assert sum(same) >= least * len(same), (kind, sum(same), len(same))


@pytest.mark.parametrize(
    ("host", "domain", "provider"),
    [
        ("aspmx.l.google.com", "company.example", "gmail"),
        ("alt1.gmail-smtp-in.l.google.com.", "gmail.com", "gmail"),
        ("notgoogle.com", "company.example", "other"),
        ("company-example.mail.protection.outlook.com", "company.example", "office365"),
        ("hotmail-com.olc.protection.outlook.com", "hotmail.com", "outlook"),
        ("", "hotmail.co.uk", "outlook"),
        ("", "Yahoo.De", "yahoo"),
        ("", "yahoo.co.jp", "yahoo-japan"),
        ("", "yahoo.example", "other"),
        ("", "web.de", "gmx"),
        ("", "att.net", "yahoo"),
        ("mx.company.example", "company.example", "other"),
        ("", "", "other"),
    ],
)
def test_the_provider_of_a_host_or_domain(host, domain, provider) -> None:
    assert Providers().name(host.encode(), domain.encode()) == provider


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_given_map_comes_first(tmp_path, sign) -> None:
    path = tmp_path / "map.csv"
    rows = "end,provider\n*.google.com,workspace\ncompany.example, ours\n\n"
    path.write_text(rows.replace(",", sign))
    providers = Providers(read_map(path))
    assert providers.name(b"aspmx.l.google.com", b"else.example") == "workspace"
    assert providers.name(b"aspmx.l.google.com", b"company.example") == "ours"
    assert providers.name(b"", b"gmail.com") == "gmail"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("a,b,c\n", "line 1: write two cells"),
        ("google.com,\n", "line 1: write two cells"),
        ("google.com,\x1b[31m\n", "line 1: write a host or domain suffix"),
        ('"google.com,x\n', "not a CSV file"),
        ("google.com,*\n", "line 1: write a host or domain suffix"),
    ],
)
def test_an_unreadable_map_is_an_error(tmp_path, content, message) -> None:
    path = tmp_path / "map.csv"
    path.write_text(content)
    with pytest.raises(SendcapError, match=message):
        read_map(path)


@pytest.mark.parametrize("end", ["bücher.example", "xn--bcher-kva.example", "Bücher.example"])
@pytest.mark.parametrize("domain", ["bücher.example", "xn--bcher-kva.example", "BÜCHER.EXAMPLE."])
def test_an_international_domain_may_be_spelt_either_way(end, domain) -> None:
    """RFC 5890: a U-label and the A-label of it are the same name."""
    providers = Providers({end: "books"})
    assert providers.name(b"", domain.encode()) == "books"
    assert providers.name(b"mx." + domain.encode(), b"x.example") == "books"


@pytest.mark.parametrize("domain", ["\ufffd\ufffd.example", "ü" * 200, "é..example", "\u2028"])
def test_what_is_no_international_domain_is_of_nobody_known(domain) -> None:
    assert Providers({"example.org": "x"}).name(b"", domain.encode()) == "other"
