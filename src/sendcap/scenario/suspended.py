"""The throughput of a queue that throttled answers suspend again and again, in closed form."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sendcap.scenario.hand_over import Limit
from sendcap.scenario.rates import Rate
from sendcap.scenario.suspend import Suspend


class Sending(NamedTuple):
    """How a queue sends: a rate, and the attempts after which it is slower."""

    per_s: float
    first: float = math.inf  # with the whole bursts of the queue's own rates
    again: float = math.inf  # with what a pause has granted anew


def sending_at_first(own: Sequence[Limit], pause_s: float) -> Sending:
    """Return how a queue sends after a pause: as its connections let it, until a burst is over."""
    per_s = min(limit.per_s for limit in own if limit.burst == 0.0)
    slower = [limit for limit in own if 0.0 < limit.per_s < per_s]

    def most(granted_s: float) -> float:
        return min(
            (
                min(limit.burst, limit.per_s * granted_s) / (1.0 - limit.per_s / per_s)
                for limit in slower
            ),
            default=math.inf,
        )

    return Sending(per_s, most(math.inf), most(pause_s))


def suspended(
    rule: Suspend, allowed: Limit, sending: Sending, answer_s: float, ips: int
) -> Iterable[Limit]:
    """Yield the throughput of a queue that is suspended again and again, if it is at all.

    Between suspensions the queue sends s attempts/s, more than the provider's t, and each is
    answered after a transaction time. In a cycle, the burst granted anew is used up; then throttled
    answers come, s − t per second, until there are enough for the rule, τ after the first answer.
    The attempts under way are answered within another transaction time, and the last throttled one
    of them restarts the suspension. Then the queue pauses, or sends at the rule's own rate r. A
    cycle lets through the burst, t per second while answers come and, in the pause, the lesser of
    r and t per second.

    The rule looks back for ``within``. Where that is longer than a cycle, throttled answers of
    earlier cycles still count: the next suspension takes only as many as have dropped out
    meanwhile, but at least one.

    This is a fluid's cycle with constant transaction times. Random ones spread the answers, and let
    a little more through. Where s − t per second never make ``after`` answers within ``within``,
    the queue is not suspended, nor where it is slower before there are enough.
    """
    sends_per_s = sending.per_s
    excess_per_s = sends_per_s - allowed.per_s
    if not excess_per_s * rule.within >= rule.after:
        return
    if rule.in_a_row and excess_per_s < rule.after * allowed.per_s:
        return
    meanwhile_per_s = 0.0
    if isinstance(rule.rate, Rate):
        meanwhile_per_s = min(rule.rate.per_s * ips, sends_per_s, allowed.per_s)
    refill = min(allowed.burst, (allowed.per_s - meanwhile_per_s) * rule.lasts)
    # In whole attempts: the first of the burst needs no time, nor does the last throttled one.
    more = max(refill - 1.0, 0.0) - 1.0
    pause_s = rule.lasts + 2.0 * answer_s
    # A cycle needs as many answers as drop out in it, except those under way at the end.
    per_cycle_s = rule.after / rule.within
    answers = per_cycle_s * (more / excess_per_s + pause_s)
    if answer_s > 0.0:
        answers -= excess_per_s * answer_s
    dropping_out = 1.0 - per_cycle_s / excess_per_s
    answers = answers / dropping_out if dropping_out > 0.0 else math.inf
    above = more + min(max(answers, 1.0), rule.after)
    sending_s = above / excess_per_s
    let_through = refill + allowed.per_s * (sending_s + answer_s) + meanwhile_per_s * rule.lasts
    per_s = let_through / (sending_s + pause_s)
    # Until the first suspension the whole burst and the tolerance's rate go through.
    first = allowed.burst + rule.after
    first_s = first / excess_per_s
    if first + allowed.per_s * first_s > sending.first:
        return
    if above + allowed.per_s * sending_s > sending.again:
        return
    burst = allowed.burst + (allowed.per_s - per_s) * (first_s + answer_s)
    yield Limit(per_s, burst)


def suspended_by_share(
    rule: Suspend, allowed: Limit, sends_per_s: float, ips: int
) -> Iterable[Limit]:
    """Yield the same for a rule by share, in a fluid's cycle.

    A suspension begins at the end of a period. When it is over, the queue sends s attempts/s until
    the end of a period finds enough of them throttled: first of what is left of one, then of whole
    ones. The burst granted anew and t per second are let through. With ``slow_to`` each period
    is slower than the one before, until few are throttled; the tolerance says how many that are.
    """
    share = rule.share or 0.0
    excess_per_s = sends_per_s - allowed.per_s
    too_few = rule.within * sends_per_s < rule.of or excess_per_s < share * sends_per_s
    if rule.slow_to is not None or too_few or excess_per_s <= 0.0:
        return
    meanwhile_per_s = 0.0
    if isinstance(rule.rate, Rate):
        meanwhile_per_s = min(rule.rate.per_s * ips, sends_per_s, allowed.per_s)
    left = refill = min(allowed.burst, (allowed.per_s - meanwhile_per_s) * rule.lasts)
    sending_s = 0.0
    period_s = math.ceil(rule.lasts / rule.within) * rule.within - rule.lasts
    while True:
        if period_s > 0.0:  # in no time nothing is sent, however fast
            attempts = sends_per_s * period_s
            throttled = max(excess_per_s * period_s - left, 0.0)
            left = max(left - excess_per_s * period_s, 0.0)
            sending_s += period_s
            if attempts >= rule.of and throttled >= share * attempts:
                break
        period_s = rule.within * max(left // (excess_per_s * rule.within), 1.0)
    let_through = refill - left + allowed.per_s * sending_s + meanwhile_per_s * rule.lasts
    per_s = let_through / (sending_s + rule.lasts)
    burst = allowed.burst + (allowed.per_s - per_s) * rule.within
    yield Limit(per_s, burst)
