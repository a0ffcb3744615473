"""Postfix: how many messages a connection carries, with TLS and without."""

from __future__ import annotations

import pytest

from sendcap.errors import SendcapError
from sendcap.importers import import_postfix

COUNT = "smtp_connection_reuse_count_limit = 30"


def carried(main, *domains: str, **files):
    """Return the messages of a connection at each provider."""
    made = import_postfix(main, dict.fromkeys(domains or ("gmail.com",), 1.0), **files)
    return [each.messages_per_connection for each in made.scenario.providers.values()]


def test_tls_is_not_reused_by_default(shared) -> None:
    """The case that was shown; TLS_README, "Client-side TLS connection reuse"."""
    assert carried(shared("cases/01-postfix-tls-may/main.cf")) == [1]


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        # smtp_tls_policy.c, global_tls_level: a level that is set, else the older parameters.
        ("smtp_tls_security_level = encrypt", 1),
        ("smtp_tls_security_level = dane", 1),
        ("smtp_tls_security_level = ${tls?{$tls}:{none}}\ntls = secure", 1),
        ("smtp_use_tls = yes", 1),
        ("smtp_enforce_tls = yes", 1),
        ("smtp_tls_security_level = none\nsmtp_use_tls = yes", "unlimited"),
        ("smtp_tls_security_level = none", "unlimited"),
        # mail_params.h, DEF_SMTP_TLS_LEVEL: may, from this level of compatibility on.
        ("compatibility_level = 3.11", 1),
        ("compatibility_level = 3.9", "unlimited"),
        ("compatibility_level = 2", "unlimited"),
        # smtp_proto.c: tlsproxy(8) keeps the session.
        ("smtp_tls_security_level = may\nsmtp_tls_connection_reuse = yes", "unlimited"),
        # postconf(5): with a reuse count limit of N, a connection is used up to N + 1 times.
        ("smtp_use_tls = yes\nsmtp_tls_connection_reuse = yes\n" + COUNT, 31),
        (COUNT, 31),
        # Incoming TLS says nothing about outgoing mail.
        ("smtpd_tls_security_level = may", "unlimited"),
    ],
)
def test_the_level_and_reuse_decide(put, text, messages) -> None:
    assert carried(put(text)) == [messages]


def test_policies_in_the_parameter_hold_for_their_destination(put) -> None:
    """postconf(5), smtp_tls_policy_maps: by the next hop; connection_reuse may be given, too."""
    text = (
        "smtp_tls_security_level = may\n"
        "smtp_tls_policy_maps = inline:{ { gmail.com = may connection_reuse=yes },\n"
        "  yahoo.com=none, .example.org=none }\n"
    )
    domains = ("gmail.com", "yahoo.com", "a.example.org", "outlook.com")
    assert carried(put(text), *domains) == ["unlimited", "unlimited", "unlimited", 1]
    made = import_postfix(put(text.replace("inline:{", "hash:/etc/policy, inline:{")), "a.org=1")
    report = made.report.set_index("setting")
    assert report.loc["smtp_tls_policy_maps", "status"] == "warning"
    assert "hash:/etc/policy" in report.loc["smtp_tls_policy_maps", "value"]


def test_a_client_may_have_a_level_of_its_own(put) -> None:
    master = (
        "smtp unix - - n - - smtp\n"
        "plain unix - - n - - smtp\n  -o smtp_tls_security_level=none\n"
        "inside unix - - n - - lmtp\n"
        "kept unix - - n - - smtp -o { smtp_tls_connection_reuse = yes }\n"
    )
    routes = "a.org plain:\nb.org inside:\nc.org kept:\n"
    found = carried(
        put("smtp_tls_security_level = may"),
        *("a.org", "b.org", "c.org", "d.org"),
        master_cf=put(master, "master.cf"),
        transport=put(routes, "transport"),
    )
    # An lmtp client has parameters of its own, lmtp_tls_security_level (lmtp_params.c).
    assert found == ["unlimited", "unlimited", "unlimited", 1]


def test_a_relay_host_is_listed_without_brackets_and_port(put) -> None:
    """postconf(5), smtp_connection_cache_destinations."""
    text = (
        "relayhost = [mail.example.org]:587\nsmtp_connection_cache_on_demand = no\n"
        "smtp_connection_cache_destinations = mail.example.org\n"
    )
    assert carried(put(text)) == ["unlimited"]


@pytest.mark.parametrize(
    ("text", "idle_s"),
    [
        ("smtp_connection_cache_time_limit = 30s", 2),
        ("smtp_connection_cache_time_limit = 30s\nconnection_cache_ttl_limit = 10s", 10),
        ("smtp_connection_cache_time_limit = 1s\nconnection_cache_ttl_limit = 10s", 1),
    ],
)
def test_the_cache_keeps_a_connection_no_longer_than_its_own_limit(put, text, idle_s) -> None:
    """scache.c: ttl > var_scache_ttl_lim ? var_scache_ttl_lim : ttl, 2 s by default."""
    made = import_postfix(put(text), {"gmail": 1.0})
    assert made.scenario.providers["gmail"].idle_timeout == idle_s


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("smtp_tls_security_level = perhaps", 'main.cf:1: smtp_tls_security_level: "perhaps" is'),
        ("smtp_tls_policy_maps = static:maybe", 'smtp_tls_policy_maps: "maybe" is no TLS'),
        ("smtp_tls_connection_reuse = 2", "smtp_tls_connection_reuse: "),
    ],
)
def test_what_is_wrong_is_told(put, text, message) -> None:
    if "reuse" in text:
        text += "\nsmtp_tls_security_level = may"
    with pytest.raises(SendcapError) as caught:
        import_postfix(put(text, "main.cf"), {"gmail": 1.0})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "messages", "share"),
    [
        # The gmail of quickstart: 350 ms to connect, 320 ms for a message.
        ("smtp_connection_reuse_time_limit = 5s\n", 15, "7 %"),
        ("smtp_connection_reuse_time_limit = 1s\n", 3, "27 %"),
        ("smtp_connection_reuse_time_limit = 300s\n", None, ""),
        ("", None, ""),
        # The count comes first.
        (f"smtp_connection_reuse_time_limit = 60s\n{COUNT}\n", None, ""),
        # A connection with TLS is not used again at all.
        (
            "smtp_connection_reuse_time_limit = 5s\nsmtp_tls_security_level = may\n",
            None,
            "",
        ),
    ],
)
def test_the_age_of_a_connection_is_told_with_what_it_costs(put, text, messages, share) -> None:
    """postconf(5), smtp_connection_reuse_time_limit: the timer starts with the connection."""
    made = import_postfix(put(f"{text}x = 1\n"), "gmail=1")
    name = "smtp_connection_reuse_time_limit"
    told = made.report[made.report["setting"] == name]
    warned = told[told["status"] == "warning"]["why"].tolist()
    if messages is None:
        assert warned == []
        assert all("no age" in why for why in told["why"])
        return
    (why,) = warned
    assert f"takes {share} of their time" in why
    assert why.endswith(f"as it does with providers.gmail.messages_per_connection = {messages}")
    gmail = made.scenario.providers["gmail"]
    cycle_s = gmail.connect_time.mean_s + messages * gmail.transaction_time.mean_s
    assert round(gmail.connect_time.mean_s / cycle_s, 2) == float(share[:-2]) / 100
