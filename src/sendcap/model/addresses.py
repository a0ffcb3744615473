"""Faults of a provider's addresses, drawn once for each message."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sendcap.model.streams import Draws, Streams, Trials
from sendcap.scenario import Provider

Kinds = npt.NDArray[np.int16]

TRANSIENT = "transient"
"""Reason of a soft bounce of the attempt, not of the address."""
UNREACHABLE = "unreachable"
"""Reason of a soft bounce during an outage of the provider."""
THROTTLED = "throttled"
"""Reason of a soft bounce above what the provider tolerates."""
NOT_ATTEMPTED = "not attempted"
"""Reason why a message expires that never was soft-bounced."""


class AddressKinds:
    """The kinds of address of a provider, numbered: 0 is a good one."""

    def __init__(self, provider: Provider) -> None:
        reasons = [NOT_ATTEMPTED, TRANSIENT, UNREACHABLE, THROTTLED]
        rows: list[tuple[bool, int, bool, int, float]] = []
        for hard in provider.hard:
            reasons.append(hard.reason)
            rows.append((True, -1, False, len(reasons) - 1, hard.share))
        for number, fault in enumerate(provider.faults):
            reasons.append(fault.reason)
            reason = len(reasons) - 1
            rows.append((False, number, False, reason, fault.share * (1.0 - fault.never)))
            rows.append((False, number, True, reason, fault.share * fault.never))
        good = (False, -1, False, 0, 0.0)
        hard_, fault_, never_, reason_, share_ = zip(good, *rows, strict=True)
        self.reasons = tuple(reasons)  # names by number
        # By kind: bounced hard, number of the fault (-1 without one), never clears, reason.
        self.hard = np.array(hard_, np.bool_)
        self.fault = np.array(fault_, np.int64)
        self.never = np.array(never_, np.bool_)
        self.reason = np.array(reason_, np.int16)
        self.share = np.array(share_[1:], np.float64)  # of each kind but the good one


class Addresses:
    """The addresses of one delivery at one provider, message by message."""

    def __init__(self, kinds: AddressKinds, streams: Streams, delivery: str, provider: str) -> None:
        total = min(float(kinds.share.sum()), 1.0)
        self._cumulative = np.cumsum(kinds.share)
        which = streams.generator("address kind", delivery=delivery, provider=provider)
        self._bad = Trials(
            total, streams.generator("bad address", delivery=delivery, provider=provider)
        )
        self._which = Draws(which.random)

    def kinds(self, count: int) -> Kinds:
        """Return the kind of each of the next ``count`` messages."""
        kinds = np.zeros(count, np.int16)
        bad = self._bad.take(count)
        if len(bad):
            where = self._which.take(len(bad)) * self._cumulative[-1]
            kinds[bad] = 1 + np.minimum(
                np.searchsorted(self._cumulative, where, side="right"),
                len(self._cumulative) - 1,
            )
        return kinds
