from hypothesis import given
from hypothesis import strategies as st

from sendcap.scenario import Delivery

names = st.text("abcdefgh", min_size=1, max_size=4)
weights = st.dictionaries(names, st.integers(0, 1000), min_size=1, max_size=12).filter(
    lambda weights: sum(weights.values()) > 0
)


@given(weights, st.integers(1, 10**9 - 1))
def test_counts_sum_to_the_messages_and_meet_the_shares(
    weights: dict[str, int], messages: int
) -> None:
    total = sum(weights.values())
    audience = {name: weight / total for name, weight in weights.items()}
    counts = Delivery(name="d", messages=messages, audience=audience).counts()
    assert sum(counts.values()) == messages
    assert list(counts) == list(audience)
    for name, weight in weights.items():
        assert abs(counts[name] - messages * weight / total) < 1.001


def test_shares_within_the_tolerance_are_scaled() -> None:
    audience = {"a": 0.3333333, "b": 0.3333333, "c": 0.3333333}
    counts = Delivery(name="d", messages=900_000_000, audience=audience).counts()
    assert set(counts.values()) == {300_000_000}


def test_ties_go_to_the_provider_named_first() -> None:
    for first, second in (("a", "b"), ("b", "a")):
        delivery = Delivery(name="d", messages=3, audience={first: 0.5, second: 0.5})
        assert delivery.counts() == {first: 2, second: 1}


def test_shares_are_taken_as_they_were_written() -> None:
    # In binary 0.15 is a little less than written and 0.85 a little more.
    delivery = Delivery(name="d", messages=10, audience={"a": 0.15, "b": 0.85})
    assert delivery.counts() == {"a": 2, "b": 8}
