"""When a queue is gone, in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sendcap.text.quantities import counted, elapsed, listed
from sendcap.text.shares import brief_share

if TYPE_CHECKING:
    from sendcap.study.drain.drain import Drain, Tried

_HELPS: Final = 0.95
"""A change helps with which it takes this share of the time, or less."""
_MOST: Final = 3


def sentences(result: Drain) -> list[str]:
    """Return the answer in plain sentences."""
    return [*_when(result), *_expiry(result), *_help(result), *result.notes]


def _after(seconds: float) -> str:
    return "never" if seconds == math.inf else f"after {elapsed(seconds)}"


def _when(result: Drain) -> Iterator[str]:
    everything, slowest = result.gone[-1], result.gone[0]
    yield (
        f"Of {counted(everything.messages, 'message')} half are gone "
        f"{_after(everything.gone_50_pct_s)}, 90 % {_after(everything.gone_90_pct_s)}, 99 % "
        f"{_after(everything.gone_99_pct_s)} and the last one {_after(everything.gone_s)}."
    )
    if len(result.gone) > 2:
        yield (
            f"The slowest is {slowest.provider}, with {counted(slowest.messages, 'message')}: 90 % "
            f"of them are gone {_after(slowest.gone_90_pct_s)}."
        )


def _expiry(result: Drain) -> Iterator[str]:
    everything = result.gone[-1]
    if not everything.expired:
        yield "Nothing expires."
        return
    share = brief_share(everything.expired / everything.messages)
    parts = [f"{each.expired:,} to {each.provider}" for each in result.gone[:-1] if each.expired]
    yield (
        f"{everything.expired:,} of them ({share}) expire, the first "
        f"{_after(everything.first_expiry_s)} and the last {_after(everything.last_expiry_s)}: "
        f"{listed(parts[:_MOST])}"
        f"{' and others' if len(parts) > _MOST else ''}."
    )


def _help(result: Drain) -> Iterator[str]:
    now, quicker = result.gone[-1], helping(result)
    if quicker:
        texts = [
            f"with {each.change}, half are gone after {elapsed(each.gone.gone_50_pct_s)} and 90 % "
            f"after {elapsed(each.gone.gone_90_pct_s)}"
            for each in quicker[:_MOST]
        ]
        yield f"What helps most: {'; '.join(texts)}."
    elif result.tried:
        yield "Nothing that was tried lets the queue be gone much sooner."
    fewer = [each for each in result.tried if each.gone.expired < 0.95 * now.expired]
    fewer.sort(key=lambda each: each.gone.expired)
    if fewer:
        best = fewer[0]
        yield (f"With {best.change}, {best.gone.expired:,} expire in place of {now.expired:,}.")


def helping(result: Drain) -> list[Tried]:
    """Return the changes with which the queue is gone much sooner, the best one first."""
    now = result.gone[-1]
    quicker = [
        each
        for each in result.tried
        if each.gone.gone_90_pct_s <= _HELPS * now.gone_90_pct_s
        or each.gone.gone_50_pct_s <= _HELPS * now.gone_50_pct_s
    ]
    return sorted(quicker, key=lambda each: (each.gone.gone_90_pct_s, each.gone.gone_99_pct_s))
