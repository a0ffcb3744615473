"""Responses: what the measures of a study are at each of its points, for a sensitivity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sendcap.errors import SendcapError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from sendcap.scenario import Range

    Floats = npt.NDArray[np.float64]


def require_several(ranges: Mapping[str, Range]) -> None:
    """Refuse a single range."""
    if len(ranges) < 2:
        raise SendcapError("sensitivity: needs two ranges at least; one alone decides everything")


def responses(runs: pd.DataFrame, ranges: Mapping[str, Range]) -> Iterator[tuple[str, Floats]]:
    """Yield each measure that is a number, with its means over the replications of each point.

    Raises
    ------
    SendcapError
        If a run has failed, a measure has no value in one, or none is a number.
    """
    import pandas as pd

    failed = runs[runs["error"] != ""]
    if len(failed):
        raise SendcapError(
            f"sensitivity: {len(failed):,} of {len(runs):,} runs have failed, and the indices need "
            f"all of them; the first: {failed['error'].iloc[0]}"
        )
    names = _measured(runs, ranges)
    if not names:
        raise SendcapError("sensitivity: no measure is a number; give one that is")
    for name in names:
        values = runs.groupby("point")[name].mean().to_numpy(float)
        missing = int(pd.isna(values).sum())
        if missing:
            raise SendcapError(
                f"sensitivity: {name} has no value at {missing:,} of {len(values):,} points, and "
                f"the indices need all of them; leave it out, or narrow the ranges"
            )
        yield name, values


def _measured(runs: pd.DataFrame, ranges: Mapping[str, Range]) -> list[str]:
    """Return the columns of measures that are numbers."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    others = {"point", "replication", "seed", "error", "wall_s", "cpu_s", *ranges}
    return [
        name
        for name in runs.columns
        if name not in others and is_numeric_dtype(runs[name]) and not is_bool_dtype(runs[name])
    ]
