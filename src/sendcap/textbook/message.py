"""A message of the textbook model."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import simpy

from sendcap.model.addresses import NOT_ATTEMPTED
from sendcap.scenario import Delivery, Fault, Hard, RetryPolicy
from sendcap.textbook.person import Person

if TYPE_CHECKING:
    from sendcap.textbook.queue import Queue


@dataclass(slots=True, eq=False)
class Message:
    """What is known of a message on its way."""

    delivery: Delivery
    person: Person
    queue: Queue
    ready_s: float  # when its batch may be handed over
    relayed_s: float
    expiry_s: float
    since_s: float = math.nan  # when it began to wait in its queue
    hard: str = ""  # reason to bounce it hard
    fault: Fault | None = None
    clears_at_s: float | None = None  # from the first attempt on that reaches the provider
    reported_s: float = -math.inf
    asked: simpy.Event | None = None  # the connection that it waits for, or has
    is_active: bool = False
    is_retry: bool = False
    failures: int = 0
    first_failed_s: float = 0.0
    previous_delay_s: float = 0.0
    reason: str = NOT_ATTEMPTED  # of its last soft bounce

    def goes_wrong_by(self, wrong: Hard | Fault | None) -> None:
        """Note what is wrong with the address."""
        if isinstance(wrong, Hard):
            self.hard = wrong.reason
        else:
            self.fault = wrong

    def due_again_s(self, retry: RetryPolicy, failed_s: float, uniform: Iterator[float]) -> float:
        """Return when a message is due again that bounces softly at a moment."""
        due_s = retry.due_s(
            np.array([self.failures]),
            np.array([failed_s]),
            np.array([self.relayed_s]),
            np.array([self.first_failed_s]),
            np.array([self.previous_delay_s]),
            np.array([next(uniform)]) if retry.needs_uniform else None,
        )
        return float(due_s[0])

    def answer(self, connection: object) -> None:
        """Give a message a connection, or what it gets instead."""
        assert self.asked is not None
        self.asked.succeed(connection)
