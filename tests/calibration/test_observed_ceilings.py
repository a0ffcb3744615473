from __future__ import annotations

import numpy as np
import pytest

from sendcap.calibration.arrivals import Stretch, deliveries, stretches
from sendcap.calibration.attempts import Bins, rows
from sendcap.calibration.ceilings import ceiling, tolerated
from sendcap.calibration.connections import Sessions, per_connection
from sendcap.calibration.evidence import ProviderEvidence


def busy_provider(
    in_bin: np.ndarray, busy: np.ndarray, *, waited_s: float = 60.0, takes_s: float = 0.3
) -> ProviderEvidence:
    each = ProviderEvidence(len(in_bin))
    each.attempts = int(in_bin.sum())
    each.in_bin, each.busy_s = in_bin.astype(np.int64), busy.astype(np.float64)
    each.delay_s.add(np.full(100, waited_s))
    each.transaction_s.add(np.full(100, takes_s))
    return each


def quiet(values: np.ndarray) -> np.ndarray:
    """Put nothing before and after, for the beginning and the end of a log."""
    return np.concatenate((np.zeros(5), values, np.zeros(200)))


def test_connections_that_are_all_in_use_are_the_limit() -> None:
    rng = np.random.default_rng(1)
    each = busy_provider(quiet(rng.poisson(40, 900)), quiet(rng.normal(12, 0.02, 900)))
    found = ceiling(each, 1.0, None)
    assert found.limited_by == "connections"
    assert found.level.low < 12 < found.level.high + 0.05
    assert found.fastest["second"] >= 50
    assert found.fastest["minute"] == pytest.approx(40, rel=0.05)


def test_of_a_log_of_99_seconds_no_fastest_hour_is_told_and_of_what_connections_are() -> None:
    found = ceiling(busy_provider(np.full(99, 15.0), np.full(99, 1.2)), 1.0, None)
    assert list(found.fastest) == ["second", "minute"]
    assert found.in_use == "1.2 in use at most, on average over a second"


def test_a_pace_that_is_kept_is_the_limit() -> None:
    rng = np.random.default_rng(2)
    each = busy_provider(quiet(np.full(900, 15)), quiet(rng.normal(6, 1.5, 900)))
    found = ceiling(each, 1.0, None)
    assert found.limited_by == "rate"
    assert found.level.value == pytest.approx(15.0)
    assert found.pause_s is None


def test_the_interval_of_a_pace_is_one_of_90_percent() -> None:
    rng = np.random.default_rng(6)
    held, repetitions = 0, 300
    for _ in range(repetitions):
        # Attempts begin evenly and take a while.
        ends_s = np.arange(4800) / 14.97 + rng.uniform(0.0, 0.1) + rng.gamma(4.0, 0.1, 4800)
        counts = np.bincount(ends_s.astype(np.int64))
        each = busy_provider(counts, rng.normal(6.0, 1.5, len(counts)))
        level = ceiling(each, 1.0, None).level
        held += level.low <= 14.97 <= level.high
    assert 0.85 <= held / repetitions <= 0.95


def test_where_nothing_waited_the_pace_is_that_of_the_arrivals() -> None:
    each = busy_provider(quiet(np.full(900, 15)), quiet(np.full(900, 6.0)), waited_s=0.6)
    assert ceiling(each, 1.0, None).limited_by == ""


def test_attempts_at_random_have_no_limit() -> None:
    rng = np.random.default_rng(3)
    each = busy_provider(quiet(rng.poisson(15, 900)), quiet(rng.poisson(6, 900)))
    assert ceiling(each, 1.0, None).limited_by == ""


def test_one_by_one_with_a_pause_is_a_gap() -> None:
    # An attempt in four seconds, three of which it takes.
    in_bin = quiet(np.tile([1, 0, 0, 0], 900))
    each = busy_provider(in_bin, quiet(np.tile([1.0, 1.0, 1.0, 0.0], 900)))
    found = ceiling(each, 1.0, None)
    assert found.limited_by == "rate"
    assert found.pause_s == pytest.approx(1.0, abs=0.05)


def test_what_is_let_through_while_others_are_throttled() -> None:
    each = busy_provider(quiet(np.full(1200, 20)), quiet(np.full(1200, 6.0)))
    each.throttled_in_bin = quiet(np.full(1200, 12)).astype(np.int64)
    level, minutes = tolerated(each, 1.0)
    assert level.value == pytest.approx(8.0)
    assert minutes >= 18
    rng = np.random.default_rng(4)
    each.throttled_in_bin = np.minimum(
        quiet(np.repeat(rng.integers(1, 19, 20), 60)).astype(np.int64), each.in_bin
    )
    assert tolerated(each, 1.0) is None


def sessions(*ends_s: list[float], arrived_s: float = 0.0):
    events = [(number + 1, end_s) for number, each in enumerate(ends_s) for end_s in each]
    session, finished_s = zip(*events, strict=True)
    columns = {"session": session, "finished_s": finished_s, "arrived_s": arrived_s, "attempt": 1}
    return rows(len(events), columns)


def together(given, *, sharp: bool = True) -> Sessions:
    found = Sessions(sharp=sharp)
    found.add(given)
    return found


def test_open_connections_over_time() -> None:
    given = sessions([10.0, 11.0, 12.0], [11.0, 12.0, 13.0, 14.0], [30.0])
    found = together(given).open(0, Bins(0.0, 1.0, 40))
    # Bin k is of second k - 1; each is taken to open a usual gap before its first attempt's end.
    assert found[11:16].tolist() == pytest.approx([2.0, 2.0, 1.0, 1.0, 0.0], abs=1e-9)
    assert found.sum() == pytest.approx(3.0 + 4.0 + 1.0)


def test_on_an_open_connection_an_attempt_takes_from_one_end_to_the_next() -> None:
    given = sessions([10.0, 10.5, 12.0], [20.0, 20.25])
    times = together(given).transactions[0]
    assert sorted(times.low_s.tolist()) == [0.25, 0.5, 1.5]
    given["arrived_s"][2] = 11.75
    assert sorted(together(given).transactions[0].low_s.tolist()) == [0.25, 0.25, 0.5] or (
        together(given).transactions[0].weight.tolist() == [2.0, 1.0]
    )
    given["attempt"][1] = 2
    assert together(given).transactions[0].count == 2


def test_whole_seconds_give_the_mean() -> None:
    rng = np.random.default_rng(5)
    held, repetitions = 0, 400
    for _ in range(repetitions):
        ends_s = [np.floor(np.cumsum(rng.exponential(0.4, 60)) + 100).tolist() for _ in range(40)]
        mean = together(sessions(*ends_s), sharp=False).means[0]
        held += mean.low < 0.4 < mean.high
        assert mean.low - 0.02 < 0.4 < mean.high + 0.02
    # The interval is one of 90 %; with the spread of single gaps it would hold all but always.
    assert 0.86 < held / repetitions < 0.94


@pytest.mark.parametrize(
    ("uses", "most", "limit"),
    [
        ([0, 100, 90, 80], 3, True),
        ([0, 100, 50, 25, 12, 6, 3, 1], 7, False),
        ([0, 100, 100, 100, 4], 4, False),
        ([0, 500], 1, False),
    ],
)
def test_messages_per_connection(uses, most, limit) -> None:
    each = per_connection(np.array(uses))
    assert (each.most, each.limit, each.connections) == (most, limit, uses[1])


def test_no_connections_tell_nothing() -> None:
    assert per_connection(np.array([50, 0])) is None
    assert together(sessions([1.0, 2.0], [3.0])).uses[0].tolist() == [0, 2, 1]


def test_even_arrivals_are_one_stretch_and_bursts_are_several() -> None:
    rng = np.random.default_rng(6)
    (even,) = stretches(np.linspace(1000.0, 4600.0, 5000))
    assert (even.at_s, even.spread_s, even.share) == pytest.approx((0.0, 3600.0, 1.0))
    bursts = np.concatenate((np.linspace(0, 60, 3000), np.linspace(7200, 7500, 1000)))
    found = stretches(rng.permutation(bursts))
    assert sum(each.share for each in found) == pytest.approx(1.0)
    assert found[0].share == pytest.approx(0.75, abs=0.01)
    assert found[-1].at_s == pytest.approx(7200, abs=10)
    assert all(each.spread_s < 400 for each in found)


def batches(count: int, size: int, every_s: float) -> np.ndarray:
    """Hand-overs of a relay: so many messages within a fifth of a second each."""
    return np.concatenate([np.linspace(n * every_s, n * every_s + 0.2, size) for n in range(count)])


@pytest.mark.parametrize("count", [4, 20, 200])
def test_the_batches_of_a_relay_are_one_blast(count) -> None:
    (blast,) = deliveries(batches(count, 256, 0.43))
    assert blast.spread_s == pytest.approx(0.43 * (count - 1) + 0.2)
    assert blast.hours == ()


def test_a_day_is_a_stream_with_the_pattern_of_its_hours_and_blasts() -> None:
    weights = np.array([1, 1, 1, 1, 1, 2, 3, 4, 6, 8, 8, 8, 8, 8, 6, 6, 6, 6, 8, 8, 6, 4, 2, 1])
    rng = np.random.default_rng(5)
    midnight_s = 20_000 * 86_400.0
    hours = rng.choice(24, 30_000, p=weights / weights.sum())
    stream = midnight_s + 3600.0 * (hours + rng.random(30_000))
    blasts = [midnight_s + hour * 3600.0 + batches(40, 256, 0.5) + rng.random() for hour in (8, 14)]
    found = deliveries(rng.permutation(np.concatenate([stream, *blasts])))
    (flow,) = (each for each in found if each.hours)
    others = [each for each in found if not each.hours]
    assert [round(each.at_s / 3600.0) for each in others] == [8, 14]
    size = len(stream) + 2 * 40 * 256
    for each in others:
        assert each.share * size == pytest.approx(40 * 256, rel=0.01)
        assert each.spread_s < 30.0
    share = np.array(flow.hours) / sum(flow.hours)
    assert share == pytest.approx(weights / weights.sum(), abs=0.006)
    assert sum(each.share for each in found) == pytest.approx(1.0)


def test_a_day_of_blasts_alone_has_no_stream() -> None:
    moments = [batches(20, 256, 0.5) + hour * 3600.0 for hour in (0, 3, 9, 15, 20)]
    found = deliveries(np.concatenate(moments))
    assert [round(each.at_s / 3600.0) for each in found] == [0, 3, 9, 15, 20]
    assert not any(each.hours for each in found)


def test_many_ups_and_downs_are_no_more_than_24_stretches() -> None:
    rng = np.random.default_rng(7)
    found = stretches(np.cumsum(rng.pareto(1.1, 20_000)))
    assert len(found) <= 24
    assert sum(each.share for each in found) == pytest.approx(1.0)
    assert stretches(np.full(1000, 5.0)) == [Stretch(0.0, 0.0, 1.0)]


def open_connections(rng: np.random.Generator, seconds: int) -> np.ndarray:
    """Return numbers that wander about ten: a connection is open for a while."""
    noise = rng.normal(0.0, 1.0, seconds + 29)
    return 10.0 + 1.5 * np.convolve(noise, np.ones(30), "valid") / np.sqrt(30.0)


def test_a_rate_that_held_for_minutes_is_found_where_connections_are_told_apart() -> None:
    """160 s at 15 attempts a second: of 16 stretches of 10 s, the spread alone is off by chance."""
    rng = np.random.default_rng(3)
    for _ in range(300):
        ends_s = np.arange(2400) / 15.0 + rng.gamma(4.0, 0.1, 2400)
        ends_s += (rng.random(2400) < 0.05) * rng.gamma(4.0, 0.075, 2400)
        counts = np.bincount(ends_s.astype(np.int64))
        in_use = quiet(open_connections(rng, len(counts)))
        found = ceiling(busy_provider(quiet(counts), in_use), 1.0, in_use)
        assert found.limited_by == "rate"


def test_attempts_at_random_are_no_rate() -> None:
    rng, rates = np.random.default_rng(4), 0
    for _ in range(300):
        counts, in_use = quiet(rng.poisson(15, 160)), quiet(open_connections(rng, 160))
        rates += ceiling(busy_provider(counts, in_use), 1.0, in_use).limited_by == "rate"
    assert rates <= 3
