"""Parquet files: written table by table, and read although they may be damaged or edited."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from sendcap.errors import RunError
from sendcap.files.checksums import require_unchanged
from sendcap.text.quoting import visible

UNREADABLE: Final = (
    *(ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError),
    pa.ArrowException,
)
"""What the content of a file that sendcap has not written may raise."""

ROWS: Final = 1 << 20
"""Rows of a group, as many as pyarrow writes by default."""

LARGEST: Final = 2**53
"""The largest count of which a float has every digit."""


class TableWriter:
    """Writes tables of one schema into a file, in groups of about a million rows.

    A context manager; so many rows are in memory. Without any table there is no file.
    """

    def __init__(self, path: Path, metadata: Mapping[bytes, bytes]) -> None:
        self._path = path
        self._metadata = metadata
        self._waiting: list[pa.Table] = []
        self._rows = 0
        self._file: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, _error: object, _trace: object) -> None:
        try:
            if kind is None and self._waiting:
                self._flush()
        finally:
            if self._file is not None:
                self._file.close()

    def write(self, table: pa.Table) -> None:
        """Write a table, at once or with later ones."""
        self._waiting.append(table)
        self._rows += table.num_rows
        if self._rows >= ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._file is None:
            schema = self._waiting[0].schema.with_metadata(self._metadata)
            self._file = pq.ParquetWriter(
                self._path, schema, compression="zstd", write_page_checksum=True
            )
        self._file.write_table(pa.concat_tables(self._waiting))
        self._waiting, self._rows = [], 0


# Arrow's threads let go of what they have read a moment after the reader has it all. A file or a
# text of Python's they may not let go of while Python ends: that aborts the process.


def opened(path: Path) -> pq.ParquetFile:
    """Open a file by name, for Arrow to read it."""
    return pq.ParquetFile(pa.OSFile(os.fsencode(path)), page_checksum_verification=True)


def table_in(content: bytes) -> pa.Table:
    """Return the table of a file's content, which Arrow gets a copy of."""
    copy = pa.allocate_buffer(len(content))
    memoryview(copy).cast("B")[:] = content
    return pq.read_table(pa.BufferReader(copy), page_checksum_verification=True)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Refuse a changed file; turn whatever the block raises about the content into a `RunError`."""
    require_unchanged(path)
    try:
        yield
    except UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunError(
            f"{path}: cannot be read, it may be damaged or edited: {visible(reason)}"
        ) from error


def whole_numbers(column: pa.ChunkedArray, most: int = LARGEST) -> npt.NDArray[np.int64]:
    """Return a column of counts."""
    if not pa.types.is_integer(column.type) or column.null_count:
        raise ValueError("a count is not a whole number")
    values = np.asarray(column)
    if len(values) and not (values.min() >= 0 and values.max() <= most):
        raise ValueError(f"a count is not between 0 and {most:,}")
    return values.astype(np.int64)
