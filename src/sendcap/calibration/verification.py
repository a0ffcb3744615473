"""The self-check: the fitted scenario, simulated and compared with the log."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, Floats, Ints
from sendcap.calibration.lives import OPEN
from sendcap.calibration.sentences import Section, Table
from sendcap.charts.drawing import Drawable
from sendcap.errors import SendcapWarning
from sendcap.run import simulate
from sendcap.scenario import format_duration, updated
from sendcap.text.quantities import precise

if TYPE_CHECKING:
    from sendcap.calibration.calibrate import Calibration
    from sendcap.scenario import Scenario

_QUANTILES: Final = (0.5, 0.9, 0.99)
_NEAR: Final = 0.25
_NEAR_S: Final = 2.0
_NEAR_SHARE: Final = 0.01
_NEAR_TRIES: Final = 0.05
_LEAST_S: Final = 60.0
_MOST_TRIES: Final = 6
_ENDS: Final = {
    ACCEPTED: "accepted",
    HARD: "bounced hard",
    EXPIRED: "expired",
    OPEN: "still deferred",
}


class Compared(NamedTuple):
    """One figure of the log and of the simulation.

    Attributes
    ----------
    unit
        ``"s"``, ``"share"`` or ``"attempts"``.
    close
        Whether they agree: times within 25 % or 2 s, shares within a point, attempts within 5 %.
    """

    provider: str
    what: str
    unit: str
    log: float
    simulated: float
    close: bool

    def text(self, value: float) -> str:
        """Return one of the figures with the unit."""
        if self.unit == "s":
            return precise(value)
        return f"{100 * value:.2f} %" if self.unit == "share" else f"{value:.3f}"


@dataclass(frozen=True)
class Verification(Drawable, charts="sendcap.calibration.charts"):
    """The self-check.

    Attributes
    ----------
    rows
        Compared figures.
    delays
        For each provider the delays from arrival to acceptance, in seconds: of the log, simulated.
    """

    rows: list[Compared]
    delays: dict[str, tuple[Floats, Floats]]

    def frame(self) -> pd.DataFrame:
        """Return the compared figures as a table."""
        return pd.DataFrame(self.rows, columns=list(Compared._fields))

    def sentences(self) -> list[str]:
        """Return the result in sentences."""
        close = sum(row.close for row in self.rows)
        agreement = "times within 25 % or 2 s, shares within a point, attempts within 5 %"
        return [f"{close} of {len(self.rows)} figures agree: {agreement}."]

    def section(self) -> Section:
        """Return the section of the report."""
        rows = [
            (
                row.provider,
                row.what,
                row.text(row.log),
                row.text(row.simulated),
                "" if row.close else "differs",
            )
            for row in self.rows
        ]
        table = Table(("provider", "figure", "log", "simulated", ""), rows)
        return Section("Self-check: the fitted scenario, simulated", [table, *self.sentences()])


def verify(
    calibration: Calibration,
    progress: Callable[[Any], None] | None = None,
    *,
    scenario: Scenario | None = None,
) -> Verification:
    """Simulate the fitted scenario over the span of the log, and compare.

    Parameters
    ----------
    progress
        Called after each window of the simulation.
    scenario
        A variant of the fitted scenario to simulate instead.
    """
    evidence = calibration.evidence
    span_s = min(max(evidence.last_s - calibration.origin_s + 1.0, _LEAST_S), 366 * 86_400.0)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The horizon cuts off messages under way on purpose, as the log's end does.
        warnings.simplefilter("ignore", SendcapWarning)
        horizon = {"time.horizon": format_duration(round(span_s, 3))}
        path = Path(folder, "sending-log.parquet")
        scenario = updated(scenario or calibration.scenario, horizon)
        simulate(scenario, sending_log=path, progress=progress)
        log = pd.read_parquet(
            path, columns=["delivery", "provider", "message", "event", "attempt", "happened_s"]
        )
    rows: list[Compared] = []
    delays: dict[str, tuple[Floats, Floats]] = {}
    for name in (provider.name for provider in calibration.providers):
        provider = evidence.providers[name]
        (delay_s,) = provider.delay_s.columns()
        logged = _Outcome(delay_s, {end: int(provider.ends[end]) for end in _ENDS}, provider.tries)
        simulated = _simulated(log[log["provider"] == name])
        delays[name] = (logged.delay_s, simulated.delay_s)
        rows += _compared(name, logged, simulated)
    return Verification(rows, delays)


class _Outcome(NamedTuple):
    delay_s: Floats
    ends: dict[int, int]
    tries: Ints

    def share(self, end: int) -> float:
        return self.ends[end] / max(sum(self.ends.values()), 1)

    @property
    def mean_tries(self) -> float:
        return float(np.arange(len(self.tries)) @ self.tries) / max(int(self.tries.sum()), 1)

    def tried(self, count: int) -> float:
        """Return the share of messages with so many attempts."""
        tries = float(self.tries[count]) if count < len(self.tries) else 0.0
        return tries / max(int(self.tries.sum()), 1)


def _simulated(log: pd.DataFrame) -> _Outcome:
    keys = ["delivery", "message"]
    event = log["event"].astype(str)
    arrived_s = log[event == "relayed"].set_index(keys)["happened_s"]
    accepted = log[event == "accepted"].set_index(keys)
    delay_s = (accepted["happened_s"] - arrived_s.reindex(accepted.index)).to_numpy(np.float64)
    tried = log[event.isin(["accepted", "hard", "soft"])]
    tries = np.bincount(tried.groupby(keys, observed=True)["attempt"].max().to_numpy(np.int64))
    ends = {
        ACCEPTED: len(accepted),
        HARD: int((event == "hard").sum()),
        EXPIRED: int((event == "expired").sum()),
    }
    # Like the log, this excludes messages without any attempt.
    ends[OPEN] = max(int(tries.sum()) - sum(ends.values()), 0)
    return _Outcome(delay_s, ends, tries)


def _compared(name: str, log: _Outcome, simulated: _Outcome) -> Iterator[Compared]:
    if len(log.delay_s) and len(simulated.delay_s):
        for share in _QUANTILES:
            one, two = (float(np.quantile(each.delay_s, share)) for each in (log, simulated))
            close = abs(one - two) <= max(_NEAR_S, _NEAR * max(one, two))
            yield Compared(name, f"accepted after, {100 * share:g} %", "s", one, two, close)
    for end, what in _ENDS.items():
        one, two = log.share(end), simulated.share(end)
        yield Compared(name, what, "share", one, two, abs(one - two) <= _NEAR_SHARE)
    one, two = log.mean_tries, simulated.mean_tries
    close = abs(one - two) <= _NEAR_TRIES * max(one, two)
    yield Compared(name, "attempts per message", "attempts", one, two, close)
    for count in range(1, _MOST_TRIES + 1):
        one, two = log.tried(count), simulated.tried(count)
        what = f"{count} attempt{'s' if count > 1 else ''}"
        if one or two:
            yield Compared(name, what, "share", one, two, abs(one - two) <= _NEAR_SHARE)
