"""A provider of which the log says little keeps the defaults; the others are fitted."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from sendcap.calibration.calibrate import Calibration, calibrate
from sendcap.calibration.files import estimates
from sendcap.calibration.report import report

LINE = (
    "Nov  6 {hour:02}:{minute:02}:{second:02} m postfix/smtp[18]: {message}: to=<u@{domain}>, "
    "relay={relay}, delay={delay}, delays={delays}, dsn={dsn}, status={status}"
)
SENT = "sent (250 ok)"
MX = "mx.{domain}[192.0.2.7]:25"
FATES = {
    "down": ("none", "4.4.1", "deferred (connect to mx.b.example[192.0.2.9]:25: timed out)"),
    "throttled": (MX, "4.7.0", "deferred (host mx said: 421 4.7.0 too many connections)"),
    "unknown": (MX, "5.1.1", "bounced (host mx said: 550 5.1.1 no such user)"),
    "full": (MX, "4.2.2", "deferred (host mx said: 452 4.2.2 mailbox full)"),
    "greylisted": (MX, "4.7.1", "deferred (host mx said: 450 4.7.1 greylisted)"),
    "sent": (MX, "2.0.0", SENT),
}


def lines(
    domain: str, fate: str, messages: int, *, tries: int = 1, apart_s: int = 1
) -> Iterator[str]:
    relay, dsn, status = FATES[fate]
    delays = "0.1/0.2/30/0" if relay == "none" else "0.1/0.2/0.3/0.9"
    for number, attempt in itertools.product(range(messages), range(tries)):
        second = number * apart_s % 60 + 600 * attempt
        yield LINE.format(
            hour=5 + second // 3600,
            minute=second // 60 % 60,
            second=second % 60,
            message=f"{domain[0].upper()}C3E829E{number:03}",
            domain=domain,
            relay=relay.format(domain=domain),
            delay=(31 if relay == "none" else 1.5) + 600 * attempt,
            delays=f"{600 * attempt + 0.1}/{delays.partition('/')[2]}",
            dsn=dsn,
            status=status,
        )


def calibrated(tmp_path, *parts: Iterator[str]) -> Calibration:
    log = tmp_path / "mail.log"
    log.write_text("\n".join(sorted(itertools.chain(*parts), key=lambda line: line[:15])))
    return calibrate([log])


def assert_fitted(found: Calibration) -> None:
    """No figure is NaN, and the scenario is one."""
    figures = estimates(found)
    assert not figures["value"].isna().any()
    assert "nan" not in found.text.lower()
    for provider in found.scenario.providers.values():
        assert all(math.isfinite(fault.share) for fault in provider.faults)


def test_a_provider_that_is_down_leaves_the_other_fitted(shared) -> None:
    found = calibrate([shared("cases/60-postfix-one-provider-down/mail.log")])
    assert_fitted(found)
    ends = {name: each.ends.tolist() for name, each in found.evidence.providers.items()}
    assert ends["gmail"][1] == 100
    assert ends["yahoo"][0] == 100
    (fault,) = next(each for each in found.providers if each.name == "yahoo").faults
    assert (fault.reason, fault.share.value) == ("unreachable", 1.0)
    assert any("yahoo" in line and "none had" in line for line in found.missing)


@pytest.mark.parametrize("fate", [fate for fate in FATES if fate != "sent"])
@pytest.mark.parametrize(("messages", "tries"), [(60, 1), (60, 4), (1, 1), (2, 20)])
def test_a_provider_where_nothing_succeeds(tmp_path, fate, messages, tries) -> None:
    # A hard bounce is tried once.
    tries = 1 if fate == "unknown" else tries
    found = calibrated(
        tmp_path, lines("gmail.com", "sent", 60), lines("yahoo.com", fate, messages, tries=tries)
    )
    assert_fitted(found)
    gmail = next(each for each in found.providers if each.name == "gmail")
    assert (gmail.messages, gmail.hard, gmail.faults) == (60, {}, [])
    assert found.evidence.messages == 60 + messages


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("messages", [1, 40])
def test_a_log_of_one_such_provider(tmp_path, fate, messages) -> None:
    found = calibrated(tmp_path, lines("yahoo.com", fate, messages, apart_s=0))
    assert_fitted(found)
    assert found.evidence.messages == messages


def test_providers_drawn_at_random(tmp_path) -> None:
    rng = np.random.default_rng(5)
    for _ in range(12):
        domains = ("gmail.com", "yahoo.com", "hotmail.com", "web.de")
        parts = [
            lines(domain, str(rng.choice(list(FATES))), int(rng.integers(1, 80)),
                  tries=int(rng.integers(1, 6)), apart_s=int(rng.integers(0, 5)))
            for domain in domains
        ]  # fmt: skip
        assert_fitted(calibrated(tmp_path, *parts))


def kumo(kind: str, message: str, reply: tuple[int, str], at_s: int = 0) -> str:
    record = {
        "type": kind,
        "id": message,
        "recipient": f"u@{message.partition('-')[0]}",
        "site": "s->mx@smtp_client",
        "response": {"code": reply[0], "enhanced_code": None, "content": reply[1]},
        "timestamp": 1_788_256_800 + at_s,
        "created": 1_788_256_800,
    }
    return json.dumps(record)


REPLIES = [
    ("TransientFailure", (421, "4.7.0 too many connections")),
    ("TransientFailure", (452, "4.2.2 full")),
    ("TransientFailure", (451, "4.4.1 timed out")),
    ("TransientFailure", (450, "4.7.1 greylisted")),
    ("Bounce", (550, "5.1.1 no")),
    ("Delivery", (250, "ok")),
]


def test_more_bounces_that_came_back_than_messages_were_accepted(tmp_path) -> None:
    log = tmp_path / "kumo.jsonl"
    ok = [kumo("Delivery", f"b.example-{number}", (250, "ok")) for number in range(3)]
    back = [kumo("OOB", f"b.example-{number}", (550, "5.1.1"), 60) for number in range(9)]
    log.write_text("\n".join(ok + back))
    found = calibrate([log])
    assert_fitted(found)
    assert found.scenario.providers["other"].async_bounce == 1.0


def test_hard_bounces_beside_a_server_that_cannot_be_reached(tmp_path) -> None:
    log = tmp_path / "kumo.jsonl"
    fates = [REPLIES[2] if number < 37 else REPLIES[4] for number in range(61)]
    log.write_text(
        "\n".join(kumo(kind, f"b.example-{n}", reply) for n, (kind, reply) in enumerate(fates))
    )
    found = calibrate([log])
    assert_fitted(found)
    provider = found.scenario.providers["other"]
    total = sum(each.share for each in (*provider.hard, *provider.faults))
    assert total == pytest.approx(1.0, abs=1e-3)


def test_records_drawn_at_random(tmp_path) -> None:
    rng = np.random.default_rng(3)
    log = tmp_path / "kumo.jsonl"
    for _ in range(25):
        lines = []
        for domain in ("gmail.com", "yahoo.com", "b.example"):
            kind, reply = REPLIES[int(rng.integers(len(REPLIES)))]
            gap_s = int(rng.choice([0, 1, 600]))
            for number, attempt in itertools.product(
                range(int(rng.choice([1, 2, 40]))), range(int(rng.integers(1, 4)))
            ):
                message = f"{domain}-{number}"
                lines.append(kumo(kind, message, reply, attempt * gap_s + number))
                if rng.random() < 0.2:
                    other = str(rng.choice(["Expiration", "AdminBounce", "OOB", "Reception"]))
                    lines.append(kumo(other, message, (551, "x"), 9))
        log.write_text("\n".join(lines))
        assert_fitted(calibrate([log]))


FULL = "452 4.2.2 mailbox full"


def cleared(messages: int) -> Iterator[str]:
    """Yield lines of mailboxes that take mail again after 10 minutes, or are full for 20."""
    for number in range(messages):
        minutes = (0, 20, 30) if number % 2 else (0, 10)
        for minute in minutes:
            last = minute == minutes[-1]
            yield LINE.format(
                hour=5,
                minute=minute + number // 60,
                second=number % 60,
                message=f"3E829F{number:03}",
                domain="b.example",
                relay=MX.format(domain="b.example"),
                delay=1.5 + 60 * minute,
                delays=f"{60 * minute}/0.2/0.3/0.9",
                dsn="2.0.0" if last else "4.2.2",
                status=SENT if last else f"deferred (host mx said: {FULL})",
            )


def test_a_few_messages_leave_the_shape_to_an_assumption(tmp_path) -> None:
    found = calibrated(tmp_path, lines("b.example", "sent", 60), cleared(6))
    text = report(found)
    assert "; 6 messages are too few for a shape: exponential is assumed.\n" in text
    assert "Clears after: exponential" not in text
    assert "faults, mailbox full: the shape; 6 messages are too few" in text
    rows = estimates(found)
    (row,) = rows[rows["quantity"].str.startswith("fault, mailbox full, clears_after")].itertuples()
    assert pd.isna(row.distribution)
    assert row.value == pytest.approx(found.providers[0].faults[0].fits[0].mean_s.value)


def test_many_messages_show_a_shape(tmp_path) -> None:
    found = calibrated(tmp_path, lines("b.example", "sent", 400), cleared(40))
    text = report(found)
    assert "Clears after: " in text
    assert "too few for a shape" not in text
    assert "the shape; " not in text


@pytest.mark.parametrize("apart", [1.0, 3.0])
def test_two_values_are_no_shape(tmp_path, apart) -> None:
    """Half of the transactions take 0.9 s, and half of them some time more."""
    sent = list(lines("b.example", "sent", 60))
    sent[::2] = [line.replace("/0.9,", f"/{0.9 + apart:.2g},") for line in sent[::2]]
    text = report(calibrated(tmp_path, iter(sent)))
    bad = "No family fits, and 60 values are too few for their quantiles"
    assert bad in text.partition("Transaction time")[2]


def test_chance_is_no_bad_fit(tmp_path) -> None:
    rng = np.random.default_rng(7)
    sent = list(lines("b.example", "sent", 60))
    sent = [line.replace("/0.9,", f"/{rng.lognormal(0, 0.5):.2g},") for line in sent]
    text = report(calibrated(tmp_path, iter(sent)))
    assert "Transaction time: lognormal" in text or "Transaction time: gamma" in text
    assert "No family fits" not in text


NO_DOMAIN = (
    "Nov  6 05:50:{0:02} m postfix/smtp[18]: N{0}: to=<u@none.example>, relay=none, delay=0.4, "
    "delays=0.1/0.2/0.1/0, dsn=5.4.4, status=bounced (Host or domain name not found. Name service "
    "error for name=none.example type=AAAA: Host not found)"
)


def test_a_domain_that_is_none_needs_no_server(tmp_path) -> None:
    nowhere = map(NO_DOMAIN.format, range(10))
    found = calibrated(tmp_path, lines("b.example", "down", 90), nowhere)
    (other,) = found.providers
    assert other.hard["invalid domain"].value == 0.1
    assert other.faults[0].share.value == 0.9
    assert "- invalid domain: 10 % (5.91 to 15.8 %) of the messages\n" in report(found)
    (hard,) = found.scenario.providers["other"].hard
    assert (hard.reason, hard.share) == ("invalid domain", 0.1)


def test_the_messages_that_nobody_looked_at_are_as_the_others(tmp_path) -> None:
    parts = (("b.example", "down", 60), ("c.example", "unknown", 5), ("d.example", "sent", 15))
    nowhere = map(NO_DOMAIN.format, range(20))
    found = calibrated(tmp_path, *(lines(*part) for part in parts), nowhere)
    (other,) = found.providers
    assert other.hard["invalid domain"].value == 0.2
    # A quarter of those looked at, in the 80 % whose domain is one.
    assert other.hard["user unknown"].value == pytest.approx(0.25 * 0.8)
    text = report(found)
    assert "- user unknown: 20 % " in text
    assert " of the 40 messages that a server looked at\n" in text
    rows = estimates(found).set_index("quantity")["measured"]
    assert (rows["hard, user unknown"], rows["hard, invalid domain"]) == (40, 100)


def test_messages_that_wait_say_nothing_about_domains(tmp_path) -> None:
    taken = (
        f"Nov  6 05:59:00 m postfix/qmgr[5]: W{n}: from=<s@t.example>, size=9, nrcpt=1 "
        f"(queue active)"
        for n in range(50)
    )
    nowhere = map(NO_DOMAIN.format, range(10))
    found = calibrated(tmp_path, lines("d.example", "sent", 40), nowhere, taken)
    (other,) = found.providers
    assert other.messages == 100
    assert other.hard["invalid domain"].value == 0.2
    _, line = report(found).split("\nHard bounces:\n")
    line = line.partition("\n")[0]
    assert line.startswith("- invalid domain: 20 % (")
    assert line.endswith(" of the 50 messages tried")
