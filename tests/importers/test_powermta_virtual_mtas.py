"""PowerMTA's virtual MTAs: their own limits, their source addresses, and limits of these.

The rules are those of the PowerMTA 5.0 User's Guide; its sections are named.
"""

from __future__ import annotations

import pytest

import sendcap
from sendcap.errors import SendcapError
from sendcap.importers import import_powermta
from sendcap.scenario import FixedWindow, PowermtaRetry

TWO = """
<virtual-mta a>
    smtp-source-host 192.0.2.1 a.example.org
    {a}
</virtual-mta>
<virtual-mta b>
    smtp-source-host 192.0.2.2 b.example.org
    {b}
</virtual-mta>
<virtual-mta-pool both>
    virtual-mta a
    virtual-mta b
    {pool}
</virtual-mta-pool>
"""


@pytest.fixture
def imported(put):
    def make(text: str, audience="gmail.com=0.6,other=0.4", **options):
        return import_powermta(put(text), audience, **options)

    return make


@pytest.fixture
def gmail(imported):
    """What is imported of directives for all domains, with further lines at the top."""

    def make(lines: str, top: str = "", **options):
        text = f"{top}\n<domain *>\n{lines}\n</domain>"
        return imported(text, "gmail.com=1", **options)

    return make


def two(a: str = "", b: str = "", pool: str = "") -> str:
    return TWO.format(a=a, b=b, pool=pool)


def limits(made) -> dict[str, object]:
    return {each.name: each.connections or each.rate for each in made.scenario.limits}


def reasons(made, status: str = "not used") -> dict[str, str]:
    rows = made.report[made.report["status"] == status]
    return dict(zip(rows["setting"], rows["why"], strict=True))


def test_a_virtual_mtas_connections_are_over_all_of_its_queues(shared) -> None:
    # 3.3.12.8: "across all queues from within this virtual MTA".
    made = import_powermta(shared("cases/45-pmta-vmta-max-smtp-out/config"), "gmail.com=1")
    assert limits(made) == {"virtual MTAs, max-smtp-out": 8}
    assert "max-smtp-out" in made.text
    gmail = made.scenario.providers["gmail.com"]
    assert (gmail.connections_per_ip, gmail.rate) == (20, FixedWindow(limit=100, window="1h"))
    assert "virtual MTA max-smtp-out" in reasons(made, "used")


def test_the_virtual_mtas_of_a_scenario_have_their_limits_together(imported) -> None:
    made = imported(two("max-smtp-out 8", "max-smtp-out 12"))
    assert limits(made) == {"virtual MTAs, max-smtp-out": 20}
    assert limits(imported(two("max-smtp-out 8", "max-smtp-out 12"), source="a")) == {
        "virtual MTAs, max-smtp-out": 8
    }
    # So many virtual MTAs like these.
    assert limits(imported(two("max-smtp-out 8", "max-smtp-out 12"), ips=4)) == {
        "virtual MTAs, max-smtp-out": 40
    }


def test_a_pools_limits_are_those_of_its_virtual_mtas(imported) -> None:
    # 3.3.13: a pool's directives are inherited, and the virtual MTA's own override them.
    made = imported(two(a="max-smtp-msg-rate 6/m", pool="max-smtp-msg-rate 10/m"))
    assert limits(made) == {"virtual MTAs, max-smtp-msg-rate": FixedWindow(limit=16, window="1m")}
    own = imported(two("max-smtp-out 3", "max-smtp-out 4", "max-smtp-out 9"))
    assert limits(own) == {"virtual MTAs, max-smtp-out": 7}
    assert reasons(own)["max-smtp-out"] == "the virtual MTA has its own"


def test_a_limit_of_some_virtual_mtas_is_told(imported) -> None:
    made = imported(two(a="max-smtp-out 8"))
    assert limits(made) == {}
    assert "limits 1 of 2 virtual MTAs" in reasons(made, "warning")["max-smtp-out"]
    high = imported(two("max-smtp-out 500", "max-smtp-out 500"))
    assert limits(high) == {}
    assert "the limits of the queues are lower" in reasons(high)["max-smtp-out"]


def test_every_line_of_a_virtual_mta_is_in_the_report(imported) -> None:
    # 3.3.12 and 3.3.13 list what may be there.
    made = imported(
        two(
            "cold-virtual-mta b\nhost-name m.example.org\nmax-msg-rate 5/h\nsomething x",
            "max-smtp-data-volume-rate 1g/h",
            "domain-key k,*,/etc/k.pem",
        )
    )
    unused = reasons(made)
    assert {"cold-virtual-mta", "host-name", "max-smtp-data-volume-rate", "domain-key"} <= set(
        unused
    )
    assert "does not know it" in unused["something"]
    assert unused["smtp-source-host"] == "one of the addresses, which take turns"
    assert "in a <domain>, and not directly" in reasons(made, "warning")["max-msg-rate"]


def test_what_a_more_special_entry_replaces_is_in_the_report(imported) -> None:
    text = "<domain *>\nmax-smtp-out 9\nmax-msg-rate 7/h\n</domain>\n"
    text += "<domain gmail.com>\nmax-smtp-out 5\n</domain>\n"
    made = imported(text, "gmail.com=1")
    assert "replaces it" in reasons(made)["max-smtp-out"]
    assert "max-smtp-out" not in reasons(imported(text))  # the others have it


def test_a_source_address_has_connections_of_its_own(shared) -> None:
    # 3.3.10.77: "for this domain for a given source IP".
    made = import_powermta(shared("cases/68-pmta-source-ip-max-smtp-out/config"), "gmail.com=1")
    gmail = made.scenario.providers["gmail.com"]
    assert (gmail.connections_per_ip, made.scenario.mta.ips) == (2, 1)
    assert "is lower" in reasons(made)["gmail.com: max-smtp-out"]


HOSTS = "".join(f"smtp-source-host 192.0.2.{number} m.example.org\n" for number in (1, 2, 130))


@pytest.mark.parametrize(
    ("lines", "connections"),
    [
        # Three addresses in turn (8.2), and the queue's own limit over all of them (3.3.10.74).
        ("source-ip-max-smtp-out 0/0 2", 6),
        ("source-ip-max-smtp-out 0/0 9", 20),
        ("source-ip-max-smtp-out 192.0.2.0/24 3", 9),
        ("source-ip-max-smtp-out 192/8 3", 9),
        # The most special range counts.
        ("source-ip-max-smtp-out 0/0 5\nsource-ip-max-smtp-out 192.0.2.1 1", 11),
        # One address has no limit, so that the queue has none.
        ("source-ip-max-smtp-out 192.0.2.0/25 2", 20),
        ("source-ip-max-smtp-out 0/0 unlimited", 20),
        ("max-smtp-out unlimited\nsource-ip-max-smtp-out 0/0 4", 12),
    ],
)
def test_addresses_take_turns_each_with_its_limit(gmail, lines, connections) -> None:
    made = gmail(lines, HOSTS)
    assert made.scenario.providers["gmail.com"].connections_per_ip == connections
    settings = " ".join(made.report["setting"])
    assert "source-ip-max-smtp-out" in settings


def test_rates_of_addresses_and_of_the_queue_all_hold(gmail) -> None:
    # 3.3.10.33, 3.3.10.78 to 3.3.10.82.
    made = gmail(
        "max-msg-rate 500/h\nsource-ip-max-msg-rate 0/0 10/m\nmax-msg-per-connection 5\n"
        "max-connect-rate 90/m\nsource-ip-max-connect-rate 0/0 20/m",
        HOSTS,
    )
    found = made.scenario.providers["gmail.com"]
    assert found.rate == (FixedWindow(limit=500, window="1h"), FixedWindow(limit=30, window="1m"))
    assert str(found.connection_rate) == "60/m"
    assert "is lower" in reasons(made)["gmail.com: max-connect-rate"]
    assert sendcap.simulate(made.scenario.with_({"deliveries[0].messages": 40})).summary()


def test_an_interval_between_connections_is_a_rate_of_them(gmail) -> None:
    # 3.3.10.78: "the minimum amount of time PowerMTA waits before opening another connection".
    found = gmail("smtp-out-rampup-interval 2s").scenario.providers["gmail.com"]
    assert str(found.connection_rate) == "1/2s,max_burst=1"
    found = gmail("smtp-out-rampup-interval 0").scenario.providers["gmail.com"]
    assert found.connection_rate is None


def test_addresses_that_are_not_known_have_no_limit(gmail) -> None:
    made = gmail("source-ip-max-smtp-out 192.0.2.7 2")
    assert made.scenario.providers["gmail.com"].connections_per_ip == 20
    assert "not known" in reasons(made)["gmail.com: source-ip-max-smtp-out"]
    made = gmail("source-ip-max-smtp-out 0/0 2", "smtp-source-host 10/8 m.example.org")
    assert made.scenario.providers["gmail.com"].connections_per_ip == 2
    assert "how many addresses" in reasons(made, "warning")["smtp-source-host"]


def test_a_template_with_names_for_addresses_is_read(gmail) -> None:
    hosts = "smtp-source-host $IP m.example.org\nsmtp-source-host m.example.org 192.0.2.1"
    made = gmail("source-ip-max-smtp-out 0/0 3", hosts)
    assert made.scenario.providers["gmail.com"].connections_per_ip == 6
    made = gmail("source-ip-max-smtp-out 192.0.2.1 3", hosts)
    assert made.scenario.providers["gmail.com"].connections_per_ip == 20


def test_lists_and_entries_for_no_domain_say_so(imported) -> None:
    made = imported(
        "<mx-rollup-list>\nmx *.google.com gmail.rollup\n</mx-rollup-list>\n"
        "<domain gmail.rollup>\nmax-smtp-out 4\n</domain>\n"
        "<domain hotmail.com live.com>\nmax-smtp-out 4\n</domain>\n"
        "http-mgmt-port 8080\n"
        "<virtual-mta v>\n<domain *>\nmax-smtp-out 9\n</domain>\n</virtual-mta>\n",
        "gmail.com=1",
    )
    warnings, unused = reasons(made, "warning"), reasons(made)
    assert "is not one domain" in warnings["<domain hotmail.com live.com>"]
    assert "more general" in warnings["gmail.com: max-smtp-out"]
    assert "<mx-rollup-list>" not in unused
    assert unused["http-mgmt-port"] == "about access to PowerMTA"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("source-ip-max-smtp-out 10", "write an address or a range and a limit"),
        ("source-ip-max-smtp-out here 10", '"here" is neither an IP address nor a range'),
        ("source-ip-max-msg-rate 0/0 5", '"5" is not a rate'),
        ("max-smtp-out 2000000000", "2,000,000,000 is too many; write unlimited, or at most"),
        ("max-msg-rate 2000000000/h", "is too many"),
        ("bounce-after 0", "leaves no time for an attempt"),
    ],
)
def test_what_is_wrong_with_a_limit_of_addresses_is_told(gmail, line, message) -> None:
    with pytest.raises(SendcapError, match=message):
        gmail(line)


PATTERNS = """
<smtp-pattern-list p>
    reply /mailbox full/ bounce-rcpt
    {}
</smtp-pattern-list>
"""


@pytest.mark.parametrize(
    ("reply", "lines", "rules"),
    [
        # "<smtp-pattern-list> Directives": disable-source-ip, reenable-after, defer-queue.
        ("reply /4/ disable-source-ip,reenable-after=1h", "", [("closed", 3600)]),
        ("reply /4/ disable-source-ip", "reenable-source-ip-after 30m", [("closed", 1800)]),
        ("reply /4/ defer-queue", "retry-after 12m,1h", [("closed", 720)]),
        (
            "reply /4/ mode = backoff, disable-source-ip, reenable-after=1h",
            "backoff-max-msg-rate 6/h\nbackoff-to-normal-after 4h",
            [("6/h", 14_400), ("closed", 3600)],
        ),
        # 3.3.10.84: five messages on each of two connections a minute.
        (
            "reply /4/ mode=backoff",
            "backoff-max-connect-rate 2/m\nmax-msg-per-connection 5\nbackoff-to-normal-after 1h",
            [("600/h,max_burst=1", 3600)],
        ),
        ("reply /4/ skip-mx", "", []),
        ("reply /4/ disable-source-ip", "reenable-source-ip-after 0", []),
    ],
)
def test_what_a_reply_does_to_a_queue(gmail, reply, lines, rules) -> None:
    made = gmail(f"smtp-pattern-list p\n{lines}", PATTERNS.format(reply))
    found = made.scenario.suspend_of("gmail.com")
    assert [(str(each.rate), each.lasts) for each in found] == rules


def test_of_several_addresses_one_is_disabled_and_the_others_go_on(gmail) -> None:
    made = gmail("smtp-pattern-list p", HOSTS + PATTERNS.format("reply /4/ disable-source-ip"))
    assert made.scenario.suspend_of("gmail.com") == ()
    assert "2 more go on" in reasons(made)["gmail.com: reply"]


def test_other_limits_of_backoff_mode_and_other_replies_are_in_the_report(gmail) -> None:
    made = gmail(
        "smtp-pattern-list p\nbackoff-max-msg-rate 6/h\nbackoff-max-smtp-out 2\n"
        "backoff-retry-after 20m,40m,2h\nbackoff-to-normal-after 1h",
        PATTERNS.format("reply /4/ mode=backoff\nreply /5/ defer-queue"),
    )
    unused = reasons(made)
    assert "another limit of backoff mode" in unused["gmail.com: backoff-max-smtp-out"]
    assert "one retry policy, in backoff mode too" in unused["backoff-retry-after"]
    assert "answers of one kind" in unused["gmail.com: reply"]
    assert "replies of the provider are shares" in unused["reply"]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (None, "its virtual MTAs send; nothing in it sets a limit"),
        ("both", "its virtual MTAs send; nothing in it sets a limit"),
        ("alone", "no mail goes out by it"),
    ],
)
def test_a_pool_whose_virtual_mtas_send_is_not_said_to_send_nothing(imported, source, why) -> None:
    made = imported(two() + "<virtual-mta alone>\n</virtual-mta>\n", source=source)
    assert reasons(made)["<virtual-mta-pool both>"] == why


def test_a_domains_lifetime_may_be_the_longest(imported) -> None:
    # 3.3.10.11, 3.3.10.39.
    made = imported(
        "<domain *>\nbounce-after 2d\n</domain>\n"
        "<domain gmail.com>\nbounce-after 6d\nretry-after 15m,2h\n</domain>\n"
        "<domain yahoo.com>\nbounce-after 9d\n</domain>\n"
    )
    scenario = made.scenario
    assert scenario.mta.retry == PowermtaRetry(retry_after=["10m"], bounce_after="2d")
    expected = PowermtaRetry(retry_after=["15m", "2h"], bounce_after="6d")
    assert scenario.providers["gmail.com"].retry == expected
    assert scenario.honoured_validity(scenario.deliveries[0]) == 6 * 86_400


def test_intervals_and_limits_at_their_ends_are_read(gmail) -> None:
    made = gmail("retry-after 0,1h\nretry-recipients-after 0").scenario
    assert made.mta.retry == PowermtaRetry(retry_after=["1s", "1h"])
    made = gmail("max-msg-rate 1000000000/h").scenario
    assert made.providers["gmail.com"].rate.limit == 1_000_000_000


def test_a_pool_inside_an_included_file_and_macros_are_read(put) -> None:
    # 3.3.12.10 and "domain-macro".
    put("max-smtp-out 3\n<domain $big>\nmax-msg-rate 9/m\n</domain>\n", "a.conf")
    text = "domain-macro big gmail.com, yahoo.com\n<virtual-mta a>\ninclude a.conf\n</virtual-mta>"
    made = import_powermta(put(text), "gmail.com=0.5,yahoo.com=0.5")
    assert limits(made) == {"virtual MTAs, max-smtp-out": 3}
    rates = {each.rate for each in made.scenario.providers.values()}
    assert rates == {FixedWindow(limit=9, window="1m")}


def of_each(a: str, b: str) -> str:
    return two(f"<domain *>\n{a}\n</domain>", f"<domain *>\n{b}\n</domain>")


def test_limits_that_differ_are_those_of_all_virtual_mtas_together(imported) -> None:
    """3.3.13: the virtual MTAs of a pool take messages in turn, each with queues of its own."""
    text = of_each(
        "max-smtp-out 20\nmax-msg-rate 600/h\nmax-connect-rate 60/m",
        "max-smtp-out 5\nmax-msg-rate 100/h\nmax-connect-rate 20/m",
    )
    made = imported(text, "gmail.com=1")
    gmail = made.scenario.providers["gmail.com"]
    assert (gmail.connections_per_ip, gmail.rate) == (13, FixedWindow(limit=350, window="1h"))
    assert gmail.connection_rate.per_s == pytest.approx(80 / 60 / 2)
    # 13 for each are one more than there are.
    assert limits(made) == {"gmail.com, all virtual MTAs": 25}
    why = reasons(made, "warning")["gmail.com"]
    assert "in turn" in why
    # The messages of b have 100 an hour, where the scenario has 350 for each.
    assert "the last ones of b take up to 3.5 times as long" in why
    assert "not of b" not in why
    used = reasons(made, "used")
    assert "a 20, b 5" in used["max-smtp-out"]
    assert "a 600/h, b 100/h" in used["max-msg-rate"]


def test_a_rate_that_does_not_divide_has_a_longer_window(imported) -> None:
    made = imported(of_each("max-msg-rate 3/m", "max-msg-rate 2/m"), "gmail.com=1")
    assert made.scenario.providers["gmail.com"].rate == FixedWindow(limit=5, window="2m")


def test_rates_of_several_windows_are_added_window_by_window(imported) -> None:
    text = of_each(
        "max-msg-rate 10/m\nmax-msg-per-hour 300", "max-msg-rate 30/m\nmax-msg-per-hour 900"
    )
    rate = imported(text, "gmail.com=1").scenario.providers["gmail.com"].rate
    assert set(rate) == {
        FixedWindow(limit=20, window="1m"),
        FixedWindow(limit=600, window="1h"),
    }


def test_where_one_virtual_mta_has_no_rate_there_is_none(imported) -> None:
    made = imported(of_each("max-msg-rate 10/m", "max-smtp-out 20"), "gmail.com=1")
    assert made.scenario.providers["gmail.com"].rate is None
    why = reasons(made, "warning")["gmail.com"]
    assert "max-msg-rate of a is left out, since b has no such limit" in why
    one = imported(of_each("max-msg-rate 10/m", "max-smtp-out 20"), "gmail.com=1", source="a")
    assert one.scenario.providers["gmail.com"].rate == FixedWindow(limit=10, window="1m")


def test_what_cannot_be_added_is_still_that_of_the_first(imported) -> None:
    text = of_each("max-smtp-out 10\nretry-after 15m", "max-smtp-out 20\nretry-after 20m")
    made = imported(text, "gmail.com=1")
    assert made.scenario.retry_of("gmail.com").retry_after == (900.0,)
    why = reasons(made, "warning")["gmail.com"]
    assert "retry-after is that of a, not of b" in why
    assert "--source" in why
    assert made.scenario.providers["gmail.com"].connections_per_ip == 15
    assert limits(made) == {}


def test_so_many_virtual_mtas_like_these(imported) -> None:
    made = imported(of_each("max-smtp-out 4", "max-smtp-out 1"), "gmail.com=1", ips=4)
    assert made.scenario.providers["gmail.com"].connections_per_ip == 3
    assert limits(made) == {"gmail.com, all virtual MTAs": 10}
