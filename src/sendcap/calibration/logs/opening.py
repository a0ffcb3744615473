"""Opening a log: plain or compressed, in blocks of lines, with bounded memory."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import pyarrow as pa

from sendcap.errors import SendcapError
from sendcap.text.quoting import without_addresses

_BLOCK: Final = 1 << 20
_STEP: Final = 1 << 14
"""Bytes read at once from a compressed file: damage costs at most this much."""
LONGEST_LINE: Final = 1 << 18
"""Bytes of a line; a longer one is skipped without keeping it in memory."""
_MAGIC: Final = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_DAMAGED: Final = (EOFError, zlib.error, lzma.LZMAError, OSError, ValueError)


class Log:
    """A log file; ``number`` is that among all logs, from 1."""

    def __init__(self, path: Path, number: int = 1) -> None:
        self.path = path
        # The name goes into the report and the scenario, the path into errors only.
        self.name = without_addresses(path.name)
        if self.name != path.name:
            self.name += f", log {number}"
        self.read_bytes = 0  # so far, uncompressed
        self.lines = 0  # so far
        self.too_long: list[tuple[int, bytes]] = []  # numbers and beginnings of lines
        self.damage = ""  # reason of an early end
        self.compression = ""
        if path.is_dir():
            raise SendcapError(f"{path}: is a directory; give log files")
        try:
            with path.open("rb") as file:
                head = file.read(8)
        except OSError as error:
            raise SendcapError(f"{path}: {error.strerror or error}") from None
        for magic, name in _MAGIC.items():
            if head.startswith(magic):
                self.compression = name
        self._head = head

    @property
    def written_s(self) -> float:
        """Time of the last change, in seconds since 1970."""
        if self.compression == "gzip":
            # gzip stores the time of the original; a copy of the log may be younger.
            stamp = int.from_bytes(self._head[4:8], "little")
            if stamp:
                return float(stamp)
        return self.path.stat().st_mtime

    def start(self, size: int = 1 << 16) -> bytes:
        """Return the first bytes of the text."""
        return next(self._pieces(size), b"")

    def blocks(self) -> Iterator[list[bytes]]:
        """Yield the lines, without line ends, block by block."""
        self.damage = ""
        rest, skipping = b"", False
        for piece in self._pieces(_BLOCK):
            self.read_bytes += len(piece)
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()
            if lines and skipping:
                # The end of a line that is skipped already.
                lines[0] = b""
                skipping = False
            if len(rest) > LONGEST_LINE:
                if not skipping:
                    self.too_long.append((self.lines + len(lines) + 1, rest[:80]))
                rest, skipping = b"", True
            if lines:
                yield self._without_long(lines)
        if rest and not skipping:
            yield self._without_long([rest])

    def _without_long(self, lines: list[bytes]) -> list[bytes]:
        before = self.lines
        self.lines += len(lines)
        if max(map(len, lines)) > LONGEST_LINE:
            for number, line in enumerate(lines):
                if len(line) > LONGEST_LINE:
                    self.too_long.append((before + number + 1, line[:80]))
                    lines[number] = b""
        return lines

    def _pieces(self, size: int) -> Iterator[bytes]:
        """Yield the text in pieces of a size, up to any damage."""
        held, count = list[bytes](), 0
        try:
            with self._opened() as file:
                # A read that meets damage loses everything it has read so far.
                step = min(_STEP, size) if self.compression else size
                while part := file.read(step):
                    held.append(part)
                    count += len(part)
                    if count >= size:
                        yield b"".join(held)
                        held, count = [], 0
        except _DAMAGED as error:
            self.damage = without_addresses(_damage(error))
        if held:
            yield b"".join(held)

    def _opened(self) -> BinaryIO:
        if self.compression == "zstd":
            return cast("BinaryIO", pa.input_stream(str(self.path), compression="zstd"))
        opener: Any = {"gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open, "": open}
        return cast("BinaryIO", opener[self.compression](self.path, "rb"))


def _damage(error: BaseException) -> str:
    if isinstance(error, EOFError):
        return "is cut off: the end of the compressed data is missing"
    return "is damaged: " + (str(error).splitlines() or ["unreadable"])[0][:100]
