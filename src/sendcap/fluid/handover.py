"""From Campaign to the MTA: cohorts of messages, when they are relayed and leave the ingress."""

import math
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sendcap.fluid.limits import Fifo, Stepwise, steady
from sendcap.fluid.spans import AN_INSTANT_S, Floats, Spans, chance
from sendcap.fluid.variation import AS_EXPECTED, Variation
from sendcap.model.batches import batch_rows
from sendcap.scenario import Delivery, Rate, Relay, Scenario
from sendcap.scenario.hand_over import starts
from sendcap.scenario.pattern import ready_s as ready_s_of
from sendcap.scenario.shared_constraints import WORKERS_AND_RATE, relay_constraints

_MOST_COHORTS: Final = 1024
_LEAST_COHORTS: Final = 32
_EACH_COHORTS: Final = 512
"""A delivery has at most 512 cohorts; many deliveries have at most about 1024 together."""
_FEW_BATCHES: Final = 1024
"""So many are followed one by one; more of them are a fluid."""


class Cohorts(NamedTuple):
    """Messages that are relayed together, those of all providers."""

    delivery: npt.NDArray[np.int64]  # number of the delivery
    share: Floats  # of the delivery's messages
    relayed: Spans
    ready: Spans  # when they leave the ingress
    expiry: Spans
    flow: bool  # of many batches, which are not told apart


class _Pieces(NamedTuple):
    """Cohorts before they are handed over: consecutive messages of one delivery.

    Arrays of shape (2, cohorts) are about the batches with the first and with the last message of
    a cohort. Positions count from the cohort's beginning, in the first row, and from the end.
    """

    delivery: npt.NDArray[np.int64]
    batch: npt.NDArray[np.int64]  # number in the delivery
    share: Floats
    messages: Floats
    batches: Floats
    ready_s: Floats
    middle: Floats  # position of the middle of the batch, in batches
    begin: Floats  # messages before the batch
    end: Floats  # messages up to which the rate must have come: a batch goes at once


def handed_over(scenario: Scenario, variation: Variation = AS_EXPECTED) -> Cohorts:
    """Return the cohorts of all deliveries, as they are relayed and taken in by the MTA."""
    pieces = _cut(scenario, variation.coarser)
    relayed = _relayed(scenario, pieces, variation)
    ready = relayed
    rate = scenario.mta.ingress_rate
    if rate is not None:
        # A message leaves at the end of its service.
        arriving = pieces.messages * (1.0 - scenario.relay.error_rate)
        ready = Fifo([steady(rate.per_s, -0.5)], relayed, arriving).through(relayed)
        ready = ready.not_before(relayed.later(1.0 / rate.per_s))
    validity_s = np.array(list(map(scenario.honoured_validity, scenario.deliveries)))
    validity_s = validity_s[pieces.delivery]
    if scenario.mta.clock_origin == "relayed":
        expiry = relayed.later(validity_s)
    else:
        at_s = np.array([delivery.at for delivery in scenario.deliveries])[pieces.delivery]
        expiry = Spans(at_s + validity_s, at_s + validity_s, np.zeros(len(at_s)))
    return Cohorts(pieces.delivery, pieces.share, relayed, ready, expiry, not few_batches(scenario))


def few_batches(scenario: Scenario) -> bool:
    """Tell whether there are so few batches that each of them is followed."""
    return sum(map(scenario.batches_of, scenario.deliveries)) <= _FEW_BATCHES


def _cut(scenario: Scenario, coarser: int) -> _Pieces:
    """Cut deliveries into cohorts, in the order in which the relay takes them."""
    most = max(min(_EACH_COHORTS, _MOST_COHORTS // len(scenario.deliveries)), _LEAST_COHORTS)
    most = max(most // coarser, _LEAST_COHORTS)
    rate = scenario.relay.rate
    burst = rate.burst_or_limit if isinstance(rate, Rate) else math.inf
    parts = [
        _cut_one(number, delivery, scenario, burst, most)
        for number, delivery in enumerate(scenario.deliveries)
    ]
    pieces = [np.concatenate(columns, axis=-1) for columns in zip(*parts, strict=True)]
    order = np.argsort(_Pieces(*pieces).ready_s[0], kind="stable")
    return _Pieces(*(column[..., order] for column in pieces))


def _cut_one(
    number: int, delivery: Delivery, scenario: Scenario, burst: float, most: int
) -> _Pieces:
    size, batches = scenario.batch_of(delivery), scenario.batches_of(delivery)
    if batches >= most:
        # Whole batches, so that a cohort's messages go together.
        edges = np.unique(np.rint(np.linspace(0.0, batches, most + 1))) * size
    else:
        edges = np.linspace(0.0, batches, batches * math.ceil(most / batches) + 1) * size
        edges = edges[: np.searchsorted(edges, delivery.messages * (1.0 - 1e-12)) + 1]
    edges[-1] = delivery.messages
    messages = np.diff(edges)
    ends = np.stack((edges[:-1], edges[1:]))
    batch = np.stack((np.floor(ends[0] / size), np.ceil(ends[1] / size) - 1.0))
    batch_size = np.minimum((batch + 1.0) * size, delivery.messages) - batch * size
    at_batch = batch + (ends - batch * size) / batch_size
    # What is ready at once has an order.
    instant_s = AN_INSTANT_S * (number + ends / delivery.messages)
    return _Pieces(
        delivery=np.full(len(messages), number),
        batch=batch.astype(np.int64),
        share=messages / delivery.messages,
        messages=messages,
        batches=at_batch[1] - at_batch[0],
        ready_s=ready_s_of(delivery, scenario.start, batch, batches) + instant_s,
        middle=batch + 0.5 - at_batch,
        begin=batch * size - ends,
        end=batch * size + np.minimum(batch_size, burst) - ends,
    )


def _relayed(scenario: Scenario, pieces: _Pieces, variation: Variation) -> Spans:
    """Hand the cohorts over, in order: workers that are all free at first, and a rate.

    A number of relays side by side tells when batches start and end, if there are not too many.
    The workers' batches are renewal processes: the b-th of them all is expected to start when
    b / workers times the mean batch time has passed, less what the processes are ahead of their
    rate. The rate lets a batch start when what it has granted comes to the batch's end. Where both
    nearly match, they are slower together than either.
    """
    if few_batches(scenario):
        return _side_by_side(scenario, pieces, variation.number)
    relay = scenario.relay
    mean_s, variance_s2 = chance(relay.batch_time)
    starts_s = pieces.ready_s
    if mean_s > 0.0:
        ahead = 0.5 * relay.workers * relay.batch_time.second_moment_s2 / mean_s**2
        workers = steady(relay.workers / mean_s, ahead)
        earliest_s = _earliest_s(workers, pieces, pieces.batches, pieces.middle)
        starts_s = np.maximum(starts_s, earliest_s)
    if isinstance(relay.rate, Rate):
        rate = steady(relay.rate.per_s, relay.rate.burst_or_limit)
        earliest_s = _earliest_s(rate, pieces, pieces.messages, pieces.end)
        starts_s = np.maximum(starts_s, earliest_s)
    for limit in relay_constraints(scenario):
        if limit.name == WORKERS_AND_RATE:
            both = steady(limit.per_s, limit.paces[0].burst)
            earliest_s = _earliest_s(both, pieces, pieces.messages, pieces.begin)
            starts_s = np.maximum(starts_s, earliest_s)
    first_s, last_s = starts_s
    relayed = Spans(first_s, np.maximum(last_s, first_s), np.zeros(len(first_s)))
    relayed = relayed.later(mean_s, variance_s2)
    if variation.relay == 0.0:
        return relayed
    # Where batches wait, each of the workers has handed its part of them over.
    waits = starts_s[0] > pieces.ready_s[0] + AN_INSTANT_S
    number = np.where(waits, np.cumsum(pieces.batches), 1.0)
    return _late(relayed, pieces, variation.relay * np.sqrt(number * variance_s2) / relay.workers)


def _late(relayed: Spans, pieces: _Pieces, late_s: Floats) -> Spans:
    """Return cohorts that are late, or early, but not before they are ready."""
    first_s, last_s = (
        np.maximum(time_s + late_s, ready_s)
        for time_s, ready_s in zip(relayed[:2], pieces.ready_s, strict=True)
    )
    return Spans(first_s, np.maximum(first_s, last_s), relayed.variance_s2)


def _side_by_side(scenario: Scenario, pieces: _Pieces, number: int | None) -> Spans:
    """Hand few batches over, with mean and variance of when each of them ends.

    Or as the relay with a number hands them over.
    """
    relay, rows = scenario.relay, batch_rows(scenario)
    starts_s, ends_s = _batches_of(relay, tuple(rows.size.tolist()), tuple(rows.ready_s.tolist()))
    if number is None:
        mean_s, variance_s2 = chance(relay.batch_time)
        after_s = starts_s.mean(axis=1) - rows.ready_s + mean_s
        variances_s2 = starts_s.var(axis=1) + variance_s2
    else:
        after_s, variances_s2 = ends_s[:, number] - rows.ready_s, np.zeros(len(ends_s))
    later_s, spread_s2 = np.empty(pieces.batch.shape), np.empty(pieces.batch.shape)
    for delivery in range(len(scenario.deliveries)):
        own = pieces.delivery == delivery
        of_batch = np.flatnonzero(rows.delivery == delivery)[pieces.batch[:, own]]
        later_s[:, own], spread_s2[:, own] = after_s[of_batch], variances_s2[of_batch]
    # What is ready at once has an order, and an even stretch begins no earlier.
    first_s, last_s = pieces.ready_s + later_s
    most_s2 = later_s.mean(axis=0) ** 2 / 3.0
    last_s = np.maximum(first_s, last_s)
    return Spans(first_s, last_s, np.minimum(spread_s2.mean(axis=0), most_s2))


@lru_cache(maxsize=2)
def _batches_of(relay: Relay, sizes: tuple[int, ...], ready_s: tuple[float, ...]) -> Floats:
    """Return when the batches start and end, of shape (2, batches, relays).

    Worked out once for the ten courses of a scenario, which all look at the same relays.
    """
    limits = {}
    if isinstance(relay.rate, Rate):
        limits = {"per_s": relay.rate.per_s, "burst": relay.rate.burst_or_limit}
    rows = np.array(sizes, np.float64)[:, None]
    starting = starts(relay.workers, relay.batch_time, rows, np.array(ready_s), **limits)
    return np.moveaxis(np.array(list(starting)), 1, 0)


def _earliest_s(limit: Stepwise, pieces: _Pieces, amount: Floats, position: Floats) -> Floats:
    """Return when a limit lets the cohorts' first and last batches start.

    Each cohort takes an amount of the limit, and a batch of it up to a position.
    """
    taken = np.concatenate(([0.0], np.cumsum(amount)))
    granted = np.maximum.accumulate(limit.granted(pieces.ready_s[0]) - taken[:-1])
    return limit.when(granted + np.stack((taken[:-1], taken[1:])) + position - limit.sizes)
