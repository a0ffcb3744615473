"""The history of one person of a population; who it is nobody knows, only the number."""

import os
from typing import NamedTuple

import pandas as pd

from sendcap.errors import SendcapError
from sendcap.model.addresses import kinds_of, reasons_of
from sendcap.model.engine import simulate_ledger, used_providers
from sendcap.model.kernel.fields import NONE
from sendcap.model.people.followed import Followed
from sendcap.model.people.sendings import sendings
from sendcap.scenario import Scenario
from sendcap.scenario.files import scenario_of
from sendcap.text.quoting import shown


class Profile(NamedTuple):
    """One person of a population.

    Attributes
    ----------
    number
        The number on the list, from 0.
    provider
        The mailbox provider.
    wrong
        What has been wrong with the address from the start, "" if nothing.
    joined_s, dies_s
        When the address joins the list, and when it dies; infinite if it does not.
    history
        What happened: columns known_s (when Campaign knew), happened_s, delivery, event
        (``"to deliver"``, ``"excluded"``, an event of the ledger, or ``"complained"``), reason,
        state (afterwards: good, quarantined or denylisted), errors (significant soft bounces).
    """

    number: int
    provider: str
    wrong: str
    joined_s: float
    dies_s: float
    history: pd.DataFrame


def profile(scenario: Scenario | str | os.PathLike[str], number: int) -> Profile:
    """Return the history of one person, by number; the scenario is simulated for it.

    Parameters
    ----------
    scenario
        A scenario with a population, the path of a scenario file or the name of a preset.
    number
        The person: from 0, those who join later after those who are on the list at t = 0.

    Raises
    ------
    SendcapError
        If the scenario has no population, or nobody of this number.
    """
    scenario = scenario_of(scenario)
    population = scenario.population
    if population is None:
        raise SendcapError("the scenario has no [population]; give it one to follow a person")
    people = population.people_at(sendings(scenario)[-1].prepared_s)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < people:
        raise SendcapError(
            f"profile: {shown(number)} is nobody; give a whole number from 0 to {people - 1}"
        )
    followed = Followed(number)
    simulate_ledger(scenario, followed=followed)
    providers = used_providers(scenario)
    reasons = reasons_of(scenario, providers)
    provider = providers[followed.provider]
    kinds = kinds_of(scenario.providers[provider], can_die=True)
    rows = [
        {
            "known_s": each.known_s,
            "happened_s": each.happened_s,
            "delivery": (
                each.sending if each.delivery == NONE else scenario.deliveries[each.delivery].name
            ),
            "event": each.event,
            "reason": each.reason if isinstance(each.reason, str) else reasons[each.reason],
            "state": each.state,
            "errors": each.errors,
        }
        for each in followed.moments
    ]
    columns = ["known_s", "happened_s", "delivery", "event", "reason", "state", "errors"]
    return Profile(
        number,
        provider,
        kinds[followed.kind - 1].reason if followed.kind else "",
        followed.joined_s,
        followed.dies_s,
        pd.DataFrame(rows, columns=columns),
    )
