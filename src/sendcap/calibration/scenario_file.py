"""The file of a fitted scenario: its tables, and where each figure is from."""

from __future__ import annotations

from typing import Any

from sendcap.calibration.arrivals import Stretch
from sendcap.calibration.commented import Line, heading, toml
from sendcap.calibration.estimates import ProviderFound
from sendcap.calibration.evidence import Evidence
from sendcap.calibration.fitting import Fit
from sendcap.calibration.logs.recognising import FileRead
from sendcap.calibration.retries import Recognised
from sendcap.calibration.scenarios import deliveries, provider_lines, retry_table, written
from sendcap.calibration.words import seconds, told


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
    audience = {its.name: its.messages for its in found}
    tables: list[tuple[str, list[Line]]] = []
    if validity_s is not None:
        validity_s = max(round(validity_s / 60.0), 1) * 60.0
    tables += [
        ("[[deliveries]]", [(key, value, "") for key, value in table.items()])
        for table in deliveries(arrivals, evidence.messages, validity_s, audience)
    ]
    batch = max(1, min(256, evidence.messages // 2000))
    relay: list[Line] = [
        ("batch", batch, ""),
        ("batch_time", "0s", "messages come to the MTA when they did in the log"),
    ]
    tables.append(("[relay]", relay))
    if policy is not None:
        about = f"{policy.told}: explains {policy.explained:,} of {policy.gaps:,} gaps"
        tables.append(("[mta]", [("retry", retry_table(policy.policy), about)]))
    tables += [(heading("providers", its.name), provider_lines(its, missing)) for its in found]
    if feedback:
        about = f"mean {told(feedback[0].mean_s, seconds)}"
        tables.append(("[feedback]", [("synchronous", written(feedback[0]), about)]))
    top: dict[str, Any] = {"title": f"Fitted to {files[0].name}"[:100]}
    if not top["title"].isprintable():
        top["title"] = "Fitted to a log"
    return toml(head, top, tables)
