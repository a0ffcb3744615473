"""Reporting modes: how Campaign turns what it knows into *Sent*, *Failed* and *Pending*.

A mode is arithmetic on the ledger's ``known`` clock, so one simulation gives every mode. The
letters in the docstrings are those of the model page: R relayed, F relay failed, A accepted,
V recovered, H hard, D hard after soft, S first soft, X expired, U expired untried,
B asynchronously bounced; each is a count up to a moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeVar, cast, get_args

from sendcap.errors import SendcapError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sendcap.ledger import Clock, Counts, Edges, Event, Ledger, Names
    from sendcap.scenario import Scenario

Mode = Literal["without-efs", "efs", "efs-v8", "legacy"]
MODES: tuple[Mode, ...] = get_args(Mode)
MODE_LABELS: Final[dict[Mode, str]] = {
    "without-efs": "without EFS",
    "efs": "with EFS",
    "efs-v8": "EFS v8",
    "legacy": "legacy MTA",
}
"""The modes in sentences and legends."""

Denominator = Literal["default", "to-deliver", "relayed", "processed"]
DENOMINATORS: tuple[Denominator, ...] = get_args(Denominator)

ALL_DELIVERIES = "*"
"""Stands for all deliveries together wherever a delivery is named."""

ALL_PROVIDERS = "*"
"""The same for providers."""

_Name = TypeVar("_Name", bound=str)


class Known(NamedTuple):
    """Counts of some messages as Campaign knew them, up to each edge of the ledger.

    ``to_deliver`` is one number; the rest are arrays of shape (bins + 1,), named as the ledger's
    events are.
    """

    to_deliver: int
    relayed: Counts
    relay_failed: Counts
    accepted: Counts
    recovered: Counts
    hard: Counts
    hard_after_soft: Counts
    soft_first: Counts
    expired: Counts
    expired_untried: Counts
    async_bounced: Counts
    opened: Counts
    clicked: Counts


KNOWN_EVENTS: Final = cast("tuple[Event, ...]", Known._fields[1:])


class Statuses(NamedTuple):
    """Messages with each status in Campaign's log, at each edge of the ledger."""

    sent: Counts
    failed: Counts
    pending: Counts


def modes_of(scenario: Scenario, modes: Sequence[Mode] | None) -> tuple[Mode, ...]:
    """Return the requested reporting modes, the scenario's by default."""
    requested = scenario.reporting.modes if modes is None else modes
    if not requested:
        raise SendcapError(f"mode: give one at least, of {', '.join(MODES)}")
    return tuple(one_of("mode", mode, MODES) for mode in dict.fromkeys(requested))


def one_of(kind: str, name: Any, names: tuple[_Name, ...]) -> _Name:
    """Return a name, or raise an error with the names to choose from."""
    if name not in names:
        raise SendcapError(f"unknown {kind} {name!r}: choose from {', '.join(names)}")
    return cast("_Name", name)


def known(
    ledger: Ledger,
    delivery: str = ALL_DELIVERIES,
    provider: str = ALL_PROVIDERS,
    clock: Clock = "known",
    edges: Edges | None = None,
) -> Known:
    """Return the counts that Campaign knew of a delivery and provider, ``"*"`` being all of them.

    The clock ``"happened"`` gives the counts as if every report arrived at once. ``edges`` are
    the numbers of the edges to count up to, by default all of the ledger.
    """
    require_delivery(ledger, delivery)
    one_of("provider", provider, (*ledger.providers, ALL_PROVIDERS))
    of = names_of(delivery, provider)
    counts = (ledger.cumulative(event, clock=clock, edges=edges, **of) for event in KNOWN_EVENTS)
    return Known(ledger.messages(**of), *counts)


def require_delivery(ledger: Ledger, delivery: str) -> None:
    """Refuse a name that no delivery has."""
    one_of("delivery", delivery, (*ledger.names, ALL_DELIVERIES))


def names_of(delivery: str = ALL_DELIVERIES, provider: str = ALL_PROVIDERS) -> Names:
    """Return the names by which a ledger selects a delivery and provider."""
    return {
        "delivery": None if delivery == ALL_DELIVERIES else delivery,
        "provider": None if provider == ALL_PROVIDERS else provider,
    }


def statuses(known: Known, mode: Mode) -> Statuses:
    """Return the log's statuses as a mode counts them.

    - ``without-efs``: a message is Sent once it is relayed, until a failure is reported: Sent is
      R − H − X − B and Failed F + H + X + B. Nothing is ever Pending: the formula for pending,
      R − Sent − (Failed − F), is 0 whatever the counts.
    - ``efs``: a message is Sent when the recipient's server has accepted it: Sent is A − B. A
      soft bounce makes it Failed until a retry succeeds: Failed is
      F + H + (S − V − D) + U + B, in which S − V − D are the messages whose last word so far
      is a soft bounce (expired ones stay among them). Pending is R − Sent − (Failed − F).
    - ``efs-v8``: as ``efs``, but a soft bounce leaves the message Pending ("taken into account
      by the service provider") until it expires: Failed is F + H + X + B.
    - ``legacy``, Campaign's own MTA: Sent and Failed as in ``efs``. There is no hand-over to
      another MTA, so every message that is neither is Pending: to deliver − Sent − Failed.
    """
    one_of("mode", mode, MODES)
    final_failures = known.hard + known.expired + known.async_bounced
    if mode == "without-efs":
        sent = known.relayed - final_failures
        failed = known.relay_failed + final_failures
    else:
        sent = known.accepted - known.async_bounced
        if mode == "efs-v8":
            failed = known.relay_failed + final_failures
        else:
            soft, hard = failure_types(known, mode)
            failed = known.relay_failed + hard + soft + known.expired_untried + known.async_bounced
    if mode == "legacy":
        pending = known.to_deliver - sent - failed
    else:
        pending = known.relayed - sent - (failed - known.relay_failed)
    return Statuses(sent, failed, pending)


class FailureTypes(NamedTuple):
    """Failed messages by type. The rest of them has none that the ledger knows.

    These are the messages that failed at the relay, those that expired untried, and asynchronous
    bounces.
    """

    soft: Counts
    hard: Counts


def failure_types(known: Known, mode: Mode) -> FailureTypes:
    """Return how many of the messages that `statuses` counts as Failed have which type.

    A soft one has a soft bounce as its last word, and in ``without-efs`` and ``efs-v8`` has
    expired with it.
    """
    one_of("mode", mode, MODES)
    if mode in ("without-efs", "efs-v8"):
        return FailureTypes(known.expired - known.expired_untried, known.hard)
    return FailureTypes(known.soft_first - known.recovered - known.hard_after_soft, known.hard)


def denominator_of(mode: Mode, denominator: Denominator = "default") -> Denominator:
    """Return a denominator by name, the mode's own for the default."""
    one_of("denominator", denominator, DENOMINATORS)
    if denominator != "default":
        return denominator
    return "processed" if mode == "without-efs" else "to-deliver"


def denominator_counts(
    known: Known, statuses: Statuses, mode: Mode, denominator: Denominator = "default"
) -> Counts:
    """Return the denominator of Delivered % and Bounces + errors %, at each edge.

    Adobe does not state the Deployment block's denominator, so it is a parameter.
    ``to-deliver`` is the delivery's size, ``relayed`` is R (messages that failed before the
    hand-over are not in it, although they are in Failed) and ``processed`` is Sent + Failed.
    The default is ``processed`` for ``without-efs``, so that Delivered % starts at 100, and
    ``to-deliver`` for the others, so that it starts at 0.
    """
    denominator = denominator_of(mode, denominator)
    if denominator == "relayed":
        return known.relayed
    if denominator == "processed":
        return statuses.sent + statuses.failed
    return 0 * known.relayed + known.to_deliver
