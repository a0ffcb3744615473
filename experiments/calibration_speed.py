"""How fast logs are read, and how much memory that takes.

Run by hand, some minutes: ``python experiments/calibration_speed.py``. It makes a log in each
format that has nothing but deliveries (one in ten deferred, every reply another), a Postfix log
of a tenth and of the whole size, and one with the other lines that a mail.log has, and measures
the CPU time of reading them to the table of attempts, and of all of ``sendcap.calibrate``.

With 2,000,000 lines (one process of a shared AMD EPYC machine with 2 cores that others used, too,
Python 3.11.7, NumPy 2.4.6):

| log | size | reading | all | peak memory, reading | all |
|---|---|---|---|---|---|
| Postfix, deliveries only | 55 MB | 28.9 MB/s | 16.4 MB/s | 95 MiB | 203 MiB |
| the same, ten times as long | 548 MB | 26.3 MB/s | 21.0 MB/s | 229 MiB | 312 MiB |
| Postfix, three other lines before each | 98 MB | 42.9 MB/s | 28.0 MB/s | 96 MiB | 203 MiB |
| KumoMTA | 148 MB | 45.7 MB/s | 36.1 MB/s | 86 MiB | 206 MiB |
| PowerMTA | 47 MB | 30.0 MB/s | 18.9 MB/s | 82 MiB | 185 MiB |
| Momentum | 18 MB | 13.1 MB/s | 7.2 MB/s | 84 MiB | 199 MiB |

The aim was 20 MB/s for Postfix lines on one core. A delivery's line took about 9.5 µs (1.7 of them
its two hashes), a line of anything else 0.35. Momentum's lines are short: 13 MB/s are 150,000 of
them a second. Memory grows until there are a million attempts, 90 MB; beyond, they go to temporary
files.

Since then what repeats is remembered: relays, numbers, sessions, and replies that differ in what
tells nothing. With 300,000 deliveries, 150,000 after three other lines each, and 150,000 records of
KumoMTA, the least CPU time of a line fell from 9.9 to 7.4 µs, from 2.58 to 2.04, and from 13.2 to
12.2, measured in turn on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_START_S: Final = 1_795_680_000


def _fates(count: int) -> Iterator[tuple[int, int, int, bool, random.Random]]:
    """Yield for each line: its number, its message, the time, whether it is deferred, chance."""
    chance = random.Random(1)
    for number in range(count):
        yield number, chance.randrange(1 << 48), _START_S + number // 200, number % 10 == 0, chance


def postfix(count: int, others: int = 0) -> Iterator[str]:
    """Yield lines of mail.log; with so many others before each."""
    for number, message, now_s, deferred, chance in _fates(count):
        stamp = f"{datetime.fromtimestamp(now_s, UTC):%b %d %H:%M:%S}"
        queue_id = f"{message:012X}"
        for _ in range(others):
            yield f"{stamp} mx1 postfix/cleanup[{number % 9999}]: {queue_id}: message-id=<a>"
        c, d = chance.randrange(10, 99), chance.randrange(10, 99)
        yield (
            f"{stamp} mx1 postfix/smtp[{number % 9999}]: {queue_id}: "
            f"to=<reader{message}@gmail.com>, "
            f"relay=gmail-smtp-in.l.google.com[142.250.1.27]:25, delay={c / 10}, "
            f"delays=0.02/{d / 10}/0.{c}/0.{d}, "
        ) + (
            f"dsn=4.2.2, status=deferred (host gmail-smtp-in.l.google.com[142.250.1.27] said: 452 "
            f"4.2.2 The email account that you tried to reach is over quota {message} (in reply "
            f"to RCPT TO command))"
            if deferred
            else f"dsn=2.0.0, status=sent (250 2.0.0 OK {message} a1si123456789pfb.123 - gsmtp)"
        )


def kumomta(count: int) -> Iterator[str]:
    """Yield log records."""
    for number, message, now_s, deferred, _ in _fates(count):
        when = datetime.fromtimestamp(now_s, UTC).isoformat()
        yield json.dumps(
            {
                "type": "TransientFailure" if deferred else "Delivery",
                "id": f"{message:032x}",
                "sender": "a@b.example",
                "recipient": f"reader{message}@gmail.com",
                "queue": "c:t@gmail.com",
                "site": "s->(alt1|alt2)?.gmail-smtp-in.l.google.com.@smtp_client",
                "size": 10_000,
                "response": {
                    "code": 452 if deferred else 250,
                    "enhanced_code": {"class": 4 if deferred else 2, "subject": 2, "detail": 2},
                    "content": f"OK {message} a1si123456789pfb.123 - gsmtp",
                    "command": ".",
                },
                "peer_address": {"name": "gmail-smtp-in.l.google.com.", "addr": "142.250.1.27"},
                "timestamp": now_s,
                "event_time": when,
                "created": now_s - 5,
                "created_time": when,
                "num_attempts": 1,
                "egress_pool": "pool",
                "egress_source": "s",
                "session_id": f"s{number // 50}",
                "meta": {},
                "headers": {},
            }
        )


def powermta(count: int) -> Iterator[str]:
    """Yield rows of an accounting file, header first."""
    yield "type,timeLogged,timeQueued,orig,rcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,bounceCat,jobId"
    for _, message, now_s, deferred, _ in _fates(count):
        when = f"{datetime.fromtimestamp(now_s, UTC):%Y-%m-%d %H:%M:%S}+0000"
        status = "4.2.2 (mailbox full)" if deferred else "2.0.0 (success)"
        yield (
            f"{'t' if deferred else 'd'},{when},{when},a@b.example,reader{message}@gmail.com,"
            f'relayed,"{status}","smtp;250 2.0.0 OK {message} a1si123456789pfb.123 - gsmtp",'
            f"gmail-smtp-in.l.google.com (142.250.1.27),,job7"
        )


def momentum(count: int) -> Iterator[str]:
    """Yield lines of a mainlog."""
    for number, message, now_s, deferred, _ in _fates(count):
        head = f"{now_s}@{message:08X}/00@00/A0@{number // 50:08X}/7"
        if deferred:
            said = f"452 4.2.2 over quota {message}"
            yield f"{head}@T@gmail.com@9999@g@b@8@0@5.25@142.250.1.27@{said}"
        else:
            yield f"{head}@D@gmail.com@9999@g@b@0@5.25@142.250.1.27"


def measured(path: Path) -> None:
    """Print what reading one log and calibrating by it takes; in a process of its own."""
    from sendcap.calibration.calibrate import calibrate
    from sendcap.calibration.logs.reading import Context
    from sendcap.calibration.logs.recognising import read_logs
    from sendcap.calibration.providers import Providers

    size = path.stat().st_size
    context = Context(Providers())
    began = time.process_time()
    with context.attempts:
        read_logs([path], context)
        read_s = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.process_time()
    calibrate([path])
    all_s = time.process_time() - began
    peak_all = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{size / 1e6:.0f} MB | {size / 1e6 / read_s:.1f} MB/s | {size / 1e6 / all_s:.1f} MB/s | "
        f"{peak:.0f} MiB | {peak_all:.0f} MiB |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lines", type=int, default=3_000_000)
    parser.add_argument("--only", default="", help="only logs whose name has this in it")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measured(arguments.measure)
        return
    count = arguments.lines
    print("| log | size | reading | all | peak memory, reading | all |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in (
            ("Postfix, deliveries only", postfix(count // 10)),
            ("the same, ten times as long", postfix(count)),
            ("Postfix, three other lines before each", postfix(count // 10, others=3)),
            ("KumoMTA", kumomta(count // 10)),
            ("PowerMTA", powermta(count // 10)),
            ("Momentum", momentum(count // 10)),
        ):
            if arguments.only not in name:
                continue
            path = Path(folder, "log")
            with path.open("w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)
            command = [sys.executable, __file__, "--measure", str(path)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            print(f"| {name} | {done.stdout.strip()}", flush=True)


if __name__ == "__main__":
    main()
