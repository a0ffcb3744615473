"""The files of a calibration: scenario, report, estimates, self-check and charts."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from sendcap.calibration.calibrate import Calibration
from sendcap.calibration.charts import calibration_chart, verification_chart
from sendcap.calibration.estimates import ProviderEstimates
from sendcap.calibration.families import Fit
from sendcap.calibration.report import report
from sendcap.calibration.times import Figure, share
from sendcap.calibration.verification import Verification
from sendcap.charts.style import save_png
from sendcap.files.directory import Contents
from sendcap.files.single import write_text
from sendcap.files.tables import write_csv
from sendcap.scenario.files import SCENARIO

_REPORT: Final = "report.txt"
_ESTIMATES: Final = "estimates.csv"
_CHART: Final = "calibration.png"
_CHECK: Final = "self-check.csv"
_CHECK_CHART: Final = "self-check.png"

CALIBRATION: Final = Contents(
    "a saved calibration",
    frozenset({_REPORT, _ESTIMATES}),
    frozenset({SCENARIO, _REPORT, _ESTIMATES, _CHART, _CHECK, _CHECK_CHART}),
)


def write_calibration(
    calibration: Calibration, verification: Verification | None, folder: Path
) -> None:
    """Write the files into an existing directory."""
    write_text(folder / SCENARIO, calibration.text)
    write_text(folder / _REPORT, report(calibration, verification))
    write_csv(folder / _ESTIMATES, estimates(calibration))
    save_png(calibration_chart(calibration), folder / _CHART)
    if verification is not None:
        write_csv(folder / _CHECK, verification.frame())
        save_png(verification_chart(verification), folder / _CHECK_CHART)


class _Row(NamedTuple):
    provider: str
    quantity: str
    value: float
    low: float
    high: float
    unit: str
    measured: int
    distribution: str | None = None
    distance: float | None = None


def estimates(calibration: Calibration) -> pd.DataFrame:
    """Return all estimates: provider, quantity, value, 90 % interval, unit, data.

    ``measured`` is the number of values behind an estimate, ``distance`` the largest distance of
    the fitted distribution function from the data.
    """
    rows = [row for provider in calibration.providers for row in _provider_rows(provider)]
    if calibration.feedback:
        rows += _fit_rows("", "feedback.synchronous", calibration.feedback[0])
    # An estimate of nothing, such as of the accepted messages where none was, is none.
    rows = [row for row in rows if not math.isnan(row.value)]
    return pd.DataFrame(rows, columns=list(_Row._fields))


def _fit_rows(provider: str, quantity: str, fit: Fit, *, is_shaped: bool = True) -> Iterator[_Row]:
    count, about = round(fit.count), (fit.family, fit.distance) if is_shaped else (None, None)
    yield _Row(provider, f"{quantity}, mean", *fit.mean_s, "s", count, *about)
    if fit.family not in ("exponential", "constant"):
        yield _Row(provider, f"{quantity}, cv", *fit.cv, "", count, *about)


def _provider_rows(provider: ProviderEstimates) -> Iterator[_Row]:
    name, messages, attempts = provider.name, provider.messages, provider.attempts

    def row(quantity: str, figure: Figure, unit: str, measured: float) -> _Row:
        return _Row(name, quantity, *figure, unit, round(measured))

    if provider.connect:
        yield from _fit_rows(name, "connect_time", provider.connect[0])
    if provider.connect_mean is not None:
        yield row("connect_time, mean", provider.connect_mean, "s", attempts)
    if provider.transaction:
        yield from _fit_rows(name, "transaction_time", provider.transaction[0])
    if provider.transaction_mean is not None:
        yield row("transaction_time, mean", provider.transaction_mean, "s", attempts)
    per, ceiling = provider.per_connection, provider.ceiling
    if per is not None:
        quantity = "messages_per_connection" + ("" if per.limit else ", most seen")
        yield row(quantity, Figure(per.messages), "messages", per.connections)
        yield row(
            "connections closed there",
            share(per.closed_there, per.connections),
            "share",
            per.connections,
        )
    if math.isfinite(ceiling.connections):
        most = Figure(ceiling.connections)
        yield row("connections, most in use", most, "connections", attempts)
    if ceiling.level is not None:
        unit = "connections" if ceiling.limited_by == "connections" else "1/s"
        yield row(ceiling.limited_by, ceiling.level, unit, ceiling.blocks)
    for span, pace in ceiling.fastest.items():
        yield row(f"fastest {span}", Figure(pace), "1/s", attempts)
    if provider.tolerated is not None:
        level, minutes = provider.tolerated
        yield row("tolerance", level, "1/s", minutes)
    if provider.accepts is not None:
        yield row("accepts_connections", Figure(provider.accepts), "connections", attempts)
    yield row("transient", provider.transient, "share", attempts)
    yield row("async_bounce", provider.returned, "share", messages)
    for reason, bounced in provider.hard.items():
        yield row(f"hard, {reason}", bounced, "share", provider.base(reason))
    for fault in provider.faults:
        quantity = f"fault, {fault.reason}"
        yield row(quantity, fault.share, "share", provider.base(fault.reason))
        of = messages * fault.share.value if fault.untold else fault.times.count
        yield row(f"{quantity}, never", fault.never, "share", of)
        if fault.fits:
            clears, shaped = f"{quantity}, clears_after", fault.is_shaped
            yield from _fit_rows(name, clears, fault.fits[0], is_shaped=shaped)
