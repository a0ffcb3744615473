"""Bad times of a provider: it cannot be reached, bounces more, or tolerates less."""

from __future__ import annotations

from typing import Any

import numpy as np

from sendcap.model.kernel.chance import succeeds
from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.fields import NO_REASON, NONE, TRANSIENT, UNREACHABLE
from sendcap.model.kernel.limits import charge_one, one_earliest_s
from sendcap.model.kernel.state import Chance, Floats, Limits, Records


@compiled
def disturbed(
    queue: Any,
    disturbances: Records,
    windows_s: Floats,
    chance: Chance,
    reason: int,
    now_s: float,
) -> int:
    """Note which disturbances there are now; return why they let an attempt bounce softly.

    Without one that does, it is the reason that the attempt has anyway. Of several the most
    probable bounce holds.
    """
    most, probability, unreachable = NONE, 0.0, False
    for number in range(queue.first_disturbance, queue.first_disturbance + queue.disturbances):
        each = disturbances[number]
        while each.at < each.count and windows_s[each.first + each.at, 1] <= now_s:
            each.at += 1
        each.active = each.at < each.count and windows_s[each.first + each.at, 0] <= now_s
        if each.active:
            unreachable = unreachable or each.unreachable != 0
            if each.transient != NONE and each.probability > probability:
                most, probability = each.transient, each.probability
    if most != NONE:
        reason = TRANSIENT if succeeds(chance.trials[most]) else NO_REASON
    return UNREACHABLE if unreachable else reason


@compiled
def given_up_s(
    queue: Any, disturbances: Records, windows_s: Floats, now_s: float, finish_s: float
) -> float:
    """Return when an attempt ends that starts now: where it meets an outage, when it is given up.

    If the outage is over by then, it goes on.
    """
    for number in range(queue.first_disturbance, queue.first_disturbance + queue.disturbances):
        each = disturbances[number]
        if each.fails_after_s == np.inf:
            continue
        while each.at < each.count and windows_s[each.first + each.at, 1] <= now_s:
            each.at += 1
        if each.at == each.count:
            continue
        until_s = windows_s[each.first + each.at, 1]
        met_s = max(windows_s[each.first + each.at, 0], now_s)
        if met_s == now_s or met_s < finish_s:
            given_up_s = met_s + each.fails_after_s
            return given_up_s if given_up_s < until_s else until_s + (finish_s - met_s)
    return finish_s


@compiled
def refusal(queue: Any, disturbances: Records, chance: Chance) -> int:
    """Return why the provider refuses an attempt by mistake, or `NO_REASON`."""
    reason = NO_REASON
    for number in range(queue.first_disturbance, queue.first_disturbance + queue.disturbances):
        each = disturbances[number]
        refuses = each.active and each.refusal != NO_REASON and reason == NO_REASON
        if refuses and succeeds(chance.trials[each.refused]):
            reason = each.refusal
    return reason


@compiled
def is_above_tolerance(queue: Any, disturbances: Records, limits: Limits, now_s: float) -> bool:
    """Return whether the provider lets an attempt through: by all that it tolerates now."""
    last = queue.first_disturbance + queue.disturbances
    if queue.tolerance != NONE and one_earliest_s(limits, queue.tolerance, now_s) > now_s:
        return True
    for number in range(queue.first_disturbance, last):
        each = disturbances[number]
        if (
            each.active
            and each.tolerance != NONE
            and one_earliest_s(limits, each.tolerance, now_s) > now_s
        ):
            return True
    if queue.tolerance != NONE:
        charge_one(limits, queue.tolerance, now_s, now_s)
    for number in range(queue.first_disturbance, last):
        each = disturbances[number]
        if each.active and each.tolerance != NONE:
            charge_one(limits, each.tolerance, now_s, now_s)
    return False
