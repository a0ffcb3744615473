"""Run the bench: ``python -m bench`` in ``experiments``, as root, where the MTA is installed."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from bench.calibrating import given_back
from bench.comparing import picture, row_of, table
from bench.measuring import measured
from bench.mtas import MTAS
from bench.predicting import Predicted, scenario_of
from bench.trials import TRIALS


def main() -> None:
    """Predict and measure each trial, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mta", choices=list(MTAS), default="postfix")
    parser.add_argument("--out", type=Path, default=Path("bench-results"))
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--port", type=int, default=2600, help="of the MTA; the next is theirs")
    parser.add_argument("--half", type=int, choices=(0, 1), help="every other trial alone")
    parser.add_argument("--only", default="", help="trials whose names contain this")
    asked = parser.parse_args()
    # So that everything that was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if reason := MTAS[asked.mta].missing():
        sys.exit(reason)
    asked.out.mkdir(parents=True, exist_ok=True)
    rows = []
    trials = [trial for trial in TRIALS if trial.mta == asked.mta and asked.only in trial.name]
    for trial in trials if asked.half is None else trials[asked.half :: 2]:
        for repetition in range(asked.repetitions):
            with tempfile.TemporaryDirectory(prefix="sendcap-bench-") as name:
                folder = Path(name)
                folder.chmod(0o755)
                mta = MTAS[trial.mta](trial, folder / trial.mta, asked.port)
                predicted = Predicted(scenario_of(mta, folder))
                found = measured(mta, folder)
                for delivery in trial.deliveries:
                    rows.append(row_of(trial, predicted, found, delivery))
                    rows[-1]["calibrated"] = given_back(mta)
                if repetition == 0:
                    drawn = picture(trial, predicted, found)
                    drawn.savefig(asked.out / f"{trial.name.replace(' ', '-')}.png")
                print(rows[-1], flush=True)
    results = table(rows)
    results.to_csv(asked.out / "bench.csv")
    print(results.round(2).to_string())


if __name__ == "__main__":
    main()
