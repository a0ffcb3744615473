"""The self-check: the fitted scenario is simulated, what comes of it held against the log."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, Floats, Ints
from sendcap.calibration.calibrate import Calibration
from sendcap.calibration.lives import OPEN
from sendcap.errors import SendcapWarning

if TYPE_CHECKING:
    import pandas as pd

_QUANTILES: Final = (0.5, 0.9, 0.99)
_NEAR: Final = 0.25
_NEAR_S: Final = 2.0
_NEAR_SHARE: Final = 0.01
_NEAR_TRIES: Final = 0.05
_LEAST_S: Final = 60.0
_MOST_TRIES: Final = 6


class Compared(NamedTuple):
    """One number of the log and of the simulation.

    Attributes
    ----------
    unit
        ``"s"``, ``"share"`` or ``"attempts"``.
    close
        Whether they are close: times within a quarter or 2 s, shares within a point, attempts
        within 5 %.
    """

    provider: str
    what: str
    unit: str
    log: float
    simulated: float
    close: bool


@dataclass(frozen=True)
class Verification:
    """The self-check.

    Attributes
    ----------
    rows
        What was compared.
    delays
        For each provider the delays from arrival to acceptance, of the log and of the simulation,
        in seconds.
    """

    rows: list[Compared]
    delays: dict[str, tuple[Floats, Floats]]

    def frame(self) -> pd.DataFrame:
        """Return what was compared as a table."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=list(Compared._fields))


def verify(found: Calibration, progress: Callable[[Any], None] | None = None) -> Verification:
    """Simulate the fitted scenario for as long as the log is, and compare.

    Parameters
    ----------
    progress
        Called after each window of the simulation.
    """
    import pandas as pd

    from sendcap.run import simulate
    from sendcap.scenario import format_duration, updated

    span_s = min(max(found.evidence.last_s - found.origin_s + 1.0, _LEAST_S), 366 * 86_400.0)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # That the horizon cuts off what is under way is what it is for.
        warnings.simplefilter("ignore", SendcapWarning)
        scenario = updated(found.scenario, {"time.horizon": format_duration(round(span_s, 3))})
        path = Path(folder, "sending-log.parquet")
        simulate(scenario, sending_log=path, progress=progress)
        log = pd.read_parquet(
            path, columns=["delivery", "provider", "message", "event", "attempt", "happened_s"]
        )
    rows, delays = [], {}
    for its in found.providers:
        mine = found.evidence.providers[its.name]
        (delay_s,) = mine.delay_s.columns()
        ends = {end: int(mine.ends[end]) for end in (ACCEPTED, HARD, EXPIRED, OPEN)}
        simulated = _simulated(log[log["provider"] == its.name])
        delays[its.name] = (delay_s, simulated.delay_s)
        rows += _compared(its.name, _Outcome(delay_s, ends, mine.tries), simulated)
    return Verification(rows, delays)


class _Outcome(NamedTuple):
    delay_s: Floats
    ends: dict[int, int]
    tries: Ints


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
    # Of those that were never tried in this time the log could tell nothing either.
    ends[OPEN] = max(int(tries.sum()) - sum(ends.values()), 0)
    return _Outcome(delay_s, ends, tries)


def _compared(name: str, log: _Outcome, simulated: _Outcome) -> list[Compared]:
    rows = []
    if len(log.delay_s) and len(simulated.delay_s):
        for share in _QUANTILES:
            one, two = (float(np.quantile(its.delay_s, share)) for its in (log, simulated))
            close = abs(one - two) <= max(_NEAR_S, _NEAR * max(one, two))
            what = f"accepted after, {100 * share:g} %"
            rows.append(Compared(name, what, "s", one, two, close))
    for end, what in (
        (ACCEPTED, "accepted"),
        (HARD, "bounced hard"),
        (EXPIRED, "expired"),
        (OPEN, "still deferred"),
    ):
        one, two = (its.ends[end] / max(sum(its.ends.values()), 1) for its in (log, simulated))
        rows.append(Compared(name, what, "share", one, two, abs(one - two) <= _NEAR_SHARE))
    one, two = (_mean(its.tries) for its in (log, simulated))
    close = abs(one - two) <= _NEAR_TRIES * max(one, two)
    rows.append(Compared(name, "attempts per message", "attempts", one, two, close))
    for count in range(1, _MOST_TRIES + 1):
        one, two = (_share(its.tries, count) for its in (log, simulated))
        what = f"{count} attempt{'s' if count > 1 else ''}"
        if one or two:
            rows.append(Compared(name, what, "share", one, two, abs(one - two) <= _NEAR_SHARE))
    return rows


def _mean(tries: Ints) -> float:
    return float(np.arange(len(tries)) @ tries) / max(int(tries.sum()), 1)


def _share(tries: Ints, count: int) -> float:
    return float(tries[count]) / max(int(tries.sum()), 1) if count < len(tries) else 0.0
