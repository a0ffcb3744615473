"""The engine: SimPy holds the clock, and compiled steps what happens in between.

Time is simulated in windows. In each, the relay hands over what it does; then the queues of the
MTA advance event by event (`sendcap.model.kernel.step`), and their reports go to Campaign. Queues
that share nothing advance one after the other, or in threads while the relay goes ahead. Each draw
belongs to an event of a queue, in order, so the ledger is the same, bit for bit, whatever the
windows.
"""

import math
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Final, Literal, NamedTuple

import numpy as np
import simpy

from sendcap.errors import ScenarioError, SendcapError
from sendcap.ledger import Ledger
from sendcap.model.addresses import reasons_of
from sendcap.model.backlog import held_messages
from sendcap.model.confirmation import as_sent
from sendcap.model.feasibility import require_feasible
from sendcap.model.feedback import Feedback
from sendcap.model.kernel.person import PERSON
from sendcap.model.kernel.state import Records
from sendcap.model.kernel.tally import MOST_SERIES, OF_A_REASON
from sendcap.model.kernel.telling import COMPLAINED
from sendcap.model.monitor import Monitor
from sendcap.model.people.campaign import Campaign
from sendcap.model.people.followed import Followed
from sendcap.model.people.persons import persons_of
from sendcap.model.people.sendings import Sending, sendings
from sendcap.model.queue_group import Happened
from sendcap.model.queues import Queues
from sendcap.model.relay import Relay
from sendcap.model.sending_log import SendingLog
from sendcap.model.shared import Shared
from sendcap.model.streams import Streams
from sendcap.model.tally import Tally, ledger_of
from sendcap.scenario import Scenario
from sendcap.text.notebook_bar import notebook_bar
from sendcap.text.quantities import elapsed

Window = float | Literal["auto"]
"""Length of the windows in seconds; by default they follow the number of reports."""
_MOST_THREADS: Final = 16
_FIRST_WINDOW_S: Final = 60.0
_FEW_REPORTS: Final = 200_000
"""Reports of a window: of fewer the next is four times as long, of four times as many half.

It grows no longer while something cuts it, such as the room for what the relay hands over: the
first one without that would be endless, and its reports would take as much memory as they like.
"""


class Progress(NamedTuple):
    """The progress of a simulation."""

    time_s: float  # simulated
    final: int  # messages accepted, bounced hard, expired or failed at the relay
    messages: int  # all messages to deliver, as far as they are known

    def told(self) -> tuple[float, str]:
        """Return the share that is done, and words for a bar."""
        share = self.final / self.messages if self.messages else 0.0
        return share, f"{elapsed(self.time_s)} simulated, {self.final:,} messages final"


def simulate_ledger(
    scenario: Scenario,
    *,
    window_s: Window | None = None,
    threads: int = 1,
    sending_log: Path | IO[bytes] | None = None,
    progress: Callable[[Progress], None] | None = None,
    monitor: Monitor | None = None,
    followed: Followed | None = None,
) -> Ledger:
    """Simulate a scenario and return the ledger.

    ``window_s`` is the length of the windows, by default the scenario's own, and queues that share
    nothing are served by so many threads; both change the speed, never the result. ``sending_log``
    is the Parquet file to write; ``progress`` is called after each window; neither it, nor the
    monitor, nor who is ``followed`` changes the ledger.
    """
    if not isinstance(threads, int) or not 1 <= threads <= _MOST_THREADS:
        raise SendcapError(f"threads: must be a number from 1 to {_MOST_THREADS}, not {threads!r}")
    prepared = [] if scenario.population is None else sendings(scenario)
    scenario = as_sent(scenario)
    require_feasible(scenario)
    with (
        notebook_bar(progress, Progress.told) as seen,
        _log(sending_log, scenario) as log,
    ):
        return _Model(scenario, prepared, window_s, log, seen, monitor, followed).run(threads)


def _log(
    sending_log: Path | IO[bytes] | None, scenario: Scenario
) -> AbstractContextManager[SendingLog | None]:
    if sending_log is None:
        return nullcontext()
    providers = used_providers(scenario)
    reasons = reasons_of(scenario, providers)
    return SendingLog.opened(sending_log, scenario, providers, reasons)


class _Model:
    """The stations of a scenario, wired up, and the clock that opens their windows."""

    def __init__(
        self,
        scenario: Scenario,
        sendings: list[Sending],
        window_s: Window | None,
        log: SendingLog | None,
        progress: Callable[[Progress], None] | None,
        monitor: Monitor | None,
        followed: Followed | None,
    ) -> None:
        asked = window_s if window_s is not None else scenario.time.window
        self._window_s = None if asked == "auto" else float(asked)
        self._progress = progress
        self._horizon_s = scenario.time.horizon or math.inf
        providers = used_providers(scenario)
        reasons = reasons_of(scenario, providers)
        _require_numbers(len(scenario.deliveries), len(providers), len(reasons))
        streams, self._campaign, people = Streams(scenario.seed), None, np.zeros(0, PERSON)
        if sendings:
            persons = persons_of(scenario, streams, providers, sendings[-1].prepared_s)
            self._campaign = Campaign(scenario, sendings, persons, reasons, streams, followed)
            people = persons.people
        self._to_deliver = dict.fromkeys(scenario.to_deliver(), 0)
        self._messages = sum(delivery.messages for delivery in scenario.deliveries)
        self._shared = Shared(
            scenario=scenario,
            providers=providers,
            paths=scenario.paths(),
            queues=scenario.queues(),
            reasons=reasons,
            streams=streams,
            tally=Tally(scenario.time.bin, self._horizon_s, providers, reasons),
            log=log,
            people=people,
            follows=followed is not None,
            monitor=monitor,
        )
        self._relay = Relay(self._shared)
        self._queues = Queues(self._shared, self._relay)
        self._hold()
        self._feedback = Feedback(self._shared, self._campaign)

    def _hold(self) -> None:
        """Let the MTA have the messages of the backlog."""
        for messages, batches in held_messages(self._shared):
            messages["batch"] += self._relay.hold(batches)
            if self._shared.monitor is not None:
                expiry_s = self._relay.batches.expiry_s[messages["batch"]]
                due_s = messages["due_s"][messages["due_s"] <= np.maximum(expiry_s, 0.0)]
                path = self._shared.queues[int(messages["queue"][0])]._replace(address=None)
                self._shared.monitor.queue(path.name).arrived(due_s)
            self._queues.hold(messages)

    def run(self, threads: int) -> Ledger:
        """Run until every message is final and reported, or to the horizon."""
        env = simpy.Environment()
        with self._queues.in_threads(threads):
            env.run(env.process(self._clock(env)))
        for tally in self._queues.tallies:
            self._shared.tally.counted(tally)
        self._relay.ended()
        if self._campaign is None:
            return ledger_of(self._shared.tally, self._shared.scenario)
        ledger = ledger_of(self._shared.tally, self._shared.scenario, self._to_deliver)
        return replace(ledger, people=self._campaign.ended(ledger.end_s))

    def _clock(self, env: simpy.Environment) -> Generator[simpy.Event, Any, None]:
        """Open one window after the other, passing over times in which nothing happens."""
        length_s = self._window_s or _FIRST_WINDOW_S
        while (next_s := self._next_event_s) < self._horizon_s:
            yield env.timeout(max(next_s - env.now, 0.0))
            until_s = whole_s = min(env.now + length_s, self._horizon_s)
            if self._campaign is not None:
                self._prepare(self._campaign, env.now)
                until_s = min(until_s, self._campaign.until_s(env.now))
            until_s = self._queues.hand_over(until_s)
            reports = self._advance(env.now, until_s)
            yield env.timeout(until_s - env.now)
            if self._progress is not None:
                final = self._relay.failed + self._queues.final
                self._progress(Progress(until_s, final, self._messages))
            if self._window_s is None:
                if reports > 4 * _FEW_REPORTS:
                    length_s *= 0.5
                elif reports < _FEW_REPORTS and until_s == whole_s:
                    length_s *= 4.0

    def _prepare(self, campaign: Campaign, now_s: float) -> None:
        """Prepare the sendings that are due."""
        campaign.advance(now_s)
        scenario, providers = self._shared.scenario, self._shared.providers
        for rosters in campaign.prepared(now_s):
            self._relay.prepared(rosters)
            self._queues.know_batches()
            for number, counts in rosters.counts.items():
                name = scenario.deliveries[number].name
                self._messages += int(counts.sum()) - scenario.deliveries[number].messages
                for provider, count in zip(providers, counts.tolist(), strict=True):
                    self._to_deliver[name, provider] = count

    @property
    def _next_event_s(self) -> float:
        stations: list[Any] = [self._relay, self._queues, self._feedback]
        if self._campaign is not None:
            stations.append(self._campaign)
        return float(min(station.next_event_s for station in stations))

    def _advance(self, now_s: float, until_s: float) -> int:
        """Let happen what happens before a moment; return the number of reports."""
        before = self._queues.told
        for happened in self._queues.advance(now_s, until_s):
            self._feedback.receive(self._without_complaints(happened.reports))
            if self._shared.monitor is not None:
                self._watch(self._shared.monitor, happened)
        self._feedback.advance(until_s)
        return self._queues.told - before

    def _without_complaints(self, reports: Records) -> Records:
        """Return the reports of the MTA; complaints go to Campaign as they come."""
        if self._campaign is None:
            return reports
        complained = reports["event"] == COMPLAINED
        if not complained.any():
            return reports
        complaints = reports[complained]
        self._campaign.receive(complaints, complaints["arrives_s"])
        others: Records = reports[~complained]
        return others

    def _watch(self, monitor: Monitor, happened: Happened) -> None:
        reports, starts, connects = happened
        for number, path in enumerate(self._shared.paths):
            stage = monitor.queue(path.name)
            due_s = reports["due_s"][reports["path"] == number]
            stage.arrived(due_s[due_s < math.inf])
            own = starts[starts["path"] == number]
            started = own["finish_s"] < math.inf
            stage.waited(own["ready_s"][started], own["left_s"][started])
            stage.worked(own["left_s"][started], own["finish_s"][started])
            stage.gave_up(own["left_s"][~started & (own["ready_s"] <= own["left_s"])])
            made = connects[connects["path"] == number]
            stage.worked(made["start_s"], made["finish_s"])


def _require_numbers(deliveries: int, providers: int, reasons: int) -> None:
    """Refuse more deliveries to more providers than there are numbers for what is counted."""
    most = MOST_SERIES // (reasons * OF_A_REASON)
    if deliveries * providers > most:
        raise ScenarioError(
            f"{deliveries:,} deliveries to {providers:,} providers are {deliveries * providers:,} "
            f"pairs to count for; with {reasons} reasons of bounces there may be {most:,}: "
            "simulate fewer deliveries at a time"
        )


def used_providers(scenario: Scenario) -> tuple[str, ...]:
    """Return the providers that have messages, in the order of the scenario."""
    return tuple(
        name
        for name in scenario.providers
        if any(delivery.audience.get(name, 0.0) > 0.0 for delivery in scenario.deliveries)
    )
