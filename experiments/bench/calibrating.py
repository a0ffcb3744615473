"""What the MTA's own log gives back of the configuration."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import sendcap
from bench.mtas.mta import Mta
from sendcap.calibration.calibrate import Calibration
from sendcap.calibration.estimates import ProviderEstimates
from sendcap.errors import SendcapError, SendcapWarning
from sendcap.scenario import Gap
from sendcap.text.quantities import counted, precise


def given_back(mta: Mta) -> str:
    """Return the limits, times and the retry policy that a log of a trial shows, in words."""
    providers = {name: name for name in mta.trial.receivers}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SendcapWarning)
            found = sendcap.calibrate([mta.log], format=mta.name, providers=providers)
    except SendcapError as problem:
        return f"nothing: {problem}"
    return "; ".join(_words(found))


def _words(found: Calibration) -> Iterator[str]:
    for estimates in sorted(found.providers, key=lambda each: each.name):
        yield f"{estimates.name}: {', '.join(_of_a_provider(found, estimates))}"
    for limit in found.scenario.limits:
        yield f"together {limit.connections} connections"
    if found.policy is not None:
        retry = found.scenario.mta.retry.model_dump(mode="json")
        yield ", ".join(f"{key} {value}" for key, value in retry.items())


def _of_a_provider(found: Calibration, estimates: ProviderEstimates) -> Iterator[str]:
    provider, ceiling = found.scenario.providers[estimates.name], estimates.ceiling
    if estimates.accepts is not None:
        yield f"accepts {counted(estimates.accepts, 'connection')}"
    elif isinstance(provider.rate, Gap):
        yield f"one by one, {precise(provider.rate.pause)} between"
    elif ceiling.limited_by == "connections":
        yield counted(provider.connections_per_ip or 0, "connection")
    elif ceiling.level is not None:
        yield f"a rate of {ceiling.level.value:.3g}/s"
    else:
        yield f"no limit of its own, {ceiling.connections:.0f} in use"
    per = estimates.per_connection
    if per is not None and (per.limit or per.most == 1):
        yield f"{counted(per.most, 'message')} per connection"
    if estimates.connect or estimates.connect_mean is not None:
        yield f"{precise(provider.connect_time.mean_s)} to connect"
    yield f"{precise(provider.transaction_time.mean_s)} per message"
