"""The people of a run: whom deliveries went to, the state of the list, messages for each person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import pandas as pd

from sendcap.errors import SendcapError
from sendcap.ledger import Ledger
from sendcap.ledger.people import EXCLUSIONS, WEEK_S, Health, People, Preparation
from sendcap.scenario import Scenario
from sendcap.text.clock import moment_text
from sendcap.text.quantities import counted, listed
from sendcap.text.quoting import shown
from sendcap.text.shares import rounded_share

if TYPE_CHECKING:
    from sendcap.run import Run

_AFTER_IMPORT: Final = 3
"""Sendings after an import that a sentence tells of."""


def people_of(ledger: Ledger) -> People:
    """Return what has become of the population."""
    if ledger.people is None:
        raise SendcapError("the scenario has no [population]; give it one to follow its people")
    return ledger.people


def require_messages(ledger: Ledger, where: str) -> None:
    """Refuse a run in which every preparation has excluded everybody: it has no Delivered %."""
    if not ledger.messages():
        raise SendcapError(
            f"{where}: nobody is left to deliver to; sendcap run says why people are excluded"
        )


def preparations_table(ledger: Ledger) -> pd.DataFrame:
    """Return the preparations; see `sendcap.Run.preparations`."""
    reasons = (name.replace(" ", "_") for name in EXCLUSIONS)
    columns = [
        *("sending", "time_s", "targeted"),
        *reasons,
        *("quarantined_by_mistake", "to_deliver"),
    ]
    rows = [
        (
            *(each.sending, each.at_s, each.targeted),
            *(each.excluded[name] for name in EXCLUSIONS),
            *(each.mistaken, each.to_deliver),
        )
        for each in people_of(ledger).preparations
    ]
    # A horizon may cut all of them off.
    return pd.DataFrame(rows, columns=columns)


def health_table(ledger: Ledger) -> pd.DataFrame:
    """Return the state of the list over time; see `sendcap.Run.list_health`."""
    table = pd.DataFrame(people_of(ledger).health, columns=list(Health._fields))
    names = {"at_s": "time_s", "mistaken": "quarantined_by_mistake"}
    return table.rename(columns=names)


def weeks_table(ledger: Ledger) -> pd.DataFrame:
    """Return how many messages people got in each week; see `sendcap.Run.messages_per_week`."""
    people = people_of(ledger)
    # The last state is that of the end of the run, which is seldom that of a week.
    on_list = {each.at_s: each.people for each in people.health}
    last = people.health[-1].people
    rows = []
    for week, counts in sorted(people.accepted.items()):
        nothing = on_list.get((week + 1) * WEEK_S, last) - sum(counts.values())
        rows += [
            {"week_s": week * WEEK_S, "messages": number, "people": count}
            for number, count in ((0, nothing), *sorted(counts.items()))
        ]
    return pd.DataFrame(rows, columns=["week_s", "messages", "people"])


class Losses:
    """Messages of one sending, and what became of them, as shares of those handed over.

    What is stopped or never confirmed is not handed over, and says nothing of the people.
    """

    def __init__(self, run: Run, preparation: Preparation) -> None:
        ledger, self.preparation = run.ledger, preparation
        names = [
            each.name for each in run.scenario.deliveries if each.sending[0] == preparation.sending
        ]
        self.accepted, self.hard, relayed, failed = (
            sum(round(ledger.total(event, clock="happened", delivery=name)) for name in names)
            for event in ("accepted", "hard", "relayed", "relay_failed")
        )
        self.messages = relayed + failed

    @property
    def accepted_share(self) -> float:
        """Share of the messages that were accepted."""
        return self.accepted / self.messages

    @property
    def hard_share(self) -> float:
        """Share of the messages that bounced hard."""
        return self.hard / self.messages

    @property
    def share_without_quarantine(self) -> float:
        """Share that would have been accepted, had those in quarantine been written to, too.

        Of them only the addresses accept that are there by mistake.
        """
        quarantined = self.preparation.excluded["quarantined"]
        accepted = self.accepted + self.preparation.mistaken * self.accepted_share
        return accepted / (self.messages + quarantined)


def people_sentences(run: Run) -> Iterator[str]:
    """Yield what became of the people, in sentences."""
    people = people_of(run.ledger)
    yield _excluded(people)
    losses = (Losses(run, each) for each in people.preparations)
    sent = [each for each in losses if each.messages]
    if sent:
        yield _lost(sent, run.scenario)
    if sent and sent[-1].preparation.excluded["quarantined"]:
        yield _saved(sent[-1])
    yield from _imports(run, sent)
    yield _state(people.health[-1])
    for each in people.preparations:
        if not each.to_deliver:
            yield _nobody(each)


_PHRASES: Final = {
    "denylisted": "on the denylist",
    "quarantined": "in quarantine",
    "control group": "in the control group",
    "fatigue": "over the limit of fatigue",
}


def _nobody(preparation: Preparation) -> str:
    text = f"{shown(preparation.sending)} went to nobody: "
    if not preparation.targeted:
        return f"{text}it targeted nobody."
    return f"{text}of {_people(preparation.targeted)} targeted, {_why(preparation.excluded)}."


def _why(excluded: Mapping[str, int]) -> str:
    """Return how many were excluded for each reason."""
    return listed([f"{count:,} {_PHRASES[name]}" for name, count in excluded.items() if count])


def _are(count: int) -> str:
    """Return how many of those named before are something."""
    return "1 of them is" if count == 1 else f"{count:,} of them are"


def _people(count: int) -> str:
    return counted(count, "person", "people")


def _excluded(people: People) -> str:
    targeted = sum(each.targeted for each in people.preparations)
    to_deliver = sum(each.to_deliver for each in people.preparations)
    excluded = {
        name: sum(each.excluded[name] for each in people.preparations) for name in EXCLUSIONS
    }
    if not people.preparations:
        return "Nothing was prepared before the horizon."
    sendings = counted(len(people.preparations), "sending")
    messages = f"{counted(to_deliver, 'message')} to deliver"
    if targeted == to_deliver:
        return f"In {sendings} nobody was excluded: {messages}."
    return (
        f"In {sendings} people were targeted {targeted:,} times and excluded "
        f"{targeted - to_deliver:,} times ({_why(excluded)}): {messages}."
    )


def _lost(sent: list[Losses], scenario: Scenario) -> str:
    messages = sum(each.messages for each in sent)
    accepted, hard = sum(each.accepted for each in sent), sum(each.hard for each in sent)
    lost = messages - accepted
    if not lost:
        return "All messages sent were accepted."
    refuses = any(provider.refusals for provider in scenario.providers.values())
    others = ", or of good ones that a provider refused by mistake" if refuses else ""
    return (
        f"{rounded_share(lost / messages, 2)} of the messages sent were not accepted; "
        f"{100.0 * hard / messages:.2f} points of that are hard bounces, of dead addresses that "
        f"Campaign did not know of{others}."
    )


def _saved(last: Losses) -> str:
    quarantined = last.preparation.excluded["quarantined"]
    text = (
        f"In {shown(last.preparation.sending)}, {rounded_share(last.accepted_share, 2)} were "
        f"accepted; had the {_people(quarantined)} in quarantine been written to, it would be "
        f"{rounded_share(last.share_without_quarantine, 2)}."
    )
    if last.preparation.mistaken:
        text += f" {_are(last.preparation.mistaken)} there by mistake: the address is good."
    return text


def _imports(run: Run, sent: list[Losses]) -> Iterator[str]:
    population = run.scenario.population
    for each in population.imports if population else ():
        before = [one for one in sent if one.preparation.at_s < each.at]
        after = [one for one in sent if one.preparation.at_s >= each.at][:_AFTER_IMPORT]
        if not after:
            continue
        shares = listed([rounded_share(one.hard_share, 2) for one in after])
        following = "sending" if len(after) == 1 else f"{len(after)} sendings"
        text = (
            f"After the import of {counted(each.size, 'address', 'addresses')} at "
            f"{moment_text(each.at, run.scenario.start)}, {shares} of the messages bounced hard "
            f"in the next {following}"
        )
        if before:
            text += f", {rounded_share(before[-1].hard_share, 2)} in the one before"
        yield f"{text}."


def _state(health: Health) -> str:
    states = {
        "good": health.good,
        "with errors": health.erroneous,
        "in quarantine": health.quarantined,
        "on the denylist": health.denylisted,
    }
    some = {name: count for name, count in states.items() if count}
    if not some:
        return "At the end of the run the list is empty."
    told = listed([f"{count:,} {name}" for name, count in some.items()])
    if list(some) == ["good"]:
        told = "all are good"
    dead = _are(health.dead_unknown) if health.dead_unknown else "None of them is"
    return (
        f"At the end of the run the list has {_people(health.people)}: {told}. {dead} dead without "
        "Campaign knowing."
    )
