"""What chance gives: uniform numbers, gaps, kinds of address, and tickets, against exact laws.

Seeds are fixed. A p-value below 1e-4 is a failure; experiments/samplers.py looks closer.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from sendcap.model.feedback import sample_asynchronous
from sendcap.model.kernel import state
from sendcap.model.kernel.audience import draw_paths
from sendcap.model.kernel.chance import succeeds, uniform
from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.fields import KIND, QUEUE, UNLIMITED
from sendcap.model.kernel.pointer import by_pointer
from sendcap.model.kernel.waiting import _bad_kind
from sendcap.model.records import records, trials
from sendcap.model.streams import Streams
from sendcap.scenario import ASYNCHRONOUS_LIMIT_S
from sendcap.scenario.distributions import Exponential, Lognormal

LEAST_P = 1e-4
DRAWS = 200_000


@compiled
def draw_uniform(trials, drawn) -> None:
    for number in range(len(drawn)):
        drawn[number] = uniform(trials[0])


@compiled
def try_often(trials, succeeded) -> None:
    for number in range(len(succeeded)):
        succeeded[number] = succeeds(trials[0])


@compiled
def draw_kinds(queue, addresses, trials, drawn) -> None:
    for number in range(len(drawn)):
        drawn[number] = _bad_kind(queue, addresses, trials[0])


class Audience(NamedTuple):
    """What of the relay is looked at to draw paths."""

    paths: np.ndarray
    tickets: np.ndarray
    left: np.ndarray
    audience: np.ndarray
    codes: np.ndarray


@compiled
def draw_tickets(state, counts, drawn) -> None:
    """Draw all of an audience, time and again."""
    for run in range(len(drawn)):
        total = 0
        for queue in range(len(counts)):
            state.left[0, queue] = counts[queue]
            total += counts[queue]
            state.tickets[0, queue + 1] = total
        state.audience[0].until_next = total // 4
        done = 0
        while done < total:
            size = min(total - done, 3)
            draw_paths(state, 0, size)
            for place in range(size):
                drawn[run, done + place] = state.codes[place]
            done += size


def uniforms(key: int, count: int = DRAWS) -> np.ndarray:
    drawn = np.zeros(count)
    draw_uniform(trials([key], [0.0]), drawn)
    return drawn


def test_uniform_is_that_of_splitmix64() -> None:
    """The first outputs of the reference implementation (Vigna), seeds 0 and 1234567."""
    for seed, bits in (
        (0, [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]),
        (1234567, [6457827717110365317, 3203168211198807973, 9817491932198370423]),
    ):
        assert uniforms(seed, 3).tolist() == [(number >> 11) / 2**53 for number in bits]


@pytest.mark.parametrize("key", [0, 1, 2**63, Streams(1).key("transient", provider="p")])
def test_uniform_numbers_are_uniform_and_each_forgets_the_one_before(key: int) -> None:
    drawn = uniforms(key)
    assert stats.kstest(drawn, "uniform").pvalue > LEAST_P
    cells = (drawn[:-1] * 32).astype(int) * 32 + (drawn[1:] * 32).astype(int)
    assert stats.chisquare(np.bincount(cells, minlength=1024)).pvalue > LEAST_P
    assert 0.0 <= drawn.min() <= drawn.max() < 1.0


NEIGHBOURS = {
    "letters": lambda n: Streams(1).key("transient", provider=f"p{chr(ord('a') + n)}"),
    "seeds": lambda n: Streams(n).key("transient", provider="p"),
    "numbers": lambda n: n,
    "powers": lambda n: 1 << n,
}


@pytest.mark.parametrize("keys", NEIGHBOURS)
def test_streams_of_neighbouring_keys_are_independent(keys: str) -> None:
    drawn = np.array([uniforms(NEIGHBOURS[keys](n), 50_000) for n in range(16)])
    together = np.corrcoef(drawn)[np.triu_indices(16, 1)] * math.sqrt(drawn.shape[1])
    assert stats.kstest(together, "norm").pvalue > LEAST_P
    # The first draws of many streams, as small simulations use them.
    firsts = np.array([uniforms(NEIGHBOURS[keys](n), 1)[0] for n in range(60)])
    assert stats.kstest(firsts, "uniform").pvalue > LEAST_P


@pytest.mark.parametrize("probability", [1e-3, 0.02, 0.3, 0.5, 0.9, 0.999])
def test_gaps_between_successes_are_geometric(probability: float) -> None:
    table, succeeded = trials([3], [probability]), np.zeros(2_000_000, np.bool_)
    try_often(table, succeeded)
    gaps = np.diff(np.flatnonzero(succeeded))
    longest = 1
    while len(gaps) * (1.0 - probability) ** longest > 20.0:
        longest += 1
    counts = np.bincount(np.minimum(gaps, longest + 1), minlength=longest + 2)[1:]
    expected = probability * (1.0 - probability) ** np.arange(longest)
    expected = np.append(expected, (1.0 - probability) ** longest) * len(gaps)
    assert stats.chisquare(counts, expected).pvalue > LEAST_P
    successes = int(succeeded.sum())
    assert stats.binomtest(successes, len(succeeded), probability).pvalue > LEAST_P
    # Success is no likelier after a success.
    pairs = int((succeeded[1:] & succeeded[:-1]).sum())
    assert stats.binomtest(pairs, successes, probability).pvalue > LEAST_P


def test_the_first_success_comes_as_late_as_the_others() -> None:
    """Over many streams of few trials each, as batches of few messages have them."""
    probability, count = 0.1, 20_000
    first = trials([Streams(1).key(f"{n}") for n in range(count)], [probability] * count)
    tried = first["until_next"]
    assert tried.min() == 1
    below = [int((tried <= number).sum()) for number in (1, 3, 7, 20)]
    for number, found in zip((1, 3, 7, 20), below, strict=True):
        expected = 1.0 - (1.0 - probability) ** number
        assert stats.binomtest(found, count, expected).pvalue > LEAST_P


def test_rare_events_are_as_rare_as_they_should_be() -> None:
    """Gaps of one in a million, and of much less: the mean of exponential draws."""
    for probability in (1e-6, 1e-9):
        gaps = trials(list(range(20_000)), [probability] * 20_000)["until_next"]
        scaled = stats.kstest(gaps * probability, "expon")
        assert scaled.pvalue > LEAST_P


def test_what_is_certain_always_happens_and_what_is_impossible_never() -> None:
    for probability, expected in ((1.0, 1000), (0.0, 0), (1e-16, 0)):
        table, succeeded = trials([5], [probability]), np.zeros(1000, np.bool_)
        try_often(table, succeeded)
        assert succeeded.sum() == expected
    assert trials([5], [0.0])["until_next"][0] == UNLIMITED


@pytest.mark.parametrize("shares", [[1.0], [0.3, 0.2], [0.01, 0.0, 0.02, 0.005], [0.0, 0.5, 0.5]])
def test_kinds_of_address_have_their_shares(shares: list[float]) -> None:
    until = np.cumsum([0.0, *shares])
    kinds = np.array([(share, 0, -1, 0, 0) for share in until], KIND)
    queue = records(QUEUE, [{"kinds": len(kinds)}])[0]
    addresses = by_pointer(state.Addresses(kinds, np.zeros((1, 1), np.int32)))
    drawn = np.zeros(DRAWS, np.int64)
    draw_kinds(queue, addresses, trials([7], [0.5]), drawn)
    counts = np.bincount(drawn, minlength=len(kinds))[1:]
    possible = np.array(shares) > 0.0
    assert counts[~possible].sum() == 0
    expected = np.array(shares)[possible] / sum(shares) * DRAWS
    assert counts.sum() == DRAWS
    assert len(expected) == 1 or stats.chisquare(counts[possible], expected).pvalue > LEAST_P


def tickets(counts: list[int], runs: int) -> np.ndarray:
    state = Audience(
        np.zeros(len(counts)),
        np.zeros((1, len(counts) + 1), np.int64),
        np.zeros((1, len(counts)), np.int64),
        trials([Streams(1).key("audience", delivery="d")], [0.0]),
        np.zeros(3, np.int32),
    )
    drawn = np.zeros((runs, sum(counts)), np.int64)
    draw_tickets(by_pointer(state), np.array(counts), drawn)
    return drawn


@pytest.mark.parametrize("counts", [[1, 1], [2, 1, 1], [1, 1, 1, 1], [3, 0, 2], [4, 2, 1]])
def test_all_orders_of_a_tiny_audience_are_equally_likely(counts: list[int]) -> None:
    orders = math.factorial(sum(counts))
    for count in counts:
        orders //= math.factorial(count)
    found = Counter(map(tuple, tickets(counts, 400 * orders).tolist()))
    assert len(found) == orders
    assert stats.chisquare(list(found.values())).pvalue > LEAST_P


@pytest.mark.parametrize("counts", [[300, 500, 200], [900, 0, 90, 10], [1] * 40 + [60]])
def test_batches_are_drawn_without_replacement(counts: list[int]) -> None:
    """The first messages, those in the middle and the last ones are hypergeometric."""
    drawn, size = tickets(counts, 4000), sum(counts) // 5
    for queue in {0, len(counts) - 1}:
        assert ((drawn == queue).sum(axis=1) == counts[queue]).all()
        law = stats.hypergeom(sum(counts), counts[queue], size)
        for first in (0, 2 * size, 4 * size):
            found = (drawn[:, first : first + size] == queue).sum(axis=1)
            edges = np.unique(law.ppf(np.linspace(0.0, 1.0, 21)[1:-1]))
            shares = np.diff([0.0, *law.cdf(edges), 1.0])
            cells = np.bincount(np.searchsorted(edges, found), minlength=len(shares))
            assert cells[shares == 0.0].sum() == 0
            cells, shares = cells[shares > 0.0], shares[shares > 0.0]
            assert stats.chisquare(cells, shares * len(drawn)).pvalue > LEAST_P


@pytest.mark.parametrize(
    "latency", [Exponential(mean="4d"), Lognormal(mean="3d", cv=2.0)], ids=["one", "other"]
)
def test_asynchronous_latencies_are_those_below_the_limit(latency) -> None:
    drawn = sample_asynchronous(latency, np.random.default_rng(5), DRAWS)
    below = latency.cdf(np.array([ASYNCHRONOUS_LIMIT_S]))[0]
    assert 0.1 < below < 0.95
    assert drawn.max() <= ASYNCHRONOUS_LIMIT_S
    assert stats.kstest(latency.cdf(drawn) / below, "uniform").pvalue > LEAST_P
    # A draw does not depend on whether the one before was drawn anew.
    order = np.corrcoef(drawn[1:], drawn[:-1])[0, 1] * math.sqrt(DRAWS)
    assert abs(order) < 4.0


@pytest.mark.parametrize("seed", range(3))
def test_normal_draws_are_those_of_numpy_bit_for_bit(seed: int) -> None:
    ours, numpys = Streams(seed).generator("any"), np.random.Generator(np.random.PCG64())
    numpys.bit_generator.state = ours.bit_generator.state
    # Both short blocks and long ones, with hundreds of draws of the tail, and others in between.
    for size in (3, 5_000, 1, 1_024, 1_000_000, 1_023):
        np.testing.assert_array_equal(ours.standard_normal(size), numpys.standard_normal(size))
        assert ours.random() == numpys.random()
        assert ours.bit_generator.state == numpys.bit_generator.state
    # What is asked for in another way is drawn as well.
    np.testing.assert_array_equal(
        ours.standard_normal(2_000, np.float32), numpys.standard_normal(2_000, np.float32)
    )
    np.testing.assert_array_equal(
        ours.standard_normal((2, 1_000)), numpys.standard_normal((2, 1_000))
    )
    assert ours.standard_normal() == numpys.standard_normal()
