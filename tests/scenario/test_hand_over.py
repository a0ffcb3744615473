"""Servers and a rate that get in each other's way, and those that do not."""

from __future__ import annotations

import pytest

from sendcap.scenario import hand_over
from sendcap.scenario.distributions import Exponential, Uniform
from sendcap.scenario.hand_over import Limit, together

EVEN = Uniform(dist="uniform", low="2.9s", high="3.1s")
WIDE = Exponential(dist="exponential", mean="3s")


@pytest.mark.parametrize("sizes", [(1,), (4, 6)])
@pytest.mark.parametrize(("servers", "takes"), [(2, WIDE), (6, WIDE), (6, EVEN), (20, WIDE)])
def test_only_limits_without_a_loss_are_not_worked_out(monkeypatch, servers, takes, sizes) -> None:
    size = sum(sizes) / len(sizes)
    most_per_s = servers * size / 3.0
    shares = (0.001, 0.3, 0.5, 0.7, 0.9, 0.97, 1.0)
    limits = tuple(
        Limit(share * most_per_s, size * burst) for share in shares for burst in (2, servers)
    )
    in_turn, worked_out = hand_over._in_turn, []

    def noting(*arguments):
        worked_out.extend(arguments[3])
        return in_turn(*arguments)

    every = in_turn(servers, takes, sizes, limits)
    monkeypatch.setattr(hand_over, "_in_turn", noting)
    together.cache_clear()
    found = together(servers, takes, sizes, limits)
    losing = {
        limit for limit in limits if every[limit].per_s < 0.998 * min(limit.per_s, most_per_s)
    }
    assert losing or takes is EVEN
    assert found == {limit: every[limit] for limit in losing}
    assert servers == 2 or len(worked_out) < len(limits)
