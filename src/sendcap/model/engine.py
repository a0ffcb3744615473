"""The engine: SimPy holds the clock, arrays hold the messages, the kernel holds the queues.

Time is simulated in look-ahead windows. A soft-bounced message comes back no sooner than the
shortest retry delay. So in a window no longer than that, all that can become ready at a provider
is known when the window opens, and the window can be worked off at once, without an event per
message. This is the conservative look-ahead of parallel discrete-event simulation, and it is
exact: the ledger is the same, bit for bit, whatever the window's length.

Source: K. M. Chandy and J. Misra, "Distributed simulation", IEEE Transactions on Software
Engineering SE-5 (1979): simulation by conservative look-ahead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from functools import cache
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import numpy as np
import simpy

from sendcap.ledger import Ledger
from sendcap.model.addresses import Addresses, AddressKinds
from sendcap.model.backoff import Backoff
from sendcap.model.batches import Batches
from sendcap.model.engagement import Engagement
from sendcap.model.expiry import Expiry
from sendcap.model.feasibility import require_feasible
from sendcap.model.feedback import Feedback
from sendcap.model.ingress import Ingress
from sendcap.model.monitor import Monitor
from sendcap.model.provider_queue import ProviderQueue
from sendcap.model.recipients import Recipients
from sendcap.model.relay import Relay
from sendcap.model.sending_log import SendingLog
from sendcap.model.spool import Spool
from sendcap.model.station import Grid, Station, Window
from sendcap.model.streams import Streams
from sendcap.model.tally import Tally, ledger_of
from sendcap.scenario import Scenario

LONGEST_WINDOW_S: Final = 1200.0
"""Longer windows gain no speed: the work per message outweighs the work per window."""
BACK_PRESSURE_WINDOW_S: Final = 10.0
"""Where a spool bounds what the MTA holds, the relay learns of free room this often."""


class Progress(NamedTuple):
    """The progress of a simulation."""

    time_s: float  # simulated
    final: int  # messages accepted, bounced hard, expired or failed at the relay
    messages: int  # all messages to deliver


def simulate_ledger(
    scenario: Scenario,
    *,
    window_s: float | None = None,
    sending_log: Path | IO[bytes] | None = None,
    progress: Callable[[Progress], None] | None = None,
    monitor: Monitor | None = None,
) -> Ledger:
    """Simulate a scenario and return the ledger.

    ``window_s`` is the length of the look-ahead window, by default the scenario's own, cut to the
    shortest retry delay; it changes the speed, never the result. ``sending_log`` is the Parquet
    file to write; ``progress`` is called after each window; neither it nor the monitor changes the
    ledger.
    """
    require_feasible(scenario)
    if sending_log is None:
        return _Model(scenario, window_s, None, progress, monitor).run()
    with SendingLog.opened(sending_log, scenario, used_providers(scenario)) as log:
        return _Model(scenario, window_s, log, progress, monitor).run()


class _Model:
    """The stations of a scenario, wired up, and the clock that opens their windows."""

    def __init__(
        self,
        scenario: Scenario,
        window_s: float | None,
        log: SendingLog | None,
        progress: Callable[[Progress], None] | None,
        monitor: Monitor | None,
    ) -> None:
        self._scenario = scenario
        self._monitor = monitor
        self._progress = progress
        self._logged = log is not None
        self._horizon_s = scenario.time.horizon or math.inf
        self._tally = Tally(scenario.time.bin, self._horizon_s)
        longest_s = _window_length_s(scenario, window_s)
        spooled = scenario.mta.spool is not None
        cell_s = min(longest_s, BACK_PRESSURE_WINDOW_S) if spooled else longest_s
        self._grid = Grid(cell_s)
        self._longest = max(int(longest_s / cell_s), 1)
        self._spool = Spool(self._grid, scenario.mta.spool or math.inf)
        self._env = env = simpy.Environment()
        self._streams = Streams(scenario.seed)
        self._batches = Batches(scenario)
        self._providers = used_providers(scenario)
        kinds = [AddressKinds(scenario.providers[name]) for name in self._providers]

        # From the last station to the first: each one knows the stations it hands on to.
        self._feedback = Feedback(env, scenario, kinds, self._tally, log)
        engagement = None
        if scenario.engagement.open_rate > 0.0:
            engagement = Engagement(env, scenario, self._providers, self._streams, self._tally)
        self._expiries: list[Expiry] = []
        self._backoffs: list[Backoff] = []
        self._recipients: list[Recipients] = []
        queues = [
            self._provider(number, provider_kinds, engagement)
            for number, provider_kinds in enumerate(kinds)
        ]
        self._relay, ingress = self._upstream(kinds, queues, log)
        self._stations: list[Station] = [
            self._relay,
            ingress,
            *queues,
            *self._backoffs,
            *self._expiries,
            self._feedback,
        ]

    def _upstream(
        self, kinds: list[AddressKinds], queues: list[ProviderQueue], log: SendingLog | None
    ) -> tuple[Relay, Ingress]:
        """Return the relay and the ingress in front of the providers' queues."""
        monitor, scenario = self._monitor, self._scenario

        # Of very many pairs, few may have messages.
        @cache
        def addresses(delivery: int, provider: int) -> Addresses:
            name = scenario.deliveries[delivery].name
            return Addresses(kinds[provider], self._streams, name, self._providers[provider])

        ingress = Ingress(
            self._env,
            scenario.mta.ingress_rate,
            self._batches,
            addresses,
            queues,
            self._expiries,
            None if monitor is None else monitor.ingress,
        )
        relay = Relay(
            self._env,
            scenario,
            self._streams,
            self._batches,
            self._tally,
            self._providers,
            self._spool,
            ingress,
            log,
            None if monitor is None else monitor.relay,
        )
        return relay, ingress

    def _provider(
        self, number: int, kinds: AddressKinds, engagement: Engagement | None
    ) -> ProviderQueue:
        """Return a provider's queue, with the stations behind it."""
        env, scenario, streams = self._env, self._scenario, self._streams
        name = self._providers[number]
        retries = simpy.Store(env)
        backoff = Backoff(env, self._grid, retries)
        expiry = Expiry(
            env,
            self._grid,
            number,
            name,
            scenario,
            streams,
            self._batches,
            self._spool,
            self._feedback,
        )
        recipients = Recipients(
            env,
            number,
            name,
            scenario,
            kinds,
            streams,
            self._batches,
            self._spool,
            self._feedback,
            engagement,
            expiry,
            backoff,
            self._logged,
        )
        self._backoffs.append(backoff)
        self._expiries.append(expiry)
        self._recipients.append(recipients)
        return ProviderQueue(
            env,
            number,
            name,
            scenario,
            streams,
            self._batches,
            self._tally,
            recipients,
            expiry,
            retries,
            None if self._monitor is None else self._monitor.provider(name),
        )

    def run(self) -> Ledger:
        """Run until every message is final and reported, or to the horizon."""
        self._env.run(self._env.process(self._clock()))
        return ledger_of(self._tally, self._scenario, self._providers)

    def _clock(self) -> Generator[simpy.Event, Any, None]:
        """Open one window after the other, passing over those in which nothing happens."""
        env = self._env
        window = self._next_window(-1)
        while window is not None:
            yield env.timeout(window.start_s - env.now)
            for backoff in self._backoffs:
                backoff.inbox.put(window)
            self._relay.inbox.put(window)
            yield env.timeout(window.end_s - env.now)
            self._feedback.inbox.put(window)
            # SimPy keeps the order of what happens at one moment, so this waits for the feedback.
            yield env.timeout(0)
            if self._progress is not None:
                self._progress(self._progress_at(window.end_s))
            window = self._next_window(window.last)

    def _next_window(self, last: int) -> Window | None:
        """Return the next window in which anything can happen, given the last cell so far."""
        next_s = min(station.next_event_s for station in self._stations)
        if next_s == math.inf or next_s >= self._horizon_s:
            return None
        first = last + 1
        if next_s >= self._grid.window(first).end_s:
            first = int(self._grid.cell_of(np.array([next_s]))[0])
        # Once the relay is over, nothing waits for the spool.
        return self._grid.window(first, self._longest if self._relay.over else 1)

    def _progress_at(self, time_s: float) -> Progress:
        final = self._relay.failed
        final += sum(recipients.final for recipients in self._recipients)
        final += sum(expiry.expired for expiry in self._expiries)
        messages = sum(delivery.messages for delivery in self._scenario.deliveries)
        return Progress(time_s, final, messages)


def used_providers(scenario: Scenario) -> list[str]:
    """Return the providers that have messages, in the order of the scenario."""
    return [
        name
        for name in scenario.providers
        if any(delivery.audience.get(name, 0.0) > 0.0 for delivery in scenario.deliveries)
    ]


def _window_length_s(scenario: Scenario, window_s: float | None) -> float:
    """Return the length of the window, cut to the look-ahead of the retry policy."""
    asked = window_s if window_s is not None else scenario.time.window
    if asked == "auto":
        asked = LONGEST_WINDOW_S
    # A little less than the shortest delay: times are rounded.
    return min(float(asked), 0.999 * scenario.mta.retry.shortest_delay_s)
