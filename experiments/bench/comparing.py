"""Predicted and measured, side by side: a table, and a picture for each trial."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from bench.measuring import Measured
from bench.predicting import Predicted
from bench.trial import Trial

Floats = npt.NDArray[np.float64]
_SHARES: Final = (50, 90, 99)


def row_of(
    trial: Trial, predicted: Predicted, measured: Measured, delivery: str = "first"
) -> dict[str, float | str]:
    """Return what is predicted and measured of a delivery of a trial."""
    theirs, ours = _curves(trial, predicted, measured, delivery)
    which = f", the {delivery}" if trial.second is not None else ""
    row: dict[str, float | str] = {"trial": f"{trial.name}{which}"}
    for pct in _SHARES:
        one, two = (_reached_s(curve, pct) for curve in (ours, theirs))
        row |= {f"predicted {pct} %": one, f"measured {pct} %": two}
        row[f"difference {pct} %"] = 100.0 * (one / two - 1.0)
    share = 100.0 / max(ours[-1], theirs[-1])
    row["largest distance, points"] = float(np.abs(ours - theirs).max()) * share
    tried = measured.attempts[measured.attempts["event"] != "refused"]
    row["predicted attempts"] = predicted.attempts
    beside = 0 if trial.second is None else trial.second.messages
    row["measured attempts"] = len(measured.attempts) / (trial.messages + beside)
    row["connections"] = int(tried["open"].max())
    row["left"] = measured.left
    return row


def picture(trial: Trial, predicted: Predicted, measured: Measured) -> Figure:
    """Draw the messages accepted over time, predicted and measured."""
    figure = Figure(figsize=(8.0, 4.0), layout="constrained")
    axes = figure.add_subplot()
    for number, ((delivery, provider), curve) in enumerate(predicted.accepted.items()):
        colour, seconds = f"C{number}", len(curve) - 1
        name = provider if trial.second is None else delivery
        theirs = measured.accepted(delivery, provider, seconds)
        axes.plot(curve, color=colour, linestyle="--", label=f"{name}, predicted")
        axes.plot(theirs, color=colour, label=f"{name}, measured")
    axes.set_title(trial.name, loc="left")
    axes.set_xlabel("seconds since the first message was handed over")
    axes.set_ylabel("messages accepted")
    axes.legend(frameon=False)
    return figure


def table(rows: list[dict[str, float | str]]) -> pd.DataFrame:
    """Return the mean over repetitions, a row for each trial."""
    return pd.DataFrame(rows).groupby("trial", sort=False).mean(numeric_only=True)


def _curves(
    trial: Trial, predicted: Predicted, measured: Measured, delivery: str
) -> tuple[Floats, Floats]:
    """Return the messages accepted by each second, measured and predicted."""
    last_s = float(measured.attempts["end_s"].max())
    seconds = max(int(np.ceil(last_s)), *(len(curve) for curve in predicted.accepted.values()))
    theirs = np.sum(
        [measured.accepted(delivery, name, seconds) for name in trial.receivers], axis=0
    )
    ours = np.sum(
        [
            np.pad(curve, (0, seconds + 1 - len(curve)), mode="edge")
            for (whose, _), curve in predicted.accepted.items()
            if whose == delivery
        ],
        axis=0,
    )
    return theirs, ours


def _reached_s(curve: Floats, pct: int) -> float:
    """Return when a share of all that is ever accepted was, between two seconds."""
    wanted = pct / 100.0 * curve[-1]
    place = int(np.searchsorted(curve, wanted))
    before = curve[place - 1] if place else 0.0
    return place - 1 + (wanted - before) / max(curve[place] - before, 1e-9)
