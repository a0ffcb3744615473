import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sendcap.scenario import format_duration, parse_duration

any_seconds = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
round_seconds = st.integers(0, 10**9).map(lambda ms: ms / 1000)


@given(any_seconds | round_seconds | st.integers(0, 10**10).map(float))
@example(5e-324)
@example(1.7976931348623157e308)
@example(0.1 + 0.2)
@example(-0.0)
def test_a_duration_reads_back_exactly(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@given(any_seconds | round_seconds)
def test_writing_is_canonical(seconds: float) -> None:
    text = format_duration(seconds)
    assert format_duration(parse_duration(text)) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20m", 1200),
        ("3.5d", 302_400),
        ("4d12h", 388_800),
        ("300ms", 0.3),
        ("1h30m", 5400),
        ("1 h 30 min", 5400),
        ("2 hours", 7200),
        ("1w", 604_800),
        ("90s", 90),
        ("2days", 172_800),
        ("1_000s", 1000),
        ("1e3s", 1000),
        ("0s", 0),
        ("0.1s", 0.1),
    ],
)
def test_durations_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (1200, "20m"), (0.3, "0.3s"), (0.001, "1ms"), (86_400, "1d"), (604_800, "7d")],
)
def test_durations_are_written_short(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("5", "number with a unit"),
        ("", "number with a unit"),
        ("nan", "number with a unit"),
        ("inf", "number with a unit"),
        ("nans", "number with a unit"),
        ("PT5M", "number with a unit"),
        ("5m 3", "number with a unit"),
        ("-5m", "negative"),
        ("\N{MINUS SIGN}5m", "negative"),
        ("3.5 dyas", 'unknown unit "dyas" in "3.5 dyas"; did you mean "days"?'),
        ("5M", 'did you mean "m"?'),
        ("5 fortnights", "units: ms s m h d w"),
        ("5m5m", "write each unit once, the larger ones first"),
        ("30m1h", "write each unit once, the larger ones first"),
        ("9e307w", "too long"),
        ("9" * 200 + "s", "number with a unit"),
        ("1e400s", "too long"),
        ("1e9999s", "unknown unit"),
        ("٣s", "number with a unit"),
    ],
)
def test_what_is_no_duration_is_refused_with_a_hint(text: str, part: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_duration(text)
    assert part in str(caught.value)


@pytest.mark.parametrize("value", [5, 5.0, True, None, ["5m"]])
def test_a_bare_number_has_no_unit(value: object) -> None:
    with pytest.raises(ValueError, match="has no unit; give a number with a unit"):
        parse_duration(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf])
def test_only_durations_are_written(seconds: float) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        format_duration(seconds)
