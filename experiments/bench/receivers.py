"""Receivers: small SMTP servers on loopback addresses that answer as a provider would.

They run in a process of their own, and write what comes to them, a line of JSON for each attempt.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
import signal
import ssl
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Final, Self

LONGEST_S: Final = 900.0
"""Receivers end by themselves after so long."""
_LONGEST_LINE: Final = 4096


@dataclass(frozen=True)
class Receiver:
    """How a provider answers; times are in seconds."""

    transaction_s: float = 0.2  # until an answer: half as long to half as much again
    banner_s: float = 0.0  # until the greeting of a new connection
    connections: int | None = None  # more at a time get 421
    rate_per_s: float | None = None  # more attempts are deferred, one at a time
    defers: float = 0.0  # share of the attempts
    refuses: float = 0.0  # share of the addresses
    greylists_s: float | None = None  # a new address is deferred until so long after
    closes_after: int | None = None  # messages of a connection
    away_s: tuple[float, float] | None = None  # from and until when nobody listens
    tls: bool = False  # whether STARTTLS is offered, with a certificate that nobody signed


class _Provider:
    """One receiver at work."""

    def __init__(
        self,
        name: str,
        how: Receiver,
        began_s: float,
        log: IO[str],
        certificate: ssl.SSLContext | None,
    ) -> None:
        self._name, self._how, self._began_s, self._log = name, how, began_s, log
        self._certificate = certificate if how.tls else None
        # Other draws in each repetition.
        self._random = random.Random(f"{name} {began_s}")
        self._open = 0
        self._writers = set[asyncio.StreamWriter]()
        self._free_s = -1e9  # when the rate lets the next attempt through
        self._first_s: dict[str, float] = {}

    def _now_s(self) -> float:
        return time.time() - self._began_s

    async def serve(self, address: str, port: int) -> None:
        """Listen, but while away."""
        away = self._how.away_s
        if away is None:
            server = await self._listening(address, port)
            await server.serve_forever()
            return
        if self._now_s() < away[0]:
            server = await self._listening(address, port)
            await asyncio.sleep(away[0] - self._now_s())
            server.close()
            for each in self._writers:
                each.transport.abort()
        await asyncio.sleep(max(away[1] - self._now_s(), 0.0))
        server = await self._listening(address, port)
        await server.serve_forever()

    async def _listening(self, address: str, port: int) -> asyncio.Server:
        return await asyncio.start_server(
            self._session, address, port, limit=_LONGEST_LINE, backlog=512
        )

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        self._writers.add(writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._talk(reader, writer)
        finally:
            self._open -= 1
            self._writers.discard(writer)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        how, began_s, done = self._how, self._now_s(), 0

        async def say(text: str) -> None:
            writer.write(f"{text}\r\n".encode())
            await writer.drain()

        if how.connections is not None and self._open > how.connections:
            await say("421 4.7.0 Too many connections from your host")
            self._write("refused", "", began_s)
            return
        await asyncio.sleep(how.banner_s)
        await say("220 receiver.test ESMTP")
        start_s, accepted, offers = began_s, list[str](), "STARTTLS" if self._certificate else ""
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb in (b"EHLO", b"HELO"):
                await say(f"250-receiver.test\r\n250 {offers}" if offers else "250 receiver.test")
            elif verb == b"STAR" and self._certificate is not None:
                await say("220 Go on")
                await writer.start_tls(self._certificate)
                offers = ""
            elif verb == b"MAIL":
                start_s, accepted = self._now_s(), []
                await say("250 2.1.0 Ok")
            elif verb == b"RCPT":
                to = line.split(b"<")[1].split(b"@")[0].decode()
                answer = self._answer(to)
                if answer is not None:
                    await self._wait()
                    await say(answer)
                    self._write("hard" if answer[0] == "5" else "soft", to, start_s)
                    done += 1
                else:
                    accepted.append(to)
                    await say("250 2.1.5 Ok")
            elif verb == b"DATA" and not accepted:
                await say("554 5.5.1 No valid recipients")
            elif verb == b"DATA":
                await say("354 Go on")
                while (line := await reader.readline()) not in (b".\r\n", b""):
                    pass
                await self._wait()
                await say("250 2.0.0 Ok: taken")
                for to in accepted:
                    self._write("accepted", to, start_s)
                done += 1
            elif verb == b"QUIT":
                await say("221 2.0.0 Bye")
                return
            else:
                await say("250 2.0.0 Ok")
            if how.closes_after is not None and done >= how.closes_after:
                return

    async def _wait(self) -> None:
        if self._how.transaction_s:
            mean_s = self._how.transaction_s
            await asyncio.sleep(self._random.uniform(0.5 * mean_s, 1.5 * mean_s))

    def _answer(self, to: str) -> str | None:
        """Return the answer to a recipient; None accepts it."""
        how, now_s = self._how, self._now_s()
        if how.rate_per_s is not None:
            if now_s < self._free_s:
                return "450 4.7.28 Too many messages too quickly"
            self._free_s = max(self._free_s, now_s - 1.0 / how.rate_per_s) + 1.0 / how.rate_per_s
        if _share(f"{self._name} {to}") < how.refuses:
            return "550 5.1.1 No such user"
        first_s = self._first_s.setdefault(to, now_s)
        if how.greylists_s is not None and now_s < first_s + how.greylists_s:
            return "450 4.2.0 Greylisted"
        if self._random.random() < how.defers:
            return "451 4.3.0 Try again later"
        return None

    def _write(self, event: str, to: str, start_s: float) -> None:
        row = {"event": event, "provider": self._name, "to": to, "open": self._open}
        row |= {"start_s": round(start_s, 4), "end_s": round(self._now_s(), 4)}
        self._log.write(json.dumps(row) + "\n")


def _certificate(folder: Path) -> ssl.SSLContext:
    """Return a new certificate that nobody has signed, as most senders take it."""
    key, public = folder / "key.pem", folder / "certificate.pem"
    request = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
    subject = ["-subj", "/CN=receiver.test", "-keyout", str(key), "-out", str(public)]
    subprocess.run([*request.split(), *subject], check=True, capture_output=True, timeout=60)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, key)
    return context


def _share(text: str) -> float:
    """Return a number from 0 to 1 that belongs to a text."""
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest()) / 2**32


@dataclass
class Receivers:
    """Receivers of several providers, each at an address and a port; a context manager."""

    providers: Mapping[str, Receiver]
    addresses: Mapping[str, tuple[str, int]]
    log: Path
    began_s: float
    _process: multiprocessing.process.BaseProcess | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        ready, told = multiprocessing.Pipe(duplex=False)
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(
            target=_serve,
            args=(dict(self.providers), dict(self.addresses), self.log, self.began_s, told),
            daemon=True,
        )
        self._process.start()
        if not ready.poll(30.0):
            raise TimeoutError("the receivers do not begin to listen")
        ready.recv()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.pid is not None
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGTERM)
        self._process.join(10.0)


def _serve(
    providers: dict[str, Receiver],
    addresses: dict[str, tuple[str, int]],
    log: Path,
    began_s: float,
    told: Connection,
) -> None:
    certificate = None
    if any(how.tls for how in providers.values()):
        certificate = _certificate(log.parent)

    async def all_of_them() -> None:
        with log.open("w", buffering=1) as file:
            tasks = [
                asyncio.create_task(
                    _Provider(name, how, began_s, file, certificate).serve(*addresses[name])
                )
                for name, how in providers.items()
            ]
            await asyncio.sleep(0.3)
            told.send("ready")
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(*tasks), LONGEST_S)

    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    asyncio.run(all_of_them())
