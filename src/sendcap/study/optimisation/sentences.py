"""An optimum in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sendcap.study.sweeps.points import cell
from sendcap.text.quantities import counted
from sendcap.text.shares import share_text

if TYPE_CHECKING:
    from sendcap.study.optimisation.optimum import Optimum


def sentences(optimum: Optimum) -> Iterator[str]:
    """Yield cost and bound of the optimum, and the effort of the search."""
    target = optimum.target
    side = "at most" if target.at_least is None else "at least"
    yield (
        f"Cost {cost_text(optimum.cost)}; {target.column} is "
        f"{target.written(optimum.estimate.mean)} on average, and {side} "
        f"{target.written(optimum.bound)} with {share_text(target.confidence)} confidence."
    )
    tests = counted(optimum.attempts, "test")
    yield f"{len(optimum.trials):,} settings tried, {len(optimum.runs):,} runs, {tests}."


def settings_text(values: Mapping[str, Any]) -> str:
    """Return settings on one line: ``mta.ips = 12, relay.rate = 3000/s``."""
    return ", ".join(f"{path} = {cell(value)}" for path, value in values.items())


def cost_text(cost: float) -> str:
    """Return a cost: ``1,150``, ``12.5``."""
    return f"{cost:,.0f}" if float(cost).is_integer() else f"{cost:,.2f}"
