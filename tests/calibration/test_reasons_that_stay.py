"""A reason for soft bounces is drawn anew at each attempt, or it stays with the address."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from sendcap.calibration.estimates import stays
from sendcap.calibration.evidence import ProviderEvidence
from sendcap.calibration.reasons import NUMBERS

LATER = NUMBERS["try again later"]


def provider(messages: int, first: int, again: int, repeated: int) -> ProviderEvidence:
    each = ProviderEvidence(1)
    each.messages = messages
    each.soft_first[LATER], each.tried_again[LATER], each.repeated[LATER] = first, again, repeated
    return each


@pytest.mark.parametrize(
    ("probability", "messages"), [(0.01, 4000), (0.03, 1600), (0.02, 2400), (0.005, 8000)]
)
def test_one_that_is_drawn_anew_is_one_in_a_hundred_times_taken_for_one_that_stays(
    probability, messages
) -> None:
    first = round(probability * messages)
    again = round(first * (1.0 + probability))
    wrong = [stays(provider(messages, first, again, count), LATER) for count in range(again + 1)]
    share = float(binom.pmf(np.arange(again + 1), again, probability) @ np.array(wrong, np.float64))
    assert share <= 0.01


@pytest.mark.parametrize("share", [0.25, 0.6, 0.95])
def test_one_that_stays_is_seen(share) -> None:
    assert stays(provider(4000, 40, 40, round(40 * share)), LATER)
