"""The machine code of the queues: one process compiles it, while others do what needs none."""

from __future__ import annotations

import fcntl
import re
from functools import cache
from pathlib import Path
from typing import Any

import sendcap
from sendcap.model.engine import _Model
from sendcap.model.streams import Streams
from sendcap.scenario import from_dict

NEEDS_NONE = re.compile(r"^tests/(importers|text|files|calibration/logs)/")
"""Tests of which few simulate; whichever does first waits as all others do."""

_PROVIDER = {"connect_time": "1s", "transaction_time": "1s"}
SMALLEST = {
    "deliveries": [{"name": "d", "messages": 10, "audience": {"p": 0.5, "q": 0.5}}],
    "relay": {"batch_time": "1s"},
    # The queue of q reacts, and has a compiled loop of its own.
    "providers": {"p": _PROVIDER, "q": _PROVIDER | {"tolerance": "1/s", "suspend": "momentum"}},
}
_SPOOLED = SMALLEST | {"mta": {"spool": 1000}}


@cache
def compiled() -> None:
    """Compile the queues, unless they are on disk, and load them; one process at a time."""
    with Path(__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _Model.__init__ = _plain
        for scenario in (SMALLEST, _SPOOLED):
            sendcap.simulate(from_dict(scenario))
        # Of many messages.
        Streams(0).generator("any").standard_normal(10_000)


_plain = _Model.__init__


def _first(engine: _Model, *arguments: Any, **more: Any) -> None:
    """Begin the first simulation of a process, with what another one may be compiling just now."""
    compiled()
    _plain(engine, *arguments, **more)


_Model.__init__ = _first
