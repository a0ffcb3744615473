"""How much memory a simulation needs, asked before it begins."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from sendcap.errors import ScenarioError
from sendcap.ledger import EVENTS
from sendcap.model.messages import TRIED
from sendcap.scenario import Provider, Rate, Scenario

_LIBRARIES = 300 << 20
"""The interpreter and the libraries, measured: about 0.25 GiB."""
_NEW_BYTES = 8 + 4 + 2
_BATCH_BYTES = 8 + 2 + 8 + 8 + 8
_LONGEST_S = (14.0 + 3.5) * 86400.0
"""Opens are followed for 14 days, and the other events end sooner."""


def estimate_bytes(scenario: Scenario) -> int:
    """Return about how much memory a simulation takes at its peak, rather too much than too little.

    The terms: libraries; the messages that pile up at the providers while the relay hands over
    (as a fluid would); those backing off; the table of relay batches; the ledger's bins.
    """
    relay = scenario.relay
    messages = sum(delivery.messages for delivery in scenario.deliveries)
    relayed_per_s = relay.workers * relay.batch / max(relay.batch_time.mean_s, 1e-9)
    for rate in (relay.rate, scenario.mta.ingress_rate):
        if rate is not None:
            relayed_per_s = min(relayed_per_s, rate.per_s)
    counts: dict[str, int] = {}
    for delivery in scenario.deliveries:
        for name, count in delivery.counts().items():
            counts[name] = counts.get(name, 0) + count
    waiting = backing_off = 0.0
    series = 0
    for name, count in counts.items():
        provider = scenario.providers[name]
        arrive_per_s = relayed_per_s * count / messages
        kept = max(0.0, 1.0 - _ceiling_per_s(provider, scenario.mta.ips) / arrive_per_s)
        waiting += count * kept
        faulty = sum(fault.share for fault in provider.faults)
        backing_off += count * min(1.0, faulty + provider.transient)
        reasons = len(provider.hard) + len(provider.faults)
        series += 2 * (len(EVENTS) + 3 * reasons) * len(scenario.deliveries)
    bins = (scenario.time.horizon or _LONGEST_S) / scenario.time.bin
    return int(
        _LIBRARIES
        + waiting * _NEW_BYTES
        + backing_off * TRIED.itemsize * 1.5
        + min(messages, 5_000_000) * 100
        + messages / relay.batch * _BATCH_BYTES
        + series * bins * 8
    )


def _ceiling_per_s(provider: Provider, ips: int) -> float:
    busy_s = provider.transaction_time.mean_s
    if provider.messages_per_connection != "unlimited":
        busy_s += provider.connect_time.mean_s / provider.messages_per_connection
    ceiling = provider.connections_per_ip * ips / max(busy_s, 1e-9)
    return min(ceiling, provider.rate.per_s * ips) if isinstance(provider.rate, Rate) else ceiling


def available_bytes() -> int | None:
    """Return the memory that this process may use, None where the system does not tell."""
    try:
        limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, ValueError, OSError):
        return None
    with suppress(OSError, ValueError):  # no control group, or no limit in it
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(limits)


def require_memory(scenario: Scenario) -> None:
    """Refuse a scenario that would need more memory than the machine has.

    Raises
    ------
    ScenarioError
        With the estimate, and what would make it smaller.
    """
    needed, available = estimate_bytes(scenario), available_bytes()
    if available is not None and needed > available:
        messages = sum(delivery.messages for delivery in scenario.deliveries)
        raise ScenarioError(
            f"{messages:,} messages would need about {needed / 2**30:.1f} GiB of memory, "
            f"this machine has {available / 2**30:.1f} GiB: simulate fewer messages, "
            "use a longer time.bin or a larger relay.batch"
        )
