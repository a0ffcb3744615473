"""What an MTA then does: a trial, run once."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Thread, Timer
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.injecting import Addressed, hand_over
from bench.mtas.mta import Mta
from bench.receivers import Receivers
from bench.trial import Trial

Floats = npt.NDArray[np.float64]
_SETTLES_S: Final = 10.0
"""Between the start of the MTA and the delivery."""
_EVERY_S: Final = 1.0


@dataclass(frozen=True)
class Measured:
    """What came to the receivers."""

    attempts: pd.DataFrame  # event, provider, to, open, start_s, end_s
    handed_over_s: float
    left: int  # messages in the queue when it was stopped

    def accepted(self, delivery: str, provider: str, seconds: int) -> Floats:
        """Return the messages of a delivery accepted until each whole second."""
        rows = self.attempts
        rows = rows[rows["to"].str.startswith(delivery)]
        own = rows[(rows["event"] == "accepted") & (rows["provider"] == provider)]
        times_s = np.sort(own["end_s"].to_numpy())
        return np.searchsorted(times_s, np.arange(seconds + 1)).astype(np.float64)


def measured(mta: Mta, folder: Path) -> Measured:
    """Run the trial of an MTA."""
    trial = mta.trial
    listening = {name: how for name, how in trial.receivers.items() if name not in trial.hops}
    log = folder / "receivers.jsonl"
    with mta:
        # Scans of the queue are at multiples of their interval, in the model from t = 0.
        began_s = mta.started_s + _SETTLES_S
        with Receivers(listening, trial.addresses(mta.port), log, began_s):
            return _delivered(mta, log, began_s)


def _messages(trial: Trial, delivery: str, count: int) -> list[Addressed]:
    names = list(trial.receivers)
    return [
        Addressed("bench@bench.test", f"{delivery}{number}@{names[number % len(names)]}")
        for number in range(count)
    ]


def _delivered(mta: Mta, log: Path, began_s: float) -> Measured:
    trial, second = mta.trial, mta.trial.second
    time.sleep(max(began_s - time.time(), 0.0))
    beside = Thread()
    if second is not None:
        others = _messages(trial, "second", second.messages)
        beside = Timer(second.at_s, hand_over, (mta.port, others, second.per_s, 1))
    beside.start()
    messages = _messages(trial, "first", trial.messages)
    handed_over_s = hand_over(mta.port, messages, trial.per_s, 4)
    beside.join()
    until_s = began_s + mta.trial.most_s
    while mta.left() and time.time() < until_s:
        time.sleep(_EVERY_S)
    left = mta.left()
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return Measured(pd.DataFrame(rows), handed_over_s, left)
