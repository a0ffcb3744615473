"""Every estimate of a calibration, as a table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sendcap.calibration.calibrate import Calibration
from sendcap.calibration.connections import closed_share
from sendcap.calibration.estimates import ProviderFound
from sendcap.calibration.fitting import Fit
from sendcap.calibration.times import Figure

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]


def estimates(found: Calibration) -> pd.DataFrame:
    """Return every estimate: provider, quantity, value, ends of the 90 % interval, unit, data.

    ``measured`` is how many values it rests on, ``distance`` the largest distance between the
    fitted distribution function and the data's.
    """
    import pandas as pd

    rows: list[Row] = []
    for its in found.providers:
        rows += _of_provider(its)
    if found.feedback:
        rows += _of_fit("", "feedback.synchronous", found.feedback[0])
    columns = (
        "provider",
        "quantity",
        "value",
        "low",
        "high",
        "unit",
        "measured",
        "distribution",
        "distance",
    )
    return pd.DataFrame(rows, columns=list(columns))


def _row(provider: str, quantity: str, figure: Figure, unit: str, measured: float) -> Row:
    ends = dict(zip(("value", "low", "high"), figure, strict=True))
    return {
        "provider": provider,
        "quantity": quantity,
        **ends,
        "unit": unit,
        "measured": round(measured),
    }


def _of_fit(provider: str, quantity: str, fit: Fit) -> list[Row]:
    about = {"distribution": fit.family, "distance": fit.distance}
    rows = [{**_row(provider, f"{quantity}, mean", fit.mean_s, "s", fit.count), **about}]
    if fit.family not in ("exponential", "constant"):
        rows.append({**_row(provider, f"{quantity}, cv", fit.cv, "", fit.count), **about})
    return rows


def _of_provider(its: ProviderFound) -> list[Row]:
    rows: list[Row] = []
    for quantity, fits in (("connect_time", its.connect), ("transaction_time", its.transaction)):
        if fits:
            rows += _of_fit(its.name, quantity, fits[0])
    if its.transaction_mean is not None:
        mean = its.transaction_mean
        rows.append(_row(its.name, "transaction_time, mean", mean, "s", its.attempts))
    if its.per_connection is not None:
        per = its.per_connection
        name = "messages_per_connection" + ("" if per.limit else ", most seen")
        rows.append(_row(its.name, name, Figure(per.most), "messages", per.connections))
        share = closed_share(per)
        rows.append(_row(its.name, "connections closed there", share, "share", per.connections))
    ceiling = its.ceiling
    if math.isfinite(ceiling.connections):
        most = Figure(ceiling.connections)
        rows.append(_row(its.name, "connections, most in use", most, "connections", its.attempts))
    if ceiling.limited_by and ceiling.level is not None:
        unit = "connections" if ceiling.limited_by == "connections" else "1/s"
        rows.append(_row(its.name, ceiling.limited_by, ceiling.level, unit, ceiling.blocks))
    for name in ("second", "minute", "hour"):
        figure = Figure(getattr(ceiling, f"per_{name}"))
        if math.isfinite(figure.value):
            rows.append(_row(its.name, f"fastest {name}", figure, "1/s", its.attempts))
    if its.tolerated is not None:
        rows.append(_row(its.name, "tolerance", its.tolerated[0], "1/s", its.tolerated[1]))
    rows.append(_row(its.name, "transient", its.transient, "share", its.attempts))
    rows.append(_row(its.name, "async_bounce", its.returned, "share", its.messages))
    for reason, share in its.hard.items():
        rows.append(_row(its.name, f"hard, {reason}", share, "share", its.messages))
    for fault in its.faults:
        name = f"fault, {fault.reason}"
        rows.append(_row(its.name, name, fault.share, "share", its.messages))
        count = fault.times.count
        rows.append(_row(its.name, f"{name}, never", fault.never, "share", count))
        if fault.fits:
            rows += _of_fit(its.name, f"{name}, clears_after", fault.fits[0])
    return rows
