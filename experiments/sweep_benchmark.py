"""What a sweep costs beside its simulations, and what it survives.

Run by hand, some six to nine minutes: ``python experiments/sweep_benchmark.py``. On two shared
cores of an AMD EPYC, busy with other things at the time (load 5 to 9), with Python 3.11: overhead
per run 14.4 ms with one worker and 18.5 ms with two (target < 20 ms); two workers took 1.07 times
the processor's seconds of one (1.07 to 1.10, target ≤ 1.15) and, as both cores were taken, 1.08
times its wall time; killed ten times, with 3 to 27 of 200 runs kept, and finished: the same bytes
as undisturbed. That each run is done exactly once is shown by
``tests/study/sweeps/test_sweep_survives.py``.

Each sweep is the command
``sendcap sweep`` in processes of its own, start and imports included.

- **Overhead per run**: the processor's seconds of all processes, less those of the simulations and
  their measures (``cpu_s``), divided by the runs. The simulations are of a thousand messages, so
  that the overhead is what counts.
- **Two workers against one**: the processor's seconds of the same sweep, of simulations that take
  longer. Wall time depends on the machine and on who else uses it.
- **Survival**: a sweep is killed with SIGKILL at random moments, again and again, and then
  finished. Its ``results.csv`` is compared byte by byte with that of an undisturbed sweep.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from sendcap.study.sweeps.store import Store

STUDY: Final = """
scenario = "quickstart"
measures = ["accepted_50_pct_s", "accepted_99_pct_s", "truth_pct"]
[set]
"deliveries[0].messages" = {messages}
[over]
"mta.ips" = {ips}
"""


class Cost(NamedTuple):
    """What a sweep took: seconds of the processor, of them for simulations, and on the wall."""

    cpu_s: float
    simulations_s: float
    wall_s: float
    runs: int

    @property
    def overhead_ms(self) -> float:
        """Milliseconds of the processor per run that no simulation took."""
        return 1000.0 * (self.cpu_s - self.simulations_s) / self.runs


def main() -> None:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200, help="runs of a sweep")
    parser.add_argument("--messages", type=int, default=2_000_000, help="of the longer simulations")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_study(folder / "short.toml", 1000, options.runs)
        write_study(folder / "long.toml", options.messages, max(options.runs // 5, 2))
        show_overhead(folder, options.rounds)
        show_two_workers(folder, options.rounds)
        show_survival(folder, options.kills)


def write_study(path: Path, messages: int, runs: int) -> None:
    """Write a study of so many points, one run each."""
    path.write_text(STUDY.format(messages=messages, ips=list(range(1, runs + 1))))


def show_overhead(folder: Path, rounds: int) -> None:
    """Print the overhead per run, with one worker and with two."""
    for workers in (1, 2):
        costs = [carried_out(folder, "short", workers) for _ in range(rounds)]
        overhead_ms = statistics.median(cost.overhead_ms for cost in costs)
        simulation_ms = 1000.0 * costs[0].simulations_s / costs[0].runs
        print(
            f"overhead per run, {workers} worker{'s' if workers > 1 else ''}, {costs[0].runs:,} "
            f"runs of {simulation_ms:.0f} ms: {overhead_ms:.1f} ms of CPU (target < 20 ms)"
        )


def show_two_workers(folder: Path, rounds: int) -> None:
    """Print what a second worker costs and saves."""
    pairs = [[carried_out(folder, "long", workers) for workers in (1, 2)] for _ in range(rounds)]
    ratios = [two.cpu_s / one.cpu_s for one, two in pairs]
    walls = [two.wall_s / one.wall_s for one, two in pairs]
    one = pairs[0][0]
    print(
        f"CPU with two workers / one, {one.runs:,} runs of {one.simulations_s / one.runs:.2f} s: "
        f"{statistics.median(ratios):.2f} times ({min(ratios):.2f} to {max(ratios):.2f}) "
        f"(target ≤ 1.15); wall {statistics.median(walls):.2f} times"
    )


def show_survival(folder: Path, kills: int) -> None:
    """Print what is left of a sweep that is killed again and again."""
    undisturbed, disturbed = folder / "undisturbed", folder / "disturbed"
    started(folder, "short", undisturbed, 2).wait()
    kept = []
    for _ in range(kills):
        process = started(folder, "short", disturbed, 2)
        before = count(disturbed)
        # Its processes take most of the time to start; then it is killed at any moment.
        until = time.monotonic() + 60.0
        while process.poll() is None and count(disturbed) <= before and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(random.uniform(0.0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept.append(count(disturbed))
    started(folder, "short", disturbed, 2).wait()
    results = [(place / "results.csv").read_bytes() for place in (undisturbed, disturbed)]
    same = "the same bytes" if results[0] == results[1] else "OTHER BYTES"
    print(
        f"killed {kills} times, with {', '.join(map(str, kept))} of "
        f"{len(results[0].splitlines()) - 1} runs kept: {same} as undisturbed"
    )


def count(place: Path) -> int:
    """Return how many runs are kept."""
    store = Store(place / "store")
    return len(store)


def started(folder: Path, study: str, out: Path, workers: int) -> subprocess.Popen[bytes]:
    """Start a sweep."""
    command = [sys.executable, "-m", "sendcap", "sweep", f"{study}.toml"]
    return subprocess.Popen(
        [*command, "--out", str(out), "--workers", str(workers)],
        cwd=folder,
        env=os.environ,
        stdout=subprocess.DEVNULL,
        # Python's own helper processes tell what a killed one has left.
        stderr=subprocess.DEVNULL,
    )


def carried_out(folder: Path, study: str, workers: int) -> Cost:
    """Carry out a sweep from its start to its end, and return what it took."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        if started(folder, study, Path(out), workers).wait():
            raise SystemExit("the sweep has failed")
        after, wall_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - began
        table = pd.read_parquet(Path(out) / "results.parquet")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu_s, float(table["cpu_s"].sum()), wall_s, len(table))


if __name__ == "__main__":
    main()
