"""The interface of a retry policy, and the parts that policies share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, Any, ClassVar, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, WithJsonSchema, model_validator

from sendcap.scenario.durations import DurationText, format_duration, parse_duration
from sendcap.scenario.section import READ_NONE, WRITE_NONE, Number, Section, refuse
from sendcap.text.quoting import shown

Times = npt.NDArray[np.float64]
Failures = npt.NDArray[np.integer[Any]]

SHORTEST_WINDOW: Final = "100ms"
"""The engine advances by the shortest delay at most; with a shorter one it would take for ever."""

DELAY: Final = DurationText(least="1s")
"""A delay between attempts; no MTA tries again sooner than after a second."""

Delay = Annotated[float, DELAY]
"""Seconds between attempts, at least 1; text with a unit in a scenario file."""

Jitter = Annotated[Number, Field(ge=0, lt=1)]
"""Half the width of the factor's range: each delay times a uniform draw from 1 ± jitter."""


Cap = Annotated[
    Delay | None,
    READ_NONE,
    WRITE_NONE,
    WithJsonSchema({**DELAY.json_schema, "examples": ["12h", "none"]}),
]
"""The longest delay in seconds, or None, written ``"none"``."""


class Bounces(NamedTuple):
    """Messages at a soft bounce; see `RetryPolicy.due_s`."""

    failures: Failures
    finish_s: Times
    arrived_s: Times
    first_failed_s: Times
    previous_delay_s: Times
    uniform: Times | None

    @property
    def drawn(self) -> Times:
        """The draws that a random policy needs."""
        if self.uniform is None:
            message = "this retry policy is random: it needs a uniform draw for each message"
            raise ValueError(message)
        return self.uniform

    def with_jitter(self, delay_s: Times, jitter: float) -> Times:
        """Multiply each delay by a uniform draw from 1 ± ``jitter``."""
        if jitter == 0.0:
            return delay_s
        return delay_s * (1.0 - jitter + 2.0 * jitter * self.drawn)


class RetryPolicy(Section, ABC):
    """A rule for the moments of the attempts after the first."""

    expires_on_failure: ClassVar[bool] = False
    """Whether the MTA expires a message at the failure after which no retry fits."""

    @model_validator(mode="after")
    def _window_long_enough(self) -> Self:
        # Rounded: 1 s times 1 - 0.9 is a little less than 100 ms.
        shortest_s = float(f"{self.shortest_delay_s:.3g}")
        if shortest_s < parse_duration(SHORTEST_WINDOW):
            # The jitter's doing: each delay by itself is a second or more.
            jitter = shown(getattr(self, "jitter", None))
            shortest = format_duration(shortest_s)
            message = f"delays as short as {shortest}; they must be at least {SHORTEST_WINDOW}"
            refuse([(("jitter",), f"{jitter} makes {message}")])
        return self

    def due_s(
        self,
        failures: Failures,
        finish_s: Times,
        arrived_s: Times,
        first_failed_s: Times,
        previous_delay_s: Times,
        uniform: Times | None,
    ) -> Times:
        """When messages are due again after a soft bounce.

        Parameters
        ----------
        failures : ndarray of int
            How many soft bounces each message had before this one, 0 for its first.
        finish_s : ndarray of float
            When the attempt that has just failed finished, on the simulation's clock.
        arrived_s : ndarray of float
            When the MTA took the message.
        first_failed_s : ndarray of float
            When the message's first soft bounce finished; ``finish_s`` where this is the first.
        previous_delay_s : ndarray of float
            Delay after the soft bounce before this one; 0 where this is the first.
        uniform : ndarray of float, or None
            A draw from [0, 1) for each message. None is enough unless `needs_uniform`.

        Returns
        -------
        ndarray of float
            The moments on the simulation's clock; infinite where the policy gives up.
        """
        return self._due_s(
            Bounces(failures, finish_s, arrived_s, first_failed_s, previous_delay_s, uniform)
        )

    @abstractmethod
    def _due_s(self, bounces: Bounces) -> Times:
        """When messages are due again after a soft bounce."""

    @property
    def run_every_s(self) -> float:
        """Retries take place at multiples of this many seconds; 0 if at any moment."""
        return 0.0

    @property
    @abstractmethod
    def shortest_delay_s(self) -> float:
        """No delay is shorter than this many seconds, whatever is drawn; above zero."""

    @property
    def needs_uniform(self) -> bool:
        """Whether the delays are random."""
        return False


def doubling(first_s: float, factor: float, cap_s: float | None, failures: Failures) -> Times:
    """Delay ``first · factorⁿ`` after n earlier failures, at most the cap."""
    # Beyond the largest float the delay is infinite, or the cap.
    with np.errstate(over="ignore"):
        delay_s = first_s * np.power(factor, failures, dtype=np.float64)
    return delay_s if cap_s is None else np.minimum(delay_s, cap_s)


def next_run_s(due_s: Times, every_s: float) -> Times:
    """Return the first multiple of an interval that is not before a moment."""
    run_s = np.ceil(due_s / every_s) * every_s
    # Rounding may put the product just before the moment that it must not precede.
    return np.where(run_s < due_s, run_s + every_s, run_s)


def listed(delays: tuple[float, ...], failures: Failures) -> Times:
    """Delay number n of a list after n earlier failures; the last one repeats."""
    last = len(delays) - 1
    return np.array(delays)[np.minimum(failures.astype(np.int64), last)]


def ordered(first: str, cap: str, instead: str = "") -> Any:
    """Return a check of a policy: the longest delay is no shorter than the first one."""

    def check(policy: Any) -> Any:
        first_s, cap_s = getattr(policy, first), getattr(policy, cap)
        if cap_s is not None and cap_s < first_s:
            message = (
                f"{format_duration(cap_s)} is less than {first}, {format_duration(first_s)}; "
                f"give at least that{instead}"
            )
            refuse([((cap,), message)])
        return policy

    return model_validator(mode="after")(check)


OR_NO_LIMIT: Final = ', or "none" for no limit'
