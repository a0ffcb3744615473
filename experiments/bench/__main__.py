"""Run the bench: ``python -m bench`` in ``experiments``, as root, where Postfix is installed."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from bench.calibrating import given_back
from bench.comparing import picture, row_of, table
from bench.measuring import measured, postfix_of
from bench.postfix import missing
from bench.predicting import Predicted, scenario_of
from bench.trials import TRIALS


def main() -> None:
    """Predict and measure each trial, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench-results"))
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--port", type=int, default=2600, help="of the MTA; the next is theirs")
    parser.add_argument("--half", type=int, choices=(0, 1), help="every other trial alone")
    parser.add_argument("--only", default="", help="trials whose names contain this")
    asked = parser.parse_args()
    # So that everything that was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if reason := missing():
        sys.exit(reason)
    asked.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for trial in TRIALS if asked.half is None else TRIALS[asked.half :: 2]:
        if asked.only not in trial.name:
            continue
        for repetition in range(asked.repetitions):
            with tempfile.TemporaryDirectory(prefix="sendcap-bench-") as name:
                folder = Path(name)
                folder.chmod(0o755)
                mta = postfix_of(trial, folder / "postfix", asked.port)
                predicted = Predicted(scenario_of(trial, mta, folder))
                found = measured(trial, mta, folder)
                rows.append(row_of(trial, predicted, found))
                rows[-1]["calibrated"] = given_back(trial, mta.log)
                if repetition == 0:
                    drawn = picture(trial, predicted, found)
                    drawn.savefig(asked.out / f"{trial.name.replace(' ', '-')}.png")
                print(rows[-1], flush=True)
    results = table(rows)
    results.to_csv(asked.out / "bench.csv")
    print(results.round(2).to_string())


if __name__ == "__main__":
    main()
