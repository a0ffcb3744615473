"""PowerMTA: domain blocks, virtual MTAs, rollups, backoff mode."""

from __future__ import annotations

import pytest

from sendcap.errors import SendcapError
from sendcap.importers import import_powermta
from sendcap.scenario import FixedWindow, PowermtaRetry, Suspend

CONFIG = """
# Everything below is made up
postmaster someone@example.org
total-max-smtp-out 1200
domain-macro microsoft outlook.com,hotmail.com,live.com
<smtp-pattern-list blocking>
    reply /421 .* too many errors/ mode=backoff
    reply /mailbox full/ bounce-rcpt
</smtp-pattern-list>
<domain *>
    max-smtp-out    20           # connections per queue
    bounce-after    3d
    retry-after     5m,20m,1h
    max-msg-per-connection 100
    backoff-max-msg-rate 10/m
    backoff-to-normal-after 2h
    smtp-pattern-list blocking
</domain>
<domain gmail.com>
    max-smtp-out 50
    max-msg-rate 83/10m
    retry-after 2m
</domain>
<domain $microsoft>
    queue-to "microsoft.queue"
</domain>
<domain microsoft.queue>
    max-smtp-out 30
    max-connect-rate 10/m
    max-msg-per-connection 10
    backoff-to-normal-after never
    backoff-to-normal-after-delivery true
    backoff-retry-after 30m,1h
</domain>
"""
VIRTUAL = """
<virtual-mta one>
    smtp-source-host 192.0.2.1 one.example.org
</virtual-mta>
<virtual-mta two>
    smtp-source-host 192.0.2.2 two.example.org
    <domain yahoo.com>
        max-smtp-out 3
    </domain>
</virtual-mta>
<virtual-mta three>
</virtual-mta>
<virtual-mta-pool both>
    virtual-mta one
    virtual-mta two
    <domain yahoo.com>
        max-smtp-out 5
        max-msg-per-connection 7
    </domain>
</virtual-mta-pool>
"""


@pytest.fixture
def imported(put):
    def make(audience, text: str = CONFIG, **options):
        return import_powermta(put(text), audience, **options)

    return make


@pytest.fixture
def provider(imported):
    def make(name: str, text: str = CONFIG, **options):
        return imported({name: 1.0}, text, **options).scenario.providers[name]

    return make


def test_without_settings_powermtas_defaults_hold(imported) -> None:
    made = imported({"gmail": 1.0}, "host-name mx1").scenario
    gmail = made.providers["gmail"]
    assert (gmail.connections_per_ip, gmail.messages_per_connection) == (20, "unlimited")
    assert (gmail.rate, gmail.idle_timeout) == (None, 0)
    assert made.suspend_of("gmail") == ()
    assert made.mta.retry == PowermtaRetry()
    assert made.mta.ips == 1


def test_a_domains_entry_comes_before_the_general_one(provider) -> None:
    gmail = provider("gmail")
    assert gmail.connections_per_ip == 50
    assert gmail.messages_per_connection == 100
    assert gmail.rate == FixedWindow(limit=83, window="10m")
    assert provider("comcast").connections_per_ip == 20


def test_retries_are_those_of_the_general_entry_and_not_below_a_recipients_own(imported) -> None:
    made = imported({"gmail": 1.0})
    expected = PowermtaRetry(retry_after=["10m", "20m", "1h"], bounce_after="3d")
    assert made.scenario.mta.retry == expected
    assert made.scenario.honoured_validity(made.scenario.deliveries[0]) == 3 * 86_400
    # A queue with other intervals has a policy of its own.
    own = made.scenario.providers["gmail"].retry
    assert own == PowermtaRetry(retry_after=["10m"], bounce_after="3d")
    assert imported({"yahoo": 1.0}).scenario.providers["yahoo"].retry == "mta"


def test_backoff_mode_becomes_a_rule(provider, imported) -> None:
    assert provider("gmail").suspend == Suspend(after=1, within="1m", lasts="2h", rate="10/m")
    # A delivery ends it; the next attempt is after the first backoff-retry-after.
    assert provider("hotmail").suspend.lasts == 1800
    without = CONFIG.replace("mode=backoff", "skip-mx")
    assert imported({"gmail": 1.0}, without).scenario.suspend_of("gmail") == ()
    own = CONFIG.replace("mode=backoff", "mode=backoff,backoff-to-normal-after=5m")
    assert provider("gmail", own).suspend.lasts == 300
    fewer = CONFIG.replace("backoff-max-msg-rate 10/m", "backoff-max-smtp-out 2")
    # Two of its connections: an attempt takes 0.32 s and 0.35 s for a connection every 100.
    assert provider("gmail", fewer).suspend.rate.per_s == pytest.approx(2 / 0.3235, rel=1e-3)


def test_backoff_mode_is_that_of_each_queue(imported) -> None:
    text = (
        "<smtp-pattern-list slow>\nreply /421/ mode=backoff\n</smtp-pattern-list>\n"
        "<domain *>\nmax-smtp-out 10\nsmtp-pattern-list slow\n</domain>\n"
    )
    # Twenty connections in backoff mode are no less than ten.
    assert imported({"other": 1.0}, text, other_domains=5).scenario.suspend_of("other") == ()
    slower = text.replace("max-smtp-out 10", "max-smtp-out 10\nbackoff-max-msg-rate 6/h")
    (suspend,) = imported({"other": 1.0}, slower, other_domains=5).scenario.suspend_of("other")
    assert suspend.rate.per_s == pytest.approx(5 * 6 / 3600)
    fewer = text.replace("max-smtp-out 10", "max-smtp-out 10\nbackoff-max-smtp-out 2")
    (suspend,) = imported({"other": 1.0}, fewer, other_domains=5).scenario.suspend_of("other")
    # An attempt takes 0.7 s.
    assert suspend.rate.per_s == pytest.approx(5 * 2 / 0.7, rel=1e-3)


def test_domains_are_put_into_one_queue(provider, imported, put) -> None:
    hotmail = provider("hotmail")
    assert hotmail.connections_per_ip == 30
    # Ten connections a minute, ten messages on each.
    assert (str(hotmail.connection_rate), hotmail.messages_per_connection) == ("10/m", 10)
    assert hotmail.rate is None
    table = put("outlook.com,40\nhotmail.com,20\ngmail.com,30\nsome.org,10\n", "audience.csv")
    made = imported(table).scenario
    shares = {"microsoft.queue": 0.6, "gmail.com": 0.3, "other": 0.1}
    assert made.deliveries[0].audience == shares
    assert made.providers["microsoft.queue"].connections_per_ip == 30
    assert made.providers["other"].connections_per_ip == 20


@pytest.mark.parametrize(
    ("pattern", "domain", "belongs"),
    [
        ("*", "a.org", True),
        ("a.org", "a.org", True),
        ("a.org", "b.a.org", False),
        ("*.a.org", "b.a.org", True),
        ("*.a.org", "a.org", False),
        ("[*.]a.org", "a.org", True),
        ("[*.]a.org", "c.b.a.org", True),
        ("$tld", "a.org", True),
        ("a.$end", "a.org", True),
        ("a.$end", "a.com", False),
        ("a$dotted", "a.co.uk", True),
    ],
)
def test_which_domains_a_pattern_is_about(provider, pattern, domain, belongs) -> None:
    text = (
        "domain-macro end org, net\ndomain-macro tld a.$end\ndomain-macro dotted .co.uk,.us\n"
        f"<domain {pattern}>\nmax-smtp-out 3\n</domain>"
    )
    assert provider(domain, text).connections_per_ip == (3 if belongs else 20)


def test_a_macros_domains_may_be_wrapped(provider, imported) -> None:
    # As in configurations that people share.
    text = (
        "domain-macro top co.uk, com,\nde, es,\n  fr\ndomain-macro big\norange.fr,wanadoo.fr\n"
        "<domain hotmail.$top>\nmax-smtp-out 3\n</domain>\n"
        "<domain $big>\nmax-smtp-out 4\n</domain>"
    )
    found = {name: provider(name, text).connections_per_ip for name in ("hotmail.fr", "wanadoo.fr")}
    assert found == {"hotmail.fr": 3, "wanadoo.fr": 4}
    with pytest.raises(SendcapError, match="line 2: is not a directive"):
        imported({"gmail": 1.0}, "domain-macro top com\nde, fr")


def test_a_name_may_end_with_a_tab(provider) -> None:
    text = "<domain\t*>\n\tmax-smtp-out\t7 \n\tsource-ip-max-msg-rate\t0/0 5/m\n</domain>"
    found = provider("gmail", text)
    assert (found.connections_per_ip, found.rate) == (7, FixedWindow(limit=5, window="1m"))


def test_the_most_specific_entry_holds_whatever_the_order(provider) -> None:
    entries = ["c.b.a.org", "$macro", "*.b.a.org", "[*.]a.org", "*"]
    for number, _ in enumerate(entries):
        blocks = [
            f"<domain {name}>\nmax-smtp-out {count}\n</domain>"
            for count, name in enumerate(entries[number:], number + 1)
        ]
        text = "domain-macro macro c.b.a.org\n" + "\n".join(blocks)
        assert provider("c.b.a.org", text).connections_per_ip == number + 1


def test_a_virtual_mtas_entries_come_before_its_pools_and_the_global_ones(imported) -> None:
    found = {
        name: imported({"yahoo": 1.0}, CONFIG + VIRTUAL, source=name).scenario
        for name in ("one", "two", "three", "both")
    }
    limits = {name: each.providers["yahoo"].connections_per_ip for name, each in found.items()}
    # Both: five of one and three of two.
    assert limits == {"one": 5, "two": 3, "three": 20, "both": 4}
    assert found["two"].providers["yahoo"].messages_per_connection == 7
    assert {name: each.mta.ips for name, each in found.items()} == {
        "one": 1, "two": 1, "three": 1, "both": 2,
    }  # fmt: skip


def test_all_virtual_mtas_are_source_addresses_and_differences_are_told(imported) -> None:
    made = imported({"yahoo": 1.0}, CONFIG + VIRTUAL)
    assert made.scenario.mta.ips == 3
    warnings = made.report[made.report["status"] == "warning"].set_index("setting")["why"]
    # Of one, two and three: 5, 3 and 20 connections, and 7, 7 and 100 messages over each.
    assert made.scenario.providers["yahoo"].connections_per_ip == 10
    assert [limit.connections for limit in made.scenario.limits] == [28]
    assert "the last ones of two take up to 3.1 times as long" in warnings["yahoo"]
    assert "max-msg-per-connection is that of one, not of three" in warnings["yahoo"]
    with pytest.raises(SendcapError, match='no virtual MTA or pool "tow"; did you mean "two"'):
        imported({"yahoo": 1.0}, CONFIG + VIRTUAL, source="tow")


def test_a_virtual_mtas_general_entry_against_a_special_global_one_is_told(imported) -> None:
    text = f"{CONFIG}<virtual-mta v>\n<domain *>\nmax-smtp-out 9\n</domain>\n</virtual-mta>"
    made = imported({"gmail": 1.0}, text)
    assert made.scenario.providers["gmail"].connections_per_ip == 9
    warning = made.report.set_index("setting").loc["gmail: max-smtp-out"]
    assert (warning["status"], warning["value"]) == ("warning", "50")


def test_domains_are_rolled_up_by_their_mx(provider) -> None:
    text = (
        "<mx-rollup-list>\nmx *.google.com gmail.rollup\nmx mx.a.net a.rollup\n</mx-rollup-list>\n"
        "<domain gmail.rollup>\nmax-smtp-out 4\n</domain>\n"
        "<domain a.rollup>\nmax-smtp-out 6\n</domain>\n"
    )
    assert provider("gmail", text).connections_per_ip == 4
    assert provider("my.org", text, mx={"my.org": ["mx.a.net"]}).connections_per_ip == 6
    own = f"{text}<domain gmail.com>\ndisable-mx-rollup yes\nmax-smtp-out 8\n</domain>"
    assert provider("gmail", own).connections_per_ip == 8


def test_lists_of_patterns_and_names_with_a_dot_are_read(imported) -> None:
    text = (
        "<bounce-category-patterns>\n/no longer (valid|available)/ bad-mailbox\n"
        "</bounce-category-patterns>\n<pattern-list by-sender>\n"
        "mail-from /@a.org$/ <pattern-list>\nrcpt-to /b.org/ virtual-mta=a\n</pattern-list>\n"
        "* virtual-mta=b\n</pattern-list>\n"
        "<domain *>\ntls-allow-tlsv1.1 no\nmax-smtp-out 7\n</domain>\n"
    )
    made = imported({"gmail": 1.0}, text)
    assert made.scenario.providers["gmail"].connections_per_ip == 7
    unused = made.report[made.report["status"] == "not used"].set_index("setting")["why"]
    assert unused["<bounce-category-patterns>"] == "names replies; their frequency is in logs only"
    assert "tls-allow-tlsv1.1" in unused


def test_included_files_are_read_and_missing_ones_told(put, imported) -> None:
    put("<domain gmail.com>\nmax-smtp-out 7\n</domain>", "more.conf")
    put("max-msg-per-connection 8", "within.conf")
    text = "include more*.conf\n<domain gmail.com>\ninclude within.conf\n</domain>\ninclude gone\n"
    made = imported({"gmail": 1.0}, text)
    gmail = made.scenario.providers["gmail"]
    assert (gmail.connections_per_ip, gmail.messages_per_connection) == (7, 8)
    warnings = made.report[made.report["status"] == "warning"].set_index("setting")
    assert "is left out" in warnings.loc["include"]["why"]


def test_the_total_of_connections_is_a_limit_where_it_would_bind(imported) -> None:
    total = "total-max-smtp-out 30\n" + CONFIG.replace("total-max", "x")
    (limit,) = imported({"gmail": 1.0}, total).scenario.limits
    assert (limit.name, limit.connections, limit.providers) == ("total-max-smtp-out", 30, ())
    made = imported({"gmail": 1.0})
    assert made.scenario.limits == ()
    assert "the limits of the queues are lower" in " ".join(made.report["why"])


def test_addresses_and_passwords_are_not_shown(imported) -> None:
    text = CONFIG.replace("max-smtp-out 50", "max-smtp-out 50\nauth-password opensesame")
    made = imported({"gmail": 1.0}, text)
    assert "auth-password" in set(made.report["setting"])
    assert "opensesame" not in made.report.to_csv() + made.text
    assert "someone@" not in made.report.to_csv() + made.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<domain a>\nmax-smtp-out 5", "conf:1: <domain> is never closed"),
        ("</domain>", "conf: line 1: </domain> closes nothing"),
        ("<domain a>\n</source>", "conf: line 2: </source>: <domain> of"),
        ("<domain a", "conf: line 1: is not a tag"),
        ("<>", "conf: line 1: is not a tag"),
        ("a = 1 = [b]\n= x", "conf: line 2: is not a directive"),
        ("<domain *>\nmax-smtp-out many\n</domain>", 'conf:2: max-smtp-out: "many" is not a whole'),
        ("<domain *>\nmax-msg-rate 5/x\n</domain>", 'conf:2: max-msg-rate: "5/x" is not a rate'),
        ("<domain *>\nmax-msg-rate 5/0m\n</domain>", 'max-msg-rate: "5/0m" is not a rate'),
        ("<domain *>\nretry-after 10\n</domain>", 'conf:2: retry-after: "10" is not a duration'),
        ("<domain *>\nmax-smtp-out 0\n</domain>", "conf:2: max-smtp-out cannot be unlimited"),
        ("<domain $x>\n</domain>", 'conf:1: domain macro "$x" is not defined'),
        ("domain-macro x $x\n<domain $x>\n</domain>", "contains itself"),
        ("include conf", "too many nested includes; is there a cycle?"),
        (
            "".join(f"domain-macro m{n} $m{n + 1},$m{n + 1}\n" for n in range(30))
            + "domain-macro m30 a.org\n<domain $m0>\n</domain>",
            "more than 100,000 domains",
        ),
        ("domain-macro x a,b\n<domain " + "$x" * 200 + ">\n</domain>", "is too long for a domain"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(put, text, message) -> None:
    with pytest.raises(SendcapError) as caught:
        import_powermta(put(text, "conf"), {"gmail": 1.0})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_misspelt_directive_is_told_with_the_one_that_is_meant(put) -> None:
    text = "<domain *>\nmax-smpt-out 5\nmax-msgs-rate 5/m\nfoo 1\n</domain>\n"
    report = import_powermta(put(text), "gmail.com=1").report
    told = report[report["status"] == "warning"].set_index("setting")["why"]
    for name, meant in (("max-smpt-out", "max-smtp-out"), ("max-msgs-rate", "max-msg-rate")):
        assert told[name] == f'this importer does not know it; did you mean "{meant}"?'
    assert "foo" not in told
