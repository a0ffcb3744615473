"""A measure: something that a sweep keeps of each run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sendcap.errors import SendcapError

if TYPE_CHECKING:
    from sendcap.run import Run
    from sendcap.study.capacity.limits import Limits

Value = float | int | str | bool | None
Measured = Value | Mapping[str, Value]
"""A value, or several of them by name; each has a column of the table."""


@dataclass(frozen=True)
class Measure:
    """Something to keep of a run.

    Attributes
    ----------
    name
        What its column is called. If it has several values, their names follow after a dot.
    of
        Computes it of a run, or of what limits it.
    about
        A line of explanation.
    limits
        Whether it is of `sendcap.study.capacity.limits.Limits`, and not of a `Run`.
    engagement
        Whether opens and clicks have a bearing on it.
    own
        Whether it is a function of the user's, and not one of `MEASURES`.
    """

    name: str
    of: Callable[[Any], Any]
    about: str = ""
    limits: bool = False
    engagement: bool = False
    own: bool = False

    def columns(self, seen: Run | Limits) -> dict[str, Value]:
        """Return its values by column.

        Raises
        ------
        SendcapError
            If it is no value that a table can hold.
        """
        measured = self.of(seen)
        if not isinstance(measured, Mapping):
            return {self.name: _value(self.name, measured)}
        columns = {f"{self.name}.{name}": value for name, value in measured.items()}
        return {name: _value(name, value) for name, value in columns.items()}


def _value(name: str, value: Any) -> Value:
    import numpy as np

    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise SendcapError(
        f"{name}: is a {type(value).__name__}; a measure returns a number, text, true or false, "
        f"None, or several of these by name"
    )
