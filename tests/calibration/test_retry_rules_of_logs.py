"""The rule by which an MTA tries again is recognised in its log, whatever its settings are.

Each log is written here, message by message, by the MTA's own rule, and not by sendcap's policies.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from sendcap.calibration.calibrate import Calibration, calibrate
from sendcap.scenario import EximRetry, KumomtaRetry, PostfixRetry, PowermtaRetry

START_S = 1_788_256_800.0
NOISE = 7


def stamp(at_s: float) -> str:
    return f"{datetime.fromtimestamp(START_S + at_s, UTC):%Y-%m-%d %H:%M:%S}+0000"


def sane(seconds: float) -> str:
    """A time as in Postfix, src/util/format_tv.c: two digits, two decimals; whole from 100 s."""
    if seconds >= 10.0:
        return f"{seconds:.0f}"
    return f"{seconds:.1f}" if seconds >= 1.0 else f"{seconds:.2f}".rstrip("0").rstrip(".") or "0"


def postfix(
    least_s: float,
    most_s: float,
    scan_s: float,
    messages: int = 120,
    hours: float = 4.0,
    lifetime_s: float = math.inf,
) -> Iterator[tuple[float, str]]:
    """Yield lines of mail.log by the rule of Postfix, src/qmgr/qmgr_active.c.

    A message that fails waits for its age, at least minimal_backoff_time and at most
    maximal_backoff_time; then the next scan of the deferred queue takes it. One that fails when it
    is maximal_queue_lifetime old is returned.
    """
    rng = np.random.default_rng(NOISE)
    phase_s = float(rng.uniform(0, scan_s))
    for message in range(messages):
        arrived_s = float(rng.uniform(0, 2 * 3600))
        # A quarter is accepted at once; the others when their mailbox has room again.
        accepts_s = arrived_s + (0 if rng.random() < 0.25 else rng.exponential(hours * 3600 / 3))
        at_s = arrived_s + float(rng.exponential(0.2))
        for attempt in range(400):
            setup_s, sending_s = 0.1 + rng.exponential(0.2), 0.1 + rng.exponential(0.4)
            ends_s = at_s + setup_s + sending_s
            sent = at_s >= accepts_s
            now = datetime.fromtimestamp(START_S + ends_s, UTC)
            delays = "/".join(map(sane, (at_s - arrived_s, 0.0, setup_s, sending_s)))
            status = (
                "dsn=2.0.0, status=sent (250 ok)"
                if sent
                else "dsn=4.2.2, status=deferred (host mx.b.example[192.0.2.7] said: 452 4.2.2 "
                "mailbox full (in reply to RCPT TO command))"
            )
            yield (
                ends_s,
                (
                    f"{now:%b} {now.day:2d} {now:%H:%M:%S} m postfix/smtp[{attempt + 9}]: "
                    f"4X{message:08X}: to=<u{message}@b.example>, relay=mx.b.example[192.0.2.7], "
                    f"delay={sane(ends_s - arrived_s)}, delays={delays}, {status}"
                ),
            )
            if ends_s - arrived_s >= lifetime_s and not sent:
                yield (
                    ends_s + 0.01,
                    (
                        f"{now:%b} {now.day:2d} {now:%H:%M:%S} m postfix/qmgr[9]: 4X{message:08X}: "
                        f"from=<a@c.example>, status=expired, returned to sender"
                    ),
                )
                break
            if sent or ends_s > hours * 3600:
                break
            wait_s = min(max(ends_s - arrived_s, least_s), most_s)
            due_s = math.floor(ends_s) + wait_s
            at_s = phase_s + math.ceil((due_s - phase_s) / scan_s) * scan_s + rng.uniform(0, 0.3)


def logged(tmp_path: Path, lines: Iterator[tuple[float, str]], head: str = "") -> Calibration:
    path = tmp_path / "a.log"
    text = "\n".join(line for _, line in sorted(lines))
    path.write_text(f"{head}\n{text}\n" if head else f"{text}\n")
    return calibrate([path], year=2026)


def within(found: float, truth: float, of: float = 0.05) -> bool:
    return abs(found - truth) <= of * truth


@pytest.mark.parametrize(
    ("least_s", "most_s", "scan_s"),
    [
        (20, 160, 10),  # of a real log that was named "times 1.5 from 38 s ± 50 %"
        (300, 4000, 300),  # the defaults: src/global/mail_params.h
        (60, 1800, 30),
        (1000, 4000, 1000),  # the defaults before 2.4
        (45, 500, 37),
        (600, 3600, 120),
        (120, 900, 60),
        (300, 1800, 900),
        (5, 60, 5),
        (10, 40, 5),  # of the bench, whose log gave 8 s, 40 s and 4 s
        (20, 160, 5),
    ],
)
def test_postfix_with_any_times(tmp_path, least_s, most_s, scan_s) -> None:
    found = logged(tmp_path, postfix(least_s, most_s, scan_s))
    policy = found.scenario.mta.retry
    assert isinstance(policy, PostfixRetry), found.policy
    assert found.policy.explained >= 0.95 * found.policy.gaps
    assert policy.maximal_backoff_time == pytest.approx(most_s, rel=0.05)
    # The stamps are whole seconds.
    assert policy.queue_run_delay == pytest.approx(scan_s, rel=0.05, abs=1.0)
    # Up to a scan, a smaller clamp has the same effect.
    assert policy.minimal_backoff_time == pytest.approx(least_s, rel=0.05, abs=0.3 * scan_s)


def test_of_a_log_without_old_messages_postfixs_maximal_time_stays_the_default(tmp_path) -> None:
    found = logged(tmp_path, postfix(120, 4000, 60, hours=0.7))
    policy = found.scenario.mta.retry
    assert isinstance(policy, PostfixRetry)
    assert policy.maximal_backoff_time == 4000
    assert (policy.minimal_backoff_time, policy.queue_run_delay) == (120, 60)


@pytest.mark.parametrize("days", [2, 10])
def test_the_lifetime_of_postfixs_queue(tmp_path, days) -> None:
    lines = postfix(300, 14_400, 300, messages=60, hours=40 * 24.0, lifetime_s=days * 86_400.0)
    found = logged(tmp_path, lines)
    mta = found.scenario.mta
    assert mta.retry.maximal_queue_lifetime == pytest.approx(days * 86_400, rel=0.02)
    validity = found.scenario.deliveries[0].validity
    assert days * 86_400 <= validity <= days * 86_400 + 14_400
    assert validity <= mta.longest_validity


def test_a_lifetime_beyond_adobes_is_not_cut(shared) -> None:
    found = calibrate([shared("cases/05-calibrate-validity-108h/acct.csv")])
    assert found.scenario.deliveries[0].validity == 108 * 3600
    assert found.scenario.mta.longest_validity == 108 * 3600
    # PowerMTA 5.0 User's Guide, "bounce-after": 4d12h.
    assert found.scenario.mta.retry == PowermtaRetry(retry_after=["6h"])


def kumomta(
    first_s: float, most_s: float = math.inf, age_s: float = 7 * 86_400, messages: int = 150
) -> Iterator[tuple[float, str]]:
    """Yield records by the rule of KumoMTA, crates/kumod/src/queue.

    The interval doubles; the jitter is a whole number of seconds from half of
    min(interval / 20, 60 s) to either side; a message whose next attempt would be past max_age
    expires at the failure. The timer wheel is read every 3 s.
    """
    rng = np.random.default_rng(NOISE)
    for message in range(messages):
        arrived_s = float(rng.uniform(0, 3600))
        accepts_s = arrived_s + (0 if rng.random() < 0.25 else rng.exponential(12 * first_s))
        at_s = arrived_s + rng.exponential(0.2)
        for attempt in count(1):
            at_s += 0.2 + rng.exponential(0.5)
            delay_s = min(first_s * 2.0 ** (attempt - 1), most_s)
            delay_s += math.trunc(rng.uniform(-0.5, 0.5) * min(first_s / 20.0, 60.0))
            kind = "Delivery" if at_s >= accepts_s else "TransientFailure"
            yield record(kind, message, at_s, arrived_s, attempt)
            if kind == "Delivery":
                break
            if at_s - arrived_s + delay_s > age_s:
                yield record("Expiration", message, at_s + 0.001, arrived_s, attempt)
                break
            at_s += delay_s + rng.uniform(0, 3)


def record(
    kind: str, message: int, at_s: float, arrived_s: float, attempt: int
) -> tuple[float, str]:
    code = {"Delivery": 250, "TransientFailure": 452, "Expiration": 551}[kind]
    fields = {
        "type": kind,
        "id": f"{message:032x}",
        "recipient": f"u{message}@b.example",
        "site": "s->mx.b.example@smtp_client",
        "response": {"code": code, "enhanced_code": None, "content": "mailbox full"},
        "event_time": datetime.fromtimestamp(START_S + at_s, UTC).isoformat(),
        "created_time": datetime.fromtimestamp(START_S + arrived_s, UTC).isoformat(),
        "timestamp": int(START_S + at_s),
        "created": int(START_S + arrived_s),
        "num_attempts": attempt,
        "session_id": f"s{message}-{attempt}",
    }
    return at_s, json.dumps(fields)


@pytest.mark.parametrize(
    ("first_s", "most_s"),
    [(1200, math.inf), (300, 3600), (900, math.inf), (60, 960), (420, 7200), (3600, 14_400)],
)
def test_kumomta_with_any_times(tmp_path, first_s, most_s) -> None:
    found = logged(tmp_path, kumomta(first_s, most_s))
    policy = found.scenario.mta.retry
    assert isinstance(policy, KumomtaRetry), found.policy
    assert policy.retry_interval == first_s
    assert (policy.max_retry_interval or math.inf) == most_s


def test_the_age_at_which_kumomta_gives_up(tmp_path) -> None:
    found = logged(tmp_path, kumomta(600, age_s=4 * 3600))
    policy = found.scenario.mta.retry
    assert isinstance(policy, KumomtaRetry)
    # Any age between the last retry that was made and the first that was not is the same.
    due_s = [600 * (2**tries - 1) for tries in (4, 5)]
    assert due_s[0] < policy.max_age <= due_s[1] + 60
    assert found.scenario.deliveries[0].validity >= policy.max_age


def powermta(delays_s: list[float], messages: int = 150) -> Iterator[tuple[float, str]]:
    """Yield rows by PowerMTA's retry-after list (5.0 User's Guide): its last interval repeats."""
    rng = np.random.default_rng(NOISE)
    for message in range(messages):
        arrived_s = float(rng.integers(0, 3600))
        accepts_s = arrived_s + (0 if rng.random() < 0.25 else rng.exponential(6 * delays_s[-1]))
        at_s = arrived_s
        for attempt in range(40):
            at_s += 0.3 + rng.exponential(0.5)
            sent = at_s >= accepts_s
            told = ("d", "2.0.0 (success)", "smtp;250 ok")
            if not sent:
                told = ("t", "4.2.2 (mailbox full)", "smtp;452 4.2.2 mailbox full")
            yield (
                at_s,
                (
                    f"{told[0]},{stamp(at_s)},{stamp(arrived_s)},a@c.example,u{message}@b.example,x,"
                    f"{told[1]},{told[2]},mx.b.example (192.0.2.7),j"
                ),
            )
            if sent:
                break
            at_s += delays_s[min(attempt, len(delays_s) - 1)] + rng.uniform(0, 2)


HEAD = "type,timeLogged,timeQueued,orig,rcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,jobId"


@pytest.mark.parametrize(
    "delays_s",
    [[600], [600, 600, 600, 3600, 14_400], [300, 900, 1800], [420], [120, 240, 480, 3600]],
)
def test_powermta_with_any_list(tmp_path, delays_s) -> None:
    found = logged(tmp_path, powermta(delays_s), HEAD)
    policy = found.scenario.mta.retry
    assert isinstance(policy, PowermtaRetry), found.policy
    last = [policy.retry_after[-1]] * len(delays_s)
    assert [*policy.retry_after, *last][: len(delays_s)] == delays_s
    assert found.policy.explained >= 0.95 * found.policy.gaps


Step = tuple[str, float, float, float]


def exim(steps: list[Step], run_s: float, messages: int = 150) -> Iterator[tuple[float, str]]:
    """Yield attempts by Exim's retry rule, src/src/retry.c, at passes of its queue runner.

    The first step whose cutoff the failing time has not passed: F waits its interval, G the last
    gap times its factor, H at random between. The times are in the form of Momentum's mainlog.
    """
    rng = np.random.default_rng(NOISE)
    phase_s = float(rng.uniform(0, run_s))
    for message in range(messages):
        arrived_s = float(rng.uniform(0, 3600))
        accepts_s = arrived_s + (0 if rng.random() < 0.25 else rng.exponential(20_000))
        at_s, first_s, gap_s = arrived_s, math.nan, 0.0
        for attempt in range(60):
            at_s += 0.2 + rng.exponential(0.4)
            sent = at_s >= accepts_s
            head = f"{int(START_S + at_s)}@{message:04X}/00@b@c{message}-{attempt}"
            told = f"{attempt}@{at_s - arrived_s:.3f}@192.0.2.7"
            text = f"D@b.example@900@g@b@{told}"
            if not sent:
                text = f"T@b.example@900@g@b@8@{told}@452 4.2.2 mailbox full"
            yield at_s, f"{head}@{text}"
            first_s = at_s if math.isnan(first_s) else first_s
            step = next((each for each in steps if at_s - first_s < each[1]), None)
            if sent or step is None:
                break
            letter, _, interval_s, factor = step
            if letter == "F" or gap_s < interval_s:
                gap_s = interval_s
            elif letter == "G":
                gap_s *= factor
            else:
                top_s = gap_s * factor
                gap_s = interval_s + (top_s - interval_s) * rng.uniform(0.5, 1.0)
            due_s = at_s + gap_s
            at_s = phase_s + math.ceil((due_s - phase_s) / run_s) * run_s


def attempts_of(policy: EximRetry, tries: int) -> list[float]:
    from sendcap.scenario.retry import attempt_series_s

    return attempt_series_s(policy, limit=tries)


@pytest.mark.parametrize(
    ("steps", "run_s"),
    [
        ([("F", 7200, 900, 1), ("G", 57_600, 3600, 1.5), ("F", 345_600, 21_600, 1)], 60),
        ([("F", 3600, 600, 1), ("G", 36_000, 1200, 2.0), ("F", 172_800, 14_400, 1)], 60),
        ([("F", 14_400, 1200, 1), ("F", 172_800, 7200, 1)], 30),
        ([("G", 172_800, 600, 1.5)], 60),
    ],
)
def test_exim_with_any_rule(tmp_path, steps, run_s) -> None:
    found = logged(tmp_path, exim(steps, run_s))
    assert isinstance(found.scenario.mta.retry, EximRetry), found.policy
    assert found.policy.explained >= 0.8 * found.policy.gaps
    rule = ";".join(
        f"{letter},{cutoff:.0f}s,{interval:.0f}s" + (f",{factor}" if letter != "F" else "")
        for letter, cutoff, interval, factor in steps
    )
    truth = attempts_of(EximRetry(rule=rule), 9)
    assert attempts_of(found.scenario.mta.retry, 9) == pytest.approx(truth, rel=0.1)


KINDS: dict[str, Callable[[], Iterator[tuple[float, str]]]] = {
    "postfix": lambda: postfix(20, 160, 10),
    "kumomta": lambda: kumomta(420, 7200),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_rule_is_said_in_the_mtas_words(tmp_path, kind) -> None:
    found = logged(tmp_path, KINDS[kind]())
    named = {"postfix": "Postfix", "kumomta": "KumoMTA"}[kind]
    assert found.policy.description.startswith(named)
