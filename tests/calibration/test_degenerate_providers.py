"""A provider of which the log says little keeps the defaults; the others are fitted."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest

from sendcap.calibration.calibrate import Calibration, calibrate
from sendcap.calibration.files import estimates

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
