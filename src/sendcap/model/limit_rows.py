"""The limits of queues in numbers, as the compiled step takes them."""

from typing import Any, Final

import numpy as np

from sendcap.model.kernel import fields, state
from sendcap.model.kernel.limits import FIXED_WINDOW, GAP, GCRA, SCHEDULE
from sendcap.model.records import records
from sendcap.scenario import FixedWindow, Gap, Rate, Suspend, WarmUp

_ANSWERS: Final = {
    "throttled": fields.THROTTLED,
    "unreachable": fields.UNREACHABLE,
    "transient": fields.TRANSIENT,
    "fault": fields.FAULTY_ADDRESS,
    "hard": fields.HARD_ADDRESS,
}
"""The answers that a rule may count, by their names in a scenario."""


class LimitRows:
    """The limits of a group of queues, in the making."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.steps: list[tuple[float, float, float, float]] = []
        self.pauses = 0
        self.rules: list[dict[str, Any]] = []
        self.answers = 0

    def add(self, rate: Any, ips: int) -> int:
        """Add a limit; return its number."""
        if isinstance(rate, WarmUp):
            rate = rate.schedule()
        row: dict[str, Any] = {}
        if isinstance(rate, Rate):
            row |= {
                "kind": GCRA,
                "one": 1.0 / (rate.per_s * ips),
                "two": rate.burst_or_limit * ips,
            }
        elif isinstance(rate, FixedWindow):
            row |= {"kind": FIXED_WINDOW, "one": rate.limit * ips, "two": rate.window}
        elif isinstance(rate, Gap):
            row |= {"kind": GAP, "one": rate.pause, "first": self.pauses, "count": ips}
            self.pauses += ips
        else:
            row |= {"kind": SCHEDULE, "first": len(self.steps), "count": len(rate.steps)}
            brought = 0.0
            for number, step in enumerate(rate.steps):
                if number:
                    at_s, per_s, *_ = self.steps[-1]
                    brought += (step.at - at_s) * per_s
                per_s, burst = 0.0, 0.0
                if isinstance(step.rate, Rate):
                    per_s, burst = step.rate.per_s * ips, float(step.rate.burst_or_limit * ips)
                self.steps.append((step.at, per_s, brought, burst))
        return self._add(row)

    def add_rule(self, rule: Suspend, ips: int) -> None:
        """Add a rule that suspends the queue."""
        row: dict[str, Any] = {
            "counts": sum(1 << _ANSWERS[answer] for answer in rule.counts),
            "retries": rule.meanwhile == "retry",
            "meanwhile": fields.NONE,
            "lasts_s": rule.lasts,
            "until_s": -np.inf,
            "within_s": rule.within,
            "sweep_s": np.inf,
            "swept_s": -np.inf,
        }
        if rule.share is not None:
            row |= {"share": rule.share, "of": rule.of}
        else:
            row |= {"after": rule.after, "in_a_row": rule.in_a_row}
            row["first_answer"] = self.answers
            self.answers += 0 if rule.in_a_row else rule.after
        if rule.slow_to is not None:
            row |= {"slow_to": rule.slow_to, "meanwhile": self._add({"kind": GCRA, "two": 1.0})}
        elif isinstance(rule.rate, Rate):
            row["meanwhile"] = self.add(rule.rate, ips)
        self.rules.append(row)

    def add_dead_site(self, dead_for_s: float) -> None:
        """Add a rule that no answer starts by itself: the queue is dead for a time."""
        row = {"retries": True, "meanwhile": fields.NONE, "lasts_s": dead_for_s}
        self.rules.append(row | {"until_s": -np.inf, "sweep_s": np.inf, "swept_s": -np.inf})

    def _add(self, row: dict[str, Any]) -> int:
        self.rows.append({"state": -np.inf} | row)
        return len(self.rows) - 1

    def numbers(self, of_queue: list[int]) -> state.Limits:
        """Return them all, with those of each queue."""
        return state.Limits(
            limits=records(fields.LIMIT, self.rows or [{}]),
            of_queue=np.array(of_queue or [0], np.int32),
            steps=np.array(self.steps or [(0.0, 0.0, 0.0, 0.0)]),
            pauses_until_s=np.full(max(self.pauses, 1), -np.inf),
            rules=records(fields.RULE, self.rules or [{}]),
            answers_s=np.full(max(self.answers, 1), -np.inf),
        )
