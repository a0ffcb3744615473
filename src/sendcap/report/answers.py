"""What a run tells a planner, in plain sentences and a few numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from sendcap.charts.style import MODE_LOOKS
from sendcap.readings.convergence import Convergence, convergence
from sendcap.readings.summary import accepted_at_s, totals
from sendcap.report.moments import modes_shown
from sendcap.study.capacity.from_ledger import limits_from_ledger
from sendcap.text.quantities import counted, elapsed

if TYPE_CHECKING:
    from typing import Any

    from sendcap.readings.modes import Mode
    from sendcap.run import Run
    from sendcap.study.capacity.limits import Limits

_CLOSE_PT, _CLOSER_PT = 0.5, 0.1
TOLERANCES_PT: Final = (_CLOSE_PT, _CLOSER_PT)


class Fact(NamedTuple):
    """A number that matters, and what it is."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Answers:
    """What is told of one run.

    Attributes
    ----------
    name
        Its name in the report; no other run has it.
    run
        The run.
    sending_log
        Its sending log, where there is one.
    """

    name: str
    run: Run
    sending_log: Path | None = None

    @cached_property
    def limits(self) -> Limits:
        """What holds its deliveries up."""
        return limits_from_ledger(self.run)

    @cached_property
    def totals(self) -> dict[str, Any]:
        """Its totals at the MTA; see `sendcap.readings.summary.totals`."""
        return totals(self.run.ledger)

    @cached_property
    def modes(self) -> list[Mode]:
        """The modes that are told of."""
        return modes_shown(self.run)

    @cached_property
    def converging(self) -> dict[Mode, Convergence]:
        """How Delivered % converges in each mode."""
        return {
            mode: convergence(self.run, mode, tolerances_pt=TOLERANCES_PT) for mode in self.modes
        }

    @property
    def delivered(self) -> int:
        """Messages that are accepted and not returned, in the end."""
        return int(self.totals["accepted"] - self.totals["async_bounced"])

    @property
    def truth_pct(self) -> float:
        """The share of the messages to deliver that these are."""
        return 100.0 * self.delivered / int(self.totals["to_deliver"])

    def facts(self) -> list[Fact]:
        """Return the numbers that matter most."""
        whole = counted(self.totals["to_deliver"], "message")
        facts = [
            Fact("99 % accepted after", self.accepted(99), f"half after {self.accepted(50)}"),
            Fact("Delivered in the end", f"{self.truth_pct:.2f} %", f"of {whole}"),
        ]
        facts += [
            Fact(
                f"Delivered % to be trusted {MODE_LOOKS[mode].label} after",
                self.settles(mode, _CLOSER_PT),
                f"then within {_CLOSER_PT:g} points of its end; within {_CLOSE_PT:g} after "
                f"{self.settles(mode, _CLOSE_PT)}",
            )
            for mode in self.modes[:2]
        ]
        stage = next((it for it in self.limits.stages if it.name == self.limits.bottleneck), None)
        if stage is not None:
            needs = f"it needs {elapsed(stage.needs_s)} at least"
            facts.append(Fact("Held up by", stage.name, needs))
        else:
            facts.append(Fact("Held up by", "nothing", "every stage keeps up"))
        return facts

    def accepted(self, pct: int) -> str:
        """Return when a share of what is ever accepted had been accepted."""
        at_s = accepted_at_s(self.run.ledger, pct)
        return "–" if at_s is None else elapsed(at_s)

    def settles(self, mode: Mode, tolerance_pt: float) -> str:
        """Return from when on Delivered % stays within a tolerance of its end."""
        at_s = self.converging[mode].settling_s[tolerance_pt]
        return "–" if math.isnan(at_s) else elapsed(at_s)


def compared(runs: Sequence[Answers]) -> list[tuple[str, list[str]]]:
    """Return the rows of a table that has a column for each run."""
    modes = list(dict.fromkeys(mode for its in runs for mode in its.modes[:2]))
    rows = [
        ("Messages to deliver", [f"{its.totals['to_deliver']:,}" for its in runs]),
        ("Delivered in the end", [f"{its.truth_pct:.2f} %" for its in runs]),
        ("50 % accepted after", [its.accepted(50) for its in runs]),
        ("99 % accepted after", [its.accepted(99) for its in runs]),
        ("Held up by", [its.limits.bottleneck or "nothing" for its in runs]),
    ]
    rows += [
        (
            f"Within {tolerance:g} points {MODE_LOOKS[mode].label} after",
            [its.settles(mode, tolerance) for its in runs],
        )
        for mode in modes
        for tolerance in TOLERANCES_PT
    ]
    for event, label in (("hard", "Bounced hard"), ("expired", "Expired")):
        rows.append((label, [f"{its.totals[event]:,}" for its in runs]))
    return rows
