"""How an MTA opens connections: by the queue's length, or by the answers that it gets."""

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, TypeAdapter

from sendcap.scenario.durations import PositiveDuration, parse_duration
from sendcap.scenario.section import MOST_AT_A_TIME, READ_NONE, WRITE_NONE, Count, Section, unit

_SOURCE: Final = "Postfix, main.cf"
Feedback = Literal["1", "1/concurrency", "1/sqrt_concurrency"]


class PostfixScaling(Section):
    """A window of concurrent deliveries that grows with successes and shrinks with failures.

    It begins with ``initial`` and has all connections for its limit. A success adds the positive
    feedback until a whole one makes the window larger, as long as the window is no larger than the
    connections in use and ``initial`` more. A failure that blames the site subtracts the
    negative feedback; below zero, the window is smaller, and at least 1.

    Each such failure is a part of a failed cohort, 1 / window; a success begins anew. After
    ``failed_cohorts`` the site is dead for ``dead_for``: its messages are sent back to their
    schedule without an attempt, a soft bounce *suspended*, unless a delivery that is still under
    way succeeds. Postfix remembers a site as long as it has messages for it: when the last of them
    has its answer, all begins anew.

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
    failed_cohorts: Annotated[
        Count | None, Field(le=1_000_000), READ_NONE, WRITE_NONE, unit("cohorts", _SOURCE)
    ] = 1
    """Failed cohorts after which a site is dead, or "none" where it never is."""
    dead_for: PositiveDuration = parse_duration("5m")
    """How long a site is dead: ``minimal_backoff_time``."""
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
