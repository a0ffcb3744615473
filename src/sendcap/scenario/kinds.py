"""What a TOML file is, told by the keys: a scenario, or a study of one of the commands.

A file of another kind has no key that is known, so that a list of unknown keys would not help.
"""

from collections.abc import Mapping
from typing import Any, Final

SCENARIO: Final = "a scenario"
SWEEP: Final = "a study of `sendcap sweep`"
OPTIMISATION: Final = "a study of `sendcap optimise`"

_KEYS: Final = {
    SCENARIO: {"deliveries", "providers"},
    OPTIMISATION: {"levers", "target"},
    SWEEP: {"over", "points", "design"},
    "traffic shaping of KumoMTA": {"default", "provider"},
}
_NEEDS: Final = {
    SCENARIO: "a scenario has [[deliveries]] and [providers]",
    SWEEP: "a study names a scenario and has [over], [design] or points",
    OPTIMISATION: "a study names a scenario and has [levers] and a [target]",
}


def other_kind(data: Mapping[str, Any], wanted: str) -> str | None:
    """Return the problem of a file that is empty or of another kind than the wanted one.

    >>> other_kind({"deliveries": []}, OPTIMISATION).partition(";")[0]
    'is a scenario, not a study of `sendcap optimise`'
    """
    if not data:
        return f"is empty; {_NEEDS[wanted]}"
    kind = next((kind for kind, keys in _KEYS.items() if not keys.isdisjoint(data)), wanted)
    return None if kind == wanted else f"is {kind}, not {wanted}; {_NEEDS[wanted]}"
