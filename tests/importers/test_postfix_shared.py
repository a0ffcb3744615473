"""Postfix: limits over several providers, source addresses, and the active queue."""

from __future__ import annotations

import pytest

from sendcap.importers import import_postfix
from sendcap.scenario import Gap

TWO = "gmail.com=0.5,yahoo.com=0.5"


def limits_of(made):
    """Return the shared limits: connections or rate, and the providers."""
    return [(limit.connections or limit.rate, limit.providers) for limit in made.scenario.limits]


def connections(made):
    return [each.connections_per_ip for each in made.scenario.providers.values()]


def warnings_of(made) -> dict[str, str]:
    report = made.report[made.report["status"] == "warning"]
    return dict(zip(report["setting"], report["why"], strict=True))


def test_a_transports_delay_is_that_of_all_its_mail(shared) -> None:
    """postconf(5), default_transport_rate_delay: "regardless of destination"."""
    audience = "gmail=0.5,yahoo=0.25,outlook=0.25"
    case = shared("cases/38-postfix-transport-rate-delay/main.cf")
    made = import_postfix(case, audience)
    assert limits_of(made) == [(Gap(pause="1s"), ("gmail", "yahoo", "outlook"))]
    assert [each.rate for each in made.scenario.providers.values()] == [None] * 3


def test_a_transports_delay_is_not_that_of_another(put) -> None:
    text = "slow_transport_rate_delay = 20s\nslow_destination_rate_delay = 5s\n"
    routes = put("gmail.com slow:\nyahoo.com slow:\n", "transport")
    made = import_postfix(put(text), f"{TWO.replace('0.5', '0.4')},a.org=0.2", transport=routes)
    assert limits_of(made) == [(Gap(pause="20s"), ("gmail.com", "yahoo.com"))]
    # Both delays hold: qmgr_entry.c and qmgr_transport.c.
    rates = {name: each.rate for name, each in made.scenario.providers.items()}
    assert rates == {"gmail.com": Gap(pause="5s"), "yahoo.com": Gap(pause="5s"), "a.org": None}
    alone = import_postfix(put(text), "gmail.com=0.5,a.org=0.5", transport=routes)
    assert alone.scenario.providers["gmail.com"].rate == Gap(pause="20s")
    assert not alone.scenario.limits


def test_one_next_hop_has_one_limit(shared) -> None:
    """qmgr_message.c: a queue is that of a transport and a next hop."""
    case = shared("cases/40-postfix-map-one-nexthop/main.cf")
    made = import_postfix(case, TWO, transport=case.with_name("transport"))
    assert limits_of(made) == [(10, ("gmail.com", "yahoo.com"))]


@pytest.mark.parametrize(
    "text",
    [
        "relayhost = [smtp.example.org]:587",
        "default_transport = smtp:[smtp.example.org]:587",
        "transport_maps = static:smtp:[smtp.example.org]",
        "transport_maps = inline:{ *=:[smtp.example.org] }",
        "relayhost = $mydomain",
    ],
)
def test_a_host_for_all_mail_has_one_limit(put, text) -> None:
    made = import_postfix(put(f"{text}\nsmtp_destination_concurrency_limit = 7"), TWO)
    assert limits_of(made) == [(7, ("gmail.com", "yahoo.com"))]
    twice = import_postfix(put(f"{text}\nsmtp_destination_concurrency_limit = 7"), TWO, ips=2)
    assert limits_of(twice) == [(14, ("gmail.com", "yahoo.com"))]
    delayed = import_postfix(put(f"{text}\nsmtp_destination_rate_delay = 3s"), TWO)
    assert limits_of(delayed) == [(Gap(pause="3s"), ("gmail.com", "yahoo.com"))]


def test_the_processes_limit_a_host_for_all_mail_too(put) -> None:
    text = "relayhost = a.org\nsmtp_destination_concurrency_limit = 300\ndefault_process_limit = 40"
    made = import_postfix(put(text), TWO)
    assert limits_of(made) == [(40, ("gmail.com", "yahoo.com"))]
    # Without a limit for each destination, too.
    made = import_postfix(put(text.replace("300", "0")), TWO)
    assert limits_of(made) == [(40, ("gmail.com", "yahoo.com"))]


def test_a_transport_for_any_sender_is_the_usual_one(put) -> None:
    text = "sender_dependent_default_transport_maps = static:slow:[b.org]\n"
    made = import_postfix(put(text + "slow_destination_concurrency_limit = 3"), TWO)
    assert limits_of(made) == [(3, ("gmail.com", "yahoo.com"))]


def test_a_transport_without_a_next_hop_does_without_the_relay_host(put) -> None:
    """transport(5): a transport "with a null nexthop field resets the nexthop"."""
    text = "relayhost = [smtp.example.org]\nsmtp_destination_concurrency_limit = 7"
    routes = put("yahoo.com smtp:\n.example.net :\n", "transport")
    audience = "gmail.com=0.4,yahoo.com=0.3,a.example.net=0.3"
    made = import_postfix(put(text), audience, transport=routes)
    assert limits_of(made) == [(7, ("gmail.com", "a.example.net"))]


def test_a_host_for_a_part_of_the_domains_is_told(put) -> None:
    routes = put("gmail.com smtp:[b.org]\nyahoo.com smtp:[b.org]\n", "transport")
    table = put("gmail.com,50\ngooglemail.com,20\nyahoo.com,30\n", "audience.csv")
    made = import_postfix(put("a = b"), table, transport=routes)
    assert connections(made) == [40, 20]
    assert "mail to gmail and yahoo goes to this host in part" in warnings_of(made)["next hop"]


def test_processes_are_shared(put) -> None:
    text = "default_process_limit = 30\nsmtp_destination_concurrency_limit = 20"
    made = import_postfix(put(text), "gmail=0.5,yahoo=0.3,icloud=0.2")
    assert connections(made) == [20, 20, 20]
    assert limits_of(made) == [(30, ("gmail", "yahoo", "icloud"))]


def test_a_limit_for_each_recipient_leaves_the_processes(put) -> None:
    """qmgr_message.c: with one recipient the queue is called after the recipient."""
    text = "smtp_destination_recipient_limit = 1\nsmtp_destination_rate_delay = 1s\n"
    made = import_postfix(put(text), "gmail=1")
    assert (connections(made), made.scenario.providers["gmail"].rate) == ([100], None)


def test_a_table_of_expressions_is_read_in_order(put) -> None:
    """regexp_table(5); transport(5), "Regular expression tables": on the whole address."""
    text = "slow_destination_concurrency_limit = 3\nrest_destination_concurrency_limit = 9\n"
    lines = "/@gmail\\.com$/ slow:\n/@GMX/i no:\n/@(a|b){2}(?=c)/ no:\n/^yahoo\\.com$/ no:\n"
    made = import_postfix(
        put(text),
        "gmail.com=0.5,yahoo.com=0.3,gmx.net=0.2",
        transport=put(f"{lines}/./\trest:\n/./ never:\n", "transport"),
    )
    assert connections(made) == [3, 9, 9]
    assert warnings_of(made)["transport map"] == "whose mail it is for cannot be read here"


RANDOM = """
out1 unix - - n - - smtp -o smtp_bind_address=192.0.2.1
out2 unix - - n - 9 smtp -o smtp_bind_address=192.0.2.2
out3 unix - - n - - smtp -o smtp_bind_address=192.0.2.3
"""


def test_transports_at_random_are_source_addresses(shared) -> None:
    """src/util/dict_random.c; transport(5)."""
    case = shared("cases/41-postfix-randmap/main.cf")
    made = import_postfix(case, "gmail=1", master_cf=case.with_name("master.cf"))
    assert (made.scenario.mta.ips, made.scenario.mta.queues) == (2, "per-ip")
    assert connections(made) == [4]


def test_a_relay_host_that_no_mail_goes_to_is_not_called_that_of_all(put) -> None:
    """transport(5): a transport without a next hop resets the next hop to the domain."""
    text = "relayhost = [b.org]\ntransport_maps = randmap:{out1:,out2:}\n"
    made = import_postfix(put(text), TWO, master_cf=put(RANDOM, "master.cf"))
    assert "relayhost" not in warnings_of(made)
    row = made.report.set_index("setting").loc["relayhost"]
    assert (row["status"], row["why"]) == ("not used", "another parameter replaces it")


def test_a_sender_dependent_table_may_choose_at_random(put) -> None:
    text = (
        "sender_dependent_default_transport_maps = randmap:{ out1, out2 out3 }\n"
        "default_destination_concurrency_limit = 10\nout3_destination_concurrency_limit = 2\n"
        "only_destination_concurrency_limit = 5\n"
    )
    made = import_postfix(
        put(text),
        "gmail.com=0.5,yahoo.com=0.5",
        master_cf=put(RANDOM, "master.cf"),
        transport=put("yahoo.com only:\n", "transport"),
    )
    # 10, 9 processes and 2 are 21, for three addresses; yahoo's five leave from one of them.
    assert made.scenario.mta.ips == 3
    assert connections(made) == [7, 2]
    assert limits_of(made) == [(5, ("yahoo.com",))]


def test_a_random_table_answers_before_keys_are_looked_up(put) -> None:
    """mail_addr_find.c looks up the full address in all tables first, then its domain."""
    text = "transport_maps = hash:/etc/postfix/transport, randmap:{out1:,out1:,out2:}\n"
    made = import_postfix(
        put(text),
        TWO,
        master_cf=put(RANDOM, "master.cf"),
        transport=put("yahoo.com only:\n", "transport"),
    )
    # 20 and nine processes: 15 for each address, and 29 together.
    pool = made.scenario.mta.pools["transports"]
    assert (pool.ips, pool.weights, connections(made)) == (2, (2, 1), [15, 15])
    assert limits_of(made)[:2] == [(29, ("gmail.com",)), (29, ("yahoo.com",))]
    why = " ".join(made.report[made.report["setting"] == "transport_maps"]["why"])
    assert "no other table is asked" in why
    assert "as often as it is named: out1 2, out2 1" in why


@pytest.mark.parametrize(
    ("named", "ips", "weights"),
    [
        ("out1:, out1:, out2:", None, (2, 1)),
        ("out3: out1: out3: out3: out2:", None, (3, 1, 1)),
        ("out1:,out1:,out2:,out2:,out2:,out2:", None, (1, 2)),
        ("out1:,out1:,out2:", 2, (2, 1, 2, 1)),
    ],
)
def test_a_transport_is_chosen_as_often_as_it_is_named(put, named, ips, weights) -> None:
    """src/util/dict_random.c: a random element of the list, in which one may be several times."""
    text = f"transport_maps = randmap:{{{named}}}\n"
    made = import_postfix(put(text), TWO, master_cf=put(RANDOM, "master.cf"), ips=ips)
    pool = made.scenario.mta.pools["transports"]
    assert (pool.ips, pool.weights) == (len(weights), weights)
    assert (made.scenario.mta.ips, made.scenario.mta.queues) == (1, "per-ip")
    assert not [why for why in warnings_of(made).values() if "equally often" in why]


def test_transports_that_are_named_equally_often_need_no_weights(put) -> None:
    text = "transport_maps = randmap:{out1:,out2:,out1:,out2:}\n"
    made = import_postfix(put(text), TWO, master_cf=put(RANDOM, "master.cf"))
    assert (made.scenario.mta.ips, made.scenario.mta.pools) == (2, {})


@pytest.mark.parametrize(
    ("text", "setting", "why"),
    [
        ("transport_maps = hash:/etc/transport", "transport_maps", "--transport"),
        (
            "sender_dependent_default_transport_maps = hash:/etc/senders",
            "sender_dependent_default_transport_maps",
            "depends on its sender",
        ),
        (
            "sender_dependent_relayhost_maps = hash:/etc/senders",
            "sender_dependent_relayhost_maps",
            "depends on its sender",
        ),
        (
            "sender_dependent_relayhost_maps = inline:{ @a.org=[b.org] }",
            "sender_dependent_relayhost_maps",
            "depends on its sender",
        ),
        ("default_transport = randmap:{out1,out2}", "default_transport", "no table"),
        ("mail_name = Postfix", "smtp_bind_address", "out1, out2, out3"),
    ],
)
def test_ways_that_are_not_seen_are_told(put, text, setting, why) -> None:
    made = import_postfix(put(text), "gmail=1", master_cf=put(RANDOM, "master.cf"))
    assert why in warnings_of(made)[setting]


def test_the_active_queue_is_shared(shared) -> None:
    """postconf(5), qmgr_message_active_limit; QSHAPE_README."""
    case = shared("cases/43-postfix-active-limit/main.cf")
    files = {"transport": case.with_name("transport"), "master_cf": case.with_name("master.cf")}
    made = import_postfix(case, "slow.example=0.5,gmail.com=0.5", messages=200_000, **files)
    assert made.scenario.mta.active == 20_000
    assert made.scenario.providers["slow.example"].rate == Gap(pause="1s")


@pytest.mark.parametrize(
    ("text", "active"),
    [
        ("qmgr_message_active_limit = 50000", 50_000),
        ("mine = 3000\nqmgr_message_active_limit = $mine", 3000),
        # qmgr_message.c: of a message at least its own recipients are read.
        ("qmgr_message_recipient_limit = 5000", 20_000),
    ],
)
def test_the_active_queue_has_the_size_that_is_set(put, text, active) -> None:
    assert import_postfix(put(text), "gmail=1").scenario.mta.active == active
