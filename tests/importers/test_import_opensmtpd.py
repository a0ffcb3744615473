"""OpenSMTPD: limits of connections, delays between them, retries and lifetimes."""

from __future__ import annotations

import pytest

import sendcap
from sendcap.errors import SendcapError
from sendcap.importers import import_opensmtpd
from sendcap.importers.opensmtpd.table import DEFAULTS, TABLE
from sendcap.scenario import OpensmtpdRetry

RELAY = 'action "out" relay\nmatch from any for any action "out"\n'
LINES = {
    "queue ttl": "queue ttl 2d\n",
    "ttl": 'action "o" relay ttl 2d\nmatch from any for any action "o"\n',
    "src": 'table a { 192.0.2.1, 192.0.2.2 }\naction "o" relay src <a>\nmatch for any action "o"\n',
    "mta max-deferred": "mta max-deferred 7\n",
    "mta limit inet4": "mta limit inet4\n",
    "mta limit inet6": "mta limit inet6\n",
    "mta limit max-conn-per-source": "mta limit max-conn-per-source 2\n",
}
LONG_DELAY = {name: f"mta limit {name} 70\n" for name in DEFAULTS if name.startswith("conn-delay")}


def test_without_limits_opensmtpds_defaults_hold(put) -> None:
    """``limit_mta_set_defaults`` in limit.c, SMTPD_QUEUE_EXPIRY in smtpd.h."""
    made = import_opensmtpd(put(RELAY), {"gmail": 1.0})
    gmail, mta = made.scenario.providers["gmail"], made.scenario.mta
    assert (gmail.connections_per_ip, gmail.messages_per_connection) == (5, 100)
    assert (str(gmail.connection_rate), gmail.idle_timeout) == ("1/5s,max_burst=1", 10)
    assert (mta.retry, mta.ips) == (OpensmtpdRetry(backoff="400s"), 1)
    assert made.scenario.honoured_validity(made.scenario.deliveries[0]) == 4 * 86_400
    assert not made.scenario.limits


def test_limits_of_a_domain_begin_with_those_that_hold_before_it(put) -> None:
    """``mta limit for domain`` copies the defaults of the moment (parse.y)."""
    text = (
        "mta limit max-conn-per-route 8\n"
        "mta limit for domain gmail.com session-mail-max 7 conn-delay-route 0 conn-delay-relay 0\n"
        "mta limit max-conn-per-route 9 session-mail-max 70\n"
    )
    made = import_opensmtpd(put(text + RELAY), {"gmail": 0.5, "yahoo": 0.5})
    gmail, yahoo = (made.scenario.providers[name] for name in ("gmail", "yahoo"))
    assert (gmail.connections_per_ip, yahoo.connections_per_ip) == (8, 9)
    assert (gmail.messages_per_connection, yahoo.messages_per_connection) == (7, 70)
    assert (gmail.connection_rate, str(yahoo.connection_rate)) == (None, "1/5s,max_burst=1")


def test_a_relay_host_has_limits_of_its_own_name_and_is_shared(put) -> None:
    text = (
        "mta limit for domain relay.example.org max-conn-per-host 4\n"
        'action "r" relay host smtp+tls://label@relay.example.org:587\n'
        'match from any for domain { "yahoo.com", "*.aol.com", aol.com } action "r"\n'
    )
    audience = {"gmail": 0.5, "yahoo": 0.2, "aol.com": 0.3}
    made = import_opensmtpd(put(text + RELAY), audience)
    found = {name: each.connections_per_ip for name, each in made.scenario.providers.items()}
    assert found == {"gmail": 5, "yahoo": 4, "aol.com": 4}
    limit = made.scenario.limits[0]
    assert (limit.providers, limit.connections) == (("yahoo", "aol.com"), 4)


def test_source_addresses_share_what_holds_for_a_host(put) -> None:
    """max-conn-per-host 10 and conn-delay-relay 2 are of all addresses together."""
    src = 'action "out" relay src { 192.0.2.1 192.0.2.2 192.0.2.3 }\nmatch for any action "out"\n'
    made = import_opensmtpd(put(src), {"gmail": 1.0})
    assert made.scenario.mta.ips == 3
    assert made.scenario.limits[0].connections == 10
    assert str(made.scenario.providers["gmail"].connection_rate) == "1/6s,max_burst=1"


def test_the_pause_after_a_connection_is_a_part_of_the_next_ones_time(put) -> None:
    """``discdelay_route`` in mta_find_route of mta.c."""
    before = sendcap.load("quickstart").providers["gmail"].connect_time
    after = import_opensmtpd(put(RELAY), {"gmail": 1.0}).scenario.providers["gmail"].connect_time
    assert after.mean_s == pytest.approx(before.mean_s + 3.0)
    spread = [each.second_moment_s2 - each.mean_s**2 for each in (before, after)]
    assert spread[1] == pytest.approx(spread[0], rel=1e-3)
    at_once = import_opensmtpd(put("mta limit reconn-delay-route 0\n"), {"gmail": 1.0}).scenario
    assert at_once.providers["gmail"].connect_time == before


def test_a_connection_that_is_refused_bounces_no_message(put) -> None:
    """A session takes a message when it is ready (MTA_READY in mta_session.c), and not before."""
    base = put(
        '[[deliveries]]\nname = "a"\nmessages = 9\naudience = { gmail = 1.0 }\n'
        '[relay]\nbatch_time = "1ms"\n'
        '[providers.gmail]\nconnect_time = "1s"\ntransaction_time = "1s"\n'
        "accepts_connections = 3\n",
        "base.toml",
    )
    gmail = import_opensmtpd(put(RELAY), base=base).scenario.providers["gmail"]
    assert (gmail.connections_per_ip, gmail.accepts_connections) == (3, None)


def test_other_domains_have_a_host_each(put) -> None:
    made = import_opensmtpd(put(RELAY), {"other": 1.0}, other_domains=30)
    other = made.scenario.providers["other"]
    assert (other.connections_per_ip, str(other.connection_rate)) == (150, "30/5s,max_burst=1")
    assert made.scenario.limits[0].connections == 100  # max-conn-per-source


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ('match from any for domain "gmail.com" action "long"', 7),
        ('match from any for domain "*" action "long"', 7),
        ('match from any for domain <known> action "long"', 7),
        ('match from any !for domain "gmail.com" action "long"', 2),
        ('match for local action "long"', 2),
        ('match action "long"', 2),
        ('match from any for domain <file> action "long"', 2),
        ('match mail-from "@a.org" for any action "long"', 2),
        ('match from any for domain regex "gmail" action "long"', 2),
        ('match from any for domain "gmail.com" action "local"', 2),
    ],
)
def test_the_first_rule_for_a_domain_decides(put, rule, days) -> None:
    text = (
        'table known { "gmail.com" }\ntable file file:/etc/mail/domains\nqueue ttl 2d\n'
        f'action "local" mbox\naction "long" relay ttl 7d\n{rule}\n'
    )
    made = import_opensmtpd(put(text + RELAY), {"gmail": 1.0})
    assert made.scenario.honoured_validity(made.scenario.deliveries[0]) == days * 86_400
    unreadable = any(word in rule for word in ("<file>", "mail-from", "regex"))
    warned = made.report[made.report["status"] == "warning"]["setting"].tolist()
    assert warned == (["match action long"] if unreadable else [])


def test_macros_comments_continued_lines_and_includes_are_read(put) -> None:
    put("mta limit max-conn-per-host $most # as above\n", "limits.conf")
    text = (
        'most = "4"\n# mta limit max-conn-per-host 1\ninclude "limits.conf"\n'
        "mta limit session-mail-max \\\n  9\ntable a {\n  192.0.2.1, # one\n  192.0.2.2\n}\n"
        'include "missing.conf"\n'
    )
    made = import_opensmtpd(put(text), {"gmail": 1.0})
    gmail = made.scenario.providers["gmail"]
    assert (gmail.connections_per_ip, gmail.messages_per_connection) == (4, 9)
    row = made.report[made.report["status"] == "warning"].iloc[0]
    assert (row["setting"], row["why"].startswith("not read: ")) == ("include", True)
    used = made.report[made.report["status"] == "used"].set_index("setting")["where"]
    assert used["mta limit max-conn-per-host"].endswith("limits.conf:1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mta limit max-con-per-host 5", 'line 1: "max-con-per-host" is not a limit'),
        ("\nmta limit max-conn-per-host", "line 2: mta limit max-conn-per-host: needs a whole n"),
        ("mta limit max-conn-per-host x", 'mta limit max-conn-per-host: "x" is not a whole'),
        ("mta limit max-conn-per-host 0", "with 0 OpenSMTPD sends nothing"),
        ("queue ttl 4w", '"4w" is not a delay; write a whole number and s, m, h or d'),
        ("queue ttl $x", 'macro "x" is not defined before'),
        ('\nqueue ttl "4d', "line 2: unclosed quotation mark"),
        ("table a {\nb", "line 1: a { without its }"),
        ("}", "line 1: a } without its {"),
        ("include configuration", "too many nested includes"),
    ],
)
def test_a_slip_is_named_with_its_line(put, text, message) -> None:
    with pytest.raises(SendcapError) as caught:
        import_opensmtpd(put(text), {"gmail": 1.0})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "keys", "how"), [(name, row.keys, row.how) for row in TABLE for name in row.names]
)
def test_a_setting_is_used_as_the_table_says(put, name, keys, how) -> None:
    limit = name.removeprefix("mta limit ")
    line = LINES.get(name) or LONG_DELAY.get(limit) or f"{name} 2\n"
    if name == "retry":
        line = RELAY
    made = import_opensmtpd(put(line), {"gmail": 1.0})
    own = made.report[made.report["setting"].str.endswith(name)]
    assert not own.empty
    if keys:
        own = own[own["status"].isin(["used", "default"])]
        found = own["scenario"].str.replace("providers.gmail", "providers.NAME")
        found = found.str.replace("[0]", "[]").tolist()
        assert found
        assert all(key.startswith(keys) for key in found)
    elif how.startswith("with a warning: "):
        assert ("warning", how.removeprefix("with a warning: ")) in set(
            zip(own["status"], own["why"], strict=True)
        )
    else:
        assert list(zip(own["status"], own["why"], strict=True)) == [("not used", how)]


def test_every_limit_is_in_the_table() -> None:
    named = {name.removeprefix("mta limit ") for row in TABLE for name in row.names}
    assert set(DEFAULTS) <= named
