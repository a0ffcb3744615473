"""The state of a group of queues in which nothing has happened."""

from typing import Final

import numpy as np

from sendcap.model.kernel import busy, fields, happened, state
from sendcap.model.queue_rows import QueueRows
from sendcap.model.records import power_of_two
from sendcap.model.retry_numbers import retry_numbers
from sendcap.model.shared import Shared
from sendcap.model.turns import first_turns
from sendcap.scenario import FOLLOWED_S

FIRST_BLOCK: Final = 1 << 7
"""Draws of a stream at first."""
_LARGEST_BLOCK: Final = 1 << 15
_ALL_DRAWS: Final = 1 << 19
"""Draws that a group keeps, of all streams together."""
_ROWS: Final = 1 << 14
_NO_ROWS: Final = 4
_FIRST_ROOM: Final = 1 << 9
_LOOKS: Final = 16
"""In the shortest validity: how often messages are looked for that expire."""
_DAY_S: Final = 64.0
_DAYS: Final = 1 << 13


def first_group(
    shared: Shared,
    rows: QueueRows,
    batches: state.Batches,
    streams: int,
    counters: state.Counters,
) -> state.Group:
    """Return the state of a group of queues in which nothing has happened."""
    scenario = shared.scenario
    connections = rows.connections()
    disturbances, windows_s = rows.disturbances.numbers()
    counts = np.zeros(1, fields.COUNTS)
    counts["free_messages"] = _FIRST_ROOM
    counts["most_active"] = scenario.mta.active or 0
    counts["incoming_lane"] = fields.NONE
    players = len(rows.queues) + len(rows.shared.rows) + (scenario.mta.active is not None)
    ahead_s = min(map(scenario.honoured_validity, scenario.deliveries)) / _LOOKS
    block = power_of_two(max(FIRST_BLOCK, min(_LARGEST_BLOCK, _ALL_DRAWS // streams)))
    wanted = _wanted(shared)
    return state.Group(
        counts=counts,
        queues=rows.records(),
        lanes=rows.lanes.records(),
        lane_of=rows.lanes.lane_of(),
        rounds=np.array(rows.rounds, np.int32),
        turns=first_turns(players),
        connections=connections,
        messages=np.zeros(_FIRST_ROOM, fields.MESSAGE),
        free_messages=np.arange(_FIRST_ROOM, dtype=np.int32)[::-1].copy(),
        busy=_none_busy(shared, rows, len(connections)),
        backoff=_none_backing_off(),
        ends=state.Ends(
            at_s=np.full(_FIRST_ROOM, fields.NEVER),
            order=np.zeros(_FIRST_ROOM, np.int64),
            what=np.zeros(_FIRST_ROOM, np.int64),
            stamp=np.zeros(_FIRST_ROOM, np.int64),
            later_s=np.array([ahead_s, fields.NEVER, ahead_s]),
            numbers=np.zeros(4, np.int64),
        ),
        runs=state.Runs(
            runs=np.zeros(_FIRST_ROOM, fields.RUN),
            places=np.zeros(_FIRST_ROOM if shared.needs_places else 0, np.int32),
            people=np.zeros(_FIRST_ROOM if scenario.population else 0, np.int32),
            numbers=np.zeros(3, np.int64),
        ),
        limits=rows.limits.numbers(rows.limit_of),
        shared=rows.shared.numbers(),
        chance=rows.chance(streams, block),
        addresses=rows.addresses(),
        people=shared.people,
        waiting_for=np.array(rows.waiting_for or [0], np.int64),
        disturbances=disturbances,
        windows_s=windows_s,
        retry=retry_numbers(rows.retries),
        batches=batches,
        followed_until_s=np.array([each.at + FOLLOWED_S for each in scenario.deliveries]),
        counters=counters,
        wanted=wanted,
        out=_none_out(wanted),
    )


def _none_backing_off() -> state.Backoff:
    return state.Backoff(
        at_s=np.full(_FIRST_ROOM, fields.NEVER),
        order=np.zeros(_FIRST_ROOM, np.int64),
        message=np.zeros(_FIRST_ROOM, np.int32),
        first=np.full(_DAYS, fields.NONE, np.int32),
        day_s=np.array([_DAY_S]),
        numbers=np.array([0, 0, -1, 0]),
    )


def _wanted(shared: Shared) -> state.Records:
    """Return what is wanted of what happens, besides the counts."""
    feedback, monitor = shared.scenario.feedback, shared.monitor
    wanted = np.zeros(1, happened.WANTED)
    kept = feedback.rate is not None or shared.log is not None
    if kept or monitor is not None or shared.follows:
        wanted["reports"] = happened.ALL_REPORTS
    elif shared.scenario.population is not None:
        wanted["reports"] = happened.NEWS
    wanted["starts"] = monitor is not None
    wanted["known"] = feedback.rate is None
    wanted["polling_s"] = feedback.polling or 0.0
    return wanted


def _none_out(wanted: state.Records) -> state.Out:
    reports = _ROWS if wanted["reports"][0] else _NO_ROWS
    starts = _ROWS if wanted["starts"][0] else _NO_ROWS
    return state.Out(
        reports=np.zeros(reports, happened.REPORT),
        starts=np.zeros(starts, happened.START),
        connects=np.zeros(starts, happened.CONNECT_ROW),
    )


def _none_busy(shared: Shared, rows: QueueRows, connections: int) -> state.Busy:
    scenario = shared.scenario
    names = [shared.providers[row["provider"]] for row in rows.queues]
    mean_s = float(np.mean([scenario.providers[name].transaction_time.mean_s for name in names]))
    buckets = power_of_two(max(busy.WORD, busy.FINER * connections))
    return state.Busy(
        first=np.full(buckets, fields.NONE, np.int32),
        last=np.full(buckets, fields.NONE, np.int32),
        used=np.zeros(buckets // busy.WORD, np.uint64),
        times_s=np.array([busy.FINER * connections / max(mean_s, 1e-3), fields.NEVER]),
        numbers=np.array([0, fields.NONE, 0]),
    )
