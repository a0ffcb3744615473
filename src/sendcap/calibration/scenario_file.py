"""The file of a fitted scenario: its tables, and where each figure is from."""

from __future__ import annotations

from typing import Any

from sendcap.calibration.arrivals import Stretch
from sendcap.calibration.estimates import ProviderFound
from sendcap.calibration.evidence import Evidence
from sendcap.calibration.fitting import Fit
from sendcap.calibration.logs.recognising import FileRead
from sendcap.calibration.retries import Recognised
from sendcap.calibration.scenarios import Line, deliveries, provider_lines, retry_table, written
from sendcap.calibration.words import seconds, told
from sendcap.scenario.commented import Place, commented


def scenario_text(
    files: list[FileRead],
    found: list[ProviderFound],
    evidence: Evidence,
    arrivals: list[Stretch],
    validity_s: float | None,
    policy: Recognised | None,
    feedback: list[Fit],
    missing: list[str],
) -> str:
    """Return the text of the file; add to ``missing`` what could not be identified."""
    head = [
        "Fitted by sendcap calibrate. Comments tell where a figure is from; intervals are 90 %.",
        (
            f"Log: {', '.join(its.name for its in files[:5])}{' …' if len(files) > 5 else ''}; "
            f"{evidence.messages:,} messages, {sum(its.attempts for its in found):,} attempts."
        ),
        "Limits are those of all source addresses together, so there is one.",
    ]
    title = f"Fitted to {files[0].name}"[:100]
    file = _File(title if title.isprintable() else "Fitted to a log")
    if validity_s is not None:
        validity_s = max(round(validity_s / 60.0), 1) * 60.0
    audience = {its.name: its.messages for its in found}
    file.data["deliveries"] = deliveries(arrivals, evidence.messages, validity_s, audience)
    file.put(
        ("relay",),
        [
            ("batch", max(1, min(256, evidence.messages // 2000)), ""),
            ("batch_time", "0s", "messages come to the MTA when they did in the log"),
        ],
    )
    if policy is not None:
        about = f"{policy.told}: explains {policy.explained:,} of {policy.gaps:,} gaps"
        file.put(("mta",), [("retry", retry_table(policy.policy), about)])
    for its in found:
        file.put(("providers", its.name), provider_lines(its, missing))
    if feedback:
        about = f"mean {told(feedback[0].mean_s, seconds)}"
        file.put(("feedback",), [("synchronous", written(feedback[0]), about)])
    return commented(file.data, file.comments, head)


class _File:
    """Tables of a scenario, and comments on their keys."""

    def __init__(self, title: str) -> None:
        self.data: dict[str, Any] = {"title": title}
        self.comments: dict[Place, str] = {}

    def put(self, place: tuple[str, ...], lines: list[Line]) -> None:
        """Put lines into the table at a place."""
        table = self.data
        for name in place:
            table = table.setdefault(name, {})
        for key, value, about in lines:
            table[key] = value
            if about:
                self.comments[*place, key] = about
