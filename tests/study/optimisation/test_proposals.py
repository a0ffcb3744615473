"""Proposals: a batch is full of settings that are new."""

from __future__ import annotations

import pytest

pytest.importorskip("optuna")

from sendcap.study.optimisation.priced import levers_of
from sendcap.study.optimisation.proposals import Proposals, Settings

LEVERS = levers_of({"mta.ips": (1, 4, 40), "relay.workers": (1, 3, 75)})


def test_what_is_known_takes_no_place_in_a_batch() -> None:
    proposals, found = Proposals(LEVERS, 0), dict[Settings, tuple[float, float]]()
    asked = 0
    while len(found) < 12 and asked < 300:
        new, proposed = proposals.ask(min(4, 12 - len(found)), 300 - asked, found.get)
        asked += proposed
        assert len(new) == len(set(new)) == min(4, 12 - len(found))
        assert not found.keys() & set(new)
        found |= {each: (40.0 * each[0] + 75.0 * each[1], 2.0 - each[0]) for each in new}
        proposals.tell(found)
    assert len(found) == 12


def test_it_gives_up_after_so_many_proposals() -> None:
    new, proposed = Proposals(LEVERS, 0).ask(4, 7, lambda _: (0.0, 0.0))
    assert (new, proposed) == ([], 7)
