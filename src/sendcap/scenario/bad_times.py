"""The bad times of a provider as limits of its queues: outages and disturbances."""

import math

from sendcap.scenario.constraints import Constraint, Pace, queue_constraints
from sendcap.scenario.pools import Queue
from sendcap.scenario.scenario import Scenario


def disturbance_constraints(scenario: Scenario, path: Queue) -> tuple[Constraint, ...]:
    """Return what a provider's disturbances leave in the long run.

    Disturbed times and others alternate, so that the share of disturbed time is that of the mean
    lengths (renewal-reward theorem). The queue lets its ceiling through, or meanwhile what is
    tolerated. Of several disturbances the worst one counts.
    """
    provider = scenario.providers[path.provider]
    usual_per_s = min(limit.per_s for limit in queue_constraints(scenario, path))
    worst_per_s = usual_per_s
    for disturbance in provider.disturbances:
        meanwhile_per_s = 0.0 if disturbance.unreachable else math.inf
        if disturbance.tolerance is not None:
            meanwhile_per_s = disturbance.tolerance.per_s * path.ips
        lost_per_s = usual_per_s - min(meanwhile_per_s, usual_per_s)
        if lost_per_s > 0.0:
            worst_per_s = min(worst_per_s, usual_per_s - disturbance.share * lost_per_s)
    if worst_per_s == usual_per_s:
        return ()
    return (Constraint.constant("disturbances", worst_per_s),)


def outage_constraints(scenario: Scenario, name: str) -> tuple[Constraint, ...]:
    """Return the outages of a provider as a limit of 0 while they last."""
    paces = [Pace(0.0, math.inf)]
    for outage in scenario.providers[name].outages:
        if outage.at == paces[-1].from_s:  # at the start, or right after another
            paces.pop()
        paces += [Pace(outage.at, 0.0), Pace(outage.at + outage.lasts, math.inf)]
    return (Constraint("outage", tuple(paces)),) if len(paces) > 1 else ()
