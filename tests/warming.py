"""Importing this makes a Python warm: all of sendcap is imported, and its queues are loaded."""

import importlib
import pkgutil

import sendcap
from sendcap.scenario import from_dict

_PROVIDER = {"connect_time": "1s", "transaction_time": "1s"}
_SMALLEST = {
    "deliveries": [{"name": "d", "messages": 10, "audience": {"p": 0.5, "q": 0.5}}],
    "relay": {"batch_time": "1s"},
    # The queue of q reacts, and has a compiled loop of its own.
    "providers": {"p": _PROVIDER, "q": _PROVIDER | {"tolerance": "1/s", "suspend": "momentum"}},
}


def compiled() -> None:
    """Compile the queues, unless they are on disk, and load them."""
    sendcap.simulate(from_dict(_SMALLEST))


for _module in pkgutil.walk_packages(sendcap.__path__, "sendcap."):
    # The page needs an extra.
    if not _module.name.endswith((".__main__", ".page")):
        importlib.import_module(_module.name)
compiled()
