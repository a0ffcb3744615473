"""The ledger: the events of a simulation, counted per time bin.

A simulation leaves nothing but counts. Each belongs to a delivery, a provider, an event and a
reason, and counts at two clocks: when the event *happened* at the MTA, and when Campaign *knew*.
Every reading, chart and analysis is arithmetic on these counts.
"""

from sendcap.ledger.delays import Delays
from sendcap.ledger.ledger import Ledger
from sendcap.ledger.series import CLOCKS, EVENTS, SUBSET, Clock, Event, Names, Selection, Series
from sendcap.ledger.sparse import Counts, Edges, SparseCounts, summed

__all__ = [
    "CLOCKS",
    "EVENTS",
    "SUBSET",
    "Clock",
    "Counts",
    "Delays",
    "Edges",
    "Event",
    "Ledger",
    "Names",
    "Selection",
    "Series",
    "SparseCounts",
    "summed",
]
