"""Importing this makes a Python warm: all of sendcap is imported, and its queues are loaded."""

import gc
import importlib
import pkgutil
from contextlib import suppress

import compiling

import sendcap

for _module in pkgutil.walk_packages(sendcap.__path__, "sendcap."):
    # The page needs an extra.
    if not _module.name.endswith((".__main__", ".page")):
        importlib.import_module(_module.name)
# A search imports it late, which takes longer than the search.
with suppress(ImportError):
    import optuna  # noqa: F401
compiling.compiled()
# All of this stays: no fork looks for garbage in it.
gc.freeze()
