"""The textbook model: the same system as plain SimPy, one process per message.

Read it to learn what sendcap simulates: `sendcap.textbook.model`, from `Textbook.message` on, the
life of one message. The engine in `sendcap.model` does the same on arrays, far faster.

The two draw their random numbers in different orders, so they agree in distribution, not number
by number. The tests hold them against each other.
"""

from sendcap.ledger import Ledger
from sendcap.scenario import Scenario
from sendcap.textbook.model import Textbook

__all__ = ["Textbook", "simulate_ledger"]


def simulate_ledger(scenario: Scenario) -> Ledger:
    """Simulate a scenario one message at a time and return its ledger.

    About 1 kB of memory per message; meant for up to some hundred thousand messages.
    """
    return Textbook(scenario).run()
