"""Counts of the textbook model, stored: what it takes minutes to simulate, and seldom changes.

``python tests/model/textbook_counts.py`` simulates what is no longer as stored, and writes all.

The stored counts of a scenario are used if the textbook model still gives those of one of the seeds
to the last message; if not (the model, the scenario or a library has changed), all are simulated.
So a test sees the textbook model of today, except for a change that shows in none of the counts of
a whole simulation. That it gives them is remembered (`agreed.py`).
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from agreed import TEXTBOOK, Remembered

from sendcap.scenario import Scenario

Counts = dict[tuple[str, ...], np.ndarray]
"""By delivery, provider, event, clock and reason: a row of moments, or of seeds and moments."""

LARGEST_T = 5.0
"""Under agreement exceeded about once in 15,000 cells (t with some 20 degrees of freedom)."""
FILE = Path(__file__).with_name("textbook_counts.bin")


def stacked(counts: list[Counts]) -> Counts:
    """Return the counts of several seeds as one."""
    return {key: np.array([each[key] for each in counts]) for key in counts[0]}


def apart(ours: Counts, theirs: Counts) -> Counts:
    """Return how far the means of each cell are apart, as Welch's t."""
    assert theirs.keys() <= ours.keys()
    one, two = (np.array([each[key] for key in ours], float) for each in (ours, theirs))
    seeds = one.shape[1], two.shape[1]
    # At least a variance of one message: a cell may be the same in every run.
    variance = one.var(axis=1, ddof=1) / seeds[0] + two.var(axis=1, ddof=1) / seeds[1]
    off = np.sqrt(np.maximum(variance, 1.0 / min(seeds)))
    return dict(zip(ours, (one.mean(axis=1) - two.mean(axis=1)) / off, strict=True))


def write(scenarios: dict[str, Counts]) -> None:
    """Store counts of scenarios by their names; rows without a message are left out."""
    heads, rows = {}, []
    for name, counts in scenarios.items():
        filled = [key for key in counts if counts[key].any()]
        shape = np.shape(next(iter(counts.values())))
        heads[name] = {"shape": shape, "keys": filled}
        # Differences from moment to moment are small numbers, which take little space.
        rows += [np.diff(counts[key], axis=1, prepend=0).astype("<i4").tobytes() for key in filled]
    head = json.dumps(heads).encode()
    FILE.write_bytes(zlib.compress(len(head).to_bytes(8, "little") + head + b"".join(rows), 9))


def stored(name: str) -> Counts:
    """Return the stored counts of a scenario; rows without a message are left out."""
    data = zlib.decompress(FILE.read_bytes())
    begin = 8 + int.from_bytes(data[:8], "little")
    found: Counts = {}
    for other_name, head in json.loads(data[8:begin]).items():
        shape = tuple(head["shape"])
        for key in head["keys"]:
            count = int(np.prod(shape))
            row = np.frombuffer(data, "<i4", count, begin).reshape(shape)
            begin += 4 * count
            if other_name == name:
                found[tuple(key)] = row.cumsum(axis=1)
    return found


def reference(
    name: str,
    scenario: Scenario,
    seeds: int,
    simulated: Callable[[Scenario, int], Counts],
    remembered: Remembered | None = None,
) -> Counts:
    """Return the textbook model's counts for every seed; what is not among them is zero.

    Parameters
    ----------
    name
        Of the scenario.
    scenario
        What is simulated.
    seeds
        How many.
    simulated
        Simulates one of them, and counts.
    remembered
        Tells whether the textbook model is known to give the stored counts.
    """
    try:
        known = stored(name)
    except FileNotFoundError:
        known = {}
    sample = zlib.crc32(name.encode()) % seeds
    sampled = {key: rows[sample] for key, rows in known.items() if len(rows) == seeds}
    if known and remembered is not None and remembered(TEXTBOOK, scenario, sample, sampled):
        none = np.zeros_like(next(iter(known.values())))
        return defaultdict(lambda: none, known)
    fresh = simulated(scenario, sample)
    none = np.zeros((seeds, len(next(iter(fresh.values())))))
    agrees = known.keys() <= fresh.keys() and all(
        known.get(key, none).shape == none.shape
        and np.array_equal(known.get(key, none)[sample], fresh[key])
        for key in fresh
    )
    if agrees:
        return {key: known.get(key, none) for key in fresh}
    return stacked(
        [fresh if seed == sample else simulated(scenario, seed) for seed in range(seeds)]
    )


if __name__ == "__main__":
    import test_engine_agrees_with_the_textbook as deliveries
    import test_people_agree_with_the_textbook as people

    write(
        {
            name: reference(name, scenario(), test.SEEDS, test.textbook_counts)
            for test in (deliveries, people)
            for name, scenario in test.COMPARED.items()
        }
    )
