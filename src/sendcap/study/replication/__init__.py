"""Replications: the same scenario with other draws."""

from typing import Final

import numpy as np

_KEY: Final = int.from_bytes(b"repl", "little")
"""Separates replication seeds from everything else derived from a scenario's seed."""


def replication_seed(seed: int, replication: int) -> int:
    """Return the seed of a replication; ``sendcap run --seed`` repeats that replication alone.

    Replication 0 is the plain run, with the scenario's own seed. The others have 128-bit seeds,
    derived from the scenario's seed and the replication's number by NumPy's `SeedSequence`.
    """
    return derived_seed(seed, _KEY, replication) if replication else seed


def derived_seed(seed: int, key: int, number: int) -> int:
    """Return one of the many 128-bit seeds that a key derives from a seed."""
    words = np.random.SeedSequence(seed, spawn_key=(key, number)).generate_state(4)
    return int.from_bytes(words.astype("<u4").tobytes(), "little")
