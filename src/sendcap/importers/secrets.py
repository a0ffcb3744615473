"""Passwords and keys in configurations: no report shows them."""

from __future__ import annotations

import re
from typing import Any, Final

_SECRET: Final = re.compile(r"password|passwd|secret|private_key|api-?key|token", re.IGNORECASE)


def masked(key: str, value: Any) -> Any:
    """Return a setting's value, or that it is not shown.

    Examples
    --------
    >>> masked("smtp_auth_plain_password", "opensesame"), masked("max_ready", 5)
    ('(not shown)', 5)
    """
    return "(not shown)" if _SECRET.search(key[:200]) else value
