"""The self-check: the fitted scenario, simulated and compared with the log."""

import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, Floats, Ints
from sendcap.calibration.calibrate import Calibration
from sendcap.calibration.lives import OPEN
from sendcap.calibration.report import Section, Table
from sendcap.charts.drawing import Drawable
from sendcap.errors import SendcapWarning
from sendcap.files.single import in_temporary_files
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario, format_duration, updated
from sendcap.text.quantities import precise
from sendcap.text.shares import share_text

_QUANTILES: Final = (0.5, 0.9, 0.99)
_LEAST_S: Final = 60.0
_TRIES: Final = {1: "1 attempt", **{count: f"{count} attempts" for count in range(2, 7)}}
_ENDS: Final = {
    ACCEPTED: "accepted",
    HARD: "bounced hard",
    EXPIRED: "expired",
    OPEN: "still deferred",
}


class Compared(NamedTuple):
    """One figure of the log and of the simulation."""

    provider: str
    what: str
    unit: str  # "s", "share" or "attempts"
    log: float
    simulated: float
    close: bool

    def text(self, value: float) -> str:
        """Return one of the figures with the unit."""
        if self.unit == "s":
            return precise(value)
        return f"{100 * value:.2f} %" if self.unit == "share" else f"{value:.3f}"


@dataclass(frozen=True)
class Verification(Drawable, tables={"Measured and simulated": "frame"}):
    """The self-check: compared figures, and for each provider the delays until acceptance."""

    rows: list[Compared]
    delays: dict[str, tuple[Floats, Floats]]  # in seconds: of the log, simulated

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
        rows = []
        for row in self.rows:
            values = (row.text(row.log), row.text(row.simulated))
            rows.append((row.provider, row.what, *values, "" if row.close else "differs"))
        table = Table(("provider", "figure", "log", "simulated", ""), rows)
        return Section("Self-check: the fitted scenario, simulated", [table, *self.sentences()])


def verify(
    calibration: Calibration,
    progress: Callable[[Any], None] | None = None,
    *,
    scenario: Scenario | None = None,
) -> Verification:
    """Simulate the fitted scenario, or a variant, over the span of the log, and compare.

    ``progress`` is called after each window of the simulation.
    """
    evidence = calibration.evidence
    span_s = min(max(evidence.last_s - calibration.origin_s + 1.0, _LEAST_S), 366 * 86_400.0)
    with (
        in_temporary_files(),
        tempfile.TemporaryFile() as file,
        warnings.catch_warnings(),
    ):
        # The horizon cuts off messages under way on purpose, as the log's end does.
        warnings.simplefilter("ignore", SendcapWarning)
        horizon = {"time.horizon": format_duration(round(span_s, 3))}
        scenario = updated(scenario or calibration.scenario, horizon)
        simulate_ledger(scenario, sending_log=file, progress=progress)
        file.seek(0)
        log = pd.read_parquet(
            file, columns=["delivery", "provider", "message", "event", "attempt", "happened_s"]
        )
    rows: list[Compared] = []
    delays: dict[str, tuple[Floats, Floats]] = {}
    for name in (provider.name for provider in calibration.providers):
        provider = evidence.providers[name]
        ends = {end: int(provider.ends[end]) for end in _ENDS}
        logged = _Outcome(provider.delay_s.values(), ends, provider.tries)
        simulated = _simulated(log[log["provider"] == name])
        delays[name] = (logged.delay_s, simulated.delay_s)
        rows += _compared(name, logged, simulated)
    return Verification(rows, delays)


class _Outcome(NamedTuple):
    delay_s: Floats  # from arrival to acceptance
    ends: dict[int, int]
    tries: Ints  # messages by number of attempts

    def figures(self) -> dict[tuple[str, str], float]:
        """Return the figures that are compared, by name and unit."""
        figures: dict[tuple[str, str], float] = {}
        if len(self.delay_s):
            for share in _QUANTILES:
                name = f"accepted after, {share_text(share)}"
                figures[name, "s"] = float(np.quantile(self.delay_s, share))
        total = max(sum(self.ends.values()), 1)
        for end, name in _ENDS.items():
            figures[name, "share"] = self.ends[end] / total
        total = max(int(self.tries.sum()), 1)
        attempts = float(np.arange(len(self.tries)) @ self.tries)
        figures["attempts per message", "attempts"] = attempts / total
        for count, name in _TRIES.items():
            tries = float(self.tries[count]) if count < len(self.tries) else 0.0
            figures[name, "share"] = tries / total
        return figures


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


def _compared(provider: str, log: _Outcome, simulated: _Outcome) -> Iterator[Compared]:
    ones, twos = log.figures(), simulated.figures()
    for what, unit in ones:
        # Without accepted messages on either side, delays are not compared.
        if (what, unit) in twos:
            one, two = ones[what, unit], twos[what, unit]
            if one or two or what not in _TRIES.values():
                yield Compared(provider, what, unit, one, two, _close(unit, one, two))


def _close(unit: str, one: float, two: float) -> bool:
    most = max(one, two)
    allowed = {"s": max(2.0, 0.25 * most), "share": 0.01, "attempts": 0.05 * most}
    return abs(one - two) <= allowed[unit]
