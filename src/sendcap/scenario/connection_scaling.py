"""How an MTA opens connections: by the queue's length, or by the answers that it gets."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, TypeAdapter

from sendcap.scenario.section import MOST_AT_A_TIME, Count, Section, unit

_SOURCE: Final = "Postfix, main.cf"
Feedback = Literal["1", "1/concurrency", "1/sqrt_concurrency"]


class PostfixScaling(Section):
    """A window of concurrent deliveries that grows with successes and shrinks with failures.

    It begins with ``initial`` and has all connections for its limit. A success adds the positive
    feedback until a whole one makes the window larger, as long as the window is no larger than the
    connections in use and ``initial`` more. A failure that blames the site subtracts the
    negative feedback; below zero, the window is smaller, and at least 1.

    References
    ----------
    Postfix, SCHEDULER_README, "Concurrency scheduling"; ``src/qmgr/qmgr_queue.c``.
    """

    kind: Literal["postfix"] = "postfix"
    """Kind of the scaling."""
    initial: Annotated[Count, Field(le=MOST_AT_A_TIME), unit("connections", _SOURCE)] = 5
    """Connections from each source address at first."""
    positive: Feedback = "1"
    """Feedback of a success: a whole connection, or by the window or its root."""
    negative: Feedback = "1"
    """Feedback of a failure: an attempt that reaches nobody."""
    variant: Literal["source", "readme"] = "source"
    """Rounding of the feedback: as in Postfix's source, or as in the pseudo-code of its README.

    The source changes the window half a step earlier.
    """


_TABLE: Final = TypeAdapter[PostfixScaling](PostfixScaling)
_Name = Literal["none", "kumomta", "postfix"]
_NAME: Final = TypeAdapter[Any](_Name)


def _read(value: Any) -> Any:
    if isinstance(value, dict | PostfixScaling):
        return _TABLE.validate_python(value)
    name = _NAME.validate_python(value)
    return PostfixScaling() if name == "postfix" else name


ConnectionScalingField = Annotated[
    Literal["none", "kumomta"] | PostfixScaling,
    BeforeValidator(_read, json_schema_input_type=_Name | PostfixScaling),
]
"""A name, or Postfix's scaling with its settings."""
