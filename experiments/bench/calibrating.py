"""What the MTA's own log gives back of the configuration."""

from __future__ import annotations

import warnings

import sendcap
from bench.mtas.mta import Mta
from sendcap.errors import SendcapError, SendcapWarning


def given_back(mta: Mta) -> str:
    """Return the connections and the retry policy that a log of a trial shows, in words."""
    providers = {name: name for name in mta.trial.receivers}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SendcapWarning)
            scenario = sendcap.calibrate([mta.log], format=mta.name, providers=providers).scenario
    except SendcapError as problem:
        return f"nothing: {problem}"
    words = [
        f"{name}: {provider.connections_per_ip} connections"
        for name, provider in scenario.providers.items()
        if name in providers
    ]
    retry = scenario.mta.retry.model_dump(mode="json")
    words.append(", ".join(f"{key} {value}" for key, value in retry.items()))
    return "; ".join(words)
