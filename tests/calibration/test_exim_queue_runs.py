"""Exim's rule comes back where messages wait as long for a queue run as the rule's gaps are."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from sendcap.calibration.calibrate import calibrate
from sendcap.scenario import EximRetry, SharedLimit
from sendcap.scenario.retry import attempt_series_s

START_S = 1_788_256_800.0
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
Step = tuple[str, float, float, float]


class Message:
    """A message whose mailbox has room again at some time."""

    def __init__(self, number: int, arrived_s: float, accepts_s: float) -> None:
        self.arrived_s, self.accepts_s = arrived_s, accepts_s
        self.first_s, self.due_s, self.delay_s = math.nan, -math.inf, 0
        second, text = int(arrived_s), ""
        for _ in range(6):
            second, digit = divmod(second, 62)
            text = DIGITS[digit] + text
        self.id, self.to = f"{text}-{number:06X}-00", f"u{number}@b.example"

    def tried(self, at_s: float, steps: list[Step]) -> str:
        """Return the flag of an attempt: accepted, deferred or given up."""
        if at_s >= self.accepts_s:
            return "=>"
        now = int(at_s)
        if math.isnan(self.first_s):
            self.first_s = now
        for letter, cutoff_s, interval_s, factor in steps:
            if now - self.first_s < cutoff_s:
                grown = int(self.delay_s * factor)
                even = letter == "F" or self.delay_s < interval_s
                self.delay_s = int(interval_s) if even else grown
                self.due_s = now + self.delay_s
                return "=="
        return "**"


def line(at_s: float, message: Message, flag: str) -> str:
    stamp = datetime.fromtimestamp(at_s, UTC).isoformat(sep=" ", timespec="milliseconds")[:23]
    where = "R=r T=remote_smtp"
    host = "H=mx.b.example [192.0.2.7]"
    told = {
        "=>": f'{where} {host} C="250 OK" DT=0.210s',
        "==": f"{where} defer (-44) {host} DT=0.000s: SMTP error from remote mail server after "
        f"RCPT TO:<{message.to}>: 452 4.2.2 mailbox full",
        "**": "retry timeout exceeded",
        "--": "routing defer (-52) DT=0.000s: retry time not reached",
    }[flag]
    return f"{stamp} {message.id} {flag.replace('--', '==')} {message.to} {told}"


def main_log(
    steps: list[Step],
    run_s: float,
    *,
    messages: int,
    clears_s: float,
    over_s: float,
    told: bool = False,
) -> Iterator[str]:
    """Yield lines by src/retry.c and src/queue.c: runs look at all messages in any order."""
    rng = np.random.default_rng(5)
    written: list[tuple[float, str]] = []
    queue: list[Message] = []
    coming = sorted(START_S + rng.uniform(0, over_s, messages))
    runs = [(START_S + rng.uniform(0, run_s), 1, math.nan)]
    events = runs + [(at_s, 0, at_s) for at_s in coming]
    heapq.heapify(events)
    number = 0
    while events:
        now_s, kind, arrived_s = heapq.heappop(events)
        if kind == 0:
            accepts_s = arrived_s + (0 if rng.random() < 0.3 else rng.exponential(clears_s))
            message = Message(number, arrived_s, accepts_s)
            number += 1
            flag = message.tried(now_s + 0.3, steps)
            written.append((now_s + 0.3, line(now_s + 0.3, message, flag)))
            queue += [message] if flag == "==" else []
            continue
        if told:
            stamp = datetime.fromtimestamp(now_s, UTC).isoformat(sep=" ", timespec="milliseconds")
            written.append((now_s, f"{stamp[:23]} Start queue run: pid=7"))
        at_s = now_s
        for message in rng.permutation(np.array(queue, object)):
            at_s += 0.003
            flag = "--"
            if int(at_s) >= message.due_s:
                at_s += rng.uniform(0.01, 0.03)
                flag = message.tried(at_s, steps)
            written.append((at_s, line(at_s, message, flag)))
            if flag in ("=>", "**"):
                queue.remove(message)
        if queue or any(kind == 0 for _, kind, _ in events):
            heapq.heappush(events, (now_s + run_s, 1, math.nan))
    yield from (text for _, text in sorted(written))


def written_rule(steps: list[Step]) -> str:
    return "; ".join(
        f"{letter},{cutoff:.0f}s,{interval:.0f}s" + (f",{factor}" if letter != "F" else "")
        for letter, cutoff, interval, factor in steps
    )


def runners(every_s: float) -> SharedLimit:
    """Those of an Exim with runs so far apart."""
    name, every = "queue runners", f"{every_s}s"
    return SharedLimit(name=name, attempts="retries", connections=5, one_more_every=every)


F10S = [("F", 30, 10, 1.0), ("F", 600, 20, 1.0)]
G7S = [("G", 600, 7, 1.5)]
DEFAULT = [("F", 7200, 900, 1.0), ("G", 57_600, 3600, 1.5), ("F", 345_600, 21_600, 1.0)]
HOURLY = [("F", 14_400, 600, 1.0), ("G", 345_600, 7200, 2.0)]


@pytest.mark.parametrize(
    ("steps", "run_s", "messages", "clears_s", "over_s", "tries"),
    [
        (F10S, 5, 200, 15, 20, 4),
        (G7S, 5, 200, 15, 20, 4),
        # Exim's own rule with Debian's -q30m, and with the -q1h of Exim's manual.
        (DEFAULT, 1800, 400, 20_000, 7200, 12),
        (DEFAULT, 3600, 400, 20_000, 7200, 12),
        (HOURLY, 3600, 400, 30_000, 7200, 26),
    ],
)
def test_the_rule_and_the_queue_runs(
    tmp_path: Path, steps, run_s, messages, clears_s, over_s, tries
) -> None:
    log = tmp_path / "mainlog"
    lines = main_log(steps, run_s, messages=messages, clears_s=clears_s, over_s=over_s)
    log.write_text("\n".join(lines) + "\n")
    found = calibrate([log])
    policy = found.scenario.mta.retry
    assert isinstance(policy, EximRetry), found.policy
    assert found.scenario.limits == (runners(run_s),)
    truth = attempt_series_s(EximRetry(rule=written_rule(steps)), limit=tries)
    assert attempt_series_s(policy, limit=tries) == pytest.approx(truth, rel=0.05)
    assert found.policy.explained >= 0.98 * found.policy.gaps
    assert "queue runs every" in found.policy.description


def test_runs_that_take_longer_than_the_time_between_them_are_told_by_their_own_lines(
    tmp_path,
) -> None:
    log = tmp_path / "mainlog"
    steps = [("F", 3600, 15, 1.0)]
    lines = main_log(steps, 10, messages=900, clears_s=35, over_s=20, told=True)
    log.write_text("\n".join(lines) + "\n")
    found = calibrate([log])
    assert isinstance(found.scenario.mta.retry, EximRetry)
    assert found.scenario.limits == (runners(10),)


def test_without_lines_about_what_was_not_due_nothing_is_said_of_runs(tmp_path) -> None:
    log = tmp_path / "mainlog"
    lines = main_log(DEFAULT, 1800, messages=100, clears_s=20_000, over_s=7200)
    log.write_text("\n".join(each for each in lines if "not reached" not in each) + "\n")
    assert "queue runs" not in calibrate([log]).policy.description
