"""The fitted scenario: tables, and a file whose comments give the source of each figure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from sendcap.calibration.arrivals import Stretch
from sendcap.calibration.estimates import FaultEstimate, ProviderEstimates
from sendcap.calibration.evidence import Evidence
from sendcap.calibration.families import Fit
from sendcap.calibration.logs.recognising import FileRead
from sendcap.calibration.retries import Recognised
from sendcap.calibration.times import Figure
from sendcap.scenario import LONGEST_VALIDITY_S, RetryPolicy, format_duration
from sendcap.scenario.commented import Place, commented
from sendcap.text.quantities import precise

_DIGITS: Final = 4
_DEFAULT_CONNECT: Final = "300ms"
_DEFAULT_TRANSACTION: Final = "500ms"
_LEAST_CONNECTIONS: Final = 10
"""KumoMTA's default: a log with fewer connections may just have needed no more."""
_NO_CONNECTIONS: Final = "the log does not distinguish connections"


class ScenarioFile:
    """Tables of a scenario, comments on the keys, and notes on missing ones.

    Parameters
    ----------
    missing
        Keys without an estimate, each with a reason; more are added.
    """

    def __init__(self, missing: list[str]) -> None:
        self.data: dict[str, Any] = {}
        self.comments: dict[Place, str] = {}
        self.missing = missing

    def put(self, table: tuple[str, ...], key: str, value: Any, comment: str = "") -> None:
        """Put a value into a table."""
        target = self.data
        for name in table:
            target = target.setdefault(name, {})
        target[key] = value
        if comment:
            self.comments[*table, key] = comment


def scenario_text(
    files: list[FileRead],
    providers: list[ProviderEstimates],
    evidence: Evidence,
    arrivals: list[Stretch],
    validity_s: float | None,
    policy: Recognised | None,
    feedback: list[Fit],
    missing: list[str],
) -> str:
    """Return the text of the scenario's file; keys without an estimate go to ``missing``."""
    attempts = sum(provider.attempts for provider in providers)
    names = ", ".join(file.name for file in files[:5]) + (" …" if len(files) > 5 else "")
    head = [
        "Fitted by sendcap calibrate. Comments give the source of a figure; intervals are 90 %.",
        f"Log: {names}; {evidence.messages:,} messages, {attempts:,} attempts.",
        "Limits are those of all source addresses together, as if of one.",
    ]
    file = ScenarioFile(missing)
    title = f"Fitted to {files[0].name}"[:100]
    file.data["title"] = title if title.isprintable() else "Fitted to a log"
    if validity_s is not None:
        validity_s = max(round(validity_s / 60.0), 1) * 60.0
    audience = {provider.name: provider.messages for provider in providers}
    file.data["deliveries"] = deliveries(arrivals, evidence.messages, validity_s, audience)
    file.put(("relay",), "batch", max(1, min(256, evidence.messages // 2000)))
    file.put(("relay",), "batch_time", "0s", "messages reach the MTA as in the log")
    if policy is not None:
        file.put(("mta",), "retry", retry_table(policy.policy), str(policy))
    for provider in providers:
        _ProviderTable(file, provider).fill()
    if feedback:
        comment = f"mean {feedback[0].mean_s.text(precise)}"
        file.put(("feedback",), "synchronous", written(feedback[0]), comment)
    return commented(file.data, file.comments, head)


class _ProviderTable:
    """A provider's table in the file."""

    def __init__(self, file: ScenarioFile, estimates: ProviderEstimates) -> None:
        self._file = file
        self._estimates = estimates

    def fill(self) -> None:
        """Put all estimates into the file."""
        estimates = self._estimates
        self._connections()
        self._per_connection()
        self._time("connect_time", estimates.connect, _DEFAULT_CONNECT)
        if estimates.transaction_mean is not None:
            mean = estimates.transaction_mean
            comment = f"mean {mean.text(precise)}; the shape is an assumption"
            table = {"dist": "exponential", "mean": duration(mean.value)}
            self._put("transaction_time", table, comment)
            self._lacks("transaction_time", "the shape: whole-second stamps give the mean only")
        else:
            self._time("transaction_time", estimates.transaction, _DEFAULT_TRANSACTION)
        self._rate()
        self._bounces()

    def _put(self, key: str, value: Any, comment: str) -> None:
        self._file.put(("providers", self._estimates.name), key, value, comment)

    def _lacks(self, key: str, reason: str) -> None:
        self._file.missing.append(f"providers.{self._estimates.name}.{key}: {reason}")

    def _connections(self) -> None:
        ceiling = self._estimates.ceiling
        if ceiling.limited_by == "connections" and ceiling.level is not None:
            comment = f"all in use in {ceiling.blocks} stretches of {ceiling.block_s:g} s"
            self._put("connections_per_ip", max(round(ceiling.level.value), 1), comment)
        elif ceiling.pause_s is not None:
            self._put("connections_per_ip", 1, "attempts came one by one")
        elif math.isfinite(ceiling.connections):
            seen = max(math.ceil(ceiling.connections - 0.05), 1)
            comment = f"no limit was reached; at most {seen} were in use"
            self._put("connections_per_ip", max(seen, _LEAST_CONNECTIONS), comment)
            self._lacks("connections_per_ip", comment)
        else:
            self._lacks("connections_per_ip", _NO_CONNECTIONS)

    def _per_connection(self) -> None:
        key, per = "messages_per_connection", self._estimates.per_connection
        if per is None:
            self._lacks(key, _NO_CONNECTIONS)
        elif per.limit:
            closed = f"{per.closed_there:,} of {per.connections:,} connections were closed there"
            self._put(key, per.most, closed)
        elif per.most == 1:
            self._put(key, 1, "no connection was used again")
        else:
            counts = f"at most {per.most}, on average {per.mean:.3g}"
            self._lacks(key, f"no limit was reached; {counts}")

    def _time(self, key: str, fits: list[Fit], default: str) -> None:
        if not fits:
            self._put(key, default, "assumption: not in the log")
            self._lacks(key, f"not in the log; {default} is an assumption")
            return
        fit = fits[0]
        comment = f"{fit.count:,.0f} measured; mean {fit.mean_s.text(precise)}"
        if fit.family == "empirical":
            comment += "; quantiles of the measured times, because no family fits"
        self._put(key, written(fit), comment)

    def _rate(self) -> None:
        estimates, ceiling = self._estimates, self._estimates.ceiling
        if ceiling.limited_by == "rate" and ceiling.level is not None:
            value: Any = _rate(ceiling.level)
            comment = f"{ceiling.blocks} stretches of {ceiling.block_s:g} s at that pace"
            if ceiling.pause_s is not None and estimates.transaction:
                # A scenario opens the next connection during the pause, a log after it.
                apart_s = 1.0 / ceiling.level.value
                pause_s = max(apart_s - estimates.transaction[0].mean_s.value, ceiling.pause_s)
                value = {"kind": "gap", "pause": duration(pause_s)}
                idle = f"every {precise(apart_s)}, of which {precise(ceiling.pause_s)} idle"
                comment = f"{idle}; {comment}"
            self._put("rate", value, comment)
        elif ceiling.limited_by == "connections":
            self._lacks("rate", "never reached; the connections were the limit")
        else:
            self._lacks("rate", f"no ceiling; the fastest minute had {ceiling.per_minute:.4g}/s")
        if estimates.tolerated is not None:
            level, minutes = estimates.tolerated
            comment = f"passed in {minutes} minutes with throttled attempts"
            self._put("tolerance", _rate(level), comment)

    def _bounces(self) -> None:
        estimates = self._estimates
        if estimates.transient.value > 0.0:
            counts = estimates.transient_reasons.items()
            reasons = ", ".join(f"{reason} {count:,}" for reason, count in counts)
            comment = f"{estimates.transient.percent} of the attempts: {reasons}"
            self._put("transient", number(estimates.transient.value), comment)
        if estimates.returned.value > 0.0:
            comment = f"{estimates.returned.percent} of the accepted messages"
            self._put("async_bounce", number(estimates.returned.value), comment)
        if estimates.hard:
            shares = estimates.hard.items()
            value = [{"reason": reason, "share": number(share.value)} for reason, share in shares]
            self._put(
                "hard", value, "; ".join(f"{reason} {share.percent}" for reason, share in shares)
            )
        faults = estimates.faults
        if faults:
            comment = "; ".join(f"{fault.reason} {fault.share.percent}" for fault in faults)
            self._put("faults", [_fault(fault, estimates.hard) for fault in faults], comment)
        for fault in faults:
            if fault.greylisting and fault.fits[0].mean_s.low <= 0.0:
                upto = precise(fault.fits[0].mean_s.high)
                reason = f"when it clears; all had at the next attempt, so within {upto}"
                self._lacks(f"faults, {fault.reason}", reason)


def duration(seconds: float) -> str:
    """Return a duration with four significant digits."""
    return format_duration(min(number(max(seconds, 0.0)), 1e9))


def number(value: float) -> float:
    """Return a number with four significant digits."""
    return float(f"{value:.{_DIGITS}g}")


def written(fit: Fit) -> Any:
    """Return a fitted distribution as a scenario writes it."""
    table = dict(fit.table)
    if table["dist"] == "constant":
        return duration(table["value"])
    if table["dist"] == "empirical":
        return {**table, "values": [duration(value) for value in table["values"]]}
    for key in ("mean", "scale", "low", "high"):
        if key in table:
            table[key] = duration(max(table[key], 1e-6 if key != "low" else 0.0))
    for key in ("cv", "shape"):
        if key in table:
            least, most = (0.1, 100.0) if key == "shape" else (1e-3, 100.0)
            table[key] = number(min(max(table[key], least), most))
    mean_s = fit.mean_s.value
    # The mean of a very heavy tail is not a measurement.
    return table if math.isfinite(mean_s) and mean_s <= 1e9 else duration(1e9)


def _rate(per_s: Figure) -> str:
    """Return a rate as a scenario writes it, evenly spaced to the second."""
    per_minute = max(round(per_s.value * 60.0), 1)
    return f"{per_minute}/m,max_burst={max(1, round(per_s.value))}"


def _fault(fault: FaultEstimate, hard: Mapping[str, Figure]) -> dict[str, Any]:
    # Reasons in a scenario are unique.
    reason = f"{fault.reason} for a time" if fault.reason in hard else fault.reason
    table: dict[str, Any] = {"reason": reason, "share": number(fault.share.value)}
    if fault.fits:
        table["clears_after"] = written(fault.fits[0])
    never = fault.never.value if fault.fits else 1.0
    if never > 0.0:
        table["never"] = number(never)
    return table


def deliveries(
    stretches: list[Stretch], messages: int, validity_s: float | None, audience: dict[str, int]
) -> list[dict[str, Any]]:
    """Return deliveries with the same arrivals."""
    total = sum(audience.values())
    shares = {name: count / total for name, count in audience.items() if count}
    tables = []
    for position, stretch in enumerate(stretches, 1):
        table: dict[str, Any] = {
            "name": "log" if len(stretches) == 1 else f"log-{position:02d}",
            "messages": max(round(messages * stretch.share), 1),
            "at": format_duration(round(stretch.at_s, 1)),
        }
        spread_s = min(round(stretch.spread_s, 1), 14 * 86_400.0)
        if spread_s:
            table["spread"] = format_duration(spread_s)
        if validity_s is not None:
            table["validity"] = format_duration(min(max(validity_s, 60.0), LONGEST_VALIDITY_S))
        tables.append({**table, "audience": shares})
    return tables


def retry_table(policy: RetryPolicy) -> dict[str, Any]:
    """Return a policy as a scenario writes it, without default values."""
    table = policy.model_dump(exclude_defaults=True)
    return {"policy": policy.model_dump()["policy"], **table}
