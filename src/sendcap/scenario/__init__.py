"""What to simulate: scenario files, their checks, and the presets."""

from sendcap.scenario.delivery import LONGEST_VALIDITY_S, Delivery
from sendcap.scenario.distributions import (
    Constant,
    Distribution,
    Exponential,
    Gamma,
    Lognormal,
    Uniform,
    Weibull,
)
from sendcap.scenario.durations import Duration, PositiveDuration, format_duration, parse_duration
from sendcap.scenario.edits import updated
from sendcap.scenario.files import (
    dumps,
    from_dict,
    load,
    loads,
    preset_text,
    presets,
    schema,
    to_dict,
)
from sendcap.scenario.measured import Empirical
from sendcap.scenario.provider import Fault, Hard, Outage, Provider
from sendcap.scenario.random_time import RandomTime
from sendcap.scenario.ranges import Range
from sendcap.scenario.rates import Rate
from sendcap.scenario.retry import (
    AdobeLegacyRetry,
    EximRetry,
    ExponentialRetry,
    KumomtaRetry,
    MomentumRetry,
    PostfixRetry,
    PowermtaRetry,
    Retry,
    RetryPolicy,
    ScheduleRetry,
    attempt_series_s,
)
from sendcap.scenario.scenario import Scenario
from sendcap.scenario.settings import (
    ASYNCHRONOUS_LIMIT_S,
    Denominator,
    Engagement,
    Feedback,
    Mode,
    Mta,
    Relay,
    Reporting,
    Time,
)
from sendcap.scenario.suspend import Suspend
from sendcap.scenario.throttle import FixedWindow, Gap, Schedule, WarmUp
from sendcap.scenario.uncertain import UncertainScenario, load_uncertain

__all__ = [
    "ASYNCHRONOUS_LIMIT_S",
    "LONGEST_VALIDITY_S",
    "AdobeLegacyRetry",
    "Constant",
    "Delivery",
    "Denominator",
    "Distribution",
    "Duration",
    "Empirical",
    "Engagement",
    "EximRetry",
    "Exponential",
    "ExponentialRetry",
    "Fault",
    "Feedback",
    "FixedWindow",
    "Gamma",
    "Gap",
    "Hard",
    "KumomtaRetry",
    "Lognormal",
    "Mode",
    "MomentumRetry",
    "Mta",
    "Outage",
    "PositiveDuration",
    "PostfixRetry",
    "PowermtaRetry",
    "Provider",
    "RandomTime",
    "Range",
    "Rate",
    "Relay",
    "Reporting",
    "Retry",
    "RetryPolicy",
    "Scenario",
    "Schedule",
    "ScheduleRetry",
    "Suspend",
    "Time",
    "UncertainScenario",
    "Uniform",
    "WarmUp",
    "Weibull",
    "attempt_series_s",
    "dumps",
    "format_duration",
    "from_dict",
    "load",
    "load_uncertain",
    "loads",
    "parse_duration",
    "preset_text",
    "presets",
    "schema",
    "to_dict",
    "updated",
]
