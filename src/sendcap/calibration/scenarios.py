"""The fitted scenario: tables, and a file whose comments give the source of each figure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sendcap.calibration.arrivals import delivery_tables
from sendcap.calibration.estimates import FaultEstimate, ProviderEstimates
from sendcap.calibration.evidence import LEAST_EXPIRED
from sendcap.calibration.families import Fit
from sendcap.calibration.times import Figure
from sendcap.scenario import Mta, format_duration, loads, parse_duration
from sendcap.scenario.commented import Place, commented
from sendcap.text.quantities import counted, precise

if TYPE_CHECKING:
    from sendcap.calibration.calibrate import Calibration

_DIGITS: Final = 4
_DEFAULTS: Final = {"connect_time": "300ms", "transaction_time": "500ms"}
_LEAST: Final = {"mean": 1e-6, "scale": 1e-6, "low": 0.0, "high": 1e-6, "cv": 1e-3, "shape": 0.1}
"""Least values of the parameters of distributions."""
_PLAIN: Final = ("cv", "shape")
"""Parameters that are not durations; they are at most 100."""
_LEAST_CONNECTIONS: Final = 10
"""KumoMTA's default: a log with fewer connections may just have needed no more."""
_RUNNERS: Final = {"name": "queue runners", "attempts": "retries", "connections": 5}
_NO_CONNECTIONS: Final = "the log does not distinguish connections"


class _Entry(NamedTuple):
    """A value with a comment on it, or the reason why it is missing or assumed."""

    key: str
    value: Any = None
    comment: str = ""
    missing: str = ""


def fitted_scenario(calibration: Calibration) -> dict[str, Any]:
    """Return the scenario of a calibration, the text and the keys without an estimate."""
    files, providers, evidence = calibration.files, calibration.providers, calibration.evidence
    tried = counted(sum(provider.attempts for provider in providers), "attempt")
    names = ", ".join(file.name for file in files[:5]) + (" …" if len(files) > 5 else "")
    head = [
        "Fitted by sendcap calibrate. Comments give the source of a figure; intervals are 90 %.",
        f"Log: {names}; {counted(evidence.messages, 'message')}, {tried}.",
        "Limits are those of all source addresses together, as if of one.",
    ]
    validity_s, total = calibration.validity_s, evidence.messages
    validity = None if validity_s is None else _minutes(validity_s)
    audience = {each.name: each.messages / total for each in providers}
    title = f"Fitted to {files[0].name}"[:100]
    data: dict[str, Any] = {
        "title": title if title.isprintable() else "Fitted to a log",
        "deliveries": delivery_tables(calibration.arrivals, total, audience, validity),
        "relay": {"batch": max(1, min(256, evidence.messages // 2000)), "batch_time": "0s"},
    }
    if any(stretch.hours for stretch in calibration.arrivals):
        # A pattern goes by the clock.
        moment = datetime.fromtimestamp(round(calibration.origin_s), UTC)
        data = {"title": data.pop("title"), "start": moment.replace(tzinfo=None), **data}
    comments: dict[Place, str] = {
        ("relay", "batch_time"): "messages reach the MTA as in the log",
    }
    policy, fits = calibration.policy, calibration.feedback
    if policy is not None:
        settings = policy.policy.model_dump(exclude_defaults=True)
        data["mta"] = {"retry": {"policy": policy.policy.model_dump()["policy"], **settings}}
        comments["mta", "retry"] = str(policy)
    if validity is not None and parse_duration(validity) > Mta().longest_validity:
        data.setdefault("mta", {})["longest_validity"] = validity
        comments["mta", "longest_validity"] = "as in the log"
    missing = list(_missing(calibration))
    data["providers"] = {}
    for provider in providers:
        table = data["providers"][provider.name] = {}
        for entry in _provider(provider, postfix=all(each.format == "postfix" for each in files)):
            if entry.value is not None:
                table[entry.key] = entry.value
                comments["providers", provider.name, entry.key] = entry.comment
            if entry.missing:
                missing.append(f"providers.{provider.name}.{entry.key}: {entry.missing}")
    limits = list[dict[str, Any]]()
    if calibration.shared is not None:
        limits.append(calibration.shared.table)
        lasted = f"{calibration.shared.held.lasted_s:g} s"
        comments["limits", 0, "connections"] = f"together in use for {lasted}, and of each not"
    if policy is not None and policy.run_s:
        limits.append(_RUNNERS | {"one_more_every": _duration(policy.run_s)})
        comments["limits", len(limits) - 1, "connections"] = "Exim's queue_run_max by default"
    if limits:
        data["limits"] = limits
    if fits:
        data["feedback"] = {"synchronous": written(fits[0])}
        comments["feedback", "synchronous"] = f"mean {fits[0].mean_s.text(precise)}"
    text = commented(data, comments, head)
    scenario = loads(text, "the fitted scenario")
    return {"scenario": scenario, "text": text, "missing": missing}


def _missing(calibration: Calibration) -> Iterator[str]:
    """Yield the keys beside the providers' without an estimate, each with a reason."""
    if not len(calibration.evidence.arrivals_s.values()):
        yield "deliveries: the log has no arrival times, so arrivals are spread evenly"
    if calibration.validity_s is None:
        yield f"deliveries.validity: fewer than {LEAST_EXPIRED} messages expired"
    if not calibration.feedback:
        yield "feedback.synchronous: needs a table of event times (--feedback)"
    if not calibration.policies:
        tried = counted(len(calibration.gaps), "message was", "messages were")
        yield f"mta.retry: {tried} tried again after a soft bounce; 5 are needed"
    elif calibration.policy is None:
        best = calibration.policies[0]
        yield f"mta.retry: no policy explains enough gaps; the best candidate is {best}"


def _provider(estimates: ProviderEstimates, *, postfix: bool) -> Iterator[_Entry]:
    if postfix and estimates.accepts is not None:
        yield from _accepted(estimates, estimates.accepts)
    else:
        yield _connections(estimates)
    yield _per_connection(estimates)
    few, mean = estimates.connect_mean, estimates.transaction_mean
    if few is None:
        yield _time("connect_time", estimates.connect)
    else:
        comment = f"mean {few.text(precise)}"
        few_only = "the shape: too few connections were opened"
        yield _Entry("connect_time", _duration(few.value), comment, few_only)
    if mean is None:
        yield _time("transaction_time", estimates.transaction)
    else:
        yield _Entry(
            "transaction_time",
            {"dist": "exponential", "mean": _duration(mean.value)},
            f"mean {mean.text(precise)}; the shape is an assumption",
            "the shape: whole-second stamps give the mean only",
        )
    yield _rate(estimates)
    if estimates.tolerated is not None:
        level, minutes = estimates.tolerated
        comment = f"passed in {minutes} minutes with throttled attempts"
        yield _Entry("tolerance", _per_minute(level), comment)
    yield from _bounces(estimates)


def _accepted(estimates: ProviderEstimates, accepts: int) -> Iterator[_Entry]:
    # Nobody knows how many the MTA would have: its window shrinks with the refusals.
    comment = "assumption: more than the provider accepts"
    yield _Entry("connections_per_ip", max(2 * accepts, _LEAST_CONNECTIONS), comment, comment)
    yield _Entry("connection_scaling", "postfix", "as Postfix does where it is refused")
    comment = f"all in use in {estimates.ceiling.stretches}; further ones were refused"
    yield _Entry("accepts_connections", accepts, comment)


def _connections(estimates: ProviderEstimates) -> _Entry:
    key, ceiling = "connections_per_ip", estimates.ceiling
    if ceiling.limited_by == "connections" and ceiling.level is not None:
        return _Entry(key, max(round(ceiling.level.value), 1), f"all in use in {ceiling.stretches}")
    if ceiling.pause_s is not None:
        return _Entry(key, 1, "attempts came one by one")
    if math.isfinite(ceiling.connections):
        seen = max(math.ceil(ceiling.connections - 0.05), 1)
        least = max(seen, _LEAST_CONNECTIONS)
        why = _UNKNOWN if ceiling.waited else _NOT_REACHED
        if ceiling.shared is not None:
            least, why = max(least, round(ceiling.shared.value)), _SHARED
        comment = f"{why}; {ceiling.in_use}"
        return _Entry(key, least, comment, comment)
    return _Entry(key, missing=_NO_CONNECTIONS)


_NOT_REACHED: Final = "no limit was reached"
_SHARED: Final = "the limit that it shares with others was reached first"
_UNKNOWN: Final = "messages waited, and whether for this limit cannot be told"


def _per_connection(estimates: ProviderEstimates) -> _Entry:
    key, per = "messages_per_connection", estimates.per_connection
    if per is None:
        return _Entry(key, missing=_NO_CONNECTIONS)
    if per.limit:
        closed = f"{per.closed_there:,} of {per.connections:,} connections were closed there"
        each = f"{per.most} transactions of {per.recipients:.3g} recipients; "
        return _Entry(key, per.messages, closed if per.messages == per.most else each + closed)
    if per.most == 1:
        each = f"the recipients of one transaction, {per.recipients:.3g} on average; "
        comment = "no connection was used again"
        return _Entry(key, per.messages, comment if per.messages == 1 else each + comment)
    counts = f"at most {per.messages}, on average {per.mean * per.recipients:.3g}"
    return _Entry(key, missing=f"no limit was reached; {counts}")


def _time(key: str, fits: list[Fit]) -> _Entry:
    if not fits:
        default = _DEFAULTS[key]
        missing = f"not in the log; {default} is an assumption"
        return _Entry(key, default, "assumption: not in the log", missing)
    fit = fits[0]
    comment, value = f"{fit.count:,.0f} measured; mean {fit.mean_s.text(precise)}", written(fit)
    if fit.family == "empirical" and not isinstance(value, str):
        comment += "; quantiles of the measured times, because no family fits"
    return _Entry(key, value, comment)


def _rate(estimates: ProviderEstimates) -> _Entry:
    ceiling = estimates.ceiling
    if ceiling.limited_by == "connections":
        return _Entry("rate", missing="never reached; the connections were the limit")
    if ceiling.level is None:
        return _Entry("rate", missing=f"no ceiling{ceiling.fastest_text}")
    comment = f"{ceiling.stretches} at that pace"
    if ceiling.pause_s is None or not estimates.transaction:
        return _Entry("rate", _per_minute(ceiling.level), comment)
    # A scenario opens the next connection during the pause, a log after it.
    apart_s = 1.0 / ceiling.level.value
    pause_s = max(apart_s - estimates.transaction[0].mean_s.value, ceiling.pause_s)
    idle = f"every {precise(apart_s)}, of which {precise(ceiling.pause_s)} idle"
    return _Entry("rate", {"kind": "gap", "pause": _duration(pause_s)}, f"{idle}; {comment}")


def _bounces(estimates: ProviderEstimates) -> Iterator[_Entry]:
    transient, returned = estimates.transient, estimates.returned
    if transient.value > 0.0:
        comment = f"{transient.percent} of the attempts: {estimates.reasons_text}"
        yield _Entry("transient", _number(transient.value), comment)
    if returned.value > 0.0:
        comment = f"{returned.percent} of the accepted messages"
        yield _Entry("async_bounce", _number(returned.value), comment)
    shrunk = _together_at_most_one(estimates)
    if estimates.hard:
        shares = estimates.hard.items()
        value = [{"reason": reason, "share": shrunk(share)} for reason, share in shares]
        yield _Entry(
            "hard", value, "; ".join(f"{reason} {share.percent}" for reason, share in shares)
        )
    faults = estimates.faults
    if faults:
        comment = "; ".join(f"{fault.reason} {fault.share.percent}" for fault in faults)
        yield _Entry("faults", [_fault(fault, estimates.hard, shrunk) for fault in faults], comment)
    for fault in faults:
        unknown = ""
        if not fault.fits:
            unknown = "when it clears; none had within the log, so that none does"
        elif fault.clears_by_next_attempt:
            upto = precise(fault.fits[0].mean_s.high)
            unknown = f"when it clears; all had at the next attempt, so within {upto}"
        elif not fault.is_shaped:
            few = counted(round(fault.times.count), "message is", "messages are")
            unknown = f"the shape; {few} too few, so exponential is an assumption"
        yield _Entry(f"faults, {fault.reason}", missing=unknown)


def _duration(seconds: float) -> str:
    """Return a duration with four significant digits."""
    return format_duration(min(_number(max(seconds, 0.0)), 1e9))


def _minutes(seconds: float) -> str:
    return format_duration(max(round(seconds / 60.0), 1) * 60.0)


def _number(value: float) -> float:
    """Return a number with four significant digits."""
    return float(f"{value:.{_DIGITS}g}")


def written(fit: Fit) -> Any:
    """Return a fitted distribution as a scenario writes it."""
    table = dict(fit.table)
    if table["dist"] == "constant":
        return _duration(table["value"])
    if table["dist"] == "empirical":
        values = [_duration(value) for value in table["values"]]
        # Of times that are apart by less than is written, one is all.
        return values[0] if len(set(values)) == 1 else {**table, "values": values}
    for key, least in _LEAST.items():
        if key in table:
            value = max(table[key], least)
            table[key] = _number(min(value, 100.0)) if key in _PLAIN else _duration(value)
    mean_s = fit.mean_s.value
    # The mean of a very heavy tail is not a measurement.
    return table if math.isfinite(mean_s) and mean_s <= 1e9 else _duration(1e9)


def _per_minute(per_s: Figure) -> str:
    """Return a rate as a scenario writes it, evenly spaced to the second."""
    per_minute = max(round(per_s.value * 60.0), 1)
    return f"{per_minute}/m,max_burst={max(1, round(per_s.value))}"


def _together_at_most_one(estimates: ProviderEstimates) -> Callable[[Figure], float]:
    """Return how a share is written: of more than all addresses, each of them less.

    Rounded shares may be a little more than all. And who was never reached counts for *unreachable*
    among all messages, and for no other reason.
    """
    figures = [*estimates.hard.values(), *(fault.share for fault in estimates.faults)]
    total = sum(_number(figure.value) for figure in figures)
    if total <= 1.0:
        return lambda share: _number(share.value)
    return lambda share: math.floor(share.value / total * 1e4) / 1e4


def _fault(
    fault: FaultEstimate, hard: Mapping[str, Figure], shrunk: Callable[[Figure], float]
) -> dict[str, Any]:
    # Reasons in a scenario are unique.
    reason = f"{fault.reason} for a time" if fault.reason in hard else fault.reason
    table: dict[str, Any] = {"reason": reason, "share": shrunk(fault.share)}
    if fault.fits:
        table["clears_after"] = written(fault.fits[0])
    never = fault.never.value if fault.fits else 1.0
    if never > 0.0:
        table["never"] = _number(never)
    return table
