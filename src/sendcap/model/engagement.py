"""Opens and clicks of the messages that were accepted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
import simpy

from sendcap.ledger import Event
from sendcap.model.messages import Accepted, Floats, groups
from sendcap.model.station import Station
from sendcap.model.streams import Draws, Streams, Trials
from sendcap.model.tally import Tally
from sendcap.scenario import Scenario

FOLLOWED_S: Final = 14 * 86400.0
"""Opens and clicks are followed for two weeks from the start of their delivery (assumption).

Their delays have long tails: followed to the last one, a run would be years long.
"""


class _Readers:
    """The readers of one delivery at one provider."""

    def __init__(self, scenario: Scenario, streams: Streams, delivery: str, provider: str) -> None:
        settings = scenario.engagement

        def stream(purpose: str) -> np.random.Generator:
            return streams.generator(purpose, delivery=delivery, provider=provider)

        open_delay, click_delay = stream("open delay"), stream("click delay")
        self.opens = Trials(settings.open_rate, stream("open"))
        self.clicks = Trials(settings.click_rate, stream("click"))
        self.open_delay_s = Draws(lambda count: settings.open_delay.sample(open_delay, count))
        self.click_delay_s = Draws(lambda count: settings.click_delay.sample(click_delay, count))


class Engagement(Station):
    """Draws who opens and who clicks, and when. Campaign tracks both as they happen."""

    def __init__(
        self,
        env: simpy.Environment,
        scenario: Scenario,
        providers: Sequence[str],
        streams: Streams,
        tally: Tally,
    ) -> None:
        super().__init__(env)
        self._tally = tally
        self._until_s = [delivery.at + FOLLOWED_S for delivery in scenario.deliveries]

        @cache
        def readers(delivery: int, provider: int) -> _Readers:
            name = scenario.deliveries[delivery].name
            return _Readers(scenario, streams, name, providers[provider])

        # Of very many pairs, few may have messages.
        self._readers = readers

    def receive(self, accepted: Accepted) -> None:
        """Count what becomes of accepted messages."""
        for delivery, _, chosen in groups(accepted.delivery, 0, len(accepted.accepted_s)):
            readers = self._readers(delivery, accepted.provider)
            accepted_s = accepted.accepted_s[chosen]
            opened = readers.opens.take(len(accepted_s))
            opened_s = accepted_s[opened] + readers.open_delay_s.take(len(opened))
            self._count("opened", delivery, accepted.provider, opened_s)
            clicked = readers.clicks.take(len(opened_s))
            clicked_s = opened_s[clicked] + readers.click_delay_s.take(len(clicked))
            self._count("clicked", delivery, accepted.provider, clicked_s)

    def _count(self, event: Event, delivery: int, provider: int, times_s: Floats) -> None:
        times_s = times_s[times_s < self._until_s[delivery]]
        self._tally.add("happened", event, delivery, provider, times_s)
