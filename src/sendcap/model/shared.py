"""What the stations of a simulation share."""

from dataclasses import dataclass

from sendcap.model.kernel.state import Records
from sendcap.model.monitor import Monitor
from sendcap.model.sending_log import SendingLog
from sendcap.model.streams import Streams
from sendcap.model.tally import Tally
from sendcap.scenario import Queue, Scenario


@dataclass(frozen=True)
class Shared:
    """A scenario, and what comes of it."""

    scenario: Scenario
    providers: tuple[str, ...]  # that have messages
    paths: tuple[Queue, ...]
    queues: tuple[Queue, ...]
    reasons: tuple[str, ...]
    streams: Streams
    tally: Tally
    people: Records  # of the population; none without one
    follows: bool  # whether all reports about a person are wanted
    log: SendingLog | None
    monitor: Monitor | None

    @property
    def needs_places(self) -> bool:
        """Whether the place of each message in its batch matters."""
        scenario = self.scenario
        return (
            self.log is not None
            or scenario.mta.ingress_rate is not None
            or scenario.population is not None
        )
