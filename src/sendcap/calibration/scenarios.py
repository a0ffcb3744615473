"""From what was found to a scenario: its tables, and a file that says where each figure is from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from sendcap.calibration.arrivals import Stretch
from sendcap.calibration.estimates import FaultFound, ProviderFound
from sendcap.calibration.fitting import Fit
from sendcap.calibration.times import Figure
from sendcap.calibration.words import percent, seconds, told
from sendcap.scenario import LONGEST_VALIDITY_S, RetryPolicy, format_duration

Line = tuple[str, Any, str]
"""A key, its value and a comment, which may be empty."""

_DIGITS: Final = 4
_DEFAULT_CONNECT: Final = "300ms"
_DEFAULT_TRANSACTION: Final = "500ms"
_LEAST_CONNECTIONS: Final = 10
"""KumoMTA's default; fewer than that were seen only because more were not needed."""


def duration(seconds: float) -> str:
    """Return a duration with as many digits as it deserves."""
    rounded = float(f"{max(seconds, 0.0):.{_DIGITS}g}")
    return format_duration(min(rounded, 1e9))


def number(value: float) -> float:
    """Return a number with as many digits as it deserves."""
    return float(f"{value:.{_DIGITS}g}")


def written(fit: Fit) -> Any:
    """Return a fitted distribution as a scenario writes it."""
    table = dict(fit.table)
    if table["dist"] == "constant":
        return duration(table["value"])
    its = fit.mean_s.value
    if table["dist"] == "empirical":
        return {**table, "values": [duration(value) for value in table["values"]]}
    for key in ("mean", "scale", "low", "high"):
        if key in table:
            table[key] = duration(max(table[key], 1e-6 if key != "low" else 0.0))
    for key in ("cv", "shape"):
        if key in table:
            least, most = (0.1, 100.0) if key == "shape" else (1e-3, 100.0)
            table[key] = number(min(max(table[key], least), most))
    if not math.isfinite(its) or its > 1e9:
        # A tail so heavy is no measurement.
        return duration(1e9)
    return table


def provider_lines(its: ProviderFound, missing: list[str]) -> list[Line]:
    """Return a provider's keys, values and comments; add what could not be identified."""
    lines: list[Line] = []
    where = f"providers.{its.name}"
    lines += _connection_lines(its, where, missing)
    lines += _time_line("connect_time", its.connect, _DEFAULT_CONNECT, where, missing)
    if its.transaction_mean is not None:
        mean = its.transaction_mean
        about = f"mean {told(mean, seconds)}; the shape is an assumption"
        table = {"dist": "exponential", "mean": duration(mean.value)}
        lines.append(("transaction_time", table, about))
        missing.append(
            f"{where}.transaction_time: its shape; stamps are whole seconds, and tell its mean only"
        )
    else:
        its_own, default = its.transaction, _DEFAULT_TRANSACTION
        lines += _time_line("transaction_time", its_own, default, where, missing)
    lines += _rate_lines(its, where, missing)
    if its.transient.value > 0.0:
        reasons = ", ".join(f"{name} {count:,}" for name, count in its.transient_reasons.items())
        about = f"{told(its.transient, percent)} of the attempts: {reasons}"
        lines.append(("transient", number(its.transient.value), about))
    if its.returned.value > 0.0:
        about = f"{told(its.returned, percent)} of the accepted"
        lines.append(("async_bounce", number(its.returned.value), about))
    if its.hard:
        value = [
            {"reason": reason, "share": number(part.value)} for reason, part in its.hard.items()
        ]
        about = "; ".join(f"{name} {told(part, percent)}" for name, part in its.hard.items())
        lines.append(("hard", value, about))
    if its.faults:
        about = "; ".join(f"{one.reason} {told(one.share, percent)}" for one in its.faults)
        lines.append(("faults", [_fault(one, its.hard) for one in its.faults], about))
        for one in its.faults:
            if one.greylisting and one.fits[0].mean_s.low <= 0.0:
                upto = seconds(one.fits[0].mean_s.high)
                missing.append(
                    f"{where}.faults, {one.reason}: when it clears; every one had at the next "
                    f"attempt, so some time up to {upto}"
                )
    return lines


def _connection_lines(its: ProviderFound, where: str, missing: list[str]) -> list[Line]:
    lines: list[Line] = []
    ceiling = its.ceiling
    if ceiling.limited_by == "connections" and ceiling.level is not None:
        about = f"in use all the time in {ceiling.blocks} stretches of {ceiling.block_s:g} s"
        lines.append(("connections_per_ip", max(round(ceiling.level.value), 1), about))
    elif ceiling.pause_s is not None:
        lines.append(("connections_per_ip", 1, "attempts came one by one"))
    elif math.isfinite(ceiling.connections):
        seen = max(math.ceil(ceiling.connections - 0.05), 1)
        value = max(seen, _LEAST_CONNECTIONS)
        lines.append(("connections_per_ip", value, f"at least: {seen} were in use at a time"))
        missing.append(f"{where}.connections_per_ip: no limit was reached; {seen} were in use")
    else:
        missing.append(f"{where}.connections_per_ip: the log does not tell connections apart")
    per = its.per_connection
    if per is None:
        missing.append(f"{where}.messages_per_connection: the log does not tell connections apart")
    elif per.limit:
        about = f"{per.closed_there:,} of {per.connections:,} connections were closed there"
        lines.append(("messages_per_connection", per.most, about))
    elif per.most == 1:
        lines.append(("messages_per_connection", 1, "no connection was used again"))
    else:
        missing.append(
            f"{where}.messages_per_connection: no limit was reached; {per.most} at most, "
            f"{per.mean:.3g} on average"
        )
    return lines


def _time_line(
    key: str, fits: list[Fit], default: str, where: str, missing: list[str]
) -> list[Line]:
    if not fits:
        missing.append(f"{where}.{key}: the log does not tell; {default} is an assumption")
        return [(key, default, "assumption: the log does not tell")]
    its = fits[0]
    about = f"{its.count:,.0f} measured; mean {told(its.mean_s, seconds)}"
    if its.family == "empirical":
        about += "; no family fits, so these are the measured times' quantiles"
    return [(key, written(its), about)]


def _rate_lines(its: ProviderFound, where: str, missing: list[str]) -> list[Line]:
    lines: list[Line] = []
    ceiling = its.ceiling
    if ceiling.limited_by == "rate" and ceiling.level is not None:
        about = f"{ceiling.blocks} stretches of {ceiling.block_s:g} s at that pace"
        value: Any = _rate(ceiling.level)
        if ceiling.pause_s is not None and its.transaction:
            # In a scenario the next connection may be made meanwhile, so that is in the pause.
            apart_s = 1.0 / ceiling.level.value
            pause_s = max(apart_s - its.transaction[0].mean_s.value, ceiling.pause_s)
            value = {"kind": "gap", "pause": duration(pause_s)}
            about = f"every {seconds(apart_s)}, of which {seconds(ceiling.pause_s)} idle; {about}"
        lines.append(("rate", value, about))
    elif ceiling.limited_by == "connections":
        missing.append(f"{where}.rate: the connections were the limit, a rate was never reached")
    else:
        missing.append(
            f"{where}.rate: no ceiling shows; the fastest minute had {ceiling.per_minute:.4g}/s"
        )
    if its.tolerated is not None:
        level, minutes = its.tolerated
        about = f"let through in {minutes} minutes in which others were throttled"
        lines.append(("tolerance", _rate(level), about))
    return lines


def _rate(per_s: Figure) -> str:
    """Return a rate as a scenario writes it, evenly spaced to the second."""
    per_minute = max(round(per_s.value * 60.0), 1)
    return f"{per_minute}/m,max_burst={max(1, round(per_s.value))}"


def _fault(its: FaultFound, hard: Mapping[str, Figure]) -> dict[str, Any]:
    # A scenario gives each reason once.
    reason = f"{its.reason} for a time" if its.reason in hard else its.reason
    table: dict[str, Any] = {"reason": reason, "share": number(its.share.value)}
    if its.fits:
        table["clears_after"] = written(its.fits[0])
    never = its.never.value if its.fits else 1.0
    if never > 0.0:
        table["never"] = number(never)
    return table


def deliveries(
    stretches: list[Stretch], messages: int, validity_s: float | None, audience: dict[str, int]
) -> list[dict[str, Any]]:
    """Return deliveries that come to the same arrivals."""
    total = sum(audience.values())
    shares = {name: count / total for name, count in audience.items() if count}
    found = []
    for position, its in enumerate(stretches, 1):
        table: dict[str, Any] = {
            "name": "log" if len(stretches) == 1 else f"log-{position:02d}",
            "messages": max(round(messages * its.share), 1),
            "at": format_duration(round(its.at_s, 1)),
        }
        spread_s = min(round(its.spread_s, 1), 14 * 86_400.0)
        if spread_s:
            table["spread"] = format_duration(spread_s)
        if validity_s is not None:
            table["validity"] = format_duration(min(max(validity_s, 60.0), LONGEST_VALIDITY_S))
        found.append({**table, "audience": shares})
    return found


def retry_table(policy: RetryPolicy) -> dict[str, Any]:
    """Return a policy as a scenario writes it, without what is left to its default."""
    table = policy.model_dump(exclude_defaults=True)
    return {"policy": policy.model_dump()["policy"], **table}
