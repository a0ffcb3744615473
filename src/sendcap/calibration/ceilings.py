"""The ceiling at a provider: connections or a rate; and the fastest pace in the log."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from sendcap.calibration.attempts import Flags, Floats
from sendcap.calibration.backlogs import held_back, uneven
from sendcap.calibration.evidence import ProviderEvidence
from sendcap.calibration.times import Figure
from sendcap.text.quantities import HOUR_S, MINUTE_S, counted, precise

_LEAST_BLOCKS: Final = 10
_BLOCKS_S: Final = (MINUTE_S, 10.0, 2.0)
"""A plateau is looked for in minutes first; that of a small blast is shorter."""
_ALIKE: Final = 0.05
_FLAT: Final = 0.4
"""Connections at their limit vary less than this share of chance."""
_FLAT_PACE: Final = 0.25
"""Attempts at a rate limit vary less than this share of chance."""
_ONE_AT_A_TIME: Final = 1.05
_LEAST_PAUSE: Final = 0.05
_SHORT_WAIT_S: Final = 5.0
_LEAST_RUN: Final = 5
_EDGES: Final = 1.0 / math.sqrt(6.0)
"""Shares of an attempt that are over two edges, as their standard deviation."""
_LEAST_IN_A_BLOCK: Final = 10.0


@dataclass(frozen=True)
class Ceiling:
    """The fastest pace at a provider, and the limit behind it."""

    connections: float  # largest number in use, on average over a bin; NaN if unknown
    fastest: dict[str, float]  # attempts per second in the busiest second, minute and hour, if any
    bin_s: float  # width of a bin
    limited_by: Literal["connections", "rate", ""] = ""  # empty without a plateau
    level: Figure | None = None  # of the plateau: connections, or attempts per second
    blocks: int = 0  # number and length of the stretches on the plateau
    block_s: float = 0.0
    pause_s: float | None = None  # between attempts that come one by one
    shared: Figure | None = None  # connections of a limit over several providers that held it
    waited: bool = False  # messages waited longer than a connection and an attempt take

    def sharing(self, connections: Figure) -> Ceiling:
        """Return the ceiling of a provider that a limit over several held back, not its own."""
        own: dict[str, Any] = {"limited_by": "", "level": None, "blocks": 0, "block_s": 0.0}
        return replace(self, **own, pause_s=None, shared=connections)

    @property
    def stretches(self) -> str:
        """The stretches on the plateau in words."""
        return f"{counted(self.blocks, 'stretch', 'stretches')} of {self.block_s:g} s"

    @property
    def in_use(self) -> str:
        """The largest number of connections in use in words; of more at times nothing is known."""
        width = "a second" if self.bin_s == 1.0 else precise(self.bin_s)
        return f"{self.connections:.1f} in use at most, on average over {width}"

    @property
    def fastest_text(self) -> str:
        """The fastest minute in words, of a shorter log the second; empty where none is known."""
        name = "minute" if "minute" in self.fastest else "second"
        pace = self.fastest.get(name)
        return "" if pace is None else f"; the fastest {name} had {pace:.4g}/s"


def ceiling(
    provider: ProviderEvidence, bin_s: float, open_sessions: Floats | None, second_s: float = 1.0
) -> Ceiling:
    """Return the ceiling at a provider.

    Connections at their limit are all in use while messages wait, and their number varies less
    than that of the attempts; at a rate limit, minutes are alike, and the connections in use vary.
    Where messages hardly waited, the pace is that of the arrivals, and says nothing about a limit.
    If the log distinguishes no open connections, durations of attempts stand in. Without such
    stretches, a backlog of seconds tells, where the log has when messages began to wait.
    """
    counts = provider.in_bin.astype(np.float64)
    busy = provider.busy_s / bin_s if open_sessions is None else open_sessions
    most = float(busy.max()) if busy.any() else math.nan
    per_hour = _fastest(counts, bin_s, HOUR_S)
    fastest = {"minute": (MINUTE_S, _fastest(counts, bin_s, MINUTE_S)), "hour": (HOUR_S, per_hour)}
    if bin_s <= 1.0:  # stamps are no coarser
        fastest = {"second": (1.0, float(counts.max()) / bin_s), **fastest}
    span_s = len(counts) * bin_s
    paces = Ceiling(
        connections=most,
        fastest={name: pace for name, (least_s, pace) in fastest.items() if least_s <= span_s},
        bin_s=bin_s,
        waited=_waited(provider),
    )
    limited = _limited(paces, counts, busy, bin_s) if paces.waited else paces
    level, pace = limited.level, Figure(per_hour)
    if level is None:
        held = held_back(provider.backlog, second_s)
        if held is None:
            return limited
        level, pace = held.level, held.pace
        limited = replace(
            paces, limited_by=held.limited_by, level=level, blocks=1, block_s=held.lasted_s
        )
    if open_sessions is not None:
        return limited
    by_connections = limited.limited_by == "connections"
    pause_s = _pause_s(provider, most, (pace if by_connections else level).value)
    if pause_s is not None and by_connections:
        # A single connection with pauses: its plateau is the share of the time in use.
        limited = replace(limited, limited_by="rate", level=pace)
    return replace(limited, pause_s=pause_s)


def _pause_s(provider: ProviderEvidence, most: float, per_s: float) -> float | None:
    """Return the pause after each attempt; None if attempts overlap.

    Postfix's ``destination_rate_delay`` separates the attempts by a pause.
    """
    takes_s = float(provider.busy_s.sum()) / max(provider.attempts, 1)
    pause_s = 1.0 / per_s - takes_s
    if not most <= _ONE_AT_A_TIME or pause_s < _LEAST_PAUSE / per_s:
        return None
    return pause_s


def _fastest(counts: Floats, bin_s: float, span_s: float) -> float:
    width = max(1, round(span_s / bin_s))
    upto = np.append(0.0, np.cumsum(counts))
    if len(upto) <= width:
        return float(upto[-1]) / span_s
    return float((upto[width:] - upto[:-width]).max()) / (width * bin_s)


def _waited(provider: ProviderEvidence) -> bool:
    delay_s = provider.delay_s.values()
    if not len(delay_s):
        return False
    samples = (provider.setup_s.values(), provider.transaction_s.values())
    takes_s = sum(float(sample.mean()) for sample in samples if len(sample))
    return float(np.median(delay_s)) > max(_SHORT_WAIT_S, 3.0 * takes_s)


def _limited(paces: Ceiling, counts: Floats, busy: Floats, bin_s: float) -> Ceiling:
    """Return the ceiling with the plateau: the busiest stretches that are alike, if any."""
    for block_s in _BLOCKS_S:
        width = max(1, round(block_s / bin_s))
        attempts, in_use = _blocks(counts, width), _blocks(busy, width) / width
        if len(attempts) < _LEAST_BLOCKS:
            continue
        # Most blocks contain a few retries only, so the busiest are selected by their rank. The
        # blocks at the edges of a plateau are cut by its beginning and end.
        full = attempts >= 0.8 * np.partition(attempts, -_LEAST_BLOCKS)[-_LEAST_BLOCKS]
        full[1:-1] &= (attempts[:-2] > 0) & (attempts[2:] > 0)
        if full.sum() < _LEAST_BLOCKS:
            continue
        level, used = (float(np.median(values[full])) for values in (attempts, in_use))
        alike = full & (np.abs(attempts - level) <= 0.2 * level)
        blocks = int(alike.sum())
        if blocks < _LEAST_BLOCKS or level < _LEAST_IN_A_BLOCK:
            continue
        chance = 1.0 / math.sqrt(level)
        pace_spread = _evenness(attempts[alike], level)
        use_spread = _evenness(in_use[alike], used) if used > 0.0 else math.inf
        in_use_alike = use_spread <= _FLAT * chance
        if not in_use_alike and not _even(attempts, alike, pace_spread / chance):
            continue
        limited = replace(paces, blocks=blocks, block_s=width * bin_s)
        if in_use_alike and use_spread < pace_spread:
            in_use_at_once = _level(in_use[alike], 1.0)
            return replace(limited, limited_by="connections", level=in_use_at_once)
        return replace(limited, limited_by="rate", level=_pace(attempts, alike, limited.block_s))
    return paces


def _evenness(values: Floats, level: float) -> float:
    """Return half the width of the central two thirds, relative to the level."""
    low, high = np.quantile(values, [1.0 / 6.0, 5.0 / 6.0])
    return float(high - low) / 2.0 / level


def _level(values: Floats, divisor: float) -> Figure:
    middle = float(np.median(values))
    near = values[np.abs(values - middle) <= _ALIKE * middle]
    mean = float(near.mean()) / divisor
    spread = float(near.std(ddof=1)) / divisor if len(near) > 1 else math.nan
    # One attempt more or less falls over the edge of a block.
    error = max(spread, 0.5 / divisor) / math.sqrt(len(near))
    return Figure.with_error(mean, error)


def _pace(attempts: Floats, alike: Flags, block_s: float) -> Figure:
    """Return the pace of the longest run of alike blocks.

    What ends over the edge of a block is missing in one and more in the next. So a block is off by
    two edges, as its spread shows, and so is the whole run: its mean is off by as much, divided by
    the number of blocks, not by its root.
    """
    run = _run(attempts, alike)
    if len(run) < _LEAST_RUN:
        return _level(attempts[alike], block_s)
    error = max(float(run.std(ddof=1)), _EDGES) / len(run)
    return Figure.with_error(float(run.mean()) / block_s, error / block_s)


def _even(attempts: Floats, alike: Flags, spread: float) -> bool:
    """Tell whether attempts come as evenly as at a rate; ``spread`` is that by chance at 1.

    Of a long run the sum tells, which is a line; the spread of few blocks is often small by chance.
    """
    run = _run(attempts, alike)
    return (uneven(run) if len(run) >= _LEAST_BLOCKS else spread) <= _FLAT_PACE


def _run(attempts: Floats, alike: Flags) -> Floats:
    """Return the longest run of alike blocks but the first, with the beginning, and the last."""
    edges = np.flatnonzero(np.diff(alike.astype(np.int8), prepend=0, append=0))
    begins, ends = edges[::2] + 1, edges[1::2] - 1
    longest = int(np.argmax(ends - begins))
    return attempts[begins[longest] : ends[longest]]


def tolerated(provider: ProviderEvidence, bin_s: float) -> tuple[Figure, int] | None:
    """Return the attempts per second that passed while others were throttled, and the minutes.

    Return None if the minutes differ by more than with a tolerance.
    """
    width = max(1, round(MINUTE_S / bin_s))
    attempts = _blocks(provider.in_bin, width)
    throttled = _blocks(provider.throttled_in_bin, width)
    passed = (attempts - throttled)[throttled >= 5]
    if len(passed) < _LEAST_BLOCKS or passed.mean() < 5:
        return None
    if _evenness(passed, float(np.median(passed))) > 0.1:
        return None
    return _level(passed, width * bin_s), len(passed)


def _blocks(values: npt.NDArray[Any], width: int) -> Floats:
    """Return the sums of consecutive blocks of bins; the last block takes the rest, too."""
    edges = np.arange(0, len(values) // width * width, width)
    return np.add.reduceat(values, edges).astype(np.float64)
