"""Delivery logs of a simulation, as Postfix, KumoMTA, PowerMTA, Momentum and Exim write them.

A simulated MTA knows what a real one writes down: when a message came, when each attempt was due,
began and ended, over which connection, and what the answer was. Here that is written out as each
MTA writes it, so that `sendcap.calibrate` can be held against a truth. The sending log has the
outcomes; a monitor that keeps everything it is told has the times.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from sendcap.model.engine import simulate_ledger
from sendcap.model.monitor import Monitor, StageMonitor
from sendcap.scenario import Scenario

Floats = npt.NDArray[np.float64]

REPLIES: Final = {
    "user unknown": (550, "5.1.1", "User unknown in virtual mailbox table"),
    "account disabled": (550, "5.2.1", "This account has been disabled"),
    "invalid domain": (550, "5.1.2", "Host not found"),
    "mailbox full": (452, "4.2.2", "The recipient's inbox is over quota"),
    "greylisted": (450, "4.7.1", "Greylisted, see http://example.org/greylist"),
    "unreachable": (451, "4.4.1", "Connection timed out"),
    "throttled": (421, "4.7.28", "Our system has detected an unusual rate of mail"),
    "transient": (451, "4.3.0", "Temporary local problem, try again later"),
}
HOSTS: Final = {
    "gmail": "gmail-smtp-in.l.google.com",
    "yahoo": "mta5.am0.yahoodns.net",
    "outlook": "outlook-com.olc.protection.outlook.com",
    "icloud": "mx01.mail.icloud.com",
}
DOMAINS: Final = {
    "gmail": "gmail.com",
    "yahoo": "yahoo.com",
    "outlook": "hotmail.com",
    "icloud": "icloud.com",
}
START_S: Final = datetime(2026, 11, 27, 8, tzinfo=UTC).timestamp()


class _Stage(StageMonitor):
    """Keeps the times of all attempts and of all connections that were made."""

    def __init__(self, bin_s: float) -> None:
        super().__init__(bin_s)
        self.attempts: list[tuple[Floats, Floats, Floats]] = []
        self.connections: list[tuple[Floats, Floats]] = []
        self._waited: tuple[Floats, Floats] | None = None

    def waited(self, ready_s: Floats, start_s: Floats, _weights: Any = None) -> None:
        self._waited = (ready_s.copy(), start_s.copy())

    def worked(self, from_s: Floats, to_s: Floats) -> None:
        if self._waited is not None:
            self.attempts.append((*self._waited, to_s.copy()))
            self._waited = None
        elif len(from_s):
            self.connections.append((from_s.copy(), to_s.copy()))


class _Monitor(Monitor):
    def __init__(self) -> None:
        super().__init__(60.0)
        self.stages: dict[str, _Stage] = {}

    def queue(self, name: str) -> StageMonitor:
        return self.stages.setdefault(name, _Stage(self.bin_s))


def traced(scenario: Scenario) -> pd.DataFrame:
    """Simulate a scenario and return every attempt, and every expiry, in order of time.

    Columns: provider, message, arrived_s, ready_s, started_s (when a connection was asked for),
    setup_s (0 over an open one), finished_s, event, reason, attempt, session, use.
    """
    monitor = _Monitor()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log.parquet")
        simulate_ledger(scenario, sending_log=path, monitor=monitor)
        log = pd.read_parquet(path)
    log["key"] = log["delivery"].astype(str) + "/" + log["message"].astype(str)
    arrived_s = log[log["event"] == "relayed"].set_index("key")["happened_s"]
    tried = log[log["event"].isin(["accepted", "soft", "hard"])]
    parts = []
    sessions = 0
    for name, attempts in tried.groupby("provider", observed=True):
        part, sessions = _of_provider(str(name), attempts, monitor, scenario, sessions)
        parts.append(part)
    expired = log[log["event"] == "expired"].rename(columns={"happened_s": "finished_s"})
    found = pd.concat([*parts, expired], ignore_index=True)
    found[["session", "use", "attempt"]] = (
        found[["session", "use", "attempt"]].fillna(0).astype(int)
    )
    found["arrived_s"] = arrived_s.loc[found["key"]].to_numpy()
    found["message"] = pd.factorize(found["key"])[0]
    for name in ("event", "reason", "provider"):
        found[name] = found[name].astype(str)
    return found.sort_values("finished_s", kind="stable", ignore_index=True)


def _of_provider(
    name: str, attempts: pd.DataFrame, monitor: _Monitor, scenario: Scenario, sessions: int
) -> tuple[pd.DataFrame, int]:
    stage = monitor.stages[name]
    ready_s, start_s, finish_s = (
        np.concatenate(columns) for columns in zip(*stage.attempts, strict=True)
    )
    # What the sending log and the monitor tell of has the same time, to the last bit.
    order, attempts = (
        np.argsort(finish_s, kind="stable"),
        attempts.sort_values("happened_s", kind="stable"),
    )
    assert np.array_equal(finish_s[order], attempts["happened_s"].to_numpy())
    found = pd.DataFrame(
        {
            "provider": name,
            "key": attempts["key"].to_numpy(),
            "event": attempts["event"].astype(str).to_numpy(),
            "reason": attempts["reason"].astype(str).to_numpy(),
            "attempt": attempts["attempt"].to_numpy(),
            "ready_s": ready_s[order],
            "start_s": start_s[order],
            "finished_s": finish_s[order],
        }
    ).sort_values("start_s", kind="stable", ignore_index=True)
    asked_s, made_s = (np.concatenate(columns) for columns in zip(*stage.connections, strict=True))
    setup_s = _setups(found["start_s"].to_numpy(), asked_s, made_s)
    found["setup_s"] = setup_s
    found["started_s"] = found["start_s"] - setup_s
    provider = scenario.providers[name]
    limit = provider.messages_per_connection
    session, use, sessions = _replayed(
        found["started_s"].to_numpy(),
        found["finished_s"].to_numpy(),
        setup_s,
        provider.connections_per_ip * scenario.mta.ips,
        math.inf if limit == "unlimited" else limit,
        sessions,
    )
    return found.assign(session=session, use=use), sessions


def _setups(start_s: Floats, asked_s: Floats, made_s: Floats) -> Floats:
    """Return how long each attempt's connection took to be made, 0 where it was open."""
    found = np.zeros(len(start_s))
    place = 0
    for number in np.argsort(made_s, kind="stable"):
        # The first attempt that starts then, or as soon as a throttle lets it.
        place = max(place, int(np.searchsorted(start_s, made_s[number])))
        if place < len(start_s):
            found[place] = made_s[number] - asked_s[number]
            place += 1
    return found


def _replayed(
    taken_s: Floats, finish_s: Floats, setup_s: Floats, slots: int, limit: float, first: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]:
    """Give each attempt a connection: of those that fit the one that has been free the longest.

    One whose connection was made takes a connection that was used up, if there is one.
    """
    session = np.zeros(len(taken_s), np.int64)
    use = np.zeros(len(taken_s), np.int64)
    free_s = np.full(slots, -math.inf)
    carried = np.zeros(slots, np.int64)
    names = np.zeros(slots, np.int64)
    for number in np.argsort(taken_s, kind="stable"):
        usable = (carried > 0) & (carried < limit)
        made = setup_s[number] > 0.0
        wanted = ~usable if made else usable
        if not (wanted & (free_s <= taken_s[number])).any():
            wanted = np.ones(slots, np.bool_) if made else usable
        slot = int(np.argmin(np.where(wanted, free_s, math.inf)))
        if made or not usable.any():
            first += 1
            names[slot], carried[slot] = first, 0
        carried[slot] += 1
        session[number], use[number] = names[slot], carried[slot]
        free_s[slot] = finish_s[number]
    return session, use, first


def _replied(row: Any) -> tuple[int, str, str]:
    if row.event == "accepted":
        return 250, "2.0.0", "OK"
    if row.event == "expired":
        return 554, "5.4.7", "exceeded max time without delivery"
    return REPLIES.get(row.reason, (451, "4.0.0", "unnamed"))


def _address(row: Any) -> str:
    return f"reader{row.message}@{DOMAINS.get(row.provider, f'{row.provider}.example')}"


def _host(row: Any) -> str:
    return HOSTS.get(row.provider, f"mx.{row.provider}.example")


def sane(seconds: float) -> str:
    """Write a time as Postfix does: two significant digits, two decimals, from 10 s on whole.

    >>> [sane(value) for value in (0.004, 0.1234, 1.26, 12.4, 1234.5)]
    ['0', '0.12', '1.3', '12', '1235']
    """
    step = 0.01 if seconds < 1.0 else 0.1 if seconds < 10.0 else 1.0
    return f"{math.floor(seconds / step + 0.5) * step:.2f}".rstrip("0").rstrip(".")


def postfix(trace: pd.DataFrame, *, syslog: bool = False) -> Iterator[str]:
    """Yield the lines of mail.log."""
    for row in trace.itertuples():
        now = datetime.fromtimestamp(START_S + row.finished_s, UTC)
        stamp = f"{now:%b} {now.day:2d} {now:%H:%M:%S}" if syslog else now.isoformat()
        queue_id = f"4X{row.message:08X}"
        if row.event == "expired":
            yield (
                f"{stamp} mx1 postfix/qmgr[7]: {queue_id}: from=<a@b.example>, status=expired, "
                "returned to sender"
            )
            continue
        code, enhanced, text = _replied(row)
        parts = (
            row.ready_s - row.arrived_s,
            row.started_s - row.ready_s,
            row.setup_s,
            row.finished_s - row.started_s - row.setup_s,
        )
        delays = "/".join(sane(max(part, 0.0)) for part in parts)
        status = {"accepted": "sent", "soft": "deferred", "hard": "bounced"}[row.event]
        host = _host(row)
        said = f"{code} {enhanced} {text}"
        if status != "sent":
            said = f"host {host}[192.0.2.1] said: {said} (in reply to RCPT TO command)"
        use = f"conn_use={row.use}, " if row.use > 1 else ""
        yield (
            f"{stamp} mx1 postfix/smtp[{row.session}]: {queue_id}: to=<{_address(row)}>, "
            f"relay={host}[192.0.2.1]:25, {use}delay={sane(row.finished_s - row.arrived_s)}, "
            f"delays={delays}, dsn={enhanced}, status={status} ({said})"
        )


def kumomta(trace: pd.DataFrame) -> Iterator[str]:
    """Yield log records."""
    kinds = {"accepted": "Delivery", "soft": "TransientFailure", "hard": "Bounce"}
    for row in trace.itertuples():
        expired = row.event == "expired"
        code, enhanced, text = _replied(row)
        digits = [int(digit) for digit in enhanced.split(".")]
        status = dict(zip(("class", "subject", "detail"), digits, strict=True))
        record = {
            "type": kinds.get(row.event, "Expiration"),
            "id": f"{row.message:032x}",
            "sender": "a@b.example",
            "recipient": _address(row),
            "queue": f"c:t@{_address(row).partition('@')[2]}",
            "site": f"s->{_host(row)}@smtp_client",
            "size": 1000,
            "response": {"code": code, "enhanced_code": status, "content": text, "command": "."},
            "peer_address": {"name": _host(row), "addr": "192.0.2.1"},
            "timestamp": int(START_S + row.finished_s),
            "event_time": datetime.fromtimestamp(START_S + row.finished_s, UTC).isoformat(),
            "created": int(START_S + row.arrived_s),
            "created_time": datetime.fromtimestamp(START_S + row.arrived_s, UTC).isoformat(),
            "num_attempts": row.attempt,
        }
        if not expired:
            record["session_id"] = f"s{row.session}"
        yield json.dumps(record)


def powermta(trace: pd.DataFrame) -> Iterator[str]:
    """Yield the rows of an accounting file, header first."""
    yield "type,timeLogged,timeQueued,orig,rcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,jobId"
    kinds = {"accepted": "d", "soft": "t", "hard": "b", "expired": "b"}
    for row in trace.itertuples():
        code, enhanced, text = _replied(row)
        times = (
            f"{datetime.fromtimestamp(START_S + moment_s, UTC):%Y-%m-%d %H:%M:%S}+0000"
            for moment_s in (row.finished_s, row.arrived_s)
        )
        yield (
            f"{kinds[row.event]},{','.join(times)},a@b.example,{_address(row)},x,"
            f'"{enhanced} (x)","smtp;{code} {enhanced} {text}",{_host(row)} (192.0.2.1),j'
        )


def exim(trace: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of a main log with ``log_selector = +millisec +queue_time +deliver_time``."""
    for row in trace.itertuples():
        code, enhanced, text = _replied(row)
        now = datetime.fromtimestamp(START_S + row.finished_s, UTC)
        head = f"{now:%Y-%m-%d %H:%M:%S}.{now.microsecond // 1000:03d} {_exims_number(row)}"
        if row.event == "expired":
            yield f"{head} ** {_address(row)}: retry timeout exceeded"
            continue
        open_before = "*" if row.use > 1 else ""
        host = f"R=r T=remote_smtp H={_host(row)} [192.0.2.1]{open_before}"
        took = f"DT={row.finished_s - row.started_s:.3f}s"
        said = f"SMTP error from remote mail server after RCPT TO: {code} {enhanced} {text}"
        if row.event == "accepted":
            age_s = row.finished_s - row.arrived_s
            yield f'{head} => {_address(row)} {host} C="250 OK" QT={age_s:.3f}s {took}'
        elif row.event == "soft":
            deferred = host.replace(" H=", " defer (-44) H=")
            yield f"{head} == {_address(row)} {deferred} {took}: {said}"
        else:
            yield f"{head} ** {_address(row)} {host}: {said} {took}"


def _exims_number(row: Any) -> str:
    """Return a number that begins with the second of the arrival, in base 62."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    second, text = int(START_S + row.arrived_s), ""
    for _ in range(6):
        second, digit = divmod(second, 62)
        text = digits[digit] + text
    return f"{text}-{row.message:011d}-0000"


def momentum(trace: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of a mainlog."""
    for row in trace.itertuples():
        code, enhanced, text = _replied(row)
        head = f"{int(START_S + row.finished_s)}@{row.message:08X}@b@c{row.session}"
        domain = _address(row).partition("@")[2]
        told = f"{max(row.attempt - 1, 0)}@{row.finished_s - row.arrived_s:.6f}@192.0.2.1"
        if row.event == "accepted":
            yield f"{head}@D@{domain}@1000@g@b@{told}"
        else:
            kind = "T" if row.event == "soft" else "P"
            said = f"{code} {enhanced} {text}".replace("@", "\\@")
            yield f"{head}@{kind}@{domain}@1000@g@b@8@{told}@{said}"
