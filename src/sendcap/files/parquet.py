"""Parquet files: written table by table, and read although they may be damaged or edited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Final

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

LARGEST: Final = 2**53
"""The largest count of which a float has every digit."""


def write_tables(
    path: Path, tables: Iterable[pa.Table], metadata: Mapping[bytes, bytes], **options: Any
) -> None:
    """Write tables of one schema into a file, so that only one is in memory at a time."""
    rows = iter(tables)
    first = next(rows)
    schema = first.schema.with_metadata(metadata)
    with pq.ParquetWriter(
        path, schema, compression="zstd", write_page_checksum=True, **options
    ) as file:
        for table in chain([first], rows):
            file.write_table(table)


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
