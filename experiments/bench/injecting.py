"""The relay of the bench: hands messages over to an MTA at a rate, by SMTP."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

_PATIENCE_S: Final = 60.0


class Addressed(NamedTuple):
    """A message to hand over."""

    sender: str
    recipient: str


async def _hand_over(
    address: str, port: int, messages: Sequence[Addressed], per_s: float
) -> list[float]:
    """Hand messages over one after the other; return when each was taken."""
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection(address, port)

    async def ask(line: str, code: bytes) -> None:
        writer.write(f"{line}\r\n".encode())
        reply = await asyncio.wait_for(reader.readline(), _PATIENCE_S)
        while reply[3:4] == b"-":
            reply = await asyncio.wait_for(reader.readline(), _PATIENCE_S)
        if not reply.startswith(code):
            raise RuntimeError(f"{line.split(':')[0]}: {reply.decode(errors='replace').strip()}")

    try:
        await reader.readline()
        await ask("EHLO bench.test", b"250")
        began_s, taken_s = loop.time(), []
        for number, each in enumerate(messages):
            await asyncio.sleep(max(began_s + number / per_s - loop.time(), 0.0))
            await ask(f"MAIL FROM:<{each.sender}>", b"250")
            await ask(f"RCPT TO:<{each.recipient}>", b"250")
            await ask("DATA", b"354")
            await ask("Subject: bench\r\n\r\nText.\r\n.", b"250")
            taken_s.append(loop.time() - began_s)
        await ask("QUIT", b"221")
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    return taken_s


def hand_over(
    port: int,
    messages: Sequence[Addressed],
    per_s: float,
    relays: int,
    address: str = "127.0.0.1",
) -> float:
    """Hand messages over at a rate, by several connections in turn; return how long it took."""

    async def all_of_them() -> float:
        shares = [messages[number::relays] for number in range(relays)]
        taken = await asyncio.gather(
            *(_hand_over(address, port, share, per_s / relays) for share in shares if share)
        )
        return max(each[-1] for each in taken)

    return asyncio.run(all_of_them())
