"""Charts with matplotlib, in one house style.

Each chart function takes a run or a result and an optional ``ax``, on which it draws, and returns
the axes: one pair, or a list of panels. Nothing global is changed and pyplot is not used. Such
axes, or their figure, are written by `sendcap.charts.style.save`. `CHARTS` lists the
charts of a run by name, each room's ``CHARTS`` those of its results.

>>> import sendcap
>>> from sendcap.charts.style import figure_of
>>> from sendcap.charts.funnel import funnel
>>> run = sendcap.simulate("quickstart")
>>> axes = funnel(run)
>>> figure_of(axes).savefig("funnel.svg")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import Final

from sendcap.charts.drawing import charts_in

CHARTS: Final = {
    "Run": charts_in(
        "sendcap.charts",
        {
            "delivered": "Delivered % and Bounces + errors % over time, a line for each mode",
            "statuses": "sent, pending and failed messages over time, stacked, for each mode",
            "funnel": "to deliver, relayed, accepted and final, for each provider",
            "time-to-accept": "which share was accepted how soon, a line for each provider",
            "bounce-reasons": "how many messages bounced for each reason, by provider",
            "retries": "what becomes of soft-bounced messages, and the retries per hour",
            "attempts": "attempts per message; needs a run with --sending-log",
        },
    ),
}
"""The charts of each result, the usual one first."""
