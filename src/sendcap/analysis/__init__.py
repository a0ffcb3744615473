"""Analysis: what limits a delivery, worked out from a scenario and from what was simulated."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sendcap.analysis.meanfield.expected import Expected, expected

__all__ = ["Expected", "expected"]


def __getattr__(name: str) -> Any:
    # Imported when first asked for: the ceilings need none of it.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("sendcap.analysis.meanfield.expected"), name)
