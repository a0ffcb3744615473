import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendcap.scenario import Provider, Rate, schema
from sendcap.scenario.rates import RATE_SCHEMA

rates = st.builds(
    Rate,
    limit=st.integers(1, 10**12),
    period_s=st.integers(1, 10**7).map(float),
    burst=st.none() | st.integers(1, 10**9),
)


@given(rates)
def test_a_rate_reads_back_exactly(rate: Rate) -> None:
    assert Rate.parse(str(rate)) == rate


@pytest.mark.parametrize(
    ("text", "rate", "canonical"),
    [
        ("100/s", Rate(100, 1), "100/s"),
        ("100/sec", Rate(100, 1), "100/s"),
        ("100/min", Rate(100, 60), "100/m"),
        ("1,000/hr", Rate(1000, 3600), "1000/h"),
        ("2_500_000/day", Rate(2_500_000, 86_400), "2500000/d"),
        ("100/15m", Rate(100, 900), "100/900s"),
        ("5/60s", Rate(5, 60), "5/m"),
        ("local:10/s", Rate(10, 1), "10/s"),
        ("100/day,max_burst=1", Rate(100, 86_400, 1), "100/d,max_burst=1"),
        ("100/s,max_burst=1,000", Rate(100, 1, 1000), "100/s,max_burst=1000"),
    ],
)
def test_the_grammar_of_kumomta(text: str, rate: Rate, canonical: str) -> None:
    assert Rate.parse(text) == rate
    assert str(Rate.parse(text)) == canonical


def test_the_burst_is_explained_where_a_rate_is() -> None:
    found = schema()["$defs"]
    for words in (
        Rate.__doc__ or "",
        RATE_SCHEMA["description"],
        Provider.__doc__ or "",
        found["Provider"]["description"],
        found["Relay"]["properties"]["rate"]["description"],
    ):
        assert "whole limit" in words
        assert "max_burst=1" in words


def test_a_rate_per_second_and_its_burst() -> None:
    assert Rate.parse("100/min").per_s == pytest.approx(100 / 60)
    assert Rate.parse("100/min").burst_or_limit == 100
    assert Rate.parse("100/min,max_burst=7").burst_or_limit == 7


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("0/s", "lets nothing through; give a limit of at least 1"),
        ("100/0s", "the period must be more than zero"),
        ("100/s,max_burst=0", "max_burst must be at least 1"),
        ("-5/s", "negative"),
        ("100 / s", "without spaces"),
        ("100", "is not a rate"),
        ("100/s/s", "is not a rate"),
        ("1.5/s", "is not a rate"),
        ("100/s,burst=5", "is not a rate"),
        ("100/mins", 'unknown period "mins" in "100/mins"; did you mean "min"?'),
        ("100/w", "periods: s m h d"),
        ("1__0/s", "is not a rate"),
    ],
)
def test_what_is_no_rate_is_refused_with_a_hint(text: str, part: str) -> None:
    with pytest.raises(ValueError) as caught:
        Rate.parse(text)
    assert part in str(caught.value)


@pytest.mark.parametrize("value", [100, 1.5, True, None])
def test_a_bare_number_has_no_period(value: object) -> None:
    with pytest.raises(ValueError, match="has no period"):
        Rate.parse(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("arguments", [(0, 1), (5, 0), (5, 0.5), (5, float("nan")), (5, 1, 0)])
def test_a_rate_made_in_python_is_checked_too(arguments: tuple[int, float]) -> None:
    with pytest.raises(ValueError):
        Rate(*arguments)
