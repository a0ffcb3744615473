"""Values with a unit: durations and rates."""

from sendcap.scenario.durations import (
    DURATION_SCHEMA,
    Duration,
    PositiveDuration,
    format_duration,
    parse_duration,
)
from sendcap.scenario.rates import RATE_SCHEMA, Rate, RateField, ServerRateField

__all__ = [
    "DURATION_SCHEMA",
    "RATE_SCHEMA",
    "Duration",
    "PositiveDuration",
    "Rate",
    "RateField",
    "ServerRateField",
    "format_duration",
    "parse_duration",
]
