"""The results of a sweep in plain sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sendcap.text.quantities import counted

if TYPE_CHECKING:
    import pandas as pd

_MOST_ERRORS: Final = 5


def sentences(results: pd.DataFrame) -> Iterator[str]:
    """Yield the number of runs, and the most frequent errors of those that have failed."""
    failed = results[results["error"] != ""]
    yield f"{counted(len(results), 'run')}, {len(failed):,} failed."
    errors = Counter(failed["error"])
    for error, count in errors.most_common(_MOST_ERRORS):
        yield f"  {counted(count, 'run')}: {error}"
    if len(errors) > _MOST_ERRORS:
        yield f"  and {len(errors) - _MOST_ERRORS:,} other errors, see results.csv"
