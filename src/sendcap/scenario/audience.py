"""An audience: the share of each provider."""

import math
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator

from sendcap.scenario.section import MOST, Name, Share
from sendcap.text.quoting import shown

_TOLERANCE: Final = 1e-6


def not_one(shares: Iterable[float]) -> Iterator[str]:
    """Yield what is wrong with shares that do not sum to 1."""
    total = math.fsum(shares)
    if abs(total - 1.0) > _TOLERANCE:
        yield f"shares sum to {total:.9g}, must sum to 1"


def sums_to_one(shares: dict[str, float]) -> dict[str, float]:
    """Return shares that do; refuse others."""
    for message in not_one(shares.values()):
        raise ValueError(message)
    return shares


def _no_counts(audience: Any) -> Any:
    """Refuse counts and percentages without their sign, which no share can be."""
    weights = list(audience.values()) if isinstance(audience, dict) else []
    are_counts = all(isinstance(each, int | float) and 0 <= each <= MOST for each in weights)
    if not are_counts or max(weights, default=0) <= 1:
        return audience
    name = max(audience, key=audience.__getitem__)
    share = audience[name] / math.fsum(weights)
    raise ValueError(
        f"{shown(name)} = {shown(audience[name])} is more than 1; write shares that sum to 1, "
        f'such as {share:.4g} or "{100.0 * share:.4g}%"'
    )


Audience = Annotated[dict[Name, Share], BeforeValidator(_no_counts), AfterValidator(sums_to_one)]
"""Share of each provider; they sum to 1."""


def is_the_same(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Return whether two audiences have the same shares."""
    names = one.keys() | other.keys()
    return all(abs(one.get(name, 0.0) - other.get(name, 0.0)) <= _TOLERANCE for name in names)


def apportioned(messages: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Return whole messages for each share, by the largest remainder."""
    return dict(zip(shares, _apportioned(messages, tuple(shares.items())), strict=True))


@lru_cache(maxsize=1024)
def _apportioned(messages: int, shares: tuple[tuple[str, float], ...]) -> tuple[int, ...]:
    # Fractions take long, and a simulation asks for the same messages again and again.
    # Shares as they were written: in binary 0.1 and 0.3 would break ties at random.
    exact = {name: Fraction(repr(share)) for name, share in shares}
    total = sum(exact.values())
    quotas = {name: messages * share / total for name, share in exact.items()}
    counts = {name: math.floor(quota) for name, quota in quotas.items()}
    by_remainder = sorted(quotas, key=lambda name: counts[name] - quotas[name])
    for name in by_remainder[: messages - sum(counts.values())]:
        counts[name] += 1
    return tuple(counts.values())
