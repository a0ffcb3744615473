"""Is a slice of a large delivery like all of it? What a forecast simulates, beside the whole.

Both are simulated with draws of their own. *Apart*: the largest difference of the mean Delivered %
at any moment, in points, and when that is; *chance*: what the difference of these means is by
chance then (standard error). *End*: the difference in the end. *Time*: of one simulation.

Result (``--wholes 8 --slices 32`` for quickstart, 3 and 32 for black-friday):

| preset       | part | mode        | apart            | chance | end     | time             |
|--------------|------|-------------|------------------|--------|---------|------------------|
| quickstart   | 1/4   | without-efs | +0.016 at 6m     | 0.006  | +0.0026 | 0.08 s of 0.27 s |
| quickstart   | 1/4   | efs         | -0.030 at 58m    | 0.022  | +0.0026 | 0.08 s of 0.27 s |
| black-friday | 1/32 | without-efs | -0.016 at 1m     | 0.011  | -0.0025 | 0.14 s of 2.69 s |
| black-friday | 1/32 | efs         | -0.022 at 2h 53m | 0.017  | -0.0025 | 0.14 s of 2.69 s |

Slices are within 0.03 points of the whole at every moment, of which most is chance.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import numpy as np

import sendcap
from sendcap.scenario import Scenario
from sendcap.study.forecasts.reference import sliced
from sendcap.study.replication.recording import Plan, Quantity, reading_moments_s, recorded
from sendcap.text.quantities import elapsed


def curves(
    scenario: Scenario, plan: Plan, seeds: range
) -> tuple[dict[Quantity, np.ndarray], float]:
    """Return Delivered % of simulations by mode, and the time of one."""
    recorded(plan, scenario)
    began = time.process_time()
    records = [recorded(plan, scenario.with_seed(seed)) for seed in seeds]
    took_s = (time.process_time() - began) / len(seeds)
    wanted = [each for each in records[0].curves if each.name == "delivered_pct" and each.of_all]
    return {each: np.array([record.curves[each] for record in records]) for each in wanted}, took_s


def lines(name: str, wholes: int, slices: int) -> Iterator[str]:
    """Yield the rows of a preset."""
    whole = sendcap.load(name)
    part = sliced(whole)
    plan = Plan(
        modes=("without-efs", "efs"),
        denominator=whole.reporting.denominator,
        moments_s=reading_moments_s(whole),
        curves_per=("delivery",),
    )
    of_all, whole_s = curves(whole, plan, range(wholes))
    of_part, part_s = curves(part, plan, range(1000, 1000 + slices))
    for about, all_pct in of_all.items():
        part_pct = of_part[about]
        apart = part_pct.mean(axis=0) - all_pct.mean(axis=0)
        error = np.sqrt(sum(each.var(axis=0, ddof=1) / len(each) for each in (all_pct, part_pct)))
        worst = int(np.nanargmax(np.abs(apart)))
        yield (
            f"| {name} | 1/{whole.mta.ips // part.mta.ips} "
            f"| {about.mode} | {apart[worst]:+.3f} at {elapsed(float(plan.moments_s[worst]))} "
            f"| {error[worst]:.3f} | {apart[-1]:+.4f} | {part_s:.2f} s of {whole_s:.2f} s |"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--presets", nargs="+", default=["quickstart", "black-friday"])
    parser.add_argument("--wholes", type=int, default=8)
    parser.add_argument("--slices", type=int, default=32)
    given = parser.parse_args()
    print("| preset | part | mode | apart | chance | end | time |\n|---|---|---|---|---|---|---|")
    for name in given.presets:
        for line in lines(name, given.wholes, given.slices):
            print(line, flush=True)


if __name__ == "__main__":
    main()
