"""Plain sentences about a forecast."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sendcap.readings.modes import MODE_LABELS, Mode
from sendcap.scenario import Range
from sendcap.text.quantities import elapsed, listed
from sendcap.text.shares import rounded_share, share_text

if TYPE_CHECKING:
    from sendcap.study.forecasts.outlook import Forecast

INFORMED: Final = 0.1
"""The readings say something about a range if its interval is narrower by this share."""
_NARROW_PT: Final = 0.02
_COLUMNS: Final = {"delivered_pct": "Delivered %", "bounces_errors_pct": "Bounces + errors %"}
OTHERS: Final = "a provider's transaction_time, connections or rate"
"""What is not taken for unknown, and most often wrong."""


def forecast_sentences(forecast: Forecast) -> Iterator[str]:
    """Yield the final Delivered % of each mode, and whether the forecast can be trusted."""
    if len(forecast.possible) > 1:
        yield from _of_no_mode(forecast)
    else:
        for row in forecast.final().to_dict("records"):
            mode = row["mode"]
            yield (
                f"After {elapsed(forecast.at_s)} {MODE_LABELS[mode]} shows "
                f"{_read(forecast, mode) or 'nothing yet'}. It will end at {_end(forecast, row)}."
            )
        yield from _another_mode(forecast)
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
    elif len(forecast.possible) == 1:
        misfit = forecast.misfit
        yield "No values in the ranges explain these readings: do not trust this forecast."
        yield (
            f"{_COLUMNS[misfit.column]} {MODE_LABELS[misfit.mode]} at {elapsed(misfit.time_s)} "
            f"{_misfits(forecast)}: {misfit.observed_pct:.2f} %, {_than(forecast)}. "
            f"{_widen([forecast])}"
        )


def _of_no_mode(forecast: Forecast) -> Iterator[str]:
    """Yield what the readings would say in each of the modes, none of which explains them."""
    reading, it = ("reading fits", "it") if _alone(forecast) else ("readings fit", "they")
    yield (
        f"After {elapsed(forecast.at_s)} Delivered % is {_read(forecast, forecast.modes[0])}. No "
        f"mode was given, and the {reading} none: do not trust any of these forecasts."
    )
    for each in forecast.possible:
        misfit = each.misfit
        (row,) = each.final().to_dict("records")
        yield (
            f"If {it} were {MODE_LABELS[row['mode']]}, it would end at {_end(each, row)}; but "
            f"{misfit.observed_pct:.2f} % at {elapsed(misfit.time_s)} {_misfits(each)}: "
            f"{_than(each)}."
        )
    yield _widen(forecast.possible)


def _end(forecast: Forecast, row: Mapping[Hashable, Any]) -> str:
    places = decimals(row["high"] - row["low"])
    middle, low, high = (f"{row[name]:.{places}f}" for name in ("median", "low", "high"))
    return f"{middle} % ({share_text(forecast.confidence)}: {low} to {high} %)"


def _another_mode(forecast: Forecast) -> Iterator[str]:
    """Yield what the readings would mean in the other modes that they may be of."""
    if forecast.others is None or not forecast.reachable:
        return
    yield f"No mode was given: the reading is taken to be {MODE_LABELS[forecast.modes[0]]}."
    for other in forecast.others:
        (row,) = other.final().to_dict("records")
        label = MODE_LABELS[row["mode"]]
        if other.reachable:
            yield (
                f"If it is {label}, Delivered % will end at {_end(other, row)}; say by --mode "
                "which one it is."
            )
        else:
            yield f"If it were {label}, no values in the ranges would explain it."


def unreachable(forecast: Forecast) -> str:
    """Return the warning about readings that no values in the ranges explain."""
    return (
        "no values in the ranges explain these readings: hardly any of the "
        f"{forecast.simulations} simulations lies as far from the rest; do not trust this forecast"
    )


def _alone(forecast: Forecast) -> bool:
    """Return whether there is a single reading."""
    readings = forecast.readings[forecast.misfit.mode]
    return len(forecast.misfit.sizes) == 1 and len(readings.time_s) == 1


def _misfits(forecast: Forecast) -> str:
    return "does not fit" if _alone(forecast) else "fits the least"


def _than(forecast: Forecast) -> str:
    """Return how the reading that fits the least differs from the simulations'."""
    misfit = forecast.misfit
    observed_pct, low_pct, high_pct = misfit.observed_pct, misfit.low_pct, misfit.high_pct
    simulated = f"{low_pct:.2f} to {high_pct:.2f} %"
    nearest = f"{misfit.nearest_pct:.2f} %"
    # A small misfit is taken for chance: then what is nearest is the reading itself.
    if not _alone(forecast) and nearest != f"{observed_pct:.2f} %":
        higher = "higher" if observed_pct > misfit.nearest_pct else "lower"
        others = f"that goes with the other readings (simulated: {simulated})"
        return f"{higher} than the {nearest} {others}"
    if low_pct <= observed_pct <= high_pct:
        return f"unlike nearly all simulations ({simulated})"
    higher = "higher" if observed_pct > high_pct else "lower"
    return f"{higher} than in any simulation ({simulated})"


def _widen(forecasts: Sequence[Forecast]) -> str:
    """Return what may be wrong: for each forecast, the range that moves its reading the most."""
    firsts: dict[str, None] = {}
    for forecast in forecasts:
        ranges = list(forecast.uncertain.ranges.items())
        path, values = ranges[int(abs(forecast.misfit.related).argmax())]
        low, high = (number_text(values, values.number_at(place)) for place in (0.0, 1.0))
        firsts[f"{path}, now {low} to {high}"] = None
    move = "moves" if len(firsts) == 1 else "move"
    return (
        f"Widen first {', or '.join(firsts)}, which {move} it the most; or correct what is no "
        f"range, such as {OTHERS}."
    )


def about_values(forecast: Forecast) -> Iterator[str]:
    """Yield a sentence on the ranges that the readings say nothing about, if there are any."""
    if not forecast.reachable:
        fits, it = ("reading fits", "it says") if _alone(forecast) else ("readings fit", "they say")
        yield f"The {fits} no values in the ranges, and so {it} nothing about them."
        return
    table = forecast.parameters()
    silent = table[table["narrowed"] < INFORMED]
    unknown = silent["path"][~silent["assumed"]].tolist()
    if assumed := int(silent["assumed"].sum()):
        unknown.append(f"{assumed} of the values taken for unknown")
    if unknown:
        yield f"The readings say nothing yet about {listed(unknown)}."


def about_assumed(forecast: Forecast) -> Iterator[str]:
    """Yield a sentence on the values that were taken for unknown, though the scenario has one."""
    paths = [each.path for each in forecast.assumed]
    if paths:
        yield (
            f"These {len(paths)} values of the scenario are taken for unknown, since nobody knows "
            "them before a send; --range PATH=LOW..HIGH, or a range in the scenario, changes one, "
            "and --only-given leaves them as written."
        )


def assumed_kinds(forecast: Forecast) -> list[list[str]]:
    """Return a row for each kind of value that was taken for unknown: what, how many, why."""
    kinds = dict.fromkeys(each.kind for each in forecast.assumed)
    return [
        [kind.name, str(sum(each.kind == kind for each in forecast.assumed)), kind.width, kind.why]
        for kind in kinds
    ]


def decimals(width_pt: float) -> int:
    """Return the decimals of a percentage with an interval of this width."""
    return 2 if width_pt >= _NARROW_PT else 3


def number_text(values: Range, number: float) -> str:
    """Return a number of `Range.number_at` in the unit of the range.

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


def _read(forecast: Forecast, mode: Mode) -> str:
    """Return the last reading of a mode; empty without one."""
    percent = forecast.readings[mode].percent
    for name, words in (("delivered_pct", ""), ("bounces_errors_pct", " Bounces + errors")):
        values = percent.get(name)
        if values is not None and not math.isnan(values[-1]):
            return f"{values[-1]:.2f} %{words}"
    return ""
