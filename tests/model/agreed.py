"""What slow models have been found to agree on, remembered: a hash of each comparison.

A test says what it compares: the slow model, the scenario, and the quick model's result. If just
that has agreed before, the slow model need not run; if anything differs, it runs and is compared.
The sources of the slow model and the file of the test belong to it, so that a change of either
compares anew. ``SENDCAP_TEST_ANEW=1`` remembers nothing: the gate compares all that way.

``python tests/model/agreed.py`` compares what is not known, and writes the hashes if all agree.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel

import sendcap
from sendcap.scenario import Scenario

FILE = Path(__file__).with_suffix(".bin")
HASH_BYTES = 8
ROOTS = Path(__file__).parent, Path(sendcap.__file__).parent
REFRESH = "python tests/model/agreed.py"


@dataclass(frozen=True)
class Slow:
    """A slow model: what its results depend on, besides the scenario's values."""

    files: tuple[str, ...]
    """Patterns, below this folder or the package."""
    libraries: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    """Those of the files that take no part."""
    roots: tuple[Path, ...] = ROOTS

    def sources(self) -> list[Path]:
        parts, others = ({*self.found(each)} for each in (self.files, self.without))
        return sorted(parts - others)

    def found(self, patterns: tuple[str, ...]) -> Iterator[Path]:
        for pattern in patterns:
            found = [path for root in self.roots for path in root.glob(pattern)]
            assert found, pattern
            yield from found


def modules(folder: str, names: str) -> list[str]:
    return [f"{folder}{name}.py" for name in names.split()]


ORACLE = Slow(
    (
        *modules("oracle", "_concurrency _confirmation _disturbances _limits _order _pattern"),
        *modules("oracle", "_queue _relay _reports _retries _suspension"),
        *modules("", "oracle delays_of_messages"),
        *modules("scenario/", "distributions durations rates throttle"),
    )
)
ANSWERED = {
    *("Delivery.counts", "Delivery.origin", "Scenario.parents", "SharedLimit.covers"),
    *("Suspend.in_a_row", "WithQueues.acting_rules", "WithQueues.pool_of", "WithQueues.queues"),
}
"""What the oracle asks a scenario besides its values: the answers are part of what is compared, and
so their sources, which change more often than they, are none of the oracle."""
TEXTBOOK = Slow(
    (
        *("textbook/*.py", "scenario/**/*.py", "ledger/*.py", "text/clock.py"),
        *modules("model/", "addresses backlog feedback records scaling tally"),
        *modules("model/kernel/", "compiled fields machine_code pointer row state tally"),
        *modules("", "small_scenarios people_models textbook_counts"),
    ),
    ("numpy", "scipy", "simpy"),
    (
        *modules("scenario/", "commented constraints edits files hand_over in_brief json_schema"),
        *modules("scenario/", "notes population_problems problems ranges settings"),
        *modules("scenario/", "shared_constraints stages suspended toml uncertain"),
    ),
)
COMPARISON = Slow(("people_models.py", "textbook_counts.py"))
"""Of many seeds of both models. The engine's results are parts of what is compared."""


def digest(*texts: str) -> bytes:
    return hashlib.sha256(repr(texts).encode()).digest()[:HASH_BYTES]


@cache
def digest_of(slow: Slow) -> str:
    """Return a hash of all that a slow model's results depend on."""
    sources = [path.read_text(encoding="utf-8") for path in slow.sources()]
    return digest(*sources, *(f"{each} {version(each)}" for each in slow.libraries)).hex()


@cache
def stored() -> frozenset[bytes]:
    try:
        data = FILE.read_bytes()
    except FileNotFoundError:
        return frozenset()
    return frozenset(data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES))


def is_anew() -> bool:
    return os.environ.get("SENDCAP_TEST_ANEW") == "1"


def answers(scenario: Scenario) -> tuple[object, ...]:
    queues = list(scenario.queues())
    rules = [rule for name in scenario.providers for rule in scenario.acting_rules(name)]
    return (
        (queues, scenario.parents(), [(rule, rule.in_a_row) for rule in rules]),
        [(each.counts(), each.origin, scenario.pool_of(each)) for each in scenario.deliveries],
        [[limit.covers(path) for path in queues] for limit in scenario.limits],
    )


def written(part: object) -> str:
    """Return everything of a scenario, of counts, or of plain values, as text."""
    return repr(plain(part))


def plain(value: object) -> object:
    """Return a value whose text leaves nothing out."""
    if isinstance(value, BaseModel):
        fields = {name: plain(getattr(value, name)) for name in type(value).model_fields}
        asked = plain(answers(value)) if isinstance(value, Scenario) else ()
        return type(value).__name__, fields, plain(value.__pydantic_private__), asked
    if isinstance(value, Mapping):
        return [(key, plain(value[key])) for key in sorted(value)]
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, frozenset):
        return sorted(value)
    return value.tolist() if isinstance(value, np.ndarray) else value


ASKED: set[bytes] = set()
"""What this process has compared, or need not have."""


class Remembered:
    """Tells whether what a test compares has agreed before."""

    def __init__(self, test: Path) -> None:
        self.test = test.read_text(encoding="utf-8")

    def __call__(self, slow: Slow, *parts: object) -> bool:
        key = digest(digest_of(slow), self.test, *map(written, parts))
        ASKED.add(key)
        return not is_anew() and key in stored()


def main() -> int:
    """Compare what is not known, and write the hashes if all agree: just those of today."""
    failed = pytest.main(["-q", "-n", "0", "-m", "remembered", str(Path(__file__).parent)])
    if not failed:
        FILE.write_bytes(b"".join(sorted(ASKED)))
    return int(failed)


if __name__ == "__main__":
    import agreed  # the module that the tests use

    sys.exit(agreed.main())
