"""What the MTA's own log gives back of the configuration."""

from __future__ import annotations

import warnings
from pathlib import Path

import sendcap
from bench.trials import Trial
from sendcap.errors import SendcapError, SendcapWarning
from sendcap.scenario import PostfixRetry


def given_back(trial: Trial, log: Path) -> str:
    """Return the connections and the retry policy that a log of the trial shows, in words."""
    providers = {name: name for name in trial.receivers}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SendcapWarning)
            scenario = sendcap.calibrate([log], format="postfix", providers=providers).scenario
    except SendcapError as problem:
        return f"nothing: {problem}"
    words = [
        f"{name}: {provider.connections_per_ip} connections"
        for name, provider in scenario.providers.items()
        if name in trial.receivers
    ]
    retry = scenario.mta.retry
    if isinstance(retry, PostfixRetry):
        words.append(
            f"postfix, {retry.minimal_backoff_time:.0f} to {retry.maximal_backoff_time:.0f} s, "
            f"scans each {retry.queue_run_delay:.0f} s"
        )
    else:
        words.append(retry.policy)
    return "; ".join(words)
