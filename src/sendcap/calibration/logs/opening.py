"""Opening a log: plain or compressed, in blocks of lines, with bounded memory."""

import bz2
import codecs
import gzip
import lzma
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import pyarrow as pa

from sendcap.calibration.logs.documents import by_line
from sendcap.calibration.logs.wrapping import Unwrapped
from sendcap.errors import SendcapError
from sendcap.files.reading import encoding_of, opened
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
_ARCHIVES: Final = {
    b"PK\x03\x04": "a zip archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a rar archive",
    b"\x04\x22\x4d\x18": "compressed with lz4",
}
_MOST_TIMES: Final = 250
"""Logs shrink to a tenth or a thirtieth; what shrinks to less is made to fill a memory."""
_SAMPLE: Final = 1 << 12
_SAMPLES: Final = 200
_FREE_BYTES: Final = 64 << 20
"""Unpacked size that is never too large."""
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
        self.unwrap: Unwrapped | None = None  # takes its lines out of a collector's records
        if path.is_dir():
            raise SendcapError(f"{path}: is a directory; give log files")
        try:
            with opened(path) as file:
                head = file.read(8)
                self._size = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise SendcapError(f"{path}: {error.strerror or error}") from None
        for magic, name in _ARCHIVES.items():
            if head.startswith(magic):
                raise SendcapError(f"{path}: is {name}; unpack it, and give the logs in it")
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
        return next(self._texts(size), b"")

    def samples(self) -> Iterator[bytes]:
        """Yield pieces of the text from its beginning to its end, a few where that is enough."""
        as_stored = not self.compression and self.start(_SAMPLE).startswith(self._head)
        if not as_stored or self._size <= _SAMPLES * _SAMPLE:
            yield from self._texts(_BLOCK)
            return
        with opened(self.path) as file:
            for number in range(_SAMPLES):
                file.seek((self._size - _SAMPLE) * number // (_SAMPLES - 1))
                yield file.read(_SAMPLE)

    def blocks(self) -> Iterator[list[bytes]]:
        """Yield the lines, without line ends, block by block."""
        self.damage = ""
        rest, skipping = b"", False
        for piece in self._texts(_BLOCK):
            self.read_bytes += len(piece)
            lines = (rest + piece).split(b"\n")
            if b"\r" in piece:
                lines = [*(line.rstrip(b"\r") for line in lines[:-1]), lines[-1]]
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
            yield self._without_long([rest.rstrip(b"\r")])
        if self.unwrap is not None and any(last := self.unwrap([b""])):
            yield last

    def _without_long(self, lines: list[bytes]) -> list[bytes]:
        before = self.lines
        self.lines += len(lines)
        if max(map(len, lines)) > LONGEST_LINE:
            for number, line in enumerate(lines):
                if len(line) > LONGEST_LINE:
                    self.too_long.append((before + number + 1, line[:80]))
                    lines[number] = b""
        return lines if self.unwrap is None else self.unwrap(lines)

    def _texts(self, size: int) -> Iterator[bytes]:
        """Yield the text as UTF-8, and a JSON document as lines."""
        return by_line(with_line_feeds(as_utf8(self._pieces(size))))

    def _pieces(self, size: int) -> Iterator[bytes]:
        """Yield the text in pieces of a size, up to any damage."""
        held, count, total = list[bytes](), 0, 0
        try:
            with opened(self.path) as stored, self._unpacked(stored) as file:
                # A read that meets damage loses everything it has read so far.
                step = min(_STEP, size) if self.compression else size
                while part := file.read(step):
                    total += len(part)
                    if self.compression and total > _FREE_BYTES + _MOST_TIMES * self._size:
                        raise _too_large(self.path)
                    held.append(part)
                    count += len(part)
                    if count >= size:
                        yield b"".join(held)
                        held, count = [], 0
        except _DAMAGED as error:
            self.damage = without_addresses(_damage(error))
        if held:
            yield b"".join(held)

    def _unpacked(self, stored: BinaryIO) -> AbstractContextManager[BinaryIO]:
        match self.compression:
            case "":
                return stored
            case "zstd":
                return cast("BinaryIO", pa.input_stream(stored, compression="zstd"))
        opener: Any = {"gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open}[self.compression]
        return cast("BinaryIO", opener(stored, "rb"))


def _too_large(path: Path) -> SendcapError:
    return SendcapError(
        f"{path}: unpacks to more than {_MOST_TIMES} times the file's size; this is not a log"
    )


def _damage(error: BaseException) -> str:
    if isinstance(error, EOFError):
        return "is cut off: the end of the compressed data is missing"
    return "is damaged: " + (str(error).splitlines() or ["unreadable"])[0][:100]


def as_utf8(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a text as UTF-8 without a byte order mark, piece by piece.

    >>> b"".join(as_utf8([codecs.BOM_UTF16_LE + "é".encode("utf-16-le")])).decode()
    'é'
    """
    rest = iter(pieces)
    first = next(rest, b"")
    encoding = encoding_of(first)
    if encoding == "utf-8-sig":
        yield from filter(None, chain((first.removeprefix(codecs.BOM_UTF8),), rest))
        return
    decode = codecs.getincrementaldecoder(encoding)("replace").decode
    for piece in chain((first,), rest):
        text = decode(piece)
        if text:
            yield text.encode("utf-8", "replace")


def with_line_feeds(pieces: Iterable[bytes]) -> Iterator[bytes]:
    r"""Yield a text with line feeds where its lines end with carriage returns alone.

    >>> b"".join(with_line_feeds([b"a\rb\r"])), b"".join(with_line_feeds([b"a\r\nb\rc"]))
    (b'a\nb\n', b'a\r\nb\rc')
    """
    rest = iter(pieces)
    first = next(rest, b"")
    others = b"\r" in first and b"\n" not in first
    for piece in chain((first,), rest):
        yield piece.replace(b"\r", b"\n") if others else piece
