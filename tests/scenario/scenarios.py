"""A small valid scenario to break, and scenarios of all shapes to write and read back."""

from typing import Any

from hypothesis import strategies as st

from sendcap.scenario import format_duration


def small() -> dict[str, Any]:
    return {
        "deliveries": [
            {"name": "one", "messages": 1000, "audience": {"gmail": 0.75, "other": 0.25}}
        ],
        "relay": {"batch_time": "700ms"},
        "providers": {
            "gmail": {"connect_time": "250ms", "transaction_time": "320ms"},
            "other": {
                "connect_time": {"dist": "uniform", "low": "200ms", "high": "600ms"},
                "transaction_time": {"dist": "lognormal", "mean": "700ms", "cv": 1.0},
                "hard": [{"reason": "user unknown", "share": 0.01}],
                "faults": [{"reason": "greylisted", "share": 0.05, "clears_after": "5m"}],
            },
        },
    }


seconds = st.just(0.0) | st.floats(1e-6, 1e9)
positive = st.floats(1e-6, 1e9)
duration = seconds.map(format_duration)
positive_duration = positive.map(format_duration)
retry_delay = st.floats(1, 1e9).map(format_duration)
window = st.floats(0.1, 1e9).map(format_duration)
share = st.floats(0, 1)
cv = st.floats(0.01, 100)
rate = st.sampled_from(["none", "100/s", "1,000/15m,max_burst=9", "5/min,max_burst=2", "7/899s"])
server_rate = st.sampled_from(["none", "100/s", "7/899s"])
throttle = rate | st.sampled_from(
    [
        {"kind": "gap", "pause": "1s"},
        {"kind": "fixed-window", "limit": 833, "window": "5m"},
        {
            "kind": "schedule",
            "steps": [{"at": "0s", "rate": "closed"}, {"at": "1h", "rate": "5/s,max_burst=1"}],
        },
        {"kind": "warm-up"},
        {"kind": "warm-up", "per_day": [200, 500], "share": 0.4},
    ]
)
suspend = st.sampled_from(
    ["none", "momentum", {"after": 3, "within": "1m", "lasts": "1d", "rate": "1/h"}]
)
name = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=100
).filter(lambda text: text.isprintable() and text.strip() == text and text != "*")

distribution = st.one_of(
    duration,
    st.fixed_dictionaries({"dist": st.just("constant"), "value": duration}),
    st.fixed_dictionaries({"dist": st.just("exponential"), "mean": positive_duration}),
    st.tuples(seconds, seconds).map(
        lambda ends: {
            "dist": "uniform",
            "low": format_duration(min(ends)),
            "high": format_duration(max(ends)),
        }
    ),
    st.fixed_dictionaries({"dist": st.just("lognormal"), "mean": positive_duration, "cv": cv}),
    st.fixed_dictionaries({"dist": st.just("gamma"), "mean": positive_duration, "cv": cv}),
    st.fixed_dictionaries(
        {"dist": st.just("weibull"), "scale": positive_duration, "shape": st.floats(0.1, 100)}
    ),
    st.fixed_dictionaries(
        {"dist": st.just("empirical"), "values": st.lists(duration, min_size=1, max_size=5)}
    ),
)

retry = st.one_of(
    st.fixed_dictionaries({}, optional={"factor": st.floats(1, 10), "max": st.just("none")}),
    st.fixed_dictionaries(
        {"policy": st.just("schedule"), "delays": st.lists(retry_delay, min_size=1)}
    ),
    st.fixed_dictionaries(
        {"policy": st.just("momentum")}, optional={"max_retries": st.integers(0, 50)}
    ),
    st.sampled_from(["kumomta", "postfix", "exim", "powermta", "adobe-legacy", "opensmtpd"]).map(
        lambda policy: {"policy": policy}
    ),
)


@st.composite
def provider(draw: st.DrawFn) -> dict[str, Any]:
    reasons = draw(st.lists(name, unique=True, max_size=4))
    kinds = [{"reason": reason, "share": draw(st.floats(0, 0.2))} for reason in reasons]
    split = draw(st.integers(0, len(kinds)))
    faults = [
        kind | {"clears_after": draw(distribution), "never": draw(share)} for kind in kinds[split:]
    ]
    optional = {
        "connections_per_ip": st.integers(1, 1000),
        "messages_per_connection": st.integers(1, 10**6) | st.just("unlimited"),
        "idle_timeout": duration,
        "rate": throttle,
        "connection_scaling": st.sampled_from(["none", "kumomta"]),
        "tolerance": rate,
        "suspend": suspend | st.just("mta"),
        "transient": share,
        "async_bounce": share,
    }
    return {
        "connect_time": draw(distribution),
        "transaction_time": draw(distribution),
        "hard": kinds[:split],
        "faults": faults,
        **draw(st.fixed_dictionaries({}, optional=optional)),
    }


@st.composite
def held(draw: st.DrawFn, at: float) -> dict[str, Any]:
    """What operators do after a start: up to two pauses, and a stop."""
    later = draw(st.lists(st.floats(1, 1e6), max_size=5))
    moments = [format_duration(at + sum(later[: n + 1])) for n in range(len(later))]
    pauses, resumes = moments[:4:2], moments[1:4:2]
    keys = {"pause": pauses, "resume": resumes, "stop": "".join(moments[4:])}
    return {key: value for key, value in keys.items() if value}


confirmation = st.fixed_dictionaries(
    {"within": distribution},
    optional={
        "hours": st.sampled_from(["Mon-Fri 09:00-18:00", "08:30-12:00, Sat-Sun 13:00-24:00"]),
        "people": st.integers(1, 1000),
        "ahead": duration,
        "give_up": st.floats(604_800, 1e9).map(format_duration),
    },
)
pattern = st.sampled_from([[1.0] * 24, [0.1, 1e9, 1 / 3] * 56])


@st.composite
def scenario(draw: st.DrawFn) -> dict[str, Any]:
    providers = draw(st.dictionaries(name, provider(), min_size=1, max_size=3))
    audiences = st.sampled_from(sorted(providers)).map(lambda only: {only: 1.0})
    names = draw(st.lists(name, unique=True, min_size=1, max_size=3))
    starts_s = {one: draw(st.floats(1e-6, 1e6)) for one in names}
    operated = st.fixed_dictionaries({}, optional={"confirm": confirmation, "pattern": pattern})
    deliveries = [
        {
            "name": one,
            "messages": draw(st.integers(1, 10**9 - 1)),
            "audience": draw(audiences),
            "at": format_duration(starts_s[one]),
            "spread": draw(st.floats(1e-6, 1_209_600).map(format_duration)),
            "validity": draw(st.floats(1, 302_400).map(format_duration)),
        }
        | draw(held(starts_s[one]))
        | draw(operated)
        for one in names
    ]
    return {
        "title": draw(st.text(st.characters(codec="utf-8"), max_size=200).filter(str.isprintable)),
        "seed": draw(st.integers(0, 2**128 - 1)),
        "start": "2026-11-27T09:00:00",
        "deliveries": deliveries,
        "relay": {
            "batch_time": draw(distribution),
            "rate": draw(rate),
            "error_rate": draw(share),
        },
        "mta": {
            "retry": draw(retry),
            "ips": draw(st.integers(1, 1000)),
            "suspend": draw(suspend),
        },
        "providers": providers,
        "feedback": {"synchronous": draw(distribution), "rate": draw(server_rate)},
        "time": draw(st.fixed_dictionaries({}, optional={"window": window})),
    }
