"""Why the model has no use for a parameter of Postfix."""

from __future__ import annotations

from typing import Final

from sendcap.importers.postfix.settings import DEFAULTS

_REASONS: Final = {
    "concurrency_feedback": "the model opens connections at once up to the limit",
    "initial_destination_concurrency": "the model opens connections at once up to the limit",
    "failed_cohort_limit": "the model's queue goes on when a host cannot be reached",
    "recipient_limit": "each message has one recipient",
    "bounce_queue_lifetime": "for mail without a sender only",
    "delay_warning_time": "no mail is sent about delays in the model",
    "timeout": "the model's servers always answer; an outage is a provider's own key",
    "tls": "TLS takes no time of its own in the model; it is part of the connect time",
    "smtpd": "about mail that comes in",
    "smtp_connection_reuse_time_limit": "the model's connections have no age, only a count",
    "qmgr": "the model's queue manager holds any number of messages",
}


def why_unused(name: str) -> str:
    """Return why a parameter is not in the scenario."""
    otherwise = "does not decide how fast mail goes out"
    if name in DEFAULTS:
        otherwise = "another parameter holds"
    return next((why for part, why in _REASONS.items() if part in name), otherwise)
