"""A forecast in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sendcap.readings.modes import MODE_LABELS, Mode
from sendcap.scenario import Range
from sendcap.text.quantities import elapsed
from sendcap.text.shares import rounded_share, share_text

if TYPE_CHECKING:
    from sendcap.study.forecasts.outlook import Forecast

INFORMED: Final = 0.1
"""The readings say something about a range if its interval is narrower by this share."""
_NARROW_PT: Final = 0.02


def sentences(forecast: Forecast) -> Iterator[str]:
    """Yield the final Delivered % of each mode, and whether the forecast can be trusted."""
    share = share_text(forecast.confidence)
    for row in forecast.final().to_dict("records"):
        mode, places = row["mode"], decimals(row["high"] - row["low"])
        middle, low, high = (f"{row[name]:.{places}f}" for name in ("median", "low", "high"))
        yield (
            f"After {elapsed(forecast.at_s)} {MODE_LABELS[mode]} {_shown(forecast, mode)}. "
            f"It will end at {middle} % ({share}: {low} to {high} %)."
        )
    horizon = forecast.uncertain.scenario.time.horizon
    if horizon is not None:
        yield (
            f"The run stops at the horizon ({elapsed(horizon)}); messages still in flight then "
            "count as not delivered."
        )
    if forecast.reachable:
        yield (
            f"The readings fit the scenario: {rounded_share(forecast.p_value)} of the simulations "
            "lie at least as far from the rest."
        )
    else:
        yield (
            "No values in the ranges explain these readings: do not trust this forecast. Widen "
            "the ranges, or correct the scenario."
        )


def unreachable(forecast: Forecast) -> str:
    """Return the warning about readings that no values in the ranges explain."""
    return (
        "no values in the ranges explain these readings: hardly any of the "
        f"{forecast.simulations} simulations lies as far from the rest; widen the ranges or "
        "correct the scenario, and do not trust this forecast"
    )


def about_values(forecast: Forecast) -> Iterator[str]:
    """Yield a sentence on the ranges that the readings say nothing about, if there are any."""
    table = forecast.parameters()
    unknown = table["path"][table["narrowed"] < INFORMED].tolist()
    if unknown:
        yield f"The readings say nothing yet about {', '.join(unknown)}."


def decimals(width_pt: float) -> int:
    """Return the decimals of a percentage with an interval of this width."""
    return 2 if width_pt >= _NARROW_PT else 3


def number_text(values: Range, number: float) -> str:
    """Return a number of `Range.number_at` in the unit of the range.

    Examples
    --------
    >>> from sendcap.scenario import Range
    >>> number_text(Range(0.1, 0.3), 0.12345), number_text(Range(1000, 8000), 2000.0)
    ('0.123', '2,000')
    >>> number_text(Range("1m", "3m"), 90.0), number_text(Range("1,000/h", "3,000/h"), 1234.0)
    ('1m 30s', '1,234/h')
    """
    if isinstance(values.low, int):
        return f"{number:,.0f}"
    if not isinstance(values.low, str):
        return f"{number:.3g}"
    # The period of a rate is the same at both ends.
    if "/" in values.low:
        return f"{number:,.0f}/{values.low.partition('/')[2]}"
    return elapsed(number)


def _shown(forecast: Forecast, mode: Mode) -> str:
    percent = forecast.readings[mode].percent
    for name, words in (("delivered_pct", ""), ("bounces_errors_pct", " Bounces + errors")):
        values = percent.get(name)
        if values is not None and not math.isnan(values[-1]):
            return f"shows {values[-1]:.2f} %{words}"
    return "shows nothing yet"
